-- How many of each list's present members joined the account in each month, and in all up to then.
SELECT list_id,
       list,
       month,
       new_members,
       sum(new_members) OVER (PARTITION BY list_id ORDER BY month) AS members
FROM (
    SELECT l.list_id,
           l.name AS list,
           CAST(date_trunc('month', c.created_at) AS DATE) AS month,
           count(*) AS new_members
    FROM (SELECT created_at, unnest(list_memberships) AS list_id FROM contacts) c
    JOIN contact_lists l ON l.list_id = c.list_id
    GROUP BY 1, 2, 3
)
