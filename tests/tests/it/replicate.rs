//! Replication to a real PostgreSQL: what is in the target, against what the API has.

use std::collections::BTreeMap;

use ctct_replicate::{ErrorKind, Outcome, Overrides, Replication, plan};
use ctct_sandbox::{Change, Collection, Fault, FaultKind, Settings};
use serde_json::Value;

use crate::replicate_bench::Bench;
use crate::support::{rows, text};

const STREAMS: &str = "
source: CONSTANT_CONTACT
target: MY_POSTGRES
defaults:
  mode: full-refresh
  object: constant_contact.{stream_name}
streams:
  # Core data
  contacts:
    mode: incremental
  contact_lists:
  contact_tags:
  segments:
  custom_fields:
  email_campaigns:
    mode: incremental
  email_campaign_summaries:
  account_summary:
";

fn shop() -> Settings {
    Settings { contacts: 1_300, campaigns: 12, ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn named_streams_are_in_the_target_value_by_value() {
    let bench = Bench::new(shop()).await;
    let reports = bench.done(STREAMS).await;
    assert_eq!(reports.len(), 8);
    for report in &reports {
        bench.assert_same("constant_contact", &report.stream).await;
    }
    let client = bench.database.connect().await;
    let types = client
        .query(
            "SELECT column_name::text, data_type::text FROM information_schema.columns \
             WHERE table_schema = 'constant_contact' AND table_name = 'contacts'",
            &[],
        )
        .await
        .expect("columns");
    let types: BTreeMap<String, String> =
        types.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(types["updated_at"], "timestamp with time zone");
    assert_eq!(types["custom"], "jsonb");
    assert_eq!(types["list_memberships"], "ARRAY");
    let described = "SELECT count(*) FROM pg_description d JOIN pg_class c ON c.oid = d.objoid \
                     WHERE c.relname = 'contacts' AND d.objsubid > 0";
    assert!(bench.number(described).await > 30);
    let indexed = "SELECT count(*) FROM pg_indexes WHERE tablename = 'contacts' AND schemaname = 'constant_contact'";
    assert_eq!(bench.number(indexed).await, 2, "the key, and the watermark");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_star_stands_for_all_tables_that_are_not_read_contact_by_contact() {
    let bench = Bench::new(Settings { contacts: 150, campaigns: 6, ..Settings::default() }).await;
    let file = "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\ndefaults:\n  mode: full-refresh\n  \
                object: constant_contact.{stream_name}\nstreams:\n  '*':\n";
    let reports = bench.done(file).await;
    assert!(reports.len() > 40, "{}", reports.len());
    for report in &reports {
        bench.assert_same("constant_contact", &report.stream).await;
    }
}

/// The headline: who unsubscribes does not move `updated_at`, and who is deleted is nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn c_t14_an_opt_out_and_a_deletion_are_in_the_target_after_the_next_run() {
    let bench = Bench::new(shop()).await;
    let file = "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contacts:\n    mode: incremental\n    object: crm.contacts\n";
    let first = bench.done(file).await.remove(0);
    let live = bench.account.sandbox.rows(Collection::Contacts);
    bench.assert_same("crm", "contacts").await;
    assert!(first.inserted >= live.len() as u64);

    bench.account.sandbox.clock().advance(chrono::Duration::days(3));
    let mailable = |row: &&Value| row["email_address"]["permission_to_send"] == "explicit";
    let mut some = live.iter().filter(mailable).map(|row| text(row, "contact_id").to_owned());
    let (left, gone, changed) =
        (some.next().expect("one"), some.next().expect("another"), some.next().expect("a third"));
    for change in [
        Change::Unsubscribe(left.clone()),
        Change::Delete(gone.clone()),
        Change::Update(changed),
        Change::Create,
    ] {
        assert!(bench.account.sandbox.change(&change));
    }
    let second = bench.done(file).await.remove(0);
    bench.assert_same("crm", "contacts").await;
    assert_eq!((second.inserted, second.updated, second.deleted), (1, 2, 1), "{second:?}");
    let permission = format!(
        "SELECT count(*) FROM crm.contacts WHERE contact_id = '{left}' AND email_permission_to_send = 'unsubscribed'"
    );
    assert_eq!(bench.number(&permission).await, 1);
    let marked = format!(
        "SELECT count(*) FROM crm.contacts WHERE contact_id = '{gone}' AND _ctct_deleted AND deleted_at IS NOT NULL"
    );
    assert_eq!(bench.number(&marked).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t7_a_second_run_without_changes_writes_no_row() {
    let bench = Bench::new(shop()).await;
    let file = "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\ndefaults:\n  mode: incremental\n  object: crm.{stream_name}\n\
                streams:\n  contacts:\n  email_campaigns:\n  contact_lists:\n  email_opens:\n  account_summary:\n";
    bench.done(file).await;
    bench.account.sandbox.clock().advance(chrono::Duration::days(1));
    let again = bench.done(file).await;
    for report in &again {
        let written = report.inserted + report.updated + report.deleted;
        assert_eq!(written, 0, "{report:?}");
        bench.assert_same("crm", &report.stream).await;
    }
    let of = |name: &str| again.iter().find(|report| report.stream == name).expect("it ran");
    for name in ["contacts", "email_campaigns", "contact_lists", "account_summary"] {
        assert!(of(name).requests <= 5, "{:?}", of(name));
    }
}

/// Three readings find what changed in contacts, and one of the definitions of custom fields
/// serves them all.
#[tokio::test(flavor = "multi_thread")]
async fn the_readings_of_a_run_read_definitions_once() {
    let bench = Bench::new(shop()).await;
    let file = "source: SHOP\ntarget: MY_POSTGRES\nstreams:\n  contacts: { mode: incremental, object: crm.contacts }\n";
    bench.done(file).await;
    bench.account.sandbox.clock().advance(chrono::Duration::days(3));
    let live = bench.account.sandbox.rows(Collection::Contacts);
    let has_values =
        |row: &&Value| row["custom_fields"].as_array().is_some_and(|values| !values.is_empty());
    let ids: Vec<_> = live.iter().filter(has_values).map(|row| text(row, "contact_id")).collect();
    for (place, id) in ids.iter().take(30).enumerate() {
        let id = (*id).to_owned();
        bench.account.sandbox.change(&match place % 3 {
            0 => Change::Update(id),
            1 => Change::Unsubscribe(id),
            _ => Change::Delete(id),
        });
    }
    bench.account.sandbox.clear_requests();
    let report = bench.done(file).await.remove(0);
    assert!(report.rows >= 30 && report.requests == 4, "{report:?}");
    bench.assert_same("crm", "contacts").await;
}

/// Kills the program at every page, as hard as can be; what was committed is not read again.
#[tokio::test(flavor = "multi_thread")]
async fn c_t1_killed_at_every_page_it_goes_on_where_it_stood() {
    let settings = Settings { contacts: 4_200, campaigns: 4, ..Settings::default() };
    for mode in ["full-refresh", "incremental"] {
        let bench = Bench::new(settings.clone()).await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("replication.yaml");
        let text = format!(
            "source: SHOP\ntarget: MY_POSTGRES\nstreams:\n  contacts: {{ mode: {mode}, object: crm.contacts }}\n"
        );
        std::fs::write(&file, text).expect("written");
        let home = tempfile::tempdir().expect("a home");
        let mut kills = 0;
        loop {
            let before = bench.account.sandbox.requests().len();
            let mut ctct = ctct_tests::ctct();
            ctct.env("CTCT_HOME", home.path())
                .envs(bench.variables())
                .arg("run")
                .arg("-r")
                .arg(&file);
            let mut process = ctct
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .expect("ctct runs");
            // Dies while its second page is on the way, or shortly after.
            let status = loop {
                if let Some(status) = process.try_wait().expect("a process") {
                    break Some(status);
                }
                if bench.account.sandbox.requests().len() >= before + 3 {
                    process.kill().expect("killed");
                    drop(process.wait());
                    break None;
                }
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            };
            match status {
                Some(status) => {
                    assert!(status.success(), "{mode}: {status}");
                    break;
                }
                None => kills += 1,
            }
            assert!(kills < 60, "{mode}: it does not come on");
        }
        assert!(kills >= 2, "{mode}: it was killed {kills} times");
        bench.account.sandbox.clear_requests();
        bench.assert_same("crm", "contacts").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t10_where_the_quota_ends_a_run_the_next_one_reads_the_rest() {
    let settings = Settings { contacts: 4_200, campaigns: 4, ..Settings::default() };
    for mode in ["full-refresh", "incremental"] {
        let bench = Bench::new(settings.clone()).await;
        let file = format!(
            "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contacts: {{ mode: {mode}, object: crm.contacts }}\n  contact_tags:\n"
        );
        // The fourth page is refused, as the gateway refuses on a day that is used up.
        bench.account.sandbox.inject(Fault {
            kind: FaultKind::QuotaExceeded,
            path: "/v3/contacts".to_owned(),
            skip: 3,
            times: 1,
        });
        let reports = bench.run(&file).await;
        assert!(reports[0].outcome.is_quota(), "{:?}", reports[0]);
        assert!(matches!(reports[1].outcome, Outcome::Skipped), "{:?}", reports[1]);
        let read = reports[0].rows;
        assert!(read >= 1_000, "{read}");
        let second = bench.done(&file).await;
        bench.assert_same("crm", "contacts").await;
        let live = bench.account.sandbox.rows(Collection::Contacts).len() as u64;
        if mode == "full-refresh" {
            assert_eq!(read + second[0].rows, live, "no page was read twice");
        }
        let state = "SELECT count(*) FROM _ctct.state WHERE state->>'progress' IS NULL";
        assert_eq!(bench.number(state).await, 2);
        let log = "SELECT count(*) FROM _ctct.runs WHERE outcome = 'quota used up'";
        assert_eq!(bench.number(log).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t8_a_table_is_written_by_one_run_at_a_time() {
    let bench = Bench::new(Settings { contacts: 40, campaigns: 2, ..Settings::default() }).await;
    let file = "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contact_lists: { object: crm.lists }\n";
    bench.done(file).await;
    let (one, two) = tokio::join!(bench.run(file), bench.run(file));
    let busy = one.iter().chain(&two).filter(|report| match &report.outcome {
        Outcome::Failed(error) => error.kind() == ErrorKind::Busy,
        _ => false,
    });
    assert!(busy.count() <= 1);
    assert!(one.iter().chain(&two).any(|report| matches!(report.outcome, Outcome::Done)));
    // One whose right was taken meanwhile commits nothing.
    bench.account.sandbox.inject(Fault {
        kind: FaultKind::Latency { milliseconds: 1_500 },
        path: "/v3/contact_lists".to_owned(),
        skip: 0,
        times: 1,
    });
    let taken = async {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        bench.execute("UPDATE _ctct.state SET epoch = epoch + 1").await;
    };
    let (zombie, ()) = tokio::join!(bench.run(file), taken);
    let Outcome::Failed(error) = &zombie[0].outcome else { panic!("{:?}", zombie[0]) };
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    bench.done(file).await;
    let there = bench.number("SELECT count(*) FROM crm.lists").await;
    assert_eq!(
        usize::try_from(there),
        Ok(bench.account.sandbox.rows(Collection::ContactLists).len())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_write_as_they_say() {
    let bench = Bench::new(Settings { contacts: 300, campaigns: 8, ..Settings::default() }).await;
    let lists = bench.account.sandbox.rows(Collection::ContactLists).len();
    let count = i64::try_from(lists).expect("few");
    let file = |mode: &str| {
        format!(
            "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contact_lists: {{ mode: {mode}, object: crm.{mode_name} }}\n",
            mode_name = mode.replace('-', "_")
        )
    };
    for mode in ["full-refresh", "truncate", "incremental", "snapshot"] {
        bench.done(&file(mode)).await;
        bench.done(&file(mode)).await;
        let table = mode.replace('-', "_");
        let rows = bench.number(&format!("SELECT count(*) FROM crm.{table}")).await;
        let times = if mode == "snapshot" { 2 } else { 1 };
        assert_eq!(rows, times * count, "{mode}");
    }
    // Who may read a table may read the one that takes its place.
    bench.execute("CREATE ROLE \"a reader\"; GRANT SELECT ON crm.full_refresh TO PUBLIC; GRANT SELECT, UPDATE ON crm.full_refresh TO \"a reader\" WITH GRANT OPTION").await;
    bench.done(&file("full-refresh")).await;
    let granted = "SELECT count(*) FROM information_schema.role_table_grants WHERE table_name = 'full_refresh' AND grantee";
    assert_eq!(bench.number(&format!("{granted} = 'PUBLIC'")).await, 1);
    let with_option = format!("{granted} = 'a reader' AND is_grantable = 'YES'");
    assert_eq!(bench.number(&with_option).await, 2);
    // A view on a table that is refreshed stays, and reads the new rows.
    bench.execute("CREATE VIEW crm.names AS SELECT name FROM crm.full_refresh; DELETE FROM crm.full_refresh").await;
    bench.done(&file("full-refresh")).await;
    assert_eq!(bench.number("SELECT count(*) FROM crm.names").await, count);
    // What is gone from the source is marked, or deleted where that is wanted.
    bench.execute("INSERT INTO crm.incremental (list_id, name) VALUES ('stray', 'x')").await;
    let report = bench.done(&file("incremental")).await.remove(0);
    assert_eq!((report.inserted, report.updated, report.deleted), (0, 0, 1));
    assert_eq!(bench.number("SELECT count(*) FROM crm.incremental WHERE _ctct_deleted").await, 1);
    let left = format!(
        "{} \n",
        file("full-refresh").replace(" }", ", target_options: { ignore_existing: true } }")
    );
    assert!(matches!(bench.run(&left).await[0].outcome, Outcome::Left));
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t20_a_backfill_does_not_move_the_watermark() {
    let bench = Bench::new(shop()).await;
    let file = "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contacts: { mode: incremental, object: crm.contacts }\n";
    bench.done(file).await;
    let watermark = "SELECT (state->>'watermark')::bigint FROM _ctct.state";
    let before = bench.number(watermark).await;
    bench.execute("DELETE FROM crm.contacts").await;
    let overrides = Overrides {
        mode: Some(ctct_replicate::Mode::Backfill),
        range: Some("2025-01-01,2025-06-30".to_owned()),
        ..Overrides::default()
    };
    let report = bench.run_with(file, &overrides).await.remove(0);
    assert!(matches!(report.outcome, Outcome::Done), "{report:?}");
    assert_eq!(bench.number(watermark).await, before);
    let wanted = "SELECT count(*) AS n FROM contacts WHERE updated_at >= '2025-01-01' AND updated_at < '2025-07-01'";
    let wanted = rows(&bench.account.session, wanted).await[0]["n"].as_i64().expect("a number");
    let within = "SELECT count(*) FROM crm.contacts WHERE updated_at >= '2025-01-01' AND updated_at < '2025-07-01'";
    assert_eq!(bench.number(within).await, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t13_columns_come_and_types_widen_and_nothing_is_dropped() {
    let bench = Bench::new(Settings { contacts: 60, campaigns: 3, ..Settings::default() }).await;
    let file = "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  email_campaigns: { mode: incremental, object: crm.campaigns }\n";
    bench.done(file).await;
    bench
        .execute(
            "ALTER TABLE crm.campaigns DROP COLUMN name; ALTER TABLE crm.campaigns ADD COLUMN mine text DEFAULT 'kept'; \
             ALTER TABLE crm.campaigns DROP COLUMN type_code; ALTER TABLE crm.campaigns ADD COLUMN type_code boolean; \
             DELETE FROM _ctct.state",
        )
        .await;
    bench.done(file).await;
    assert_eq!(
        bench
            .number("SELECT count(*) FROM crm.campaigns WHERE name IS NOT NULL AND mine = 'kept'")
            .await,
        3
    );
    let widened = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'campaigns' AND column_name = 'type_code' AND data_type = 'text'";
    assert_eq!(bench.number(widened).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_those_names_or_an_error() {
    let bench = Bench::new(Settings { contacts: 20, campaigns: 2, ..Settings::default() }).await;
    let objects =
        ["a\"; DROP SCHEMA public; --", "select", "Ünïcode 🎉", "with space", "it's", "%s$1"];
    for (number, name) in objects.iter().enumerate() {
        let quoted = name.replace('"', "\"\"");
        let object = format!("\"s {number}\".\"{quoted}\"").replace('\'', "''");
        let file = format!(
            "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  mine:\n    sql: 'SELECT tag_id AS \"{}\" FROM contact_tags'\n    object: '{object}'\n",
            quoted.replace('\'', "''")
        );
        bench.done(&file).await;
        let made = format!(
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = 's {number}' AND table_name = '{0}' AND column_name = '{0}'",
            name.replace('\'', "''")
        );
        assert_eq!(bench.number(&made).await, 1, "{name}");
    }
    for name in ["x".repeat(300), "a\\0b".to_owned()] {
        let file = format!(
            "source: C\ntarget: T\nstreams:\n  contact_tags:\n    object: \"crm.{name}\"\n"
        );
        let replication = Replication::parse(&file).expect("YAML");
        let planned = plan(
            &replication,
            &bench.account.session,
            "constant_contact",
            "public",
            bench.options.at,
            &Overrides::default(),
        )
        .await;
        let error = planned.expect_err("no such name").to_string();
        assert!(error.contains("bytes") || error.contains("NUL"), "{error}");
    }
    let schemas = "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'public'";
    assert_eq!(bench.number(schemas).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_streams_too() {
    let bench = Bench::new(Settings { contacts: 200, campaigns: 5, ..Settings::default() }).await;
    let file = "
source: CONSTANT_CONTACT
target: MY_POSTGRES
env: { least: explicit }
streams:
  by_permission:
    sql: SELECT coalesce(email_permission_to_send, 'sms') AS permission, count(*) AS contacts FROM contacts GROUP BY 1
    object: reports.permissions
    primary_key: [permission]
    mode: incremental
  contacts:
    select: [contact_id, email_address, updated_at]
    where: email_permission_to_send = '{least}'
    object: reports.explicit
    columns: { updated_at: date }
  email_campaigns:
    select: [-type_code]
    source_options: { limit: 3 }
    target_options: { column_casing: upper, post_sql: 'CREATE TABLE reports.after AS SELECT 1' }
    object: reports.some
";
    bench.done(file).await;
    assert_eq!(
        bench.number("SELECT sum(contacts)::bigint FROM reports.permissions").await,
        i64::try_from(bench.account.sandbox.rows(Collection::Contacts).len()).expect("few")
    );
    let typed = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'reports' AND table_name = 'explicit' AND column_name = 'updated_at' AND data_type = 'date'";
    assert_eq!(bench.number(typed).await, 1);
    assert_eq!(bench.number("SELECT count(*) FROM reports.some").await, 3);
    let cased = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'some' AND column_name IN ('CAMPAIGN_ID', 'TYPE_CODE')";
    assert_eq!(bench.number(cased).await, 1);
    assert_eq!(bench.number("SELECT count(*) FROM reports.after").await, 1);
    let again = bench.run(file).await;
    let Outcome::Failed(error) = &again[2].outcome else { panic!("{:?}", again[2]) };
    assert!(error.to_string().contains("post_sql"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t22_a_stream_that_fails_keeps_no_other_from_running() {
    let bench = Bench::new(Settings { contacts: 20, campaigns: 2, ..Settings::default() }).await;
    bench.account.sandbox.inject(Fault {
        kind: FaultKind::Answer {
            status: 403,
            body: r#"{"error_key":"access_denied","error_message":"no"}"#.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        },
        path: "/v3/segments".to_owned(),
        skip: 0,
        times: 9,
    });
    let file = "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contact_lists:\n  segments:\n  contact_tags:\n";
    let reports = bench.run(file).await;
    let words: Vec<&str> = reports.iter().map(|report| report.outcome.word()).collect();
    assert_eq!(words, ["done", "failed", "done"]);
}
