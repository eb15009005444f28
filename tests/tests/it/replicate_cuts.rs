//! Replication that is cut off at each message to the database: before it, and after it was
//! carried out and before the answer came.

use ctct_replicate::Outcome;
use ctct_sandbox::{Change, Collection, Settings};

use crate::replicate_bench::Bench;
use crate::replicate_wire::Wire;
use crate::support::text;

fn file(mode: &str) -> String {
    format!(
        "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contacts: {{ mode: {mode}, object: crm.contacts, \
         select: [contact_id, updated_at, first_name, email_permission_to_send] }}\n"
    )
}

/// Runs over a wire that breaks at each of its statements in turn, and then over one that holds.
async fn broken_at_each_statement(mode: &str, is_first_run: bool) {
    let settings =
        Settings { contacts: 620, campaigns: 1, keep_pages: is_first_run, ..Settings::default() };
    let bench = Bench::new(settings).await;
    let rows = bench.account.sandbox.rows(Collection::Contacts);
    let file = file(mode);
    let wire = Wire::to(&bench).await;
    let target = wire.target(&bench);
    let mut ended = 0;
    for statement in 0.. {
        assert!(statement < 400, "a run of two pages has no end");
        for carried_out in [false, true] {
            if is_first_run {
                bench.execute("DROP SCHEMA IF EXISTS crm, _ctct CASCADE").await;
            } else {
                bench.account.sandbox.clock().advance(chrono::Duration::hours(5));
                let id = |place: usize| text(&rows[place], "contact_id").to_owned();
                let some = statement * 2 + usize::from(carried_out);
                for change in [
                    Change::Update(id(some % 200)),
                    Change::Unsubscribe(id(200 + some % 100)),
                    Change::Delete(id(300 + some)),
                    Change::Create,
                ] {
                    assert!(bench.account.sandbox.change(&change));
                }
            }
            wire.break_after(statement, carried_out);
            let cut = bench.run_to(&target, &file).await.remove(0);
            let is_cut = matches!(cut.outcome, Outcome::Failed(_));
            wire.hold();
            let pages = bench.account.sandbox.requests().len();
            // The server may not have noticed yet that the first one is gone.
            let report = loop {
                let report = bench.run_to(&target, &file).await.remove(0);
                match &report.outcome {
                    Outcome::Failed(error) if error.kind() == ctct_replicate::ErrorKind::Busy => {
                        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    }
                    Outcome::Failed(error) => panic!("{mode}, statement {statement}: {error}"),
                    _ => break report,
                }
            };
            let pages = bench.account.sandbox.requests().len() - pages;
            // Definitions, and each page once in both together but for one.
            assert!(pages <= 7, "{mode}, statement {statement}: {pages} requests to go on");
            if statement % 8 == 7 || !is_cut {
                bench
                    .assert_columns_same(
                        "crm.contacts",
                        &["contact_id", "updated_at", "first_name", "email_permission_to_send"],
                    )
                    .await;
            } else {
                bench.assert_as_many("crm.contacts").await;
            }
            assert!(report.rows < 1_300, "{report:?}");
            ended += u32::from(!is_cut);
        }
        if ended > 2 {
            println!("{mode}: {statement} statements");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t1_a_full_refresh_that_is_cut_off_at_any_statement() {
    broken_at_each_statement("full-refresh", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t1_a_first_incremental_run_that_is_cut_off_at_any_statement() {
    broken_at_each_statement("incremental", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t1_a_later_incremental_run_that_is_cut_off_at_any_statement() {
    broken_at_each_statement("incremental", false).await;
}
