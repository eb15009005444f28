//! Pushed predicates select the same rows as the same query over a plain copy.

use std::sync::Arc;

use ctct_sandbox::Settings;
use ctct_tests::{Account, account};
use datafusion::datasource::MemTable;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{batches, rows};

/// An account, and a copy of its contacts and campaigns in memory.
async fn copied(inclusive_bounds: bool) -> Account {
    let settings = Settings { contacts: 1_500, inclusive_bounds, ..Settings::default() };
    let account = account(settings).await;
    for table in ["contacts", "email_campaigns"] {
        let rows = batches(&account.session, &format!("SELECT * FROM {table}")).await;
        let copy = MemTable::try_new(rows[0].schema(), vec![rows]).expect("batches of one schema");
        let name = format!("{table}_copy");
        account.session.register_table(name, Arc::new(copy)).expect("a new name");
    }
    account
}

async fn assert_same(account: &Account, table: &str, key: &str, predicate: &str) {
    let select =
        |table: &str| format!("SELECT {key} FROM {table} WHERE {predicate} ORDER BY {key}");
    let read = rows(&account.session, &select(table)).await;
    let copy = rows(&account.session, &select(&format!("{table}_copy"))).await;
    assert_eq!(read, copy, "{table} WHERE {predicate}");
}

/// Predicates over a time column `t`, with moments `A` and `B` that rows have.
const PREDICATES: &[&str] = &[
    "t > 'A'",
    "t >= 'A'",
    "t < 'A'",
    "t <= 'A'",
    "t = 'A'",
    "t <> 'A'",
    "'A' < t",
    "t BETWEEN 'A' AND 'B'",
    "t NOT BETWEEN 'A' AND 'B'",
    "t > 'A' AND t < 'B'",
    "t >= 'A' AND t <= 'B'",
    "t > 'B' AND t < 'A'",
    "t > 'B' OR t < 'A'",
    "t = 'A' OR t = 'B'",
    "t IN ('A', 'B')",
    "t NOT IN ('A', 'B')",
    "NOT (t > 'A')",
    "NOT (t > 'A' AND t < 'B')",
    "NOT (t < 'A' OR t > 'B')",
    "t IS NULL",
    "t IS NOT NULL",
    "t IS NULL OR t > 'A'",
    "t > 'A' IS NOT TRUE",
    "coalesce(t, TIMESTAMP '2024-01-01') > 'A'",
    "t > TIMESTAMP 'A' - interval '30 days'",
    "t + interval '1 day' > 'A'",
    "t >= TIMESTAMP 'A' AND t < TIMESTAMP 'A' + interval '1 second'",
    "CAST(t AS DATE) = CAST('A' AS DATE)",
    "CAST(t AS DATE) > CAST('A' AS DATE)",
    "t::date BETWEEN '2024-03-01' AND '2024-03-31'",
    "date_trunc('month', t) = '2024-06-01'",
    "date_part('year', t) = 2024",
    "extract(month FROM t) IN (6, 7)",
    "to_char(t, '%Y-%m') = '2024-06'",
    "CASE WHEN t > 'A' THEN true ELSE false END",
    "t > (SELECT min(t) FROM copy)",
    "t = (SELECT max(t) FROM copy)",
    "t IN (SELECT t FROM copy LIMIT 3)",
    "t > 'A' AND created_at < 'B'",
    "t > '1700-01-01' AND t < '2250-12-31'",
    "t > arrow_cast('0001-01-01', 'Timestamp(Microsecond, Some(\"UTC\"))')",
    "t < arrow_cast('9999-12-31', 'Timestamp(Microsecond, Some(\"UTC\"))')",
    "t > created_at",
    "t > 'A' AND t > NULL",
    "t > '2024-06-01T02:00:00+02:00'",
    "t > arrow_cast('A', 'Timestamp(Nanosecond, Some(\"UTC\"))')",
    "t > arrow_cast('A', 'Timestamp(Second, None)')",
    "t > arrow_cast('A', 'Timestamp(Microsecond, Some(\"America/New_York\"))')",
];

#[tokio::test(flavor = "multi_thread")]
async fn pushed_predicates_select_what_they_say() {
    for inclusive_bounds in [false, true] {
        let account = copied(inclusive_bounds).await;
        for (table, key, column) in [
            ("contacts", "contact_id", "updated_at"),
            ("contacts", "contact_id", "created_at"),
            ("contacts", "contact_id", "email_opt_out_date"),
            ("email_campaigns", "campaign_id", "updated_at"),
        ] {
            let moments = moments(&account, table, column).await;
            for predicate in PREDICATES {
                let predicate = predicate
                    .replace("FROM copy", &format!("FROM {table}_copy"))
                    .replace("'A'", &format!("'{}'", moments[0]))
                    .replace("'B'", &format!("'{}'", moments[1]));
                let predicate = with_column(&predicate, column);
                assert_same(&account, table, key, &predicate).await;
            }
        }
    }
}

/// Two moments that rows have, the earlier one first: where bounds matter most.
async fn moments(account: &Account, table: &str, column: &str) -> [String; 2] {
    let sql = format!(
        "SELECT CAST({column} AS VARCHAR) AS at FROM {table}_copy WHERE {column} IS NOT NULL ORDER BY {column}"
    );
    let all = rows(&account.session, &sql).await;
    let at = |index: usize| all[index]["at"].as_str().expect("a time").to_owned();
    [at(all.len() / 3), at(2 * all.len() / 3)]
}

/// The predicate with the column for each `t` that stands alone.
fn with_column(predicate: &str, column: &str) -> String {
    let mut text = String::new();
    let mut previous = ' ';
    let mut characters = predicate.chars().peekable();
    while let Some(character) = characters.next() {
        let alone = |other: char| !other.is_alphanumeric() && other != '_' && other != '\'';
        if character == 't' && alone(previous) && characters.peek().is_none_or(|next| alone(*next))
        {
            text.push_str(column);
        } else {
            text.push(character);
        }
        previous = character;
    }
    text
}

/// A random predicate over the time columns of contacts and a column without a parameter.
fn predicate() -> impl Strategy<Value = String> {
    let column = prop_oneof![Just("updated_at"), Just("created_at"), Just("email_opt_out_date")];
    let operator = prop_oneof![Just(">"), Just(">="), Just("<"), Just("<="), Just("="), Just("<>")];
    // Days on which the sandbox changed many contacts at once are among them.
    let day =
        (2023..2026_u32, 1..13_u32, 1..29_u32).prop_map(|(y, m, d)| format!("'{y}-{m:02}-{d:02}'"));
    let tie = prop_oneof![
        Just("'2025-10-01T16:00:00Z'".to_owned()),
        Just("'2023-04-02T08:00:00Z'".to_owned())
    ];
    let moment = prop_oneof![3 => day, 1 => tie];
    let comparison = (column, operator, moment)
        .prop_map(|(column, operator, at)| format!("{column} {operator} {at}"));
    let leaf = prop_oneof![
        6 => comparison,
        1 => Just("first_name IS NULL".to_owned()),
        1 => Just("email_opt_out_date IS NULL".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} AND {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|a| format!("(NOT {a})")),
        ]
    })
}

#[test]
fn random_predicates_select_what_they_say() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let account = runtime.block_on(copied(false));
    let mut runner =
        TestRunner::new(Config { cases: 120, failure_persistence: None, ..Config::default() });
    let result = runner.run(&predicate(), |predicate| {
        runtime.block_on(assert_same(&account, "contacts", "contact_id", &predicate));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
