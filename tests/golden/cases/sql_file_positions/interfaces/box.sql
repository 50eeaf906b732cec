SELECT id,
       email
FROM customers
WHERE created >= {{ since }}
  AND emial IS NOT NULL
