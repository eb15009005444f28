//! One stream: from its lease to its report.

use std::sync::Arc;
use std::time::Instant;

use tokio_postgres::Client;

use super::report::{Event, Outcome, StreamReport};
use super::{Context, complete, increment, until_renewal};
use crate::plan::StreamPlan;
use crate::postgres::{Lease, columns_of};
use crate::{Mode, Result};

/// Runs a stream, and tells what became of it. Where the day's requests are used up and the
/// run may wait, it goes on when they are renewed.
pub(super) async fn run(context: &Context<'_>, plan: &StreamPlan) -> StreamReport {
    let began = Instant::now();
    let requests = context.client.traffic().sent();
    let mut report = StreamReport::new(plan, Outcome::Done);
    loop {
        report.outcome = match attempt(context, plan, &mut report).await {
            Ok(outcome) => outcome,
            Err(error) if error.is_quota() && context.options.wait => {
                until_renewal(context, &error).await;
                continue;
            }
            Err(error) => Outcome::Failed(Arc::new(error.about(&format!("stream {}", plan.name)))),
        };
        break;
    }
    report.requests = context.client.traffic().sent() - requests;
    report.took = began.elapsed();
    if let Err(error) = log(context, &report).await {
        tracing::debug!("the run is not in the target's log: {error}");
    }
    report
}

async fn attempt(
    context: &Context<'_>,
    plan: &StreamPlan,
    report: &mut StreamReport,
) -> Result<Outcome> {
    let mut client = context.target.connect().await?;
    client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {}", plan.table.schema)).await?;
    let exists = columns_of(&client, &plan.table).await?.is_some();
    if exists && plan.settings.ignore_existing == Some(true) {
        return Ok(Outcome::Left);
    }
    let mut lease = Lease::take(&client, &plan.name, &plan.table).await?;
    if let Some(sql) = &plan.settings.pre_sql {
        client
            .batch_execute(sql)
            .await
            .map_err(|error| crate::Error::from(error).about("pre_sql"))?;
    }
    let resumed = lease.state.progress.is_some();
    (context.observe)(Event::Began { stream: plan.name.clone(), resumed });
    match plan.mode {
        Mode::Incremental if increment::is_due(context, plan, &lease.state) => {
            increment::run(context, plan, &mut client, &mut lease, report).await?;
        }
        Mode::Backfill => increment::run(context, plan, &mut client, &mut lease, report).await?,
        _ => complete::run(context, plan, &mut client, &mut lease, report).await?,
    }
    if let Some(sql) = &plan.settings.post_sql {
        client
            .batch_execute(sql)
            .await
            .map_err(|error| crate::Error::from(error).about("post_sql"))?;
    }
    Ok(Outcome::Done)
}

/// Writes what became of a stream into the target's log.
async fn log(context: &Context<'_>, report: &StreamReport) -> Result<()> {
    let client: Client = context.target.connect().await?;
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    client
        .execute(
            "INSERT INTO \"_ctct\".\"runs\" (run_id, stream, target, mode, started_at, rows_read,
               inserted, updated, deleted, requests, outcome)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            &[
                &context.options.run_id,
                &report.stream,
                &report.table,
                &report.mode.name(),
                &context.options.at,
                &number(report.rows),
                &number(report.inserted),
                &number(report.updated),
                &number(report.deleted),
                &number(report.requests),
                &report.outcome.word(),
            ],
        )
        .await?;
    Ok(())
}
