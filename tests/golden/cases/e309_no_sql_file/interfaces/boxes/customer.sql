SELECT id AS customer_id, email FROM customers
