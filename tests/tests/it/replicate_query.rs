//! PostgreSQL as a place to query: beside Constant Contact, in one statement.

use std::sync::Arc;

use ctct_client::{Connections, Traffic, from_environment};
use ctct_replicate::with_targets;
use ctct_sandbox::{Change, Collection, Settings};
use ctct_tests::connection;
use datafusion::prelude::SessionContext;
use datafusion_ctct::SessionBuilder;
use serde_json::json;

use crate::replicate_bench::Bench;
use crate::support::{rows, text};

const CONTACTS: &str = "source: CONSTANT_CONTACT\ntarget: MY_POSTGRES\nstreams:\n  contacts:\n    object: crm.contacts\n    mode: incremental\n";

/// A session over the bench's account and database.
fn session(bench: &Bench) -> (SessionContext, Arc<Traffic>) {
    let found: Connections =
        from_environment([("MY_POSTGRES".to_owned(), bench.database.settings())]);
    let traffic = Arc::new(Traffic::default());
    let builder = SessionBuilder::new()
        .with_connection(connection(&bench.account.sandbox))
        .with_traffic(Arc::clone(&traffic));
    (with_targets(builder, found.targets()).expect("a session"), traffic)
}

/// The plan of a statement as text.
async fn plan(session: &SessionContext, sql: &str) -> String {
    let found = rows(session, &format!("EXPLAIN FORMAT INDENT {sql}")).await;
    found.iter().map(|row| text(row, "plan").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_the_last_row_there_costs_its_own_pages() {
    let bench = Bench::new(Settings { contacts: 2_600, ..Settings::default() }).await;
    bench.done(CONTACTS).await;
    bench.account.sandbox.clock().advance(chrono::Duration::days(1));
    let changed =
        text(&bench.account.sandbox.rows(Collection::Contacts)[7], "contact_id").to_owned();
    assert!(bench.account.sandbox.change(&Change::Update(changed.clone())));

    let (session, traffic) = session(&bench);
    let newer = "SELECT contact_id FROM contacts \
                 WHERE updated_at > (SELECT max(updated_at) FROM my_postgres.crm.contacts)";
    let plan = plan(&session, newer).await;
    assert!(
        plan.contains(
            "SELECT max(\"updated_at\")::timestamp with time zone FROM \"crm\".\"contacts\""
        ),
        "{plan}"
    );
    let before = traffic.sent();
    assert_eq!(rows(&session, newer).await, [json!({ "contact_id": changed })]);
    assert_eq!(traffic.sent() - before, 1, "the page of the change alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_from_a_table_there_narrow_what_is_asked_of_the_api() {
    let bench = Bench::new(Settings { contacts: 2_600, ..Settings::default() }).await;
    let some: Vec<String> = bench.account.sandbox.rows(Collection::Contacts)[..3]
        .iter()
        .map(|row| format!("('{}', 5)", text(row, "contact_id")))
        .collect();
    bench
        .execute(&format!(
            "CREATE TABLE orders (contact_id text, total int); INSERT INTO orders VALUES {}; ANALYZE orders",
            some.join(", ")
        ))
        .await;
    let (session, traffic) = session(&bench);
    let joined = "SELECT count(c.email_address) AS n, sum(o.total) AS total \
                  FROM contacts c JOIN my_postgres.orders o ON o.contact_id = c.contact_id";
    let before = traffic.sent();
    assert_eq!(rows(&session, joined).await, [json!({ "n": 3, "total": 15 })]);
    assert!(traffic.sent() - before <= 3, "{} requests", traffic.sent() - before);
}

/// Every kind of value, nulls among them, and conditions that the server evaluates.
#[tokio::test(flavor = "multi_thread")]
async fn values_of_all_types_are_read_and_conditions_are_left_to_the_server() {
    let bench = Bench::new(Settings { contacts: 1, ..Settings::default() }).await;
    bench
        .execute(
            "CREATE TYPE mood AS ENUM ('low', 'high'); CREATE DOMAIN price AS numeric(10, 2);
             CREATE TABLE \"All Types\" (id int PRIMARY KEY, small smallint, big bigint, real real, \
               digits numeric(12, 3), any_number numeric, price price, flag boolean, words text, \
               code varchar(5), at timestamptz, wall timestamp, day date, raw bytea, tags text[], \
               doc jsonb, key uuid, mood mood, span interval);
             INSERT INTO \"All Types\" VALUES \
               (1, -7, 9007199254740993, 1.5, 123456789.125, 0.1, 12.30, true, 'Ärger ''x''', 'ab', \
                '2024-02-29 12:00:00.123456+02', '1969-12-31 23:59:59', '0001-01-01', '\\x00ff', \
                '{a,NULL,\"b c\"}', '{\"k\": [1]}', '00000000-0000-0000-0000-000000000001', 'high', '1 day'), \
               (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
               (3, 0, 0, 0, 0, 0, 0, false, '', '', '1970-01-01Z', '1970-01-01', '1970-01-01', '', '{}', 'null', \
                '00000000-0000-0000-0000-000000000000', 'low', '0');
             CREATE VIEW shown AS SELECT id, words FROM \"All Types\" WHERE id < 3",
        )
        .await;
    let (session, _) = session(&bench);
    let all = rows(&session, "SELECT * FROM my_postgres.\"All Types\" ORDER BY id").await;
    assert_eq!(
        all[0],
        json!({
            "id": 1, "small": -7, "big": 9_007_199_254_740_993_i64, "real": 1.5,
            "digits": 123_456_789.125, "any_number": 0.1, "price": 12.3, "flag": true,
            "words": "Ärger 'x'", "code": "ab", "at": "2024-02-29T10:00:00.123456Z",
            "wall": "1969-12-31T23:59:59", "day": "0001-01-01", "raw": "00ff",
            "tags": ["a", null, "b c"], "doc": "{\"k\": [1]}",
            "key": "00000000-0000-0000-0000-000000000001", "mood": "high", "span": "1 day",
        })
    );
    let nulls = all[1].as_object().expect("a row").values().filter(|value| value.is_null());
    assert_eq!((all.len(), nulls.count()), (3, 18));

    for (condition, ids) in [
        ("words = 'Ärger ''x'''", vec![1]),
        ("words < 'Z'", vec![3]),
        ("words IS NULL", vec![2]),
        ("NOT (small < 0)", vec![3]),
        ("at > '2024-02-29T10:00:00.123455Z' AND flag", vec![1]),
        ("wall < '1970-01-01'", vec![1]),
        ("day IN ('1970-01-01', '0001-01-01')", vec![1, 3]),
        ("big BETWEEN 0 AND 10 OR id = 2", vec![2, 3]),
        ("digits > 1.5 OR real < 0.5", vec![1, 3]),
        ("mood = 'high'", vec![1]),
        ("words LIKE 'Ä%'", vec![1]),
        ("array_has(tags, 'b c')", vec![1]),
    ] {
        let sql = format!("SELECT id FROM my_postgres.\"All Types\" WHERE {condition} ORDER BY id");
        let expected: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        assert_eq!(rows(&session, &sql).await, expected, "{condition}");
    }
    let narrow = "SELECT count(*) AS n, min(at) AS first FROM my_postgres.public.shown s \
                  JOIN my_postgres.\"All Types\" t ON t.id = s.id WHERE s.words IS NOT NULL";
    assert_eq!(
        rows(&session, narrow).await,
        [json!({ "n": 1, "first": "2024-02-29T10:00:00.123456Z" })]
    );
    let totals = "SELECT count(*) AS n, count(words) AS said, max(day) AS day, min(big) AS big \
                  FROM my_postgres.\"All Types\" WHERE id <> 1";
    assert_eq!(
        rows(&session, totals).await,
        [json!({ "n": 2, "said": 1, "day": "1970-01-01", "big": 0 })]
    );
    let shown = plan(&session, totals).await;
    assert!(shown.contains("count(*)::bigint, count(\"words\")::bigint"), "{shown}");
    let shown =
        plan(&session, "SELECT words FROM my_postgres.\"All Types\" WHERE id = 1 LIMIT 5").await;
    assert!(
        shown.contains("SELECT \"words\"::text FROM \"public\".\"All Types\" WHERE (\"id\" = '1'::bigint) LIMIT 5"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_there_and_a_value_without_a_form_are_named() {
    let bench = Bench::new(Settings { contacts: 1, ..Settings::default() }).await;
    bench.execute("CREATE TABLE orders AS SELECT 'infinity'::timestamptz AS at").await;
    let (session, _) = session(&bench);
    let failed = async |sql: &str| {
        let frame = session.sql(sql).await;
        let error = match frame {
            Err(error) => error,
            Ok(frame) => frame.collect().await.expect_err("it fails"),
        };
        datafusion_ctct::Diagnosis::of(&error, &session)
    };
    let missing = failed("SELECT * FROM my_postgres.order").await;
    assert_eq!(missing.hint.as_deref(), Some("did you mean orders?"), "{missing:?}");
    let endless = failed("SELECT at FROM my_postgres.orders").await;
    assert!(endless.message.contains("the column at has no form here"), "{endless:?}");
    // Nothing but reading is possible.
    let written = failed("INSERT INTO my_postgres.orders VALUES (now())").await;
    assert!(!written.message.is_empty());
    assert_eq!(bench.number("SELECT count(*) FROM orders").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_reached_is_no_concern_of_other_tables() {
    let bench = Bench::new(Settings { contacts: 1, ..Settings::default() }).await;
    let settings = "{ type: postgres, host: /nowhere, user: u, database: d, sslmode: disable }";
    let found = from_environment([("MY_POSTGRES".to_owned(), settings.to_owned())]);
    let builder = SessionBuilder::new().with_connection(connection(&bench.account.sandbox));
    let session = with_targets(builder, found.targets()).expect("a session");
    assert_eq!(rows(&session, "SELECT count(*) AS n FROM contacts").await, [json!({ "n": 1 })]);
    assert!(!rows(&session, "SHOW TABLES").await.is_empty());
    let error = session.sql("SELECT * FROM my_postgres.orders").await.expect_err("unreachable");
    assert!(error.to_string().contains("target MY_POSTGRES"), "{error}");
}
