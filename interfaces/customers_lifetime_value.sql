-- One row a customer. Lifetime value = captured payments - refunds - lost disputes, before Stripe's fees.
-- Amounts of different currencies are never added: the customer's own currency fills the columns, what was paid in
-- others is listed in `other_currencies`.
WITH currencies AS (
  -- What one smallest unit of a currency is worth, as Stripe counts it (which is not always what ISO 4217 says).
  -- A currency that is missing here gives no value at all rather than a wrong one.
  SELECT unnest(['bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof',
                 'xpf']) AS currency, 1.000 AS minor_unit
  UNION ALL
  SELECT unnest(['bhd', 'jod', 'kwd', 'omr', 'tnd']), 0.001
  UNION ALL
  SELECT unnest(string_split(
    'aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc '
    || 'cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs '
    || 'khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab '
    || 'pen pgk php pkr pln qar ron rsd sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah '
    || 'ugx usd uyu uzs wst xcd xcg yer zar zmw', ' ')), 0.010
),
lost AS (
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
  CAST(coalesce(paid.value_minor, 0) AS DECIMAL(18, 0)) * currencies.minor_unit AS lifetime_value,
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
LEFT JOIN currencies ON currencies.currency = own.currency
