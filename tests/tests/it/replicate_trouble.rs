//! Replication where something is in the way: a state that is broken, a database that goes, an
//! interrupt; and the look at whether all is well.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ctct_replicate::{ErrorKind, Outcome};
use ctct_sandbox::{Change, Collection, Fault, FaultKind, Settings};
use ctct_tests::terminal::Terminal;

use crate::replicate_bench::Bench;
use crate::support::text;

const FILE: &str = "source: SHOP\ntarget: MY_POSTGRES\nstreams:\n  contacts: { mode: incremental, object: crm.contacts }\n";

fn contacts(bench: &Bench) -> Vec<String> {
    let rows = bench.account.sandbox.rows(Collection::Contacts);
    rows.iter().map(|row| text(row, "contact_id").to_owned()).collect()
}

/// Runs `ctct run` with a file, and gives its exit code, output and messages.
async fn ctct_run(bench: &Bench, file: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("replication.yaml");
    std::fs::write(&path, file).expect("written");
    let mut ctct = ctct_tests::ctct();
    ctct.env("CTCT_HOME", folder.path()).envs(bench.variables()).arg("run").arg("-r").arg(&path);
    ctct.args(arguments);
    let output = tokio::task::spawn_blocking(move || ctct.output()).await;
    let output = output.expect("waited").expect("ctct runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), said(&output.stdout), said(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_found_by_counts_and_by_a_sample() {
    let mut bench =
        Bench::new(Settings { contacts: 40, campaigns: 3, ..Settings::default() }).await;
    let file = "source: SHOP\ntarget: MY_POSTGRES\ndefaults: { object: 'crm.{stream_name}' }\nstreams:\n  \
                contacts: { mode: incremental }\n  contact_lists:\n  email_opens: { mode: snapshot }\n  \
                big: { sql: 'SELECT list_id, name FROM contact_lists WHERE name IS NOT NULL', primary_key: list_id }\n";
    let (code, said, told) = ctct_run(&bench, file, &["--verify", "--format", "csv"]).await;
    assert_eq!(code, Some(3), "{told}");
    assert!(said.contains("no such table"), "{said}");
    bench.done(file).await;
    let (code, said, told) = ctct_run(&bench, file, &["--verify", "--format", "csv"]).await;
    assert_eq!(code, Some(0), "{said}{told}");
    // An older snapshot is no matter, and what the next run adds is not there yet.
    bench.execute("UPDATE crm.email_opens SET device_type = 'an old one'").await;
    bench.options.at += chrono::Duration::hours(1);
    bench.done(file).await;
    bench.execute("ALTER TABLE crm.contacts DROP COLUMN job_title").await;
    let (code, said, told) = ctct_run(&bench, file, &["--verify", "--format", "csv"]).await;
    assert_eq!(code, Some(0), "{said}{told}");
    for line in said.lines().skip(1) {
        assert!(line.ends_with(",0,0,0,1,same") || line.ends_with(",same"), "{line}");
    }
    let looked_at: Vec<&str> =
        said.lines().skip(1).filter_map(|line| line.split(',').nth(4)).collect();
    assert!(looked_at.iter().all(|rows| *rows != "0"), "{said}");

    let ids = contacts(&bench);
    bench
        .execute(&format!(
            "UPDATE crm.contacts SET first_name = 'Somebody else' WHERE contact_id = '{}';
             DELETE FROM crm.contacts WHERE contact_id = '{}';
             INSERT INTO crm.contact_lists (list_id) VALUES ('00000000-0000-4000-8000-000000000000');
             DELETE FROM crm.email_opens WHERE ctid = (SELECT max(ctid) FROM crm.email_opens)",
            ids[0], ids[1]
        ))
        .await;
    let (code, said, told) = ctct_run(&bench, file, &["--verify", "--format", "csv"]).await;
    assert_eq!(code, Some(3), "{said}");
    let of = |stream: &str| said.lines().find(|line| line.starts_with(stream)).expect("a line");
    let fields: Vec<&str> = of("contacts").split(',').collect();
    assert_eq!(fields[5..8], ["1", "1", "0"], "{said}");
    let fields: Vec<&str> = of("contact_lists").split(',').collect();
    assert_eq!(fields[5..8], ["0", "0", "1"], "{said}");
    assert!(of("big").ends_with(",same"), "{said}");
    assert!(of("email_opens").ends_with(",differs"), "{said}");
    for (stream, what, key) in [
        ("contacts", "different", ids[0].as_str()),
        ("contacts", "only in the source", ids[1].as_str()),
        ("contact_lists", "only in the target", "00000000-0000-4000-8000-000000000000"),
    ] {
        assert!(told.contains(&format!("{stream}: {what}: {key}\n")), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn most_rows_of_a_table_do_not_go_at_once_unless_they_are_to() {
    let mut bench =
        Bench::new(Settings { contacts: 40, campaigns: 3, ..Settings::default() }).await;
    let file = "source: SHOP\ntarget: MY_POSTGRES\nstreams:\n  contact_lists: { mode: incremental, object: crm.lists }\n";
    bench.done(file).await;
    // As if the account had been another one, with more lists.
    bench
        .execute("INSERT INTO crm.lists (list_id) SELECT 'L' || n FROM generate_series(1, 60) AS n")
        .await;
    for _ in 0..2 {
        let reports = bench.run(file).await;
        let Outcome::Failed(error) = &reports[0].outcome else { panic!("{:?}", reports[0]) };
        assert!(error.to_string().contains("60 of the 72 rows of crm.lists are gone"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("--accept-deletes")));
        assert_eq!(
            bench.number("SELECT count(*) FROM crm.lists WHERE NOT _ctct_deleted").await,
            72
        );
    }
    bench.options.accept_deletes = true;
    assert_eq!(bench.done(file).await[0].deleted, 60);
    assert_eq!(bench.number("SELECT count(*) FROM crm.lists WHERE NOT _ctct_deleted").await, 12);
}

/// What people see of a run, with what differs from run to run replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_what_it_does_and_did() {
    let bench = Bench::new(Settings { contacts: 700, campaigns: 2, ..Settings::default() }).await;
    let file = "source: SHOP\ntarget: MY_POSTGRES\ndefaults: { object: 'crm.{stream_name}' }\nstreams:\n  \
                contacts: { mode: incremental, select: [contact_id, updated_at] }\n  segments:\n  \
                contact_tags: { mode: incremental }\n";
    let mut seen = Vec::new();
    let seconds = |line: &str| {
        let fields = line.split('│').map(|field| {
            let number = field.trim();
            let is_time = number.contains('.') && number.parse::<f64>().is_ok();
            if is_time { " T.T ".to_owned() } else { field.to_owned() }
        });
        fields.collect::<Vec<_>>().join("│")
    };
    for arguments in [&["--dry-run"][..], &[], &["--verify"], &["--streams", "contacts"]] {
        let (code, said, told) = ctct_run(&bench, file, arguments).await;
        let said: Vec<String> = said.lines().map(seconds).collect();
        let said = said.join("\n");
        let (command, code) = (arguments.join(" "), code.unwrap_or(-1));
        seen.push(format!(
            "$ ctct run -r replication.yaml {command}\nexit {code}\n{said}\n--- stderr\n{told}\n"
        ));
    }
    insta::assert_snapshot!(seen.concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t2_an_interrupt_ends_a_run_and_the_next_goes_on() {
    let bench = Bench::new(Settings { contacts: 4_200, campaigns: 2, ..Settings::default() }).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("replication.yaml");
    std::fs::write(&path, FILE).expect("written");
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let before = bench.account.sandbox.requests().len();
        let mut ctct = ctct_tests::ctct();
        ctct.env("CTCT_HOME", folder.path())
            .envs(bench.variables())
            .arg("run")
            .arg("-r")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        bench.account.sandbox.inject(Fault {
            kind: FaultKind::Latency { milliseconds: 10_000 },
            path: "/v3/contacts".to_owned(),
            skip: 2,
            times: 1,
        });
        let process = ctct.spawn().expect("ctct runs");
        while bench.account.sandbox.requests().len() < before + 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let status =
            std::process::Command::new("kill").args([signal, &process.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
        let output = tokio::task::spawn_blocking(move || process.wait_with_output()).await;
        let output = output.expect("waited").expect("a status");
        let signalled = std::os::unix::process::ExitStatusExt::signal(&output.status);
        let ended = output.status.code().or(signalled.map(|signal| 128 + signal));
        assert_eq!(ended, Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        let kept = bench.number("SELECT count(*) FROM crm.contacts").await;
        assert!(kept >= 1_000, "{signal}: {kept}");
    }
    bench.done(FILE).await;
    bench.assert_same("crm", "contacts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t4_a_thousand_rows_of_one_moment_are_all_read() {
    let bench = Bench::new(Settings { contacts: 1_700, campaigns: 2, ..Settings::default() }).await;
    bench.done(FILE).await;
    bench.account.sandbox.clock().advance(chrono::Duration::days(2));
    let ids = contacts(&bench);
    let some = &ids[..1_200];
    for id in some {
        assert!(bench.account.sandbox.change(&Change::Update(id.clone())));
    }
    let second = bench.done(FILE).await.remove(0);
    assert_eq!(second.updated, 1_200, "{second:?}");
    bench.assert_same("crm", "contacts").await;
    // Their moment is the watermark's now, and what changes within its second is found, too.
    for id in &ids[1_200..1_300] {
        assert!(bench.account.sandbox.change(&Change::Update(id.clone())));
    }
    let third = bench.done(FILE).await.remove(0);
    assert_eq!(third.updated, 100, "{third:?}");
    bench.assert_same("crm", "contacts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t6_a_watermark_of_the_future_corrupts_nothing() {
    let bench = Bench::new(Settings { contacts: 300, campaigns: 2, ..Settings::default() }).await;
    bench.done(FILE).await;
    let year_9999 = 253_370_764_800_000_000_i64;
    bench
        .execute(&format!(
            "UPDATE _ctct.state SET state = jsonb_set(state, '{{watermark}}', '{year_9999}')"
        ))
        .await;
    let reports = bench.run(FILE).await;
    assert_eq!((reports[0].inserted, reports[0].deleted), (0, 0), "{:?}", reports[0]);
    bench.assert_same("crm", "contacts").await;
    // And it does not stand in the way of what comes.
    bench.account.sandbox.clock().advance(chrono::Duration::days(1));
    let id = contacts(&bench).remove(0);
    assert!(bench.account.sandbox.change(&Change::Update(id)));
    bench.done(FILE).await;
    bench.assert_same("crm", "contacts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t9_a_database_that_goes_loses_nothing() {
    for mode in ["full-refresh", "incremental"] {
        let bench =
            Bench::new(Settings { contacts: 3_200, campaigns: 2, ..Settings::default() }).await;
        let file = FILE.replace("incremental", mode);
        for page in [1, 2, 4] {
            bench.account.sandbox.inject(Fault {
                kind: FaultKind::Latency { milliseconds: 900 },
                path: "/v3/contacts".to_owned(),
                skip: page,
                times: 1,
            });
            let error = loop {
                let before = bench.account.sandbox.requests().len();
                let is_over = AtomicBool::new(false);
                let run = async {
                    let reports = bench.run(&file).await;
                    is_over.store(true, Ordering::SeqCst);
                    reports
                };
                let cut = async {
                    let sent = || bench.account.sandbox.requests().len() - before;
                    while sent() < 1 + page as usize && !is_over.load(Ordering::SeqCst) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    bench
                        .execute(
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                             WHERE pid <> pg_backend_pid() AND datname = current_database()",
                        )
                        .await;
                };
                let (mut reports, ()) = tokio::join!(run, cut);
                match reports.remove(0).outcome {
                    // The server has not noticed yet that the run before is gone.
                    Outcome::Failed(error) if error.kind() == ErrorKind::Busy => {}
                    Outcome::Failed(error) => break error,
                    other => panic!("{mode}: it went on without a database: {other:?}"),
                }
            };
            assert_eq!(error.kind(), ErrorKind::Target, "{error}");
        }
        bench.done(&file).await;
        bench.assert_same("crm", "contacts").await;
    }
}

/// A run is cut off, and goes on when its cursor is not accepted any more and somebody whose page
/// was read is gone.
#[tokio::test(flavor = "multi_thread")]
async fn c_t11_a_cursor_that_expired_begins_the_reading_again() {
    for mode in ["full-refresh", "incremental"] {
        let bench =
            Bench::new(Settings { contacts: 2_700, campaigns: 2, ..Settings::default() }).await;
        let file = FILE.replace("incremental", mode);
        let fault = |kind: FaultKind, skip: u32| {
            let path = "/v3/contacts".to_owned();
            bench.account.sandbox.inject(Fault { kind, path, skip, times: 1 });
        };
        fault(FaultKind::QuotaExceeded, 3);
        assert!(bench.run(&file).await[0].outcome.is_quota());
        bench.account.sandbox.clock().advance(chrono::Duration::days(2));
        let ids = contacts(&bench);
        for id in ids.iter().take(40) {
            assert!(bench.account.sandbox.change(&Change::Delete(id.clone())));
        }
        fault(FaultKind::CursorExpired, 0);
        let report = bench.done(&file).await.remove(0);
        assert!(report.rows >= 2_500, "{mode}: {report:?}");
        bench.assert_same("crm", "contacts").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t17_a_state_that_is_no_use_costs_a_reading_and_no_row() {
    let bench = Bench::new(Settings { contacts: 700, campaigns: 2, ..Settings::default() }).await;
    bench.done(FILE).await;
    bench.execute("UPDATE _ctct.state SET version = 99").await;
    let reports = bench.run(FILE).await;
    let Outcome::Failed(error) = &reports[0].outcome else { panic!("{:?}", reports[0]) };
    assert!(error.to_string().contains("was written by a later ctct"), "{error}");
    for broken in ["\"not a state\"", "{\"watermark\": \"yesterday\"}", "{}"] {
        bench.execute(&format!("UPDATE _ctct.state SET version = 1, state = '{broken}'")).await;
        bench.account.sandbox.clock().advance(chrono::Duration::days(1));
        let id = contacts(&bench).remove(0);
        assert!(bench.account.sandbox.change(&Change::Unsubscribe(id)));
        bench.done(FILE).await;
        bench.assert_same("crm", "contacts").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t18_a_table_of_another_backup_than_its_state_is_read_again() {
    let bench = Bench::new(Settings { contacts: 300, campaigns: 2, ..Settings::default() }).await;
    bench.done(FILE).await;
    for restored in [
        "DROP TABLE crm.contacts",
        "ALTER TABLE crm.contacts RENAME TO old;
         CREATE TABLE crm.contacts (LIKE crm.old INCLUDING ALL);
         INSERT INTO crm.contacts SELECT * FROM crm.old LIMIT 30; DROP TABLE crm.old",
    ] {
        bench.execute(restored).await;
        bench.done(FILE).await;
        bench.assert_same("crm", "contacts").await;
    }
    // Whoever leaves the table alone pays for what changed only.
    let before = bench.account.sandbox.requests().len();
    assert_eq!(bench.done(FILE).await[0].rows, 0);
    assert!(bench.account.sandbox.requests().len() < before + 6);
}

/// On a terminal a bar shows how far a stream has come, and a line what became of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_a_bar_of_each_stream() {
    let bench = Bench::new(Settings { contacts: 1_700, campaigns: 2, ..Settings::default() }).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("replication.yaml");
    std::fs::write(&path, FILE.replace("incremental", "full-refresh")).expect("written");
    bench.account.sandbox.inject(Fault {
        kind: FaultKind::Latency { milliseconds: 2_500 },
        path: "/v3/contacts".to_owned(),
        skip: 2,
        times: 1,
    });
    let mut ctct = ctct_tests::ctct();
    ctct.env("CTCT_HOME", folder.path()).env("NO_COLOR", "1").envs(bench.variables());
    let terminal = Terminal::open(ctct.arg("run").arg("-r").arg(&path), (140, 30));
    let screen = terminal.wait_for("contacts: 1,000 of 1,");
    assert!(screen.contains('█') && screen.contains(" to go"), "{screen}");
    let screen = terminal.wait_for("ended with 0");
    assert!(screen.contains("│ full-refresh │"), "{screen}");
    assert!(!screen.contains('█') && !screen.contains(" to go"), "the bar is gone: {screen}");
    let line = screen.lines().find(|line| line.starts_with("contacts: 1,")).expect("a line");
    assert!(line.contains(" rows, ") && line.contains(" requests, "), "{screen}");
}
