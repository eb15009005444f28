-- How well e-mails are opened by the weekday (1 is Monday) and the hour (UTC) they are sent at.
SELECT CAST(date_part('isodow', last_sent_date) AS INT) AS weekday,
       CAST(date_part('hour', last_sent_date) AS INT) AS hour,
       count(*) AS campaigns,
       sum(unique_counts_sends) AS sends,
       round(100.0 * sum(unique_counts_opens)
           / nullif(sum(unique_counts_sends) - sum(unique_counts_bounces), 0), 1) AS open_rate,
       round(100.0 * sum(unique_counts_clicks) / nullif(sum(unique_counts_opens), 0), 1)
           AS click_rate
FROM email_campaign_summaries
GROUP BY 1, 2
