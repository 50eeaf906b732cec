"""What a world holds and keeps: objects, events, clock, answers under idempotency keys."""
