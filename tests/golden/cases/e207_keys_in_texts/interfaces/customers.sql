SELECT id, email FROM customers -- whsec_0123456789abcdef0123
