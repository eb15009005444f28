//! A sandbox, a database, and replications from one to the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ctct_client::{Client, Connections, Traffic, from_environment};
use ctct_replicate::{
    ErrorKind, Event, Options, Outcome, Overrides, Replication, StreamReport, Target, plan, run,
};
use ctct_sandbox::Settings;
use ctct_tests::postgres::Database;
use ctct_tests::{Account, account, connection};
use serde_json::{Value, json};

use crate::support::rows;

/// A sandbox, a database, and runs from one to the other.
pub(crate) struct Bench {
    pub(crate) account: Account,
    pub(crate) database: Database,
    pub(crate) options: Options,
}

impl Bench {
    pub(crate) async fn new(settings: Settings) -> Self {
        let account = account(settings).await;
        let options = Options {
            at: account.sandbox.now(),
            run_id: "test".to_owned(),
            anchor: DateTime::<Utc>::from_timestamp(0, 0),
            hard_deletes: false,
            accept_deletes: false,
            full_every: None,
            wait: false,
        };
        Self { account, database: Database::new().await, options }
    }

    fn target(&self) -> Target {
        target_at(&self.database.settings())
    }

    /// The connections of a program that runs from here to there.
    pub(crate) fn variables(&self) -> [(&'static str, String); 2] {
        let shop = format!(
            "{{ type: api, spec: constant-contact, secrets: {{ client_id: {}, access_token: {} }}, \
             inputs: {{ base_url: \"{}\", requests_per_second: unlimited, anchor_date: \"1980-01-01\" }} }}",
            ctct_sandbox::CLIENT_ID,
            ctct_sandbox::ACCESS_TOKEN,
            self.account.sandbox.base_url()
        );
        [("SHOP", shop), ("MY_POSTGRES", self.database.settings())]
    }

    /// Runs a replication file.
    pub(crate) async fn run(&self, file: &str) -> Vec<StreamReport> {
        self.run_with(file, &Overrides::default()).await
    }

    pub(crate) async fn run_with(&self, file: &str, overrides: &Overrides) -> Vec<StreamReport> {
        self.run_all(&self.target(), file, overrides).await
    }

    /// Runs a replication file into this target.
    pub(crate) async fn run_to(&self, target: &Target, file: &str) -> Vec<StreamReport> {
        self.run_all(target, file, &Overrides::default()).await
    }

    async fn run_all(
        &self,
        target: &Target,
        file: &str,
        overrides: &Overrides,
    ) -> Vec<StreamReport> {
        let replication = Replication::parse(file).unwrap_or_else(|error| panic!("{error}"));
        let session = &self.account.session;
        let planned =
            plan(&replication, session, "constant_contact", "public", self.options.at, overrides);
        let planned = planned.await.unwrap_or_else(|error| panic!("{error} {:?}", error.hint()));
        let source = connection(&self.account.sandbox);
        let client = Arc::new(Client::new(source, Arc::new(Traffic::default())));
        let quiet = |_: Event| {};
        run(&planned, client, session, target, &self.options, &quiet).await
    }

    /// The same, where every stream must succeed.
    pub(crate) async fn done(&self, file: &str) -> Vec<StreamReport> {
        let is_busy = |report: &StreamReport| {
            let Outcome::Failed(error) = &report.outcome else { return false };
            error.kind() == ErrorKind::Busy
        };
        let mut reports = self.run(file).await;
        // The server may not have noticed yet that a run before was cut off.
        for _ in 0..200 {
            if !reports.iter().any(is_busy) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
            reports = self.run(file).await;
        }
        for report in &reports {
            if let Outcome::Failed(error) = &report.outcome {
                panic!("{error}: {:?}", std::error::Error::source(error.as_ref()));
            }
        }
        reports
    }

    /// The rows of a table of the target, by their keys.
    pub(crate) async fn there(&self, table: &str, live: bool) -> BTreeMap<String, Value> {
        let client = self.database.connect().await;
        let only = if live { " WHERE NOT _ctct_deleted" } else { "" };
        let sql = format!(
            "SELECT (to_jsonb(t) - '_ctct_deleted' - '_ctct_changed_at')::text FROM {table} t{only}"
        );
        let found = client.query(&sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let name = table.rsplit('.').next().unwrap_or(table).trim_matches('"').to_owned();
        let rows =
            found.iter().map(|row| serde_json::from_str(row.get::<_, &str>(0)).expect("JSON"));
        by_key(&name, rows.collect())
    }

    /// One number from the target.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let client = self.database.connect().await;
        client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
    }

    pub(crate) async fn execute(&self, sql: &str) {
        let client = self.database.connect().await;
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// The target has as many rows as the account, and each key once.
    pub(crate) async fn assert_as_many(&self, table: &str) {
        let name = table.rsplit('.').next().unwrap_or(table);
        let live = rows(&self.account.session, &format!("SELECT count(*) AS n FROM {name}")).await;
        let count = format!("SELECT count(*) FROM {table} WHERE NOT _ctct_deleted");
        assert_eq!(self.number(&count).await, live[0]["n"], "{table}");
    }

    /// These columns of the target have what the API has.
    pub(crate) async fn assert_columns_same(&self, table: &str, columns: &[&str]) {
        let name = table.rsplit('.').next().unwrap_or(table);
        let sql = format!("SELECT {} FROM {name}", columns.join(", "));
        let read = by_key(name, rows(&self.account.session, &sql).await);
        let there = self.there(table, true).await;
        assert_eq!(read.len(), there.len(), "{table}");
        for (key, expected) in read {
            for column in columns {
                assert_eq!(there[&key][column], expected[column], "{table} {key} {column}");
            }
        }
    }

    /// The target has what the API has, value by value.
    pub(crate) async fn assert_same(&self, schema: &str, table: &str) {
        let read = rows(&self.account.session, &format!("SELECT * FROM {table}")).await;
        let read = by_key(table, read);
        let there = self.there(&format!("{schema}.{table}"), true).await;
        let missing: Vec<_> = read.keys().filter(|key| !there.contains_key(*key)).collect();
        let stray: Vec<_> = there.keys().filter(|key| !read.contains_key(*key)).collect();
        assert!(
            missing.is_empty() && stray.is_empty(),
            "{table}: {} missing {:?}, {} stray {:?}",
            missing.len(),
            missing.first(),
            stray.len(),
            stray.first()
        );
        for (key, expected) in read {
            assert_eq!(there[&key], expected, "{table} {key}");
        }
    }
}

/// The target that these settings describe.
pub(crate) fn target_at(settings: &str) -> Target {
    let found: Connections = from_environment([("MY_POSTGRES".to_owned(), settings.to_owned())]);
    let target = found.target("MY_POSTGRES").expect("a target");
    Target::new("MY_POSTGRES", &target.settings).expect("settings")
}

fn by_key(table: &str, rows: Vec<Value>) -> BTreeMap<String, Value> {
    let key = ctct_endpoints::find(table).map(|endpoint| endpoint.key).unwrap_or_default();
    let count = rows.len();
    let of = |row: &Value| key.iter().map(|column| row[column].to_string()).collect::<String>();
    let rows: BTreeMap<String, Value> =
        rows.into_iter().map(plain).map(|row| (of(&row), row)).collect();
    assert_eq!(rows.len(), count, "{table} has a key twice");
    rows
}

/// A value without what two ways of writing it differ in: times by their offset, numbers by
/// their form, and members that are null.
fn plain(value: Value) -> Value {
    match value {
        Value::String(text) => match DateTime::parse_from_rfc3339(&text) {
            Ok(at) => json!(at.timestamp_micros()),
            // Text with JSON in it is JSON in the target.
            Err(_) if text.starts_with('{') => {
                serde_json::from_str(&text).map_or(Value::String(text), plain)
            }
            Err(_) => Value::String(text),
        },
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, plain(value)))
            .collect(),
        other => other,
    }
}
