//! Orders that are documented end a reading early, as far as they are kept.

use ctct_sandbox::{Collection, Fault, FaultKind, Settings};
use ctct_tests::{Account, account};

use crate::support::{asked, rows, text};

/// An account of three pages of campaigns.
async fn busy() -> Account {
    account(Settings { campaigns: 1_300, contacts: 300, ..Settings::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_are_on_the_first_page() {
    let account = busy().await;
    let campaigns = account.sandbox.rows(Collection::EmailCampaigns);
    let newest: Vec<&str> = campaigns.iter().take(10).map(|row| text(row, "campaign_id")).collect();
    let sql =
        "SELECT campaign_id FROM email_campaigns ORDER BY updated_at DESC, campaign_id LIMIT 10";
    let (found, requests) = asked(&account, sql).await;
    assert_eq!(found.iter().map(|row| text(row, "campaign_id")).collect::<Vec<_>>(), newest);
    assert_eq!(requests.len(), 1, "{requests:?}");
    // Through a filter that the API does not know, a projection, and with nulls last.
    for sql in [
        "SELECT name FROM email_campaigns WHERE current_status = 'Done' ORDER BY updated_at DESC LIMIT 10",
        "SELECT upper(name) AS name, updated_at FROM email_campaigns ORDER BY updated_at DESC NULLS LAST LIMIT 10",
        "SELECT campaign_id FROM email_campaign_summaries ORDER BY last_sent_date DESC LIMIT 3",
    ] {
        assert_eq!(asked(&account, sql).await.1.len(), 1, "{sql}");
    }
    // The other end, or another column, is behind all pages.
    for sql in [
        "SELECT name FROM email_campaigns ORDER BY updated_at LIMIT 10",
        "SELECT name FROM email_campaigns ORDER BY name LIMIT 10",
    ] {
        assert_eq!(asked(&account, sql).await.1.len(), 3, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_ends_where_the_order_has_passed_it() {
    let account = busy().await;
    let summaries = account.sandbox.rows(Collection::EmailCampaignSummaries);
    let since = text(&summaries[20], "last_sent_date");
    let sql = format!("SELECT * FROM email_campaign_summaries WHERE last_sent_date >= '{since}'");
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (21, 1), "the API knows no such filter");
    let until = text(&summaries[summaries.len() - 1], "last_sent_date");
    let sql = format!("SELECT * FROM email_campaign_summaries WHERE last_sent_date <= '{until}'");
    assert_eq!(asked(&account, &sql).await.1.len(), summaries.len().div_ceil(500));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_not_kept_is_not_relied_on() {
    let account = busy().await;
    let sql =
        "SELECT campaign_id FROM email_campaigns ORDER BY updated_at DESC, campaign_id LIMIT 10";
    let expected = rows(&account.session, sql).await;
    account.sandbox.inject(Fault {
        kind: FaultKind::Reversed,
        path: "/v3/emails".to_owned(),
        skip: 0,
        times: 1,
    });
    let (found, requests) = asked(&account, sql).await;
    assert_eq!(found, expected);
    assert_eq!(requests.len(), 3, "all pages are read");
}
