-- How many members each list has, how many of them can be written to, and how many are new.
SELECT l.list_id,
       l.name AS list,
       l.membership_count AS members,
       coalesce(m.mailable, 0) AS mailable,
       CASE WHEN m.members > 0 THEN round(100.0 * m.mailable / m.members, 1) END AS mailable_rate,
       coalesce(m.unsubscribed, 0) AS unsubscribed,
       coalesce(m.held, 0) AS held,
       coalesce(m.new_in_90_days, 0) AS new_in_90_days
FROM contact_lists l
LEFT JOIN (
    SELECT list_id,
           count(*) AS members,
           count(*) FILTER (WHERE permission IN ('implicit', 'explicit')) AS mailable,
           count(*) FILTER (WHERE permission = 'unsubscribed') AS unsubscribed,
           count(*) FILTER (WHERE permission = 'temp_hold') AS held,
           count(*) FILTER (WHERE created_at >= newest - INTERVAL '90' DAY) AS new_in_90_days
    FROM (
        SELECT unnest(list_memberships) AS list_id,
               email_permission_to_send AS permission,
               created_at,
               max(created_at) OVER () AS newest
        FROM contacts
    )
    GROUP BY list_id
) m ON m.list_id = l.list_id
