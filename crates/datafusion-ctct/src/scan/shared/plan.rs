//! Finding the scans of a plan that can share answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ctct_client::Request;
use ctct_endpoints::{Endpoint, find};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::execution::TaskContext;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

use super::Answers;
use crate::scan::{Access, CtctScanExec};

/// The answers that the scans of one plan share, for each time that it is executed.
#[derive(Debug, Default)]
pub(in crate::scan) struct SharedAnswers {
    current: Mutex<Option<(Weak<TaskContext>, Arc<Answers>)>>,
}

impl SharedAnswers {
    /// The answers of this execution: those of an earlier one are old, and are forgotten.
    pub(in crate::scan) fn of(&self, execution: &Arc<TaskContext>) -> Arc<Answers> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, answers)) = current.as_ref()
            && known.as_ptr() == Arc::as_ptr(execution)
        {
            return Arc::clone(answers);
        }
        let disk = Arc::clone(&execution.runtime_env().disk_manager);
        let answers = Arc::new(Answers::new(disk));
        *current = Some((Arc::downgrade(execution), Arc::clone(&answers)));
        answers
    }
}

/// Lets the scans of a statement share their answers where several read one path: a table
/// twice, a table and the lists inside of its rows, or two reports that walk one parent.
#[derive(Debug)]
pub(crate) struct ShareAnswers;

impl PhysicalOptimizerRule for ShareAnswers {
    fn name(&self) -> &'static str {
        "share_answers"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut scans = Vec::new();
        collect(&plan, &mut scans);
        let mut read: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for scan in &scans {
            let definitions = scan.request_plan().definitions.is_some();
            for path in paths(scan.endpoint(), definitions) {
                *read.entry((scan.spec().connection.as_str(), path)).or_default() += 1;
            }
        }
        if read.values().all(|times| *times < 2) {
            return Ok(plan);
        }
        let mut beside = besides(&scans).into_iter();
        let shared = Arc::new(SharedAnswers::default());
        // Scans are met in the order in which they were collected.
        plan.transform_down(|node| {
            Ok(match node.downcast_ref::<CtctScanExec>() {
                None => Transformed::no(node),
                Some(scan) => {
                    let beside = beside.next().unwrap_or_default();
                    Transformed::yes(Arc::new(scan.sharing(Arc::clone(&shared), beside)))
                }
            })
        })
        .data()
    }
}

fn collect<'a>(plan: &'a Arc<dyn ExecutionPlan>, scans: &mut Vec<&'a CtctScanExec>) {
    scans.extend(plan.downcast_ref::<CtctScanExec>());
    for child in plan.children() {
        collect(child, scans);
    }
}

/// The paths that a scan of an endpoint may read: its own, those of its parents, and that of
/// the definitions that columns are made from.
fn paths(endpoint: &'static Endpoint, definitions: bool) -> Vec<&'static str> {
    let mut paths = vec![endpoint.path];
    let definer = endpoint.definitions.filter(|_| definitions);
    paths.extend(definer.and_then(|definer| find(definer.table)).map(|table| table.path));
    let mut parent = endpoint.parent;
    while let Some(table) = parent.and_then(|parent| find(parent.table)) {
        paths.push(table.path);
        parent = table.parent;
    }
    paths
}

type Beside = BTreeMap<String, BTreeSet<String>>;

/// For each scan the columns that others read from the same pages: those whose request is
/// the same once all columns are asked for.
fn besides(scans: &[&CtctScanExec]) -> Vec<Beside> {
    let columns = |wanted: &dyn Fn(usize) -> bool| -> Beside {
        let mut all = Beside::new();
        for (_, scan) in scans.iter().enumerate().filter(|(index, _)| wanted(*index)) {
            let columns = all.entry(scan.spec().endpoint.clone()).or_default();
            columns.extend(scan.spec().read_columns().into_iter().map(str::to_owned));
        }
        all
    };
    let group = |scan: &CtctScanExec| (scan.spec().connection.clone(), scan.endpoint().path);
    let with_all: Vec<Option<(String, Request)>> = scans
        .iter()
        .map(|scan| {
            let all = columns(&|other| group(scans[other]) == group(scan));
            Some((scan.spec().connection.clone(), pages(scan, all)?))
        })
        .collect();
    let beside = |index: usize| match with_all.get(index) {
        Some(Some(request)) => columns(&|other| {
            other != index && with_all.get(other).is_some_and(|o| o.as_ref() == Some(request))
        }),
        _ => Beside::new(),
    };
    (0..scans.len()).map(beside).collect()
}

/// The request with which all pages begin that a scan reads.
fn pages(scan: &CtctScanExec, beside: Beside) -> Option<Request> {
    let plan = scan.beside(beside).request_plan();
    match plan.starts.as_slice() {
        [only] if plan.by == Access::Pages && only.keys.is_empty() => Some(only.request.clone()),
        _ => None,
    }
}
