//! Questions as people ask them, and exactly how many requests each may cost.

use ctct_sandbox::{Collection, Settings};
use ctct_tests::{Account, account};
use serde_json::Value;

use crate::support::{asked, batches, number, rows, text};

/// An account of ten pages of contacts.
async fn shop() -> Account {
    account(Settings { contacts: 5_000, ..Settings::default() }).await
}

/// Contacts as the sandbox made them, in an order of their own.
fn contacts(account: &Account) -> Vec<Value> {
    account.sandbox.rows(Collection::Contacts)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_contact_is_one_request() {
    let account = shop().await;
    let all = contacts(&account);
    let wanted = &all[all.len() / 2];
    let id = text(wanted, "contact_id");
    let sql = format!("SELECT contact_id, last_name FROM contacts WHERE contact_id = '{id}'");
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!(requests, [format!("/v3/contacts/{id}?")]);
    assert_eq!(text(&found[0], "contact_id"), id);
    // With everything that must be asked for, and a further condition.
    let sql = format!(
        "SELECT * EXCLUDE (custom) FROM contacts WHERE contact_id = '{id}' AND created_at > '1990-01-01'"
    );
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (1, 1));
    // The names of its custom fields are one more, where it has any.
    let values = wanted["custom_fields"].as_array().map_or(0, Vec::len);
    let sql = format!("SELECT * FROM contacts WHERE contact_id = '{id}'");
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (1, 1 + usize::from(values > 0)));
    let sql =
        format!("SELECT * FROM contacts WHERE contact_id = '{id}' AND created_at < '1990-01-01'");
    assert_eq!(asked(&account, &sql).await.0.len(), 0);
    // One that is not there, and one that was deleted, which a look-up shows and the table does not.
    let (found, requests) =
        asked(&account, "SELECT * FROM contacts WHERE contact_id = 'nobody'").await;
    assert_eq!((found.len(), requests.len()), (0, 1));
    let deleted = account.sandbox.rows(Collection::DeletedContacts);
    let id = text(&deleted[0], "contact_id");
    let (found, requests) =
        asked(&account, &format!("SELECT contact_id FROM contacts WHERE contact_id = '{id}'"))
            .await;
    assert_eq!((found.len(), requests.len()), (0, 1), "deleted contacts are not in the table");
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_contacts_are_forty_requests_and_ten_pages_are_ten() {
    let account = shop().await;
    let all = contacts(&account);
    let ids = |count: usize| {
        let ids = all
            .iter()
            .step_by(7)
            .take(count)
            .map(|contact| format!("'{}'", text(contact, "contact_id")));
        ids.collect::<Vec<_>>().join(", ")
    };
    let (found, requests) = asked(
        &account,
        &format!("SELECT contact_id FROM contacts WHERE contact_id IN ({})", ids(40)),
    )
    .await;
    assert_eq!((found.len(), requests.len()), (40, 40));
    // Of more keys than an account of usual size has pages, all pages are read.
    let (found, requests) = asked(
        &account,
        &format!("SELECT contact_id FROM contacts WHERE contact_id IN ({})", ids(101)),
    )
    .await;
    assert_eq!((found.len(), requests.len()), (101, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_is_one_request() {
    let account = shop().await;
    let all = contacts(&account);
    let contact = all
        .iter()
        .find(|contact| contact["email_address"]["address"].is_string())
        .expect("one with an address");
    let address = contact["email_address"]["address"].as_str().expect("text");
    let sql = format!(
        "SELECT contact_id FROM contacts WHERE email_address = '{}'",
        address.replace('\'', "''")
    );
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (1, 1), "{requests:?}");
    assert_eq!(text(&found[0], "contact_id"), text(contact, "contact_id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_rows_is_one_request() {
    let account = shop().await;
    let all = contacts(&account);
    let count = async |sql: &str| {
        account.sandbox.clear_requests();
        let count = number(&account.session, sql).await;
        (usize::try_from(count).expect("a count"), account.sandbox.requests().len())
    };
    assert_eq!(count("SELECT count(*) FROM contacts").await, (all.len(), 1));
    let after =
        |bound: &str| all.iter().filter(|contact| text(contact, "updated_at") > bound).count();
    for (bound, requests) in
        [("2025-12-01T00:00:00Z", 1), ("2030-01-01T00:00:00Z", 1), ("2024-06-01T00:00:00Z", 2)]
    {
        let sql = format!("SELECT count(*) FROM contacts WHERE updated_at > '{bound}'");
        assert_eq!(count(&sql).await, (after(bound), requests), "{bound}");
    }
    // A second in which many contacts changed: nobody documents on which side of a bound it
    // lies, so a count cannot tell, and the rows are read.
    let mut changed: Vec<&str> = all.iter().map(|contact| text(contact, "updated_at")).collect();
    changed.sort_unstable();
    let crowded = changed
        .windows(2)
        .find(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
        .expect("two at once");
    for operator in [">", ">=", "<", "<="] {
        let expected = all.iter().filter(|contact| {
            let at = text(contact, "updated_at");
            match operator {
                ">" => at > crowded,
                ">=" => at >= crowded,
                "<" => at < crowded,
                _ => at <= crowded,
            }
        });
        let sql = format!("SELECT count(*) FROM contacts WHERE updated_at {operator} '{crowded}'");
        assert_eq!(count(&sql).await.0, expected.count(), "{operator} {crowded}");
    }
    assert_eq!(count("SELECT count(*) FROM contacts WHERE updated_at > '2025-01-01' AND updated_at < '2024-01-01'").await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_rows_are_one_request() {
    let account = shop().await;
    let sql = "SELECT * EXCLUDE (custom) FROM contacts LIMIT 10";
    let (found, requests) = asked(&account, sql).await;
    assert_eq!((found.len(), requests.len()), (10, 1));
    assert!(requests[0].contains("limit=10"));
    // Where most rows of a page are dropped, a whole page is read, and not ten rows of it.
    let sql =
        "SELECT contact_id FROM contacts WHERE email_permission_to_send = 'implicit' LIMIT 10";
    let (found, requests) = asked(&account, sql).await;
    assert_eq!((found.len(), requests.len()), (10, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_and_lists_restrict_the_pages() {
    let account = shop().await;
    let all = contacts(&account);
    for permission in
        ["unsubscribed", "explicit", "pending_confirmation", "temp_hold", "not_set", "implicit"]
    {
        let sql = format!(
            "SELECT contact_id FROM contacts WHERE email_permission_to_send = '{permission}'"
        );
        let (found, requests) = asked(&account, &sql).await;
        let expected = all
            .iter()
            .filter(|contact| contact["email_address"]["permission_to_send"] == permission);
        assert_eq!(found.len(), expected.count(), "{permission}");
        assert!(
            requests.len() < 10 || matches!(permission, "explicit" | "implicit"),
            "{permission}: {requests:?}"
        );
    }
    let lists = account.sandbox.rows(Collection::ContactLists);
    let list = text(&lists[3], "list_id");
    let on_list = all.iter().filter(|contact| {
        contact["list_memberships"]
            .as_array()
            .is_some_and(|lists| lists.iter().any(|other| other == list))
    });
    let expected = on_list.count();
    for condition in [
        format!("array_has(list_memberships, '{list}')"),
        format!("array_has_any(list_memberships, ['{list}', 'none'])"),
    ] {
        let (found, requests) =
            asked(&account, &format!("SELECT contact_id FROM contacts WHERE {condition}")).await;
        assert_eq!(found.len(), expected, "{condition}");
        assert_eq!(requests.len(), expected.div_ceil(500).max(1), "{condition}: {requests:?}");
        assert!(requests[0].contains("lists="), "{requests:?}");
    }
    let name = text(&lists[3], "name").replace('\'', "''");
    let (found, requests) =
        asked(&account, &format!("SELECT list_id FROM contact_lists WHERE name = '{name}'")).await;
    assert!(
        found.len() == 1 && requests.len() == 1 && requests[0].contains("name="),
        "{requests:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn consents_to_text_messages_restrict_the_pages() {
    let account = shop().await;
    let consents: Vec<Value> = contacts(&account)
        .iter()
        .filter_map(|contact| contact.pointer("/sms_channel/sms_channel_consents")?.as_array())
        .flatten()
        .cloned()
        .collect();
    let given = |permissions: &[&str]| {
        let is_given = |consent: &&Value| {
            permissions.iter().any(|given| consent["sms_consent_permission"] == *given)
        };
        consents.iter().filter(is_given).count()
    };
    for (permissions, status) in [
        (["explicit"].as_slice(), "explicit"),
        (&["opt_out"], "unsubscribed"),
        (&["pending_confirmation"], "pending_confirmation"),
        (&["explicit", "opt_out"], "explicit,unsubscribed"),
    ] {
        let words = permissions.join("', '");
        let sql = format!(
            "SELECT contact_id, sms_address FROM contact_sms_consents WHERE sms_consent_permission IN ('{words}')"
        );
        let (found, requests) = asked(&account, &sql).await;
        let expected = given(permissions);
        assert!(expected > 0 && found.iter().all(|row| row["sms_address"].is_string()), "{sql}");
        assert_eq!((found.len(), requests.len()), (expected, 1), "{sql}: {requests:?}");
        assert!(requests[0].contains(&format!("sms_status={status}")), "{requests:?}");
    }
    // All of them are in the pages of all contacts.
    let (found, requests) = asked(&account, "SELECT contact_id FROM contact_sms_consents").await;
    assert_eq!((found.len(), requests.len()), (consents.len(), 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_a_list_are_the_pages_of_that_list() {
    let account = shop().await;
    let all = contacts(&account);
    let lists = account.sandbox.rows(Collection::ContactLists);
    let (list, name) = (text(&lists[3], "list_id"), text(&lists[3], "name").replace('\'', "''"));
    let is_on = |contact: &Value| {
        contact["list_memberships"]
            .as_array()
            .is_some_and(|lists| lists.iter().any(|other| other == list))
    };
    let members = all.iter().filter(|contact| is_on(contact)).count();
    let pages = members.div_ceil(500).max(1);
    let sql = format!(
        "SELECT contact_id, list_id FROM contact_list_memberships WHERE list_id = '{list}'"
    );
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (members, pages), "{requests:?}");
    // By its name: the list, and then its pages.
    for sql in [
        format!(
            "SELECT m.contact_id FROM contact_list_memberships m JOIN contact_lists l ON l.list_id = m.list_id WHERE l.name = '{name}'"
        ),
        format!(
            "SELECT m.contact_id FROM contact_lists l JOIN contact_list_memberships m ON l.list_id = m.list_id WHERE l.name = '{name}'"
        ),
        format!(
            "SELECT contact_id FROM contact_list_memberships WHERE list_id IN (SELECT list_id FROM contact_lists WHERE name = '{name}')"
        ),
    ] {
        let (found, requests) = asked(&account, &sql).await;
        assert_eq!((found.len(), requests.len()), (members, 1 + pages), "{sql}: {requests:?}");
    }
    // Those of one contact: one request. A deleted one has none.
    let contact = all.iter().find(|contact| is_on(contact)).expect("a member");
    let id = text(contact, "contact_id");
    let (found, requests) = asked(
        &account,
        &format!("SELECT * FROM contact_list_memberships WHERE contact_id = '{id}'"),
    )
    .await;
    assert_eq!(
        (found.len(), requests.len()),
        (contact["list_memberships"].as_array().expect("lists").len(), 1)
    );
    for deleted in account.sandbox.rows(Collection::DeletedContacts).iter().take(5) {
        let id = text(deleted, "contact_id");
        let (found, _) = asked(
            &account,
            &format!("SELECT * FROM contact_list_memberships WHERE contact_id = '{id}'"),
        )
        .await;
        assert_eq!(found.len(), 0);
    }
    // As many as are wanted, and their number, which the API does not count.
    let (found, requests) = asked(&account, "SELECT * FROM contact_taggings LIMIT 3").await;
    assert_eq!((found.len(), requests.len()), (3, 1));
    let expected: usize =
        all.iter().filter_map(|contact| contact["taggings"].as_array()).map(Vec::len).sum();
    assert_eq!(
        usize::try_from(number(&account.session, "SELECT count(*) FROM contact_taggings").await),
        Ok(expected)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_and_subqueries_narrow_the_requests() {
    let account = shop().await;
    let all = contacts(&account);
    let ids: Vec<&str> =
        all.iter().step_by(900).map(|contact| text(contact, "contact_id")).collect();
    let values = ids.iter().map(|id| format!("('{id}')")).collect::<Vec<_>>().join(", ");
    for sql in [
        format!(
            "SELECT c.contact_id FROM contacts c JOIN (VALUES {values}) AS wanted(id) ON c.contact_id = wanted.id"
        ),
        format!(
            "SELECT c.contact_id FROM (VALUES {values}) AS wanted(id) JOIN contacts c ON c.contact_id = wanted.id"
        ),
        format!(
            "SELECT contact_id FROM contacts WHERE contact_id IN (SELECT id FROM (VALUES {values}) AS wanted(id))"
        ),
    ] {
        let (found, requests) = asked(&account, &sql).await;
        assert_eq!((found.len(), requests.len()), (ids.len(), ids.len()), "{sql}: {requests:?}");
    }
    // NOT IN is no set of keys.
    let sql = format!(
        "SELECT contact_id FROM contacts WHERE contact_id NOT IN (SELECT id FROM (VALUES {values}) AS wanted(id))"
    );
    let (found, _) = asked(&account, &sql).await;
    assert_eq!(found.len(), all.len() - ids.len());
    // A side without rows leaves nothing to ask for.
    let sql = "SELECT c.contact_id FROM contacts c JOIN (SELECT 'x' AS id WHERE random() > 2) AS none ON c.contact_id = none.id";
    let (found, requests) = asked(&account, sql).await;
    assert_eq!((found.len(), requests.len()), (0, 0), "{requests:?}");
    // What changed since a copy: the change alone is read.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.parquet");
    let copy = format!(
        "COPY (SELECT * FROM contacts WHERE updated_at < '2025-12-20') TO '{}'",
        path.display()
    );
    batches(&account.session, &copy).await;
    let sql = format!(
        "SELECT contact_id FROM contacts WHERE updated_at > (SELECT max(updated_at) FROM '{}')",
        path.display()
    );
    let (found, requests) = asked(&account, &sql).await;
    let expected = all.iter().filter(|contact| text(contact, "updated_at") >= "2025-12-20").count();
    assert_eq!(found.len(), expected);
    assert_eq!(requests.len(), expected.div_ceil(500).max(1), "{requests:?}");
    assert!(requests[0].contains("updated_after=2025-12-"), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_has_is_remembered() {
    let account = shop().await;
    let all = contacts(&account);
    let explained = async |sql: &str| {
        let rows = rows(&account.session, &format!("EXPLAIN {sql}")).await;
        text(&rows[0], "plan").to_owned()
    };
    let scan = "SELECT contact_id FROM contacts";
    assert!(explained(scan).await.contains("requests≈100,"), "an ordinary account");
    number(&account.session, "SELECT count(*) FROM contacts").await;
    assert!(explained(scan).await.contains("requests≈10,"), "this one");
    // So more keys than it has pages are read page by page.
    let ids =
        all.iter().step_by(9).take(11).map(|contact| format!("'{}'", text(contact, "contact_id")));
    let ids = ids.collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT contact_id FROM contacts WHERE contact_id IN ({ids})");
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (11, 10));
    // What is restricted says nothing of the whole.
    asked(&account, "SELECT contact_id FROM contacts WHERE updated_at > '2025-12-01'").await;
    assert!(explained(scan).await.contains("requests≈10,"));
}
