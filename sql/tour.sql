-- A tour of ctct. Nothing here needs an account:
--
--     ctct --sandbox -f sql/tour.sql
--
-- Every statement is an ordinary question to the Constant Contact API; EXPLAIN before
-- any of them shows what would be sent, and sends nothing.

-- Who is in the account? Contacts by whether we may write to them.
SELECT email_permission_to_send AS permission, count(*) AS contacts
FROM contacts
GROUP BY 1
ORDER BY contacts DESC;

-- How did the account grow? New contacts by year.
SELECT CAST(date_part('year', created_at) AS INT) AS year, count(*) AS new_contacts
FROM contacts
GROUP BY 1
ORDER BY year;

-- Which lists are largest? A list's own count against the memberships of the contacts.
SELECT l.name AS list, l.membership_count AS members, count(m.contact_id) AS mailable
FROM contact_lists l
LEFT JOIN (
    SELECT contact_id, unnest(list_memberships) AS list_id
    FROM contacts
    WHERE email_permission_to_send IN ('implicit', 'explicit')
) m ON m.list_id = l.list_id
GROUP BY l.name, l.membership_count
ORDER BY members DESC, list
LIMIT 8;

-- What would a narrow question send? One request for three contacts, and no more.
EXPLAIN SELECT contact_id, email_address
FROM contacts
WHERE updated_at >= '2025-06-01'
LIMIT 3;

-- Who unsubscribed in the last quarter, and did they say why?
SELECT email_opt_out_reason AS reason, count(*) AS unsubscribed
FROM contacts
WHERE email_opt_out_date >= '2025-10-01'
GROUP BY 1
ORDER BY unsubscribed DESC, reason NULLS LAST;

-- Which campaigns were opened most? Reports have no names, so the campaigns are joined.
SELECT c.name AS campaign,
       CAST(s.last_sent_date AS DATE) AS sent,
       s.unique_counts_sends AS sends,
       round(100.0 * s.unique_counts_opens / (s.unique_counts_sends - s.unique_counts_bounces), 1)
           AS open_rate,
       round(100.0 * s.unique_counts_clicks / s.unique_counts_opens, 1) AS click_rate
FROM email_campaign_summaries s
JOIN email_campaigns c USING (campaign_id)
WHERE s.unique_counts_sends > 100
ORDER BY open_rate DESC
LIMIT 5;

-- Did the months with the best campaigns bring the most contacts, and to which lists?
-- Three tables, one question.
WITH best AS (
    SELECT date_trunc('month', last_sent_date) AS month,
           sum(unique_counts_opens) AS opens
    FROM email_campaign_summaries
    GROUP BY 1
    ORDER BY opens DESC
    LIMIT 3
)
SELECT CAST(best.month AS DATE) AS month, best.opens, l.name AS list, count(*) AS new_members
FROM best
JOIN (
    SELECT date_trunc('month', created_at) AS month, unnest(list_memberships) AS list_id
    FROM contacts
) c ON c.month = best.month
JOIN contact_lists l ON l.list_id = c.list_id
GROUP BY 1, 2, 3
ORDER BY new_members DESC, month, list
LIMIT 6;

-- Keep an answer: contacts with their lists by name, as Parquet.
COPY (
    SELECT c.contact_id, c.email_address, c.first_name, c.last_name, l.name AS list
    FROM (SELECT *, unnest(list_memberships) AS list_id FROM contacts) c
    JOIN contact_lists l USING (list_id)
) TO 'contacts_by_list.parquet';

-- And read it back: files are tables, too. This sends nothing.
SELECT list, count(*) AS contacts, count(email_address) AS with_address
FROM 'contacts_by_list.parquet'
GROUP BY list
ORDER BY contacts DESC, list
LIMIT 5;

-- What did all this cost? Ten thousand requests a day are what an account has.
SELECT path, count(*) AS requests, sum(bytes) AS bytes
FROM ctct.system.requests
GROUP BY path
ORDER BY requests DESC, path;
