//! SQL with its rows, plans and requests: every file of `slt/` and `sql/` is a test.
//!
//! `UPDATE_SLT=1 cargo test -p ctct-tests --test slt` writes what the files should expect.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use ctct_sandbox::Settings;
use ctct_tests::{Account, account, project};
use datafusion::common::DataFusionError;
use libtest_mimic::{Arguments, Failed, Trial};
use sqllogictest::{
    AsyncDB, DBOutput, DefaultColumnType, Runner, default_column_validator, default_normalizer,
    default_validator,
};

fn main() {
    let mut trials = Vec::new();
    for path in files("tests/slt", "slt") {
        trials.push(trial(path, |path| Box::pin(run_slt(path))));
    }
    for path in files("sql", "sql") {
        trials.push(trial(path, |path| Box::pin(run_sql(path))));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

type Run = std::pin::Pin<Box<dyn Future<Output = Result<(), Failed>>>>;

fn trial(path: PathBuf, run: fn(PathBuf) -> Run) -> Trial {
    let name = path.strip_prefix(project()).unwrap_or(&path).display().to_string();
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(run(path))
    })
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = project().join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder of tests");
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are no tests in {}", folder.display());
    paths
}

async fn run_slt(path: PathBuf) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let connect = || async { Ok(Database { account: account(Settings::default()).await }) };
    let mut runner = Runner::new(connect);
    // Files that a test writes: `'${DIR}/x.parquet'` with `control substitution on`.
    runner.set_var("DIR".to_owned(), folder.path().display().to_string());
    if std::env::var_os("UPDATE_SLT").is_some() {
        let updated = runner
            .update_test_file(
                &path,
                " ",
                default_validator,
                default_normalizer,
                default_column_validator,
            )
            .await;
        return updated.map_err(|error| error.to_string().into());
    }
    runner.run_file_async(&path).await.map_err(|error| error.to_string().into())
}

/// Documentation cannot rot: every statement of a recipe runs, and every query has rows.
async fn run_sql(path: PathBuf) -> Result<(), Failed> {
    let script = std::fs::read_to_string(&path)?;
    let folder = tempfile::tempdir()?;
    let account = account(Settings::default()).await;
    for statement in statements(&script, folder.path()) {
        let batches = rows(&account, &statement)
            .await
            .map_err(|error| Failed::from(format!("{error}\nin:\n{statement}")))?;
        let count: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if count == 0 {
            return Err(format!("no rows:\n{statement}").into());
        }
    }
    Ok(())
}

/// The statements of a recipe, whose files go to a folder of the test.
fn statements(script: &str, folder: &Path) -> Vec<String> {
    let lines = script.lines().filter(|line| !line.trim_start().starts_with("--"));
    let script = lines.collect::<Vec<_>>().join("\n");
    let statements = script.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    let moved = |statement: &str| {
        let place = folder.display();
        statement
            .replace("'contacts_by_list.parquet'", &format!("'{place}/contacts_by_list.parquet'"))
    };
    statements.map(moved).collect()
}

async fn rows(account: &Account, sql: &str) -> Result<Vec<RecordBatch>, DataFusionError> {
    account.session.sql(sql).await?.collect().await
}

/// A session over a fresh sandbox, for one file.
struct Database {
    account: Account,
}

#[async_trait::async_trait]
impl AsyncDB for Database {
    type Error = DataFusionError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, DataFusionError> {
        let frame = self.account.session.sql(sql).await?;
        let schema = frame.schema().as_arrow().clone();
        let batches = frame.collect().await?;
        if schema.fields().is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        let is_plan = schema.fields().iter().any(|field| field.name() == "plan_type");
        let mut rows = Vec::new();
        for batch in &batches {
            rows.extend(if is_plan { plan_lines(batch)? } else { text_rows(batch)? });
        }
        let types = if is_plan {
            vec![DefaultColumnType::Text]
        } else {
            schema.fields().iter().map(|field| column_type(field.data_type())).collect()
        };
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &'static str {
        "ctct"
    }

    async fn sleep(duration: std::time::Duration) {
        tokio::time::sleep(duration).await;
    }
}

fn column_type(data_type: &DataType) -> DefaultColumnType {
    match data_type {
        integer if integer.is_integer() => DefaultColumnType::Integer,
        number if number.is_numeric() => DefaultColumnType::FloatingPoint,
        _ => DefaultColumnType::Text,
    }
}

fn text_rows(batch: &RecordBatch) -> Result<Vec<Vec<String>>, DataFusionError> {
    let options = FormatOptions::new().with_null("NULL");
    let columns = batch.columns().iter();
    let formatters = columns
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<Result<Vec<_>, _>>()?;
    let shown = |text: String| if text.is_empty() { "(empty)".to_owned() } else { text };
    let row = |row| formatters.iter().map(|column| shown(column.value(row).to_string())).collect();
    Ok((0..batch.num_rows()).map(row).collect())
}

/// A plan line by line, numbered, its depth as dashes: white space would not be compared.
fn plan_lines(batch: &RecordBatch) -> Result<Vec<Vec<String>>, DataFusionError> {
    let mut lines = Vec::new();
    for row in text_rows(batch)? {
        for (number, line) in row[1].trim_end().lines().enumerate() {
            let depth = line.len() - line.trim_start().len();
            lines.push(vec![format!(
                "{:02}){}{}",
                number + 1,
                "-".repeat(depth),
                line.trim_start()
            )]);
        }
    }
    Ok(lines)
}
