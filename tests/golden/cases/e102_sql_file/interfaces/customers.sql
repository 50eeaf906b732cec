SELECT id, email -- KÃ¤ufer
FROM customers WHERE name = 'Müller'
