-- A start that was taken and whose run may not have begun: which run it is to be, and which process has taken it.
ALTER TABLE schedules ADD COLUMN claimed BIGINT;
ALTER TABLE schedules ADD COLUMN run TEXT;
ALTER TABLE schedules ADD COLUMN owner TEXT;
