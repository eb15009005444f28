//! One stream: from its lease to its report.

use std::sync::Arc;
use std::time::Instant;

use tokio_postgres::Client;

use super::report::{Event, Outcome, StreamReport};
use super::{Context, complete, increment, until_renewal};
use crate::plan::StreamPlan;
use crate::postgres::{Lease, Rejects, columns_of};
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
    let rejects = Arc::new(Rejects::new(&context.options.run_id, &plan.name, &plan.table));
    let resumed = lease.state.progress.is_some();
    (context.observe)(Event::Began { stream: plan.name.clone(), resumed });
    let by_changes = match plan.mode {
        Mode::Incremental => increment::is_due(context, plan, &lease.state),
        mode => mode == Mode::Backfill,
    };
    let mut writing = Writing { client: &mut client, lease: &mut lease, rejects: &rejects, report };
    let written = if by_changes {
        increment::run(context, plan, &mut writing).await
    } else {
        complete::run(context, plan, &mut writing).await
    };
    report.rejected += rejects.count();
    written?;
    if let Some(sql) = &plan.settings.post_sql {
        client
            .batch_execute(sql)
            .await
            .map_err(|error| crate::Error::from(error).about("post_sql"))?;
    }
    Ok(if report.rejected > 0 { Outcome::Partial } else { Outcome::Done })
}

/// What a stream is written with.
pub(super) struct Writing<'a> {
    pub(super) client: &'a mut Client,
    pub(super) lease: &'a mut Lease,
    pub(super) rejects: &'a Arc<Rejects>,
    pub(super) report: &'a mut StreamReport,
}

/// Writes what became of a stream into the target's log.
async fn log(context: &Context<'_>, report: &StreamReport) -> Result<()> {
    let client: Client = context.target.connect().await?;
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    client
        .execute(
            "INSERT INTO \"_ctct\".\"runs\" (run_id, stream, target, mode, started_at, rows_read,
               inserted, updated, deleted, requests, outcome, rejected)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
                &number(report.rejected),
            ],
        )
        .await?;
    Ok(())
}
