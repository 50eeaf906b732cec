SELECT id, lower(email) AS email, currency FROM customers
