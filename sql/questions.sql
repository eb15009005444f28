-- Questions to the views that ctct brings along. Nothing here needs an account:
--
--     ctct --sandbox -f sql/questions.sql
--
-- A view is a saved question (sql/views/ has their texts): what it asks for is sent when it
-- is read, and EXPLAIN says what that would be.

-- Which five campaigns were opened best?
SELECT place, campaign, sends, open_rate, click_rate
FROM ctct.views.campaign_league
ORDER BY place, campaign
LIMIT 5;

-- Which lists are in good health, and do they grow?
SELECT list, members, mailable, mailable_rate, new_in_90_days
FROM ctct.views.list_health
ORDER BY members DESC, list;

-- How did the largest list grow in the last half year?
SELECT month, new_members, members
FROM ctct.views.list_growth
WHERE list = 'General Interest'
ORDER BY month DESC
LIMIT 6;

-- Who reads everything?
SELECT email_address, sends, emails_opened, clicks, open_rate
FROM ctct.views.contact_engagement
WHERE sends >= 5
ORDER BY open_rate DESC, clicks DESC, email_address
LIMIT 5;

-- Who reads nothing, and might be asked once more or be left alone?
SELECT email_address, sends, CAST(last_sent AS DATE) AS last_sent
FROM ctct.views.unengaged_contacts
ORDER BY sends DESC, email_address
LIMIT 5;

-- Which providers send our e-mails back?
SELECT domain, sends, bounces, bounce_rate, no_such_address, mailbox_full, blocked
FROM ctct.views.domain_deliverability
ORDER BY bounce_rate DESC, domain;

-- What was clicked in the last campaign?
SELECT m.campaign, m.link_url, m.clicks, m.contacts, m.share
FROM ctct.views.click_map m
WHERE m.campaign_id = (
    SELECT campaign_id FROM email_campaign_summaries ORDER BY last_sent_date DESC LIMIT 1
)
ORDER BY m.clicks DESC, m.link_url;

-- On which weekday do people open most?
SELECT weekday, sum(campaigns) AS campaigns, sum(sends) AS sends,
       round(sum(open_rate * sends) / sum(sends), 1) AS open_rate
FROM ctct.views.send_times
GROUP BY weekday
ORDER BY open_rate DESC NULLS LAST;

-- How long do those who join keep reading?
SELECT joined, contacts, months_later, opened_something, retention
FROM ctct.views.cohort_retention
WHERE joined >= '2025-01-01' AND months_later >= 0
ORDER BY joined, months_later
LIMIT 12;
