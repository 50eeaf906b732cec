-- Objects are matched by key. An object that the step has written comes first, then one that is not archived. Of
-- several archived objects none matches: a replacement leaves such objects behind, and no rule can choose among them.

-- name: make_candidates
CREATE TEMP TABLE candidates AS
SELECT
    key,
    CASE WHEN live > 0 THEN live_id WHEN total = 1 THEN any_id END AS id,
    CASE WHEN live > 0 THEN live WHEN total = 1 THEN 1 ELSE 0 END AS number
FROM (
    SELECT
        key,
        count(*) AS total,
        min(id) AS any_id,
        count(*) FILTER (NOT archived) AS live,
        min(id) FILTER (NOT archived) AS live_id
    FROM objects
    WHERE key IS NOT NULL
    GROUP BY key
)

-- name: make_resolved
CREATE TEMP TABLE resolved AS
SELECT *, count(*) OVER (PARTITION BY coalesce(object, key)) AS claims
FROM (
    SELECT
        desired.*,
        coalesce(own.id, candidates.id) AS object,
        CASE WHEN own.id IS NOT NULL THEN 1 ELSE coalesce(candidates.number, 0) END AS number,
        count(*) OVER (PARTITION BY desired.key) AS doubles,
        known.object AS written
    FROM desired
    LEFT JOIN known ON known.key = desired.key
    LEFT JOIN objects AS own ON own.id = known.object
    LEFT JOIN candidates ON candidates.key = desired.key
)

-- name: find_objects
SELECT key, min(id)
FROM objects
WHERE key IN (SELECT key FROM wanted)
GROUP BY key
HAVING count(*) = 1

-- name: missing_objects
SELECT known.key, objects.id
FROM known
JOIN objects ON objects.id = known.object
WHERE NOT objects.archived
    AND known.key NOT IN (SELECT key FROM blocked)
    AND NOT EXISTS (SELECT 1 FROM compared WHERE compared.key = known.key OR compared.object = objects.id)
ORDER BY known.key
