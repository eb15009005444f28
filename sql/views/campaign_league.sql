-- Each campaign that was sent, with its rates, the best opened first.
SELECT rank() OVER (ORDER BY open_rate DESC NULLS LAST) AS place, *
FROM (
    SELECT c.campaign_id,
           c.name AS campaign,
           c.type AS campaign_type,
           s.last_sent_date AS sent,
           s.unique_counts_sends AS sends,
           s.unique_counts_opens AS opens,
           s.unique_counts_clicks AS clicks,
           s.unique_counts_bounces AS bounces,
           s.unique_counts_optouts AS optouts,
           round(100.0 * s.unique_counts_opens
               / nullif(s.unique_counts_sends - s.unique_counts_bounces, 0), 1) AS open_rate,
           round(100.0 * s.unique_counts_clicks / nullif(s.unique_counts_opens, 0), 1)
               AS click_rate,
           round(100.0 * s.unique_counts_bounces / nullif(s.unique_counts_sends, 0), 1)
               AS bounce_rate,
           round(100.0 * s.unique_counts_optouts
               / nullif(s.unique_counts_sends - s.unique_counts_bounces, 0), 2) AS optout_rate
    FROM email_campaign_summaries s
    JOIN email_campaigns c USING (campaign_id)
)
