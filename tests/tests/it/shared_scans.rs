//! What several scans of a statement ask for is asked once.

use ctct_sandbox::{Collection, Settings};
use ctct_tests::{Account, account};
use serde_json::Value;

use crate::support::{asked, rows, text};

const PAGES: usize = 10;

/// An account of ten pages of contacts.
async fn shop() -> Account {
    account(Settings { contacts: 5_000, ..Settings::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_read_twice_is_asked_for_once() {
    let account = shop().await;
    for sql in [
        "SELECT count(*) AS n FROM contacts a JOIN contacts b ON a.contact_id = b.contact_id",
        "SELECT count(*) AS n FROM contacts a JOIN contacts b ON a.contact_id = b.contact_id AND a.updated_at >= b.created_at",
        "SELECT contact_id FROM contacts UNION ALL SELECT email_address FROM contacts",
        "SELECT a.n + b.n AS n FROM (SELECT count(first_name) AS n FROM contacts) a, (SELECT count(last_name) AS n FROM contacts) b",
        "WITH c AS (SELECT contact_id, created_at FROM contacts) SELECT count(*) AS n FROM c WHERE created_at = (SELECT max(created_at) FROM c)",
    ] {
        let (_, requests) = asked(&account, sql).await;
        assert_eq!(requests.len(), PAGES, "{sql}: {requests:#?}");
    }
    // Each statement asks anew.
    let (_, requests) = asked(&account, "SELECT first_name FROM contacts").await;
    assert_eq!(requests.len(), PAGES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_and_the_lists_inside_of_it_are_the_same_pages() {
    let account = shop().await;
    let all = account.sandbox.rows(Collection::Contacts);
    let members = |name: &str| -> usize {
        all.iter().filter_map(|contact| contact[name].as_array()).map(Vec::len).sum()
    };
    let sql = "SELECT count(*) AS n FROM contacts c JOIN contact_list_memberships m ON m.contact_id = c.contact_id";
    let (found, requests) = asked(&account, sql).await;
    assert_eq!(found[0]["n"], members("list_memberships"));
    assert_eq!(requests.len(), PAGES, "{requests:#?}");
    assert!(requests[0].contains("include=list_memberships"), "{requests:?}");
    let sql = "SELECT t.contact_id FROM contact_taggings t LEFT JOIN contact_notes n ON n.contact_id = t.contact_id";
    let (_, requests) = asked(&account, sql).await;
    assert_eq!(requests.len(), PAGES, "{requests:#?}");
    assert!(requests[0].contains("include=notes,taggings"), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_of_the_same_parents_walk_them_once() {
    let account = shop().await;
    let campaigns = account.sandbox.rows(Collection::EmailCampaigns).len();
    let sql = "SELECT (SELECT count(campaign_activity_id) FROM email_campaign_activities) AS a, (SELECT count(name) FROM email_campaigns) AS c";
    let (_, requests) = asked(&account, sql).await;
    assert_eq!(requests.len(), 1 + campaigns);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_on_a_list_is_all_pages_and_those_of_the_list() {
    let account = shop().await;
    let all = account.sandbox.rows(Collection::Contacts);
    let list = account.sandbox.rows(Collection::ContactLists);
    let list = text(&list[3], "list_id");
    let is_on = |contact: &&Value| {
        contact["list_memberships"].as_array().is_some_and(|lists| lists.iter().any(|l| l == list))
    };
    let members = all.iter().filter(is_on).count();
    for sql in [
        format!(
            "SELECT contact_id FROM contacts WHERE contact_id NOT IN (SELECT contact_id FROM contact_list_memberships WHERE list_id = '{list}')"
        ),
        format!(
            "SELECT contact_id FROM contacts c WHERE NOT EXISTS (SELECT 1 FROM contact_list_memberships m WHERE m.contact_id = c.contact_id AND m.list_id = '{list}')"
        ),
    ] {
        let (found, requests) = asked(&account, &sql).await;
        assert_eq!(found.len(), all.len() - members);
        assert_eq!(requests.len(), PAGES + members.div_ceil(500), "{sql}: {requests:#?}");
    }
    // The contact itself knows its lists: no more than the pages.
    let sql =
        format!("SELECT contact_id FROM contacts WHERE NOT array_has(list_memberships, '{list}')");
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (all.len() - members, PAGES));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_memory_is_put_on_disk() {
    // Pages of about 700 KB: a hundred of them are more than is kept in memory.
    let account = account(Settings { contacts: 45_000, ..Settings::default() }).await;
    let sql = "SELECT count(*) AS n, count(a.notes) AS notes FROM contacts a JOIN contacts b ON a.contact_id = b.contact_id WHERE b.custom_fields IS NOT NULL AND a.street_addresses IS NOT NULL AND b.phone_numbers IS NOT NULL AND b.list_memberships IS NOT NULL";
    let (found, requests) = asked(&account, sql).await;
    let all = account.sandbox.rows(Collection::Contacts).len();
    assert_eq!(found[0]["n"], all);
    let pages = all.div_ceil(500);
    assert!(requests.len() <= pages + pages * 3 / 100, "{} for {pages} pages", requests.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_that_are_run_twice_are_asked_twice() {
    let account = shop().await;
    let sql = "SELECT count(*) AS n FROM contacts a JOIN contacts b ON a.contact_id = b.contact_id";
    let frame = account.session.sql(sql).await.expect("a plan");
    let plan = frame.create_physical_plan().await.expect("a plan");
    for _ in 0..2 {
        account.sandbox.clear_requests();
        let context = account.session.task_ctx();
        datafusion::physical_plan::collect(std::sync::Arc::clone(&plan), context)
            .await
            .expect("rows");
        assert!(account.sandbox.requests().len() >= PAGES, "what is old is not shown again");
    }
    assert_eq!(rows(&account.session, sql).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_all_is_here_is_not_asked_for_in_part() {
    let account = shop().await;
    let sql = "SELECT count(*) AS n FROM contacts WHERE created_at = (SELECT max(created_at) FROM contacts) AND last_name IS NOT NULL";
    let (_, requests) = asked(&account, sql).await;
    assert_eq!(requests.len(), PAGES, "{requests:#?}");
}
