//! Replication of what is hard to see: rows that come late, come twice, come back, or cannot be
//! written.

use std::time::Duration;

use ctct_replicate::Outcome;
use ctct_sandbox::{Change, Collection, Fault, FaultKind, Settings};
use serde_json::{Value, json};

use crate::replicate_bench::Bench;
use crate::support::text;

const FILE: &str = "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contacts: { mode: incremental, object: crm.contacts }\n";

async fn bench(contacts: u32) -> Bench {
    Bench::new(Settings { contacts, campaigns: 2, ..Settings::default() }).await
}

fn ids(bench: &Bench) -> Vec<String> {
    let rows = bench.account.sandbox.rows(Collection::Contacts);
    rows.iter().map(|row| text(row, "contact_id").to_owned()).collect()
}

/// Lets something happen as if its time had been so much earlier.
fn happens_late(bench: &Bench, by: chrono::Duration, change: &Change) {
    let clock = bench.account.sandbox.clock();
    clock.advance(-by);
    assert!(bench.account.sandbox.change(change));
    clock.advance(by);
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t5_what_was_stamped_before_the_watermark_is_found() {
    let mut bench = bench(300).await;
    bench.done(FILE).await;
    bench.account.sandbox.clock().advance(chrono::Duration::days(1));
    bench.done(FILE).await;
    // Within the overlap: the next run has it.
    let ids = ids(&bench);
    happens_late(&bench, chrono::Duration::minutes(40), &Change::Update(ids[0].clone()));
    let report = bench.done(FILE).await.remove(0);
    assert_eq!((report.inserted, report.updated), (0, 1), "{report:?}");
    bench.assert_same("crm", "contacts").await;
    // Earlier than that: the next reading of all rows has it, and counts it.
    happens_late(&bench, chrono::Duration::hours(9), &Change::Update(ids[1].clone()));
    assert_eq!(bench.done(FILE).await[0].updated, 0);
    bench.account.sandbox.clock().advance(chrono::Duration::days(8));
    bench.options.full_every = Some(Duration::from_hours(7 * 24));
    let report = bench.done(FILE).await.remove(0);
    assert_eq!((report.inserted, report.updated, report.deleted), (0, 1, 0), "{report:?}");
    bench.assert_same("crm", "contacts").await;
}

/// A first page as the API sends it, with its rows changed.
fn page_with(bench: &Bench, change: impl FnOnce(&mut Vec<Value>)) -> String {
    let rows = bench.account.sandbox.rows(Collection::Contacts);
    let mut rows: Vec<Value> = rows.into_iter().take(5).collect();
    change(&mut rows);
    json!({ "contacts": rows, "contacts_count": rows.len() }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t12_rows_that_come_twice_or_without_a_key_or_a_time() {
    for mode in ["full-refresh", "incremental"] {
        let bench = bench(20).await;
        let file = FILE.replace("incremental", mode);
        // One comes twice, the second time with another name; one has no key, and one no time.
        let body = page_with(&bench, |rows| {
            let mut again = rows[0].clone();
            again["first_name"] = json!("Later");
            rows[1].as_object_mut().expect("a row").remove("contact_id");
            rows[2].as_object_mut().expect("a row").remove("updated_at");
            rows[3]["updated_at"] = Value::Null;
            rows.push(again);
        });
        bench.account.sandbox.inject(Fault {
            kind: FaultKind::Answer { status: 200, body, headers: Vec::new() },
            path: "/v3/contacts".to_owned(),
            skip: 0,
            times: 1,
        });
        let report = bench.done(&file).await.remove(0);
        let there = bench.there("crm.contacts", true).await;
        let later = there.values().filter(|row| row["first_name"] == "Later").count();
        assert_eq!(later, 1, "{mode}: what came last counts: {report:?}");
        let timeless = there.values().filter(|row| row["updated_at"].is_null()).count();
        assert_eq!(timeless, 2, "{mode}: {report:?}");
        // By changes, those who unsubscribed come from another page.
        assert!(there.len() == 4 || mode == "incremental", "{}: {report:?}", there.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t15_a_contact_that_was_deleted_and_comes_back() {
    for hard in [false, true] {
        let mut bench = bench(60).await;
        bench.options.hard_deletes = hard;
        bench.done(FILE).await;
        let id = ids(&bench).remove(3);
        let days = |days| bench.account.sandbox.clock().advance(chrono::Duration::days(days));
        days(1);
        assert!(bench.account.sandbox.change(&Change::Delete(id.clone())));
        assert_eq!(bench.done(FILE).await[0].deleted, 1);
        days(3);
        assert!(bench.account.sandbox.change(&Change::Restore(id.clone())));
        bench.done(FILE).await;
        bench.assert_same("crm", "contacts").await;
        // Gone and back between two runs: as if it had only changed.
        days(3);
        assert!(bench.account.sandbox.change(&Change::Delete(id.clone())));
        assert!(bench.account.sandbox.change(&Change::Restore(id.clone())));
        let report = bench.done(FILE).await.remove(0);
        assert_eq!((report.inserted, report.updated, report.deleted), (0, 1, 0), "{report:?}");
        bench.assert_same("crm", "contacts").await;
        // And back and gone again.
        days(3);
        assert!(bench.account.sandbox.change(&Change::Delete(id.clone())));
        bench.done(FILE).await;
        bench.assert_same("crm", "contacts").await;
        let doubles = "SELECT count(*) FROM (SELECT contact_id FROM crm.contacts GROUP BY 1 HAVING count(*) > 1) AS d";
        assert_eq!(bench.number(doubles).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t16_a_contact_that_subscribes_again() {
    let mut bench = bench(60).await;
    bench.done(FILE).await;
    let id = ids(&bench).remove(3);
    let permission = format!(
        "SELECT count(*) FROM crm.contacts WHERE contact_id = '{id}' AND email_permission_to_send = 'unsubscribed'"
    );
    let days = |days| bench.account.sandbox.clock().advance(chrono::Duration::days(days));
    days(1);
    assert!(bench.account.sandbox.change(&Change::Unsubscribe(id.clone())));
    bench.done(FILE).await;
    assert_eq!(bench.number(&permission).await, 1);
    // By a form, which changes the contact, too.
    days(1);
    assert!(bench.account.sandbox.change(&Change::Resubscribe(id.clone())));
    assert!(bench.account.sandbox.change(&Change::Update(id.clone())));
    bench.done(FILE).await;
    assert_eq!(bench.number(&permission).await, 0);
    bench.assert_same("crm", "contacts").await;
    // In a way that moves no time at all: no request asks for that, and the next reading of all
    // rows has it.
    days(1);
    assert!(bench.account.sandbox.change(&Change::Unsubscribe(id.clone())));
    bench.done(FILE).await;
    days(1);
    assert!(bench.account.sandbox.change(&Change::Resubscribe(id.clone())));
    bench.options.full_every = Some(Duration::from_hours(24));
    assert_eq!(bench.done(FILE).await[0].updated, 1);
    assert_eq!(bench.number(&permission).await, 0);
    bench.assert_same("crm", "contacts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t9_what_the_database_refuses_is_said_and_nothing_is_lost() {
    for mode in ["full-refresh", "incremental"] {
        let bench = bench(1_200).await;
        let file = FILE.replace("incremental", mode);
        bench.done(&file).await;
        bench.account.sandbox.clock().advance(chrono::Duration::days(2));
        for id in ids(&bench).into_iter().take(3) {
            assert!(bench.account.sandbox.change(&Change::Update(id)));
        }
        let name = &bench.database.name;
        // A disk that is full, and a transaction that cannot be put in order, are errors like any
        // other: their states are raised where rows are written.
        let raise = |state: &str| {
            format!(
                "CREATE FUNCTION crm.refuse() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'no more' USING ERRCODE = '{state}'; END $$; \
                 CREATE TRIGGER refuse BEFORE UPDATE ON _ctct.state FOR EACH ROW \
                 WHEN (new.state IS DISTINCT FROM old.state) EXECUTE FUNCTION crm.refuse()"
            )
        };
        let undo = "DROP TRIGGER refuse ON _ctct.state; DROP FUNCTION crm.refuse()".to_owned();
        for (breaks, mends, said) in [
            (raise("53100"), undo.clone(), "no more"),
            (raise("40001"), undo, "no more"),
            (
                format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
                format!(
                    "BEGIN READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT"
                ),
                "read-only",
            ),
        ] {
            bench.execute(&breaks).await;
            let reports = bench.run(&file).await;
            let Outcome::Failed(error) = &reports[0].outcome else { panic!("{:?}", reports[0]) };
            assert!(error.to_string().contains(said), "{mode}: {error}");
            bench.execute(&mends).await;
        }
        // Somebody looks at the table for longer than the server lets us wait.
        let holder = bench.database.connect().await;
        holder
            .batch_execute("BEGIN; LOCK TABLE crm.contacts IN ACCESS EXCLUSIVE MODE")
            .await
            .expect("a lock");
        bench.execute(&format!("ALTER DATABASE {name} SET lock_timeout = '100ms'")).await;
        let reports = bench.run(&file).await;
        let Outcome::Failed(error) = &reports[0].outcome else { panic!("{:?}", reports[0]) };
        assert!(error.to_string().contains("lock timeout"), "{mode}: {error}");
        drop(holder);
        bench.execute(&format!("ALTER DATABASE {name} RESET lock_timeout")).await;
        bench.done(&file).await;
        bench.assert_same("crm", "contacts").await;
    }
}

/// The keys of refused rows, with the reasons.
async fn rejected(bench: &Bench) -> Vec<(String, String)> {
    let client = bench.database.connect().await;
    let sql = "SELECT coalesce(key, ''), reason FROM _ctct.rejected ORDER BY key, reason";
    let rows = client.query(sql, &[]).await.expect("a table of refused rows");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Some rows have no form in the target, a key that no index takes, or break a rule of the table:
/// the others get in, and who was refused, and why, can be looked up.
#[tokio::test(flavor = "multi_thread")]
async fn c_t21_a_row_that_the_target_refuses_keeps_no_other_out() {
    // A number that jsonb has no form for, and a key that is too long.
    let query = "SELECT list_id, name, \
                 CASE WHEN name LIKE 'W%' THEN '{\"n\": 1e999999}' ELSE '{}' END AS doc \
                 FROM contact_lists UNION ALL \
                 SELECT 'kkk' || string_agg(contact_id || email_address, ''), 'Long', '{}' FROM contacts";
    let file = |mode: &str| {
        format!(
            "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  lists:\n    mode: {mode}\n    object: crm.lists\n    \
             primary_key: list_id\n    columns: {{ doc: json }}\n    sql: |\n      {query}\n"
        )
    };
    for mode in ["full-refresh", "truncate", "incremental"] {
        let bench = bench(400).await;
        let lists = bench.account.sandbox.rows(Collection::ContactLists);
        let poisoned = lists.iter().filter(|row| text(row, "name").starts_with('W')).count();
        assert!(poisoned > 0 && poisoned < lists.len());
        let reports = bench.run(&file(mode)).await;
        assert!(matches!(reports[0].outcome, Outcome::Partial), "{mode}: {:?}", reports[0]);
        let rejected = rejected(&bench).await;
        assert_eq!(reports[0].rejected, poisoned as u64 + 1, "{mode}: {rejected:?}");
        let there = bench.number("SELECT count(*) FROM crm.lists").await;
        assert_eq!(there, i64::try_from(lists.len() - poisoned).expect("few"), "{mode}");
        assert_eq!(rejected.len(), poisoned + 1, "{rejected:?}");
        let long = rejected.iter().find(|(key, _)| key.starts_with("kkk")).expect("the long key");
        assert!(long.1.contains("index row"), "{long:?}");
        assert!(rejected.iter().any(|(_, why)| why.contains("overflows")), "{rejected:?}");
    }

    // A row that was written before and is refused now is not gone: it stays as it was.
    let small = bench(30).await;
    let poison = "CASE WHEN name LIKE 'W%' THEN '{\"n\": 1e999999}' ELSE '{}' END";
    let lists = |doc: &str| {
        format!(
            "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  lists:\n    mode: incremental\n    object: crm.lists\n    \
             primary_key: list_id\n    columns: {{ doc: json }}\n    sql: |\n      SELECT list_id, name, {doc} AS doc FROM contact_lists\n"
        )
    };
    let first = small.done(&lists("'{}'")).await.remove(0);
    let second = small.run(&lists(poison)).await.remove(0);
    assert!(matches!(second.outcome, Outcome::Partial) && second.rejected > 0, "{second:?}");
    assert_eq!(second.deleted, 0, "{second:?}");
    let kept = small.number("SELECT count(*) FROM crm.lists WHERE NOT _ctct_deleted").await;
    assert_eq!(kept, i64::try_from(first.inserted).expect("few"));

    // A rule that somebody gave the table, met by changes and by a reading of all rows.
    for full in [false, true] {
        let mut bench = bench(700).await;
        bench.done(FILE).await;
        let first = bench.account.sandbox.now().to_rfc3339();
        bench.account.sandbox.clock().advance(chrono::Duration::days(2));
        let ids = ids(&bench);
        bench
            .execute(&format!(
                "ALTER TABLE crm.contacts ADD CONSTRAINT \"it's $$ a rule\" \
                 CHECK (contact_id <> '{}' OR updated_at < '{first}') NOT VALID",
                ids[0],
            ))
            .await;
        for id in &ids[..9] {
            assert!(bench.account.sandbox.change(&Change::Update(id.clone())));
        }
        bench.account.sandbox.clock().advance(chrono::Duration::days(1));
        bench.options.full_every = full.then(|| Duration::from_hours(1));
        let report = bench.run(FILE).await.remove(0);
        assert!(matches!(report.outcome, Outcome::Partial), "{report:?}");
        assert_eq!((report.updated, report.inserted, report.rejected), (8, 0, 1), "{report:?}");
        let rejected = rejected(&bench).await;
        assert_eq!((rejected.len(), &rejected[0].0), (1, &ids[0]), "{rejected:?}");
        assert!(rejected[0].1.contains("it's $$ a rule"), "{rejected:?}");
        // The next run goes on as if nothing had been.
        assert_eq!(bench.done(FILE).await[0].updated, 0);
    }

    // Where everything is refused, the rows are not why.
    let bench = bench(2_300).await;
    bench.done(FILE).await;
    bench.account.sandbox.clock().advance(chrono::Duration::days(2));
    bench.execute("ALTER TABLE crm.contacts ADD CONSTRAINT no_more CHECK (false) NOT VALID").await;
    for id in ids(&bench).into_iter().take(1_400) {
        assert!(bench.account.sandbox.change(&Change::Update(id)));
    }
    let reports = bench.run(FILE).await;
    let Outcome::Failed(error) = &reports[0].outcome else { panic!("{:?}", reports[0]) };
    assert!(error.to_string().contains("more than 1000 rows were refused"), "{error}");
}
