-- Monthly recurring revenue as of each month's end.
--
-- What counts: licensed prices of subscriptions, quantity x price, brought to a month (a year is 12 months, 52 weeks or
-- 365 days), from the end of the trial to the end of the subscription. What is simplified:
--   * past months are computed with today's items and prices, since Stripe lists no earlier ones;
--   * metered and tiered prices are left out: they have no amount before they are used;
--   * discounts count with the share that the subscription's latest invoice was discounted by;
--   * taxes, prorations and one-off lines are no recurring revenue.
WITH discounted AS (
  SELECT
    invoices.id,
    least(1, coalesce(list_sum(CAST(invoices.total_discount_amounts -> '$[*].amount' AS BIGINT[])), 0)
      / nullif(invoices.subtotal, 0)) AS share
  FROM invoices
),
item_amounts AS (
  SELECT
    subscription_items.subscription,
    subscription_items.quantity
      * CAST(subscription_items.price ->> 'unit_amount_decimal' AS DECIMAL(38, 12))
      / CAST(subscription_items.price -> 'recurring' ->> 'interval_count' AS INTEGER)
      * CASE (subscription_items.price -> 'recurring' ->> 'interval')
          WHEN 'day' THEN 365 / 12.0
          WHEN 'week' THEN 52 / 12.0
          WHEN 'month' THEN 1
          WHEN 'year' THEN 1 / 12.0
        END AS monthly
  FROM subscription_items
  WHERE (subscription_items.price -> 'recurring' ->> 'usage_type') = 'licensed'
    AND (subscription_items.price ->> 'unit_amount_decimal') IS NOT NULL
),
amounts AS (
  SELECT subscription, sum(monthly) AS list_monthly FROM item_amounts GROUP BY subscription
),
paying AS (
  SELECT
    subscriptions.id,
    subscriptions.customer,
    subscriptions.currency,
    greatest(subscriptions.start_date, coalesce(subscriptions.trial_end, subscriptions.start_date)) AS begins,
    coalesce(subscriptions.ended_at, TIMESTAMP '9999-12-31') AS ends,
    amounts.list_monthly,
    amounts.list_monthly * (1 - coalesce(discounted.share, 0)) AS monthly
  FROM subscriptions
  JOIN amounts ON amounts.subscription = subscriptions.id
  LEFT JOIN discounted ON discounted.id = subscriptions.latest_invoice
  WHERE subscriptions.status NOT IN ('incomplete', 'incomplete_expired', 'paused')
),
months AS (
  SELECT unnest(generate_series(
    date_trunc('month', {{ since }}),
    date_trunc('month', (SELECT max(_read_at) FROM subscriptions)),
    INTERVAL 1 MONTH
  )) AS month
),
figures AS (
  SELECT
    months.month,
    paying.*,
    paying.begins < months.month + INTERVAL 1 MONTH AND paying.ends >= months.month + INTERVAL 1 MONTH AS is_active,
    paying.begins >= months.month AS is_new,
    paying.ends < months.month + INTERVAL 1 MONTH AS is_churned
  FROM months
  JOIN paying ON paying.begins < months.month + INTERVAL 1 MONTH
    AND paying.ends >= months.month
    AND paying.ends > paying.begins
)
SELECT
  CAST(figures.month AS DATE) AS month,
  figures.currency,
  weir.amount(CAST(coalesce(sum(monthly) FILTER (is_active), 0) AS DECIMAL(18, 0)), figures.currency) AS mrr,
  CAST(round(coalesce(sum(monthly) FILTER (is_active), 0)) AS BIGINT) AS mrr_minor,
  CAST(round(coalesce(sum(list_monthly) FILTER (is_active), 0)) AS BIGINT) AS list_mrr_minor,
  CAST(round(coalesce(sum(monthly) FILTER (is_active AND is_new), 0)) AS BIGINT) AS new_mrr_minor,
  CAST(round(coalesce(sum(monthly) FILTER (is_churned), 0)) AS BIGINT) AS churned_mrr_minor,
  count(*) FILTER (is_active) AS subscriptions,
  count(DISTINCT figures.customer) FILTER (is_active) AS customers
FROM figures
GROUP BY figures.month, figures.currency
ORDER BY figures.month, figures.currency
