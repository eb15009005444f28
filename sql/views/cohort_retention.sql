-- Of the contacts that joined in a month, how many opened something so many months later.
SELECT cohort.month AS joined,
       cohort.contacts,
       opened.months_later,
       opened.contacts AS opened_something,
       round(100.0 * opened.contacts / cohort.contacts, 1) AS retention
FROM (
    SELECT CAST(date_trunc('month', created_at) AS DATE) AS month, count(*) AS contacts
    FROM contacts
    GROUP BY 1
) cohort
JOIN (
    SELECT CAST(date_trunc('month', c.created_at) AS DATE) AS month,
           CAST((date_part('year', o.created_time) - date_part('year', c.created_at)) * 12
               + date_part('month', o.created_time) - date_part('month', c.created_at) AS INT)
               AS months_later,
           count(DISTINCT c.contact_id) AS contacts
    FROM contacts c
    JOIN email_opens o ON o.contact_id = c.contact_id
    GROUP BY 1, 2
) opened ON opened.month = cohort.month
