-- One row a customer. Lifetime value = captured payments - refunds - lost disputes, before Stripe's fees.
-- Amounts of different currencies are never added: the customer's own currency fills the columns, what was paid in
-- others is listed in `other_currencies`.
WITH lost AS (
  SELECT charge, sum(amount) AS amount FROM disputes WHERE status = 'lost' GROUP BY charge
),
paid AS (
  SELECT
    charges.customer,
    charges.currency,
    CAST(sum(charges.amount_captured - charges.amount_refunded - coalesce(lost.amount, 0)) AS BIGINT) AS value_minor,
    CAST(sum(charges.amount_refunded) AS BIGINT) AS refunded_minor,
    CAST(sum(coalesce(lost.amount, 0)) AS BIGINT) AS disputed_minor,
    count(*) AS payments,
    min(charges.created) AS first_paid_at,
    max(charges.created) AS last_paid_at
  FROM charges
  LEFT JOIN lost ON lost.charge = charges.id
  WHERE charges.status = 'succeeded' AND charges.captured AND charges.customer IS NOT NULL
  GROUP BY charges.customer, charges.currency
),
own AS (
  -- Stripe fixes a customer's currency with the first invoice; without one it is the currency that was paid in most.
  SELECT
    customers.id,
    coalesce(customers.currency, (
      SELECT paid.currency FROM paid WHERE paid.customer = customers.id
      ORDER BY paid.payments DESC, paid.currency LIMIT 1
    )) AS currency
  FROM customers
),
others AS (
  SELECT paid.customer, json_group_object(paid.currency, paid.value_minor) AS amounts
  FROM paid
  JOIN own ON own.id = paid.customer AND own.currency <> paid.currency
  GROUP BY paid.customer
)
SELECT
  customers.id,
  customers.name,
  customers.email,
  customers.address ->> 'country' AS country,
  customers.created,
  customers.delinquent,
  own.currency,
  weir.amount(CAST(coalesce(paid.value_minor, 0) AS DECIMAL(18, 0)), own.currency) AS lifetime_value,
  coalesce(paid.value_minor, 0) AS lifetime_value_minor,
  coalesce(paid.refunded_minor, 0) AS refunded_minor,
  coalesce(paid.disputed_minor, 0) AS disputed_minor,
  coalesce(paid.payments, 0) AS payments,
  paid.first_paid_at,
  paid.last_paid_at,
  others.amounts AS other_currencies
FROM customers
JOIN own ON own.id = customers.id
LEFT JOIN paid ON paid.customer = customers.id AND paid.currency = own.currency
LEFT JOIN others ON others.customer = customers.id
