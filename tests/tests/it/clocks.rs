//! Days by the server's clock, whatever this machine's clock does.

use std::sync::Arc;

use chrono::TimeDelta;
use ctct_sandbox::{Collection, Limits, Sandbox, Settings};
use ctct_tests::connection;
use datafusion::prelude::SessionContext;
use datafusion_ctct::{
    Clock, Connection, ErrorKind, Ledger, SessionBuilder, Traffic, client_error,
};

/// A server and a machine whose clocks can be moved, together and apart.
struct Clocks {
    sandbox: Sandbox,
    machine: Clock,
    ledger: Arc<Ledger>,
    connection: Connection,
}

impl Clocks {
    async fn new(per_day: u32) -> Self {
        let limits = Limits { per_second: None, per_day: Some(per_day) };
        let settings = Settings { contacts: 2_500, limits, ..Settings::default() };
        let sandbox = Sandbox::start(settings).await.expect("a sandbox");
        let machine = Clock::default();
        // Both start in the middle of the same day.
        let noon = (sandbox.now() + TimeDelta::hours(12)) - chrono::Utc::now();
        machine.advance(noon);
        sandbox.clock().advance(TimeDelta::hours(12));
        let connection = connection(&sandbox);
        let ledger = Arc::new(Ledger::in_memory().with_clock(machine.clone()));
        Self { sandbox, machine, ledger, connection }
    }

    /// What a process that starts now would work with.
    fn session(&self) -> SessionContext {
        let traffic = Arc::new(Traffic::new(Arc::clone(&self.ledger), "query"));
        let builder = SessionBuilder::new().with_connection(self.connection.clone());
        builder.with_traffic(traffic).build().expect("a session")
    }

    async fn rows(&self) -> Result<usize, ErrorKind> {
        let frame = self.session().sql("SELECT contact_id FROM contacts").await.expect("a plan");
        match frame.collect().await {
            Ok(batches) => Ok(batches.iter().map(arrow::array::RecordBatch::num_rows).sum()),
            Err(error) => Err(client_error(&error).expect("a client's error").kind()),
        }
    }

    /// Lets time pass for both.
    fn pass(&self, time: TimeDelta) {
        self.sandbox.clock().advance(time);
        self.machine.advance(time);
    }

    fn check(&self, what: &str) {
        let (server, _, _) = self.sandbox.traffic();
        let quota = self.ledger.quota(&self.connection);
        assert_eq!(quota.day, self.sandbox.now().date_naive(), "{what}");
        assert!(quota.used >= u64::from(server), "{what}: {} of {server}", quota.used);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t3_a_used_up_day_is_closed_until_midnight_and_the_next_one_reads_everything() {
    let clocks = Clocks::new(8).await;
    let all = clocks.sandbox.rows(Collection::Contacts).len();
    assert_eq!(clocks.rows().await, Ok(all), "five requests of eight");
    assert_eq!(clocks.rows().await, Err(ErrorKind::QuotaExhausted), "it says so at the ninth");
    let sent = clocks.sandbox.requests().len();
    clocks.pass(TimeDelta::hours(11));
    assert_eq!(clocks.rows().await, Err(ErrorKind::QuotaExhausted), "an hour before midnight");
    assert_eq!(clocks.sandbox.requests().len(), sent, "nothing is sent on a closed day");
    clocks.pass(TimeDelta::minutes(61));
    assert_eq!(clocks.rows().await, Ok(all), "the next day");
    clocks.check("the next day");
    assert_eq!(clocks.ledger.quota(&clocks.connection).used, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t2_no_jump_of_the_machines_clock_opens_or_loses_a_day() {
    // Days off, an hour for summer time, a leap second: none is the server's business.
    for jump in [
        TimeDelta::days(2),
        TimeDelta::days(-2),
        TimeDelta::hours(1),
        TimeDelta::hours(-1),
        TimeDelta::seconds(1),
        TimeDelta::seconds(-1),
    ] {
        let clocks = Clocks::new(12).await;
        let all = clocks.sandbox.rows(Collection::Contacts).len();
        assert_eq!(clocks.rows().await, Ok(all));
        clocks.machine.advance(jump);
        assert_eq!(clocks.rows().await, Ok(all), "{jump}");
        clocks.check(&jump.to_string());
        assert_eq!(clocks.rows().await, Err(ErrorKind::QuotaExhausted), "{jump}");
        clocks.check(&jump.to_string());
        let sent = clocks.sandbox.requests().len();
        assert_eq!(clocks.rows().await, Err(ErrorKind::QuotaExhausted), "{jump}");
        assert_eq!(clocks.sandbox.requests().len(), sent, "closed, whatever the clock says");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b_t2_a_midnight_in_the_midst_of_a_run_starts_a_new_count() {
    let clocks = Clocks::new(12).await;
    let all = clocks.sandbox.rows(Collection::Contacts).len();
    assert_eq!(clocks.rows().await, Ok(all));
    // The server's midnight comes first; ours stands still.
    clocks.sandbox.clock().advance(TimeDelta::hours(12) + TimeDelta::minutes(1));
    assert_eq!(clocks.rows().await, Ok(all));
    clocks.check("the server's midnight");
    clocks.machine.advance(TimeDelta::hours(12) + TimeDelta::minutes(1));
    assert_eq!(clocks.rows().await, Ok(all), "ten of twelve of the new day");
    clocks.check("both midnights");
}
