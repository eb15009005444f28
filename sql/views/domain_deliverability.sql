-- How many e-mails went to each mail domain, how many came back, and why.
SELECT s.domain,
       s.sends,
       coalesce(b.bounces, 0) AS bounces,
       round(100.0 * coalesce(b.bounces, 0) / s.sends, 2) AS bounce_rate,
       coalesce(b.no_such_address, 0) AS no_such_address,
       coalesce(b.mailbox_full, 0) AS mailbox_full,
       coalesce(b.blocked, 0) AS blocked,
       coalesce(b.other, 0) AS other
FROM (
    SELECT lower(split_part(email_address, '@', 2)) AS domain, count(*) AS sends
    FROM email_sends
    GROUP BY 1
) s
LEFT JOIN (
    SELECT lower(split_part(email_address, '@', 2)) AS domain,
           count(*) AS bounces,
           count(*) FILTER (WHERE bounce_code = 'B') AS no_such_address,
           count(*) FILTER (WHERE bounce_code = 'F') AS mailbox_full,
           count(*) FILTER (WHERE bounce_code = 'Z') AS blocked,
           count(*) FILTER (WHERE bounce_code NOT IN ('B', 'F', 'Z')) AS other
    FROM email_bounces
    GROUP BY 1
) b ON b.domain = s.domain
