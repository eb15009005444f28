-- Contacts that can be written to, got three e-mails or more, and opened none.
SELECT contact_id, email_address, first_name, last_name, sends, last_sent
FROM ctct.views.contact_engagement
WHERE sends >= 3 AND opens = 0
