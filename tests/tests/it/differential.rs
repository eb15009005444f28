//! Statements made up at random mean the same over the API and over tables in memory.

mod generator;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use ctct_sandbox::Settings;
use ctct_tests::{Account, account};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};

use generator::{Generator, Statement};

const TABLES: [&str; 11] = [
    "contacts",
    "contact_list_memberships",
    "contact_taggings",
    "contact_lists",
    "contact_tags",
    "email_campaigns",
    "email_campaign_summaries",
    "email_campaign_activities",
    "email_campaign_stats",
    "email_opens",
    "segment_contacts",
];

/// The same tables twice: over the API, and in memory.
struct Twins {
    account: Account,
    memory: SessionContext,
    generator: Generator,
    refused: AtomicU32,
}

impl Twins {
    async fn new(seed: u64, contacts: u32) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let settings = Settings {
            contacts,
            // Each is a request of statements about opens.
            campaigns: 8,
            seed: seed % 7 + 1,
            inclusive_bounds: random.bool(),
            ..Settings::default()
        };
        let account = account(settings).await;
        let memory =
            SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
        for table in TABLES {
            // That a whole table is read to the last value is shown elsewhere.
            let frame =
                account.session.sql(&format!("SELECT * FROM {table}")).await.expect("a plan");
            let schema = Arc::new(frame.schema().as_arrow().clone());
            let rows = frame.collect().await.expect("rows");
            let copy = MemTable::try_new(schema, vec![rows]).expect("a table");
            memory.register_table(table, Arc::new(copy)).expect("registered");
        }
        let generator = Generator::new(&account.sandbox, seed);
        Self { account, memory, generator, refused: AtomicU32::new(0) }
    }

    /// What differs between the two answers to a statement; none where nothing does. The
    /// second one may be given another text.
    async fn difference(&self, statement: &Statement, over_the_api: &str) -> Option<String> {
        let expected = answer(&self.memory, &statement.text()).await;
        let found = answer(&self.account.session, over_the_api).await;
        let (expected, found) = match (expected, found) {
            // Whatever is no statement for one is none for the other; few are.
            (Err(error), Err(_)) => {
                let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
                assert!(
                    refused <= 5,
                    "too many statements are refused, such as {}: {error}",
                    statement.text()
                );
                return None;
            }
            (Err(error), Ok(_)) => return Some(format!("only memory refused it: {error}")),
            (Ok(_), Err(error)) => return Some(format!("only the API refused it: {error}")),
            (Ok(expected), Ok(found)) => (expected, found),
        };
        if statement.is_any_of() {
            // Any rows will do, as long as they are rows of the whole answer.
            let whole = answer(&self.memory, &statement.without_limit()).await.unwrap_or_default();
            let stray = found.iter().find(|row| !whole.contains(row));
            let same = expected.len() == found.len() && stray.is_none();
            return (!same).then(|| {
                format!("{} rows, {} expected; stray: {stray:?}", found.len(), expected.len())
            });
        }
        if expected == found {
            return None;
        }
        let missing = expected.iter().find(|row| !found.contains(row));
        let stray = found.iter().find(|row| !expected.contains(row));
        Some(format!(
            "{} rows, {} expected; missing: {missing:?}; stray: {stray:?}",
            found.len(),
            expected.len()
        ))
    }

    /// Runs so many statements; the first that means something else, made as small as it
    /// can be.
    async fn run(&mut self, statements: usize) {
        for number in 0..statements {
            let statement = self.generator.statement();
            if let Some(difference) = self.difference(&statement, &statement.text()).await {
                let smallest = self.reduced(statement).await;
                panic!(
                    "seed {}, statement {number}: {difference}\n\n{}\n",
                    self.generator.seed,
                    smallest.text()
                );
            }
        }
    }

    /// The smallest statement that still differs, one step after the other.
    async fn reduced(&self, mut statement: Statement) -> Statement {
        'again: loop {
            for smaller in statement.smaller() {
                if self.difference(&smaller, &smaller.text()).await.is_some() {
                    statement = smaller;
                    continue 'again;
                }
            }
            return statement;
        }
    }
}

/// The rows of an answer as text; sorted, unless the statement sorts them.
async fn answer(session: &SessionContext, sql: &str) -> Result<Vec<String>, String> {
    let frame = session.sql(sql).await.map_err(|error| error.to_string())?;
    let batches = frame.collect().await.map_err(|error| error.to_string())?;
    let mut rows: Vec<String> = batches.iter().flat_map(lines).collect();
    if !sql.contains("ORDER BY") {
        rows.sort_unstable();
    }
    Ok(rows)
}

fn lines(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns = batch.columns().iter();
    let columns: Vec<_> =
        columns.map(|column| ArrayFormatter::try_new(column, &options).expect("shown")).collect();
    let line = |row| {
        columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" | ")
    };
    (0..batch.num_rows()).map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn random_statements_mean_the_same_over_the_api_and_in_memory() {
    let fresh = fastrand::u64(..);
    println!("fresh seed {fresh}");
    let long = if std::env::var_os("CTCT_LONG_TESTS").is_some() { 10 } else { 1 };
    // A fixed seed finds what it found before; a fresh one may find something else. Small
    // accounts are of one page, larger ones of several.
    for (seed, contacts, statements) in
        [(20_260_101, 150, 1_200), (fresh, 150, 600), (7, 1_100, 150), (fresh ^ 1, 1_100, 60)]
    {
        println!("seed {seed}");
        Twins::new(seed, contacts).await.run(statements * long).await;
    }
}

/// A mistake of the product, told as a change of what it is asked.
type Mistake = (&'static str, fn(&str) -> String);

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_every_kind_are_found() {
    let mistakes: [Mistake; 6] = [
        ("a boundary that is left out", |sql| sql.replace(">= TIMESTAMP", "> TIMESTAMP")),
        ("a boundary that is taken in", |sql| sql.replace("< TIMESTAMP", "<= TIMESTAMP")),
        ("a bound that is a day off", |sql| {
            sql.replace("> TIMESTAMP '20", "> INTERVAL '1 day' + TIMESTAMP '20")
        }),
        ("an order the wrong way round", |sql| sql.replace(" DESC", " ASC")),
        ("nulls taken for values", |sql| sql.replace(" <> ", " IS DISTINCT FROM ")),
        ("members of a list taken for the others", |sql| {
            sql.replace("array_has(", "NOT array_has(")
        }),
    ];
    let mut twins = Twins::new(3, 150).await;
    for (name, mistake) in mistakes {
        let mut found = None;
        for number in 0..2_000 {
            let statement = twins.generator.statement();
            let wrong = mistake(&statement.text());
            if wrong != statement.text() && twins.difference(&statement, &wrong).await.is_some() {
                found = Some(number);
                break;
            }
        }
        println!("{name}: found by statement {found:?}");
        assert!(found.is_some(), "{name} is not found");
    }
}
