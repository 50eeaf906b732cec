"""Statements that take more time, memory or disk than a box may."""

from __future__ import annotations

BOMBS = (
    "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c",
    "SELECT count(*) FROM range(10000000000000)",
    "SELECT count(*) FROM generate_series(1, 1000000000000) t(n) WHERE n % 7 = 8",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "WITH RECURSIVE r AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM r) SELECT max(len(s)) FROM r",
    "WITH RECURSIVE r AS (SELECT unnest([1, 2]) AS n UNION ALL SELECT a.n FROM r a, r b) SELECT count(*) FROM r",
    "WITH RECURSIVE r AS (SELECT [1] AS l UNION ALL SELECT list_concat(l, l) FROM r) SELECT max(len(l)) FROM r",
    "SELECT len(repeat('x', 4000000000))",
    "SELECT sum(len(repeat(n::VARCHAR, 100000000))) FROM range(100) t(n)",
    "SELECT len(range(2000000000))",
    "SELECT len(list_transform(range(200000000), lambda x: x * 2))",
    "SELECT len(list(n)) FROM range(2000000000) t(n)",
    "SELECT len(list_reduce(range(3000)::VARCHAR[], lambda a, b: a || b || a))",
    "SELECT len(string_agg(repeat('x', 1000), ',')) FROM range(10000000)",
    "SELECT levenshtein(repeat('x', 200000), repeat('y', 200000))",
    "SELECT jaccard(repeat('abc', 100000000), repeat('xyz', 100000000))",
    "SELECT count(*) FROM range(100000000) t(n) WHERE regexp_matches(repeat('a', 100) || n, '(a+)+(a+)+(a+)+b')",
    "SELECT len(regexp_replace(repeat('a', 20000000), 'a', repeat('b', 1000), 'g'))",
    "SELECT count(*) FROM (SELECT md5(n::VARCHAR) AS m FROM range(100000000) t(n) ORDER BY m LIMIT 99999999)",
    "SELECT count(*) FROM (SELECT md5(n::VARCHAR) AS m, count(*) FROM range(100000000) t(n) GROUP BY m)",
    "SELECT count(*) FROM range(50000000) a JOIN range(50000000) b ON md5(a.range::VARCHAR) = md5(b.range::VARCHAR)",
    "SELECT max(s) FROM (SELECT sum(n) OVER (ORDER BY hash(n) ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING) AS s"
    " FROM range(100000000) t(n))",
    "SELECT max(m) FROM (SELECT mode(n) OVER (ORDER BY n ROWS BETWEEN 1000000 PRECEDING AND 1000000 FOLLOWING) AS m"
    " FROM range(10000000) t(n))",
    "SELECT md5(n::VARCHAR) FROM range(10000000000) t(n)",
    "SELECT repeat(md5(n::VARCHAR), 1000) FROM range(10000000) t(n)",
    "SELECT count(*) FROM (FROM range(100000) a, range(100000) b ORDER BY hash(a.range * b.range))",
    "SELECT len(lpad('x', 2000000000, 'ab'))",
    "SELECT len(format('{:>2000000000}', 'x'))",
    "SELECT count(*) FROM range(TIMESTAMP '0001-01-01', TIMESTAMP '9999-01-01', INTERVAL 1 MICROSECOND)",
    "SELECT len(json_structure('[' || repeat('{\"a\":1},', 40000000) || '1]'))",
)

DEEP = (
    "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT " + "1+" * 20000 + "1",
    "SELECT " + "abs(" * 3000 + "1" + ")" * 3000,
    "SELECT " + "NOT " * 20000 + "true",
    "SELECT " + "[" * 5000 + "1" + "]" * 5000,
    "SELECT * FROM " + "(SELECT * FROM " * 2000 + "range(1)" + ")" * 2000,
    "SELECT " + "CASE WHEN true THEN " * 3000 + "1" + " END" * 3000,
    " UNION ALL ".join(["SELECT 1"] * 20000),
    "SELECT '" + "x" * 20_000_000 + "' WHERE " + "true AND " * 30000 + "true",
)
