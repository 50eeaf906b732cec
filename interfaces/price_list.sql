-- The price list itself: a change of it is reviewed like any other change of a file.
SELECT * FROM (VALUES
  ('weir_basic', 'Basic', 9.00, 'eur', 'month'),
  ('weir_team', 'Team', 29.00, 'eur', 'month'),
  ('weir_business', 'Business', 290.00, 'eur', 'year')
) AS list(sku, name, price, currency, interval)
