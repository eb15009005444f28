-- How often each link of each campaign was clicked, and by how many contacts.
SELECT c.campaign_id,
       c.name AS campaign,
       a.campaign_activity_id,
       a.role,
       l.url_id,
       l.link_url,
       coalesce(k.clicks, 0) AS clicks,
       l.unique_clicks AS contacts,
       round(100.0 * coalesce(k.clicks, 0)
           / nullif(sum(coalesce(k.clicks, 0)) OVER (PARTITION BY a.campaign_activity_id), 0), 1)
           AS share
FROM email_campaigns c
JOIN email_campaign_activities a USING (campaign_id)
JOIN email_links l ON l.campaign_activity_id = a.campaign_activity_id
LEFT JOIN (
    SELECT campaign_activity_id, url_id, count(*) AS clicks
    FROM email_clicks
    GROUP BY 1, 2
) k ON k.campaign_activity_id = l.campaign_activity_id AND k.url_id = l.url_id
