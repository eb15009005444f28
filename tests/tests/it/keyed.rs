//! Tables whose requests are for keys of a parent: exactly how many requests each takes.

use std::collections::BTreeSet;

use ctct_sandbox::{Collection, Fault, FaultKind, Settings};
use ctct_tests::{Account, account};
use serde_json::Value;

use crate::support::{asked, number, text};

async fn shop() -> Account {
    account(Settings::default()).await
}

/// The campaigns with their activities, as the sandbox made them.
fn campaigns(account: &Account) -> Vec<Value> {
    account.sandbox.rows(Collection::EmailCampaignDetails)
}

fn activities(campaign: &Value) -> Vec<&Value> {
    campaign["campaign_activities"].as_array().into_iter().flatten().collect()
}

/// The opens of each activity.
fn opens_of(account: &Account, activity: &str) -> usize {
    let opens = account.sandbox.rows(Collection::EmailReport("opens"));
    opens.iter().filter(|open| text(open, "campaign_activity_id") == activity).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_known_is_one_request() {
    let account = shop().await;
    let campaigns = campaigns(&account);
    let id = text(&campaigns[3], "campaign_id");
    let sql = format!("SELECT * FROM email_campaign_activities WHERE campaign_id = '{id}'");
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!(found.len(), activities(&campaigns[3]).len());
    assert_eq!(requests, [format!("/v3/emails/{id}?")]);
    // What no identifier looks like is not asked for, and what is not there has no rows.
    for (id, asked_for) in [("nobody", 1), ("../contacts", 0), ("a/b", 0), ("", 0)] {
        let sql = format!("SELECT * FROM email_campaign_activities WHERE campaign_id = '{id}'");
        let (found, requests) = asked(&account, &sql).await;
        assert_eq!((found.len(), requests.len()), (0, asked_for), "{id}");
    }
    let (found, requests) =
        asked(&account, &format!("SELECT name FROM email_campaigns WHERE campaign_id = '{id}'"))
            .await;
    assert_eq!((found.len(), requests.len()), (1, 1));
    assert!(requests[0].contains(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_the_parents_are_walked() {
    let account = shop().await;
    let campaigns = campaigns(&account);
    let (found, requests) = asked(&account, "SELECT * FROM email_campaign_activities").await;
    assert_eq!(
        found.len(),
        campaigns.iter().map(|campaign| activities(campaign).len()).sum::<usize>()
    );
    assert_eq!(requests.len(), 1 + campaigns.len());
    // No report is kept of web pages, and none is asked for.
    let reported: Vec<&Value> = campaigns
        .iter()
        .flat_map(activities)
        .filter(|activity| activity["role"] != "permalink")
        .collect();
    let pages = |activity: &Value| {
        opens_of(&account, text(activity, "campaign_activity_id")).div_ceil(500).max(1)
    };
    let pages: usize = reported.iter().map(|activity| pages(activity)).sum();
    account.sandbox.clear_requests();
    let count = number(&account.session, "SELECT count(*) FROM email_opens").await;
    assert_eq!(
        usize::try_from(count),
        Ok(account.sandbox.rows(Collection::EmailReport("opens")).len())
    );
    assert_eq!(account.sandbox.requests().len(), 1 + campaigns.len() + pages);
    // Somebody who wants one row only does not wait for all.
    let (found, requests) =
        asked(&account, "SELECT * FROM email_campaign_activities LIMIT 1").await;
    assert_eq!((found.len(), requests.len()), (1, 2), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn opens_of_one_campaign_are_read_alone() {
    let account = shop().await;
    let campaigns = campaigns(&account);
    let resent = campaigns
        .iter()
        .find(|campaign| activities(campaign).iter().any(|activity| activity["role"] == "resend"))
        .expect("one that was sent twice");
    let name = text(resent, "name").replace('\'', "''");
    let each: Vec<usize> = activities(resent)
        .iter()
        .map(|activity| opens_of(&account, text(activity, "campaign_activity_id")))
        .collect();
    let pages: usize = each.iter().map(|opens| opens.div_ceil(500).max(1)).sum();
    let sql = format!(
        "SELECT o.* FROM email_campaigns c JOIN email_campaign_activities a USING (campaign_id) \
         JOIN email_opens o USING (campaign_activity_id) WHERE c.name = '{name}'"
    );
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!(found.len(), each.iter().sum::<usize>());
    assert_eq!(requests.len(), 1 + 1 + pages, "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn opens_of_the_campaigns_of_a_week() {
    let account = shop().await;
    let campaigns = campaigns(&account);
    let since = text(&campaigns[5], "updated_at");
    let recent: Vec<&Value> =
        campaigns.iter().filter(|campaign| text(campaign, "updated_at") >= since).collect();
    assert!(recent.len() > 1 && recent.len() < campaigns.len());
    let sent: Vec<&Value> = recent
        .iter()
        .flat_map(|campaign| activities(campaign))
        .filter(|activity| activity["role"] != "permalink")
        .collect();
    let opens: Vec<usize> = sent
        .iter()
        .map(|activity| opens_of(&account, text(activity, "campaign_activity_id")))
        .collect();
    let pages: usize = opens.iter().map(|opens| opens.div_ceil(500).max(1)).sum();
    let sql = format!(
        "SELECT count(*) AS n FROM email_campaigns c JOIN email_campaign_activities a USING (campaign_id) \
         JOIN email_opens o USING (campaign_activity_id) \
         WHERE c.updated_at >= '{since}' AND a.role <> 'permalink'"
    );
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!(found[0]["n"], opens.iter().sum::<usize>());
    assert_eq!(requests.len(), 1 + recent.len() + pages, "{requests:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_come_in_batches_and_one_bad_key_spoils_none() {
    let account = account(Settings { campaigns: 400, contacts: 600, ..Settings::default() }).await;
    let stats = account.sandbox.rows(Collection::EmailCampaignStats);
    let campaigns = account.sandbox.rows(Collection::EmailCampaigns);
    let sent: BTreeSet<&str> = stats.iter().map(|row| text(row, "campaign_id")).collect();
    // By keys: three batches for all that were sent.
    let ids: Vec<String> = sent.iter().map(|id| format!("'{id}'")).collect();
    let sql = format!(
        "SELECT campaign_id, em_sends FROM email_campaign_stats WHERE campaign_id IN ({})",
        ids.join(", ")
    );
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (sent.len(), sent.len().div_ceil(150)));
    // A draft among them, and one that does not exist: the others come all the same, for a
    // few more requests.
    let draft = campaigns.iter().find(|row| row["current_status"] == "Draft").expect("a draft");
    let (good, bad) = (ids[..100].join(", "), text(draft, "campaign_id"));
    let sql = format!(
        "SELECT campaign_id FROM email_campaign_stats WHERE campaign_id IN ({good}, '{bad}')"
    );
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!(found.len(), 100);
    assert!(requests.len() <= 1 + 2 * 7, "halved until it is alone: {}", requests.len());
    // Walked: of drafts and scheduled ones nothing is asked, and those that were removed
    // before they were sent are found out.
    let (found, _) = asked(&account, "SELECT campaign_id FROM email_campaign_stats").await;
    assert_eq!(found.len(), sent.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_a_segment_takes_a_while_to_find_out() {
    let account = shop().await;
    let segments = account.sandbox.rows(Collection::Segments);
    let members = account.sandbox.rows(Collection::SegmentContacts);
    let number = &segments[1]["segment_id"];
    let id = number.to_string();
    let of_it = members.iter().filter(|member| member["segment_id"] == *number).count();
    let sql = format!("SELECT * FROM segment_contacts WHERE segment_id = '{id}'");
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!(found.len(), of_it);
    assert!(found.iter().all(|row| text(row, "segment_id") == id));
    // The first answer says that the server is still at work.
    assert_eq!(requests.len(), 1 + of_it.div_ceil(500), "{requests:?}");
    assert!(requests[0].starts_with("/v3/contacts?segment_id="), "{requests:?}");
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (of_it, of_it.div_ceil(500)));
    // By name, through a join.
    let name = text(&segments[1], "name").replace('\'', "''");
    let sql = format!(
        "SELECT m.contact_id FROM segments s JOIN segment_contacts m USING (segment_id) WHERE s.name = '{name}'"
    );
    let (found, requests) = asked(&account, &sql).await;
    assert_eq!((found.len(), requests.len()), (of_it, 1 + of_it.div_ceil(500)));
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_restricted_by_what_the_api_knows() {
    let account = shop().await;
    let bounces = account.sandbox.rows(Collection::EmailReport("bounces"));
    let activity = text(&bounces[0], "campaign_activity_id");
    for (codes, asked_for) in
        [("'B'", "bounce_code=B"), ("'F', 'D'", "bounce_code=D&bounce_code=F")]
    {
        let sql = format!(
            "SELECT * FROM email_bounces WHERE campaign_activity_id = '{activity}' AND bounce_code IN ({codes})"
        );
        let (found, requests) = asked(&account, &sql).await;
        let expected = bounces.iter().filter(|row| {
            text(row, "campaign_activity_id") == activity
                && codes.contains(text(row, "bounce_code"))
        });
        assert_eq!((found.len(), requests.len()), (expected.count(), 1));
        assert!(requests[0].contains(asked_for), "{requests:?}");
    }
    // A code that the API does not know would be refused: nothing of it is said.
    let sql = format!(
        "SELECT * FROM email_bounces WHERE campaign_activity_id = '{activity}' AND bounce_code IN ('B', 'Q')"
    );
    assert!(!asked(&account, &sql).await.1[0].contains("bounce_code"));
    let clicks = account.sandbox.rows(Collection::EmailReport("clicks"));
    let (activity, link) = (text(&clicks[0], "campaign_activity_id"), text(&clicks[0], "url_id"));
    let sql = format!(
        "SELECT * FROM email_clicks WHERE campaign_activity_id = '{activity}' AND url_id = '{link}'"
    );
    let (found, requests) = asked(&account, &sql).await;
    let expected = clicks.iter().filter(|row| text(row, "url_id") == link);
    assert_eq!((found.len(), requests.len()), (expected.count(), 1));
    assert!(requests[0].contains(&format!("url_id={link}")), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_campaign_are_those_of_its_single_events() {
    let account = shop().await;
    let sql = "SELECT s.campaign_id, s.em_sends, s.em_opens, s.em_clicks, s.em_bounces, \
               s.em_opens_all, s.em_clicks_all FROM email_campaign_stats s ORDER BY 1";
    let stats = crate::support::rows(&account.session, sql).await;
    let count = async |table: &str, what: &str, only: &str| {
        let sql = format!(
            "SELECT s.campaign_id, count({what}) AS n FROM email_campaign_stats s \
             JOIN email_campaign_activities a ON a.campaign_id = s.campaign_id {only} \
             LEFT JOIN {table} e ON e.campaign_activity_id = a.campaign_activity_id GROUP BY 1 ORDER BY 1"
        );
        let rows = crate::support::rows(&account.session, &sql).await;
        rows.iter().map(|row| row["n"].clone()).collect::<Vec<_>>()
    };
    let of = |name: &str| stats.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(count("email_opens", "e.contact_id", "").await, of("em_opens_all"));
    assert_eq!(count("email_opens", "DISTINCT e.contact_id", "").await, of("em_opens"));
    assert_eq!(count("email_unique_opens", "e.contact_id", "").await, of("em_opens"));
    assert_eq!(count("email_clicks", "e.contact_id", "").await, of("em_clicks_all"));
    assert_eq!(count("email_clicks", "DISTINCT e.contact_id", "").await, of("em_clicks"));
    assert_eq!(count("email_bounces", "e.contact_id", "").await, of("em_bounces"));
    let primary = "AND a.role = 'primary_email'";
    assert_eq!(count("email_sends", "e.contact_id", primary).await, of("em_sends"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_in_the_midst_is_not_taken_for_the_end() {
    let account = shop().await;
    let opens = account.sandbox.rows(Collection::EmailReport("opens"));
    let activity = opens
        .iter()
        .map(|open| text(open, "campaign_activity_id"))
        .find(|activity| opens_of(&account, activity) > 500)
        .expect("one of several pages");
    let kind = FaultKind::Answer { status: 404, body: "[]".to_owned(), headers: Vec::new() };
    account.sandbox.inject(Fault { kind, path: "/v3/reports".to_owned(), skip: 1, times: 1 });
    let sql = format!("SELECT * FROM email_opens WHERE campaign_activity_id = '{activity}'");
    let frame = account.session.sql(&sql).await.expect("a plan");
    let error = frame.collect().await.expect_err("the second page is missing").to_string();
    assert!(error.contains("found nothing"), "{error}");
}
