//! Large scans are read side by side, and completely, whatever happens meanwhile.

use std::collections::BTreeSet;

use ctct_sandbox::{Collection, Settings};
use ctct_tests::{Account, account};
use serde_json::Value;

use crate::support::{asked, rows, text};

fn ids(rows: &[Value]) -> BTreeSet<String> {
    let ids: BTreeSet<String> = rows.iter().map(|row| text(row, "contact_id").to_owned()).collect();
    assert_eq!(ids.len(), rows.len(), "every row once");
    ids
}

async fn of(contacts: u32) -> Account {
    account(Settings { contacts, ..Settings::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn large_scans_are_split_for_few_requests_more() {
    for contacts in [1_500, 30_000, 36_000, 120_000] {
        let account = of(contacts).await;
        let (found, requests) = asked(&account, "SELECT contact_id FROM contacts").await;
        let made = account.sandbox.rows(Collection::Contacts);
        assert_eq!(ids(&found), ids(&made), "{contacts}");
        let pages = made.len().div_ceil(500);
        let most = pages + pages * 3 / 100;
        assert!((pages..=most).contains(&requests.len()), "{} for {pages} pages", requests.len());
        let windows = requests.iter().filter(|request| request.contains("created_")).count();
        assert_eq!(windows > 0, pages >= 66, "{contacts}: {windows} windows");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_scan_asks_for_holds_in_all_of_its_windows() {
    let account = of(60_000).await;
    let made = account.sandbox.rows(Collection::Contacts);
    let after = "2023-06-01T00:00:00Z";
    let sql = format!(
        "SELECT contact_id FROM contacts WHERE created_at > '{after}' AND updated_at < '2025-12-01'"
    );
    let (found, requests) = asked(&account, &sql).await;
    let expected: Vec<Value> = made
        .iter()
        .filter(|row| text(row, "created_at") > after && text(row, "updated_at") < "2025-12-01")
        .cloned()
        .collect();
    assert_eq!(ids(&found), ids(&expected));
    assert!(
        requests.iter().any(|request| request.matches("created_").count() == 2),
        "{requests:#?}"
    );
    let pages = expected.len().div_ceil(500);
    assert!(requests.len() <= pages + 1 + pages * 3 / 100, "{} for {pages}", requests.len());
    // The lists inside of contacts are split by the contacts' time.
    let (found, requests) =
        asked(&account, "SELECT contact_id, tag_id FROM contact_taggings").await;
    let tags: usize = made.iter().filter_map(|row| row["taggings"].as_array()).map(Vec::len).sum();
    assert_eq!(found.len(), tags);
    assert!(requests.iter().any(|request| request.contains("created_after")), "{requests:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_has_everybody_who_was_there_throughout_once() {
    let fresh = fastrand::u64(..);
    for (contacts, churn) in [(1_900, 1), (4_000, 2), (4_000, fresh), (34_800, 3), (34_800, fresh)]
    {
        println!("{contacts} contacts, churn {churn}");
        let account =
            account(Settings { contacts, churn: Some(churn), ..Settings::default() }).await;
        let before = ids(&account.sandbox.rows(Collection::Contacts));
        let found = ids(&rows(&account.session, "SELECT contact_id FROM contacts").await);
        let after = ids(&account.sandbox.rows(Collection::Contacts));
        let gone = before.difference(&after).count();
        assert!(gone > 0 && after.difference(&before).count() > 0, "nothing happened");
        let missing: Vec<_> =
            before.intersection(&after).filter(|id| !found.contains(*id)).collect();
        assert!(missing.is_empty(), "churn {churn}: {} are missing", missing.len());
    }
}
