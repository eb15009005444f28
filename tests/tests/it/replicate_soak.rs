//! Replication while everything moves: random events, runs that are cut off, pages that shift.

use std::time::Duration;

use ctct_replicate::{ErrorKind, Outcome, Target};
use ctct_sandbox::{Change, Collection, Sandbox, Settings};
use serde_json::Value;

use crate::replicate_bench::Bench;
use crate::replicate_wire::Wire;
use crate::support::text;

const FILE: &str = "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contacts: { mode: incremental, object: crm.contacts }\n";

/// Lets something happen to somebody.
fn happens(sandbox: &Sandbox, contacts: &[String], random: &mut fastrand::Rng) {
    let who = contacts[random.usize(..contacts.len())].clone();
    let change = match random.u32(..10) {
        0..3 => Change::Create,
        3 => Change::Delete(who),
        4..7 => Change::Unsubscribe(who),
        _ => Change::Update(who),
    };
    // Who is deleted already cannot change: then nothing happens.
    sandbox.change(&change);
}

fn identifiers(sandbox: &Sandbox) -> Vec<String> {
    let all = sandbox.rows(Collection::Contacts);
    all.iter().map(|row| text(row, "contact_id").to_owned()).collect()
}

/// Whoever is deleted is marked, with the day on which that was.
async fn assert_deleted(bench: &Bench) {
    let gone = bench.account.sandbox.rows(Collection::DeletedContacts);
    let marked = bench.there("crm.contacts", false).await;
    let live = bench.there("crm.contacts", true).await;
    for row in &gone {
        let key = row["contact_id"].to_string();
        // Those that were deleted before the first run began are nobody's business.
        if let Some(found) = marked.get(&key) {
            assert!(!live.contains_key(&key), "{key} is gone and not marked");
            assert_eq!(found["deleted_at"].as_str(), row["deleted_at"].as_str(), "{key}");
        }
    }
}

/// Runs once; whether it came to its end.
async fn ended(bench: &Bench, target: &Target) -> bool {
    let report = bench.run_to(target, FILE).await.remove(0);
    match &report.outcome {
        Outcome::Done => true,
        // The wire broke, or the server has not noticed yet that the run before is gone.
        Outcome::Failed(error) if matches!(error.kind(), ErrorKind::Target | ErrorKind::Busy) => {
            false
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c_t23_thousands_of_events_and_hundreds_of_cuts_later_the_target_is_the_account() {
    let seed = match std::env::var("CTCT_SOAK_SEED") {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => 20_260_101,
    };
    println!("CTCT_SOAK_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let bench = Bench::new(Settings { contacts: 1_100, campaigns: 2, ..Settings::default() }).await;
    let mut contacts = identifiers(&bench.account.sandbox);
    let wire = Wire::to(&bench).await;
    let target = wire.target(&bench);
    let (mut cuts, mut events) = (0, 0);
    for round in 0..320 {
        for _ in 0..random.u32(5..20) {
            happens(&bench.account.sandbox, &contacts, &mut random);
            events += 1;
        }
        let minutes = random.i64(1..600);
        bench.account.sandbox.clock().advance(chrono::Duration::minutes(minutes));
        // A run has some ninety statements.
        wire.break_after(random.usize(..130), random.bool());
        cuts += u32::from(!ended(&bench, &target).await);
        if round % 50 == 49 {
            contacts = identifiers(&bench.account.sandbox);
        }
    }
    println!("{cuts} cuts, {events} events");
    assert!(cuts >= 200 && events > 2_500, "{cuts} cuts, {events} events");
    wire.hold();
    while !ended(&bench, &target).await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bench.assert_same("crm", "contacts").await;
    assert_deleted(&bench).await;
}

/// Contacts come, go and change before each page, so that rows move between pages.
#[tokio::test(flavor = "multi_thread")]
async fn c_t3_what_moves_while_it_is_read_is_read_all_the_same() {
    for (seed, mode) in [(3, "full-refresh"), (4, "incremental"), (5, "incremental")] {
        let settings =
            Settings { contacts: 2_600, campaigns: 2, churn: Some(seed), ..Settings::default() };
        let bench = Bench::new(settings).await;
        let file = FILE.replace("incremental", mode);
        let before: Vec<Value> = bench.account.sandbox.rows(Collection::Contacts);
        bench.done(&file).await;
        let after = identifiers(&bench.account.sandbox);
        let there = bench.there("crm.contacts", false).await;
        for contact in before.iter().map(|row| text(row, "contact_id")) {
            let stayed = after.iter().any(|id| id == contact);
            let found = there.contains_key(&format!("{contact:?}"));
            assert!(!stayed || found, "seed {seed}, {mode}: {contact} was there all the time");
        }
    }
}
