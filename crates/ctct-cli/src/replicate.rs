//! `ctct run`: a replication, and what people see of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use ctct_replicate::{
    Event, Finding, Mode, Options, Outcome, Overrides, Plan, Replication, StreamPlan, StreamReport,
    StreamSettings, Target, Verification, plan, run, verify,
};
use datafusion_ctct::Diagnosis;

use crate::arguments::{Arguments, Format, RunCommand};
use crate::exit::Failure;
use crate::report::Report;
use crate::run::print_batch;
use crate::setup::{self, set_up};
use crate::teller::Teller;

/// Runs a replication, or shows what it would do.
pub(crate) async fn replicate(
    command: &RunCommand,
    arguments: &Arguments,
    report: &Report,
) -> Result<(), Failure> {
    let replication = replication(command)?;
    let found = setup::connections();
    let target = found.target(&replication.target)?;
    let target = Target::new(&target.name, &target.settings)?;
    // In the sandbox the source is the sandbox, whatever it is called.
    let setup = set_up(arguments, Some(&replication.source)).await?;
    let Some(connection) = setup.connection.clone() else {
        return Err(crate::auth::no_connection());
    };
    let mode = match &command.mode {
        None => None,
        Some(name) => Some(Mode::parse(name).ok_or_else(|| {
            let names = Mode::ALL.map(|(_, name)| name).join(", ");
            Failure::usage(&format!("--mode {name}: the modes are {names}"))
        })?),
    };
    let at = chrono::Utc::now();
    let overrides = Overrides {
        streams: command.streams.clone(),
        mode,
        limit: command.limit,
        range: command.range.clone(),
    };
    let schema = connection.schema_name();
    let planned =
        plan(&replication, &setup.session, &schema, &target.schema, at, &overrides).await?;
    if command.dry_run {
        return show(&planned, arguments).await;
    }
    let anchor = connection.inputs.anchor_date.and_then(|day| day.and_hms_opt(0, 0, 0));
    let options = Options {
        at,
        run_id: format!("{}-{}", at.format("%Y%m%dT%H%M%S%.6f"), std::process::id()),
        anchor: anchor.map(|at| at.and_utc()),
        hard_deletes: command.hard_deletes,
        accept_deletes: command.accept_deletes,
        full_every: command.full_every.map(|days| Duration::from_secs(days.saturating_mul(86_400))),
        wait: command.wait,
    };
    let client = setup.client.clone().ok_or_else(crate::auth::no_connection)?;
    if command.verify {
        let found = verify(&planned, &client, &setup.session, &target, &options).await;
        print_batch(findings(&found)?, arguments.format).await?;
        return verdict(&found, *report);
    }
    let teller = Teller::new(*report, arguments.quiet);
    let observe = |event: Event| teller.tell(event);
    let reports = run(&planned, client, &setup.session, &target, &options, &observe).await;
    drop(teller);
    print_batch(table(&reports)?, arguments.format).await?;
    outcome(&reports, *report)
}

/// The replication of a file, or of the flags that stand for one.
fn replication(command: &RunCommand) -> Result<Replication, Failure> {
    if let Some(path) = &command.replication {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::other(format!("{}: {error}", path.display())))?;
        return Replication::parse(&text).map_err(|error| {
            let failure: Failure = error.into();
            failure.at(Some(&path.display().to_string()))
        });
    }
    let (Some(stream), Some(target)) = (&command.src_stream, &command.tgt_conn) else {
        return Err(Failure::usage("give -r FILE, or --src-stream and --tgt-conn"));
    };
    let settings =
        StreamSettings { object: command.tgt_object.clone(), ..StreamSettings::default() };
    Ok(Replication {
        source: command.src_conn.clone().unwrap_or_else(|| setup::USUAL_NAME.to_owned()),
        target: target.clone(),
        defaults: StreamSettings::default(),
        streams: vec![(stream.clone(), settings)],
        env: BTreeMap::new(),
    })
}

/// Shows a plan: a table of the streams, and for people the statements that make theirs.
async fn show(plan: &Plan, arguments: &Arguments) -> Result<(), Failure> {
    let texts = |value: &dyn Fn(&StreamPlan) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(plan.streams.iter().map(value)))
    };
    let requests = |stream: &StreamPlan| {
        format!("{}{}", if stream.at_most { "≤" } else { "≈" }, stream.requests)
    };
    let mut columns = vec![
        ("stream", texts(&|stream| stream.name.clone())),
        ("mode", texts(&|stream| stream.mode.name().to_owned())),
        ("table", texts(&|stream| stream.table.plain())),
        ("reads", texts(&StreamPlan::reading)),
        ("requests", texts(&requests)),
    ];
    let for_people = arguments.format == Format::Table;
    if !for_people {
        columns.push(("ddl", texts(&StreamPlan::ddl)));
    }
    let batch = RecordBatch::try_from_iter(columns);
    print_batch(batch.map_err(|error| Failure::other(error.to_string()))?, arguments.format)
        .await?;
    if for_people {
        let all: u64 = plan.streams.iter().map(|stream| stream.requests).sum();
        crate::output::line(&format!("-- at most {all} requests in all; nothing was sent\n"))?;
        for stream in &plan.streams {
            crate::output::line(&format!("{};", stream.ddl()))?;
        }
    }
    Ok(())
}

/// What became of the streams, as a table.
fn table(reports: &[StreamReport]) -> Result<RecordBatch, Failure> {
    let texts = |value: &dyn Fn(&StreamReport) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(reports.iter().map(value)))
    };
    let numbers = |value: &dyn Fn(&StreamReport) -> u64| -> ArrayRef {
        let values = reports.iter().map(|report| i64::try_from(value(report)).unwrap_or(i64::MAX));
        Arc::new(Int64Array::from_iter_values(values))
    };
    let seconds = reports.iter().map(|report| (report.took.as_secs_f64() * 10.0).round() / 10.0);
    RecordBatch::try_from_iter([
        ("stream", texts(&|report| report.stream.clone())),
        ("table", texts(&|report| report.table.clone())),
        ("mode", texts(&|report| report.mode.name().to_owned())),
        ("rows", numbers(&|report| report.rows)),
        ("inserted", numbers(&|report| report.inserted)),
        ("updated", numbers(&|report| report.updated)),
        ("deleted", numbers(&|report| report.deleted)),
        ("rejected", numbers(&|report| report.rejected)),
        ("requests", numbers(&|report| report.requests)),
        ("seconds", Arc::new(Float64Array::from_iter_values(seconds)) as ArrayRef),
        ("outcome", texts(&|report| report.outcome.word().to_owned())),
    ])
    .map_err(|error| Failure::other(error.to_string()))
}

/// What was found of the streams, as a table.
fn findings(found: &[Verification]) -> Result<RecordBatch, Failure> {
    let texts = |value: &dyn Fn(&Verification) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(found.iter().map(value)))
    };
    let numbers = |value: &dyn Fn(&Finding) -> Option<u64>| -> ArrayRef {
        let values = found.iter().map(|one| one.found.as_ref().ok().and_then(value));
        let values = values.map(|value| value.and_then(|value| i64::try_from(value).ok()));
        Arc::new(values.collect::<Int64Array>())
    };
    let outcome = |one: &Verification| match &one.found {
        Ok(finding) if finding.is_same() => "same".to_owned(),
        Ok(finding) if finding.target.is_none() => "no such table".to_owned(),
        Ok(_) => "differs".to_owned(),
        Err(_) => "failed".to_owned(),
    };
    let requests = found.iter().map(|one| i64::try_from(one.requests).unwrap_or(i64::MAX));
    RecordBatch::try_from_iter([
        ("stream", texts(&|one| one.stream.clone())),
        ("table", texts(&|one| one.table.clone())),
        ("source_rows", numbers(&|finding| Some(finding.source))),
        ("target_rows", numbers(&|finding| finding.target)),
        ("looked_at", numbers(&|finding| Some(finding.looked_at))),
        ("missing", numbers(&|finding| Some(finding.missing.len() as u64))),
        ("different", numbers(&|finding| Some(finding.different.len() as u64))),
        ("stray", numbers(&|finding| Some(finding.stray.len() as u64))),
        ("requests", Arc::new(Int64Array::from_iter_values(requests)) as ArrayRef),
        ("outcome", texts(&outcome)),
    ])
    .map_err(|error| Failure::other(error.to_string()))
}

/// How many keys are told of each kind.
const TOLD: usize = 10;

/// Tells which rows differ, and ends with 3 where any do.
fn verdict(found: &[Verification], report: Report) -> Result<(), Failure> {
    let mut is_same = true;
    for one in found {
        let finding = match &one.found {
            Ok(finding) => finding,
            Err(error) => {
                report.failure(&Failure::of_replication(error));
                is_same = false;
                continue;
            }
        };
        is_same &= finding.is_same();
        for (what, keys) in [
            ("only in the source", &finding.missing),
            ("different", &finding.different),
            ("only in the target", &finding.stray),
        ] {
            if !keys.is_empty() {
                let more = if keys.len() > TOLD { ", …" } else { "" };
                let some: Vec<&str> = keys.iter().take(TOLD).map(String::as_str).collect();
                report.note(&format!("{}: {what}: {}{more}", one.stream, some.join(", ")));
            }
        }
    }
    if is_same {
        return Ok(());
    }
    report.note("what changed since the last run differs, too: run again without --verify first");
    Err(Failure::Told { code: 3 })
}

/// The exit code: 5 where the quota ended the run, 3 where some streams failed, and the code
/// of its error where all of them did for one reason.
fn outcome(reports: &[StreamReport], report: Report) -> Result<(), Failure> {
    let mut last = None;
    for failed in reports {
        if failed.rejected > 0 {
            report.note(&format!(
                "{}: the target refused {} rows; `SELECT * FROM _ctct.rejected` there says which, and why",
                failed.stream, failed.rejected
            ));
        }
        if let Outcome::Failed(error) = &failed.outcome {
            let failure: Failure = Failure::of_replication(error);
            report.failure(&failure);
            last = Some(failure);
        }
    }
    let failed = reports.iter().filter(|report| report.outcome.is_failure()).count();
    if reports.iter().any(|report| report.outcome.is_quota()) {
        return Err(Failure::Told { code: 5 });
    }
    match last {
        None if failed == 0 => Ok(()),
        Some(failure) if failed == reports.len() && failed == 1 => Err(failure.silent()),
        _ => Err(Failure::Told { code: 3 }),
    }
}

impl From<ctct_replicate::Error> for Failure {
    fn from(error: ctct_replicate::Error) -> Self {
        Self::of_replication(&error)
    }
}

impl Failure {
    /// An error of a replication.
    pub(crate) fn of_replication(error: &ctct_replicate::Error) -> Self {
        let code = match error.kind() {
            ctct_replicate::ErrorKind::Source(kind) => Self::code_of(kind),
            ctct_replicate::ErrorKind::Busy => 6,
            _ => 1,
        };
        let hint = error.hint().map(str::to_owned);
        Self::said(code, Diagnosis { hint, ..Diagnosis::from(error.to_string()) })
    }
}
