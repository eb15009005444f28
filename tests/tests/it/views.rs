//! The views that every session has: their figures against the sandbox's own.

use std::collections::{BTreeMap, BTreeSet};

use ctct_sandbox::{Collection, Settings};
use ctct_tests::{Account, account, connection};
use datafusion_ctct::SessionBuilder;
use datafusion_ctct::catalog::VIEWS;
use serde_json::{Value, json};

use crate::support::{asked, number, rows, text};

async fn shop() -> Account {
    account(Settings { contacts: 1_000, ..Settings::default() }).await
}

fn report(account: &Account, name: &'static str) -> Vec<Value> {
    account.sandbox.rows(Collection::EmailReport(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_listed_and_planned_without_a_request() {
    let account = shop().await;
    let sql = "SELECT table_name FROM information_schema.tables \
               WHERE table_catalog = 'ctct' AND table_schema = 'views' ORDER BY 1";
    let (listed, requests) = asked(&account, sql).await;
    let listed: Vec<&str> = listed.iter().map(|row| text(row, "table_name")).collect();
    assert_eq!(listed, VIEWS.iter().map(|view| view.name).collect::<Vec<_>>());
    assert!(requests.is_empty());
    let folder = std::fs::read_dir(ctct_tests::project().join("sql/views")).expect("the folder");
    assert_eq!(folder.count(), VIEWS.len(), "each file is a view");
    for view in VIEWS {
        assert!(view.description().ends_with('.'), "{} says what it shows", view.name);
        let sql = format!("EXPLAIN SELECT * FROM ctct.views.{}", view.name);
        let (_, requests) = asked(&account, &sql).await;
        assert!(requests.is_empty(), "{}", view.name);
        let rows = rows(&account.session, &format!("SELECT * FROM ctct.views.{}", view.name)).await;
        assert!(!rows.is_empty(), "{}", view.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_read_the_connection_that_is_in_use() {
    let (large, small) =
        (shop().await, account(Settings { contacts: 10, ..Settings::default() }).await);
    let mut other = connection(&small.sandbox);
    other.name = "OTHER".to_owned();
    let session = SessionBuilder::new()
        .with_connection(other)
        .with_connection(connection(&large.sandbox))
        .build()
        .expect("a session");
    let sql = "SELECT sum(members) FROM ctct.views.list_health";
    let members = number(&session, sql).await;
    assert!(members < number(&large.session, sql).await);
    session.sql("SET datafusion.catalog.default_schema = 'constant_contact'").await.expect("set");
    assert_eq!(number(&session, sql).await, number(&large.session, sql).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn engagement_counts_what_each_contact_got_and_did() {
    let account = shop().await;
    let mut sends: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for send in report(&account, "sends") {
        let of = sends.entry(text(&send, "contact_id").to_owned()).or_default();
        of.insert(text(&send, "campaign_activity_id").to_owned());
    }
    let count = |name: &'static str| {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for event in report(&account, name) {
            *counts.entry(text(&event, "contact_id").to_owned()).or_default() += 1;
        }
        counts
    };
    let (opens, clicks) = (count("opens"), count("clicks"));
    let found = rows(&account.session, "SELECT * FROM ctct.views.contact_engagement").await;
    let mailable = account.sandbox.rows(Collection::Contacts).into_iter().filter(|contact| {
        let permission = &contact["email_address"]["permission_to_send"];
        permission == "implicit" || permission == "explicit"
    });
    assert_eq!(found.len(), mailable.count());
    for row in &found {
        let id = text(row, "contact_id");
        assert_eq!(row["sends"], json!(sends.get(id).map_or(0, BTreeSet::len)), "{id}");
        assert_eq!(row["opens"], json!(opens.get(id).unwrap_or(&0)), "{id}");
        assert_eq!(row["clicks"], json!(clicks.get(id).unwrap_or(&0)), "{id}");
    }
    let silent = found.iter().filter(|row| row["sends"].as_i64() >= Some(3) && row["opens"] == 0);
    let sql = "SELECT count(*) FROM ctct.views.unengaged_contacts";
    assert_eq!(usize::try_from(number(&account.session, sql).await), Ok(silent.count()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_league_and_the_hours_add_up_to_the_summaries() {
    let account = shop().await;
    let summaries = account.sandbox.rows(Collection::EmailCampaignSummaries);
    let sends: i64 =
        summaries.iter().filter_map(|row| row["unique_counts"]["sends"].as_i64()).sum();
    let league =
        rows(&account.session, "SELECT * FROM ctct.views.campaign_league ORDER BY place").await;
    assert_eq!(league.len(), summaries.len());
    let rates: Vec<Option<f64>> = league.iter().map(|row| row["open_rate"].as_f64()).collect();
    assert!(rates.iter().flatten().is_sorted_by(|a, b| a >= b), "{rates:?}");
    for view in ["campaign_league", "send_times"] {
        let sql = format!("SELECT sum(sends) FROM ctct.views.{view}");
        assert_eq!(number(&account.session, &sql).await, sends, "{view}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliverability_and_clicks_add_up_to_the_reports() {
    let account = shop().await;
    let totals = "SELECT sum(sends) AS sends, sum(bounces) AS bounces, \
                  sum(no_such_address + mailbox_full + blocked + other) AS reasons \
                  FROM ctct.views.domain_deliverability";
    let totals = rows(&account.session, totals).await.remove(0);
    assert_eq!(totals["sends"], json!(report(&account, "sends").len()));
    assert_eq!(totals["bounces"], json!(report(&account, "bounces").len()));
    assert_eq!(totals["reasons"], totals["bounces"]);
    let sql = "SELECT sum(clicks) FROM ctct.views.click_map";
    let clicks = report(&account, "clicks").len();
    assert_eq!(usize::try_from(number(&account.session, sql).await), Ok(clicks));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_cohorts_count_contacts() {
    let account = shop().await;
    let lists = account.sandbox.rows(Collection::ContactLists);
    let health = rows(&account.session, "SELECT * FROM ctct.views.list_health").await;
    assert_eq!(health.len(), lists.len());
    let contacts = account.sandbox.rows(Collection::Contacts);
    for row in &health {
        let list = &row["list_id"];
        let on_it = |contact: &&Value| {
            contact["list_memberships"].as_array().is_some_and(|lists| lists.contains(list))
        };
        let may = |contact: &&Value| {
            let permission = &contact["email_address"]["permission_to_send"];
            permission == "implicit" || permission == "explicit"
        };
        let mailable = contacts.iter().filter(on_it).filter(may).count();
        assert_eq!(row["mailable"], json!(mailable), "{row}");
    }
    let growth = "SELECT list_id, max(members) AS members FROM ctct.views.list_growth GROUP BY 1";
    for row in rows(&account.session, growth).await {
        let list = &row["list_id"];
        let on_it = contacts.iter().filter(|contact| {
            contact["list_memberships"].as_array().is_some_and(|lists| lists.contains(list))
        });
        assert_eq!(row["members"], json!(on_it.count()), "{row}");
    }
    // Each cohort is as large as the contacts of its month, and nobody opens before joining.
    let cohorts = "SELECT joined, max(contacts) AS contacts, min(months_later) AS first, \
                   max(retention) AS best FROM ctct.views.cohort_retention GROUP BY joined";
    for row in rows(&account.session, cohorts).await {
        let month = &text(&row, "joined")[..7];
        let joined = contacts.iter().filter(|c| text(c, "created_at").starts_with(month)).count();
        assert_eq!(row["contacts"], json!(joined), "{row}");
        assert!(row["first"].as_i64() >= Some(0) && row["best"].as_f64() <= Some(100.0), "{row}");
    }
}
