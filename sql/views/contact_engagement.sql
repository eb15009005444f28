-- What each contact that can be written to got, opened and clicked, and when it last did.
SELECT c.contact_id,
       c.email_address,
       c.first_name,
       c.last_name,
       coalesce(s.sends, 0) AS sends,
       coalesce(o.emails_opened, 0) AS emails_opened,
       coalesce(o.opens, 0) AS opens,
       coalesce(k.clicks, 0) AS clicks,
       CASE WHEN s.sends > 0 THEN round(100.0 * coalesce(o.emails_opened, 0) / s.sends, 1) END
           AS open_rate,
       s.last_sent,
       o.last_opened,
       k.last_clicked
FROM contacts c
LEFT JOIN (
    SELECT contact_id,
           count(DISTINCT campaign_activity_id) AS sends,
           max(created_time) AS last_sent
    FROM email_sends
    GROUP BY contact_id
) s ON s.contact_id = c.contact_id
LEFT JOIN (
    SELECT contact_id,
           count(DISTINCT campaign_activity_id) AS emails_opened,
           count(*) AS opens,
           max(created_time) AS last_opened
    FROM email_opens
    GROUP BY contact_id
) o ON o.contact_id = c.contact_id
LEFT JOIN (
    SELECT contact_id, count(*) AS clicks, max(created_time) AS last_clicked
    FROM email_clicks
    GROUP BY contact_id
) k ON k.contact_id = c.contact_id
WHERE c.email_permission_to_send IN ('implicit', 'explicit')
