//! The rows of a scan: one page is decoded and given away at a time.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{filter_record_batch, is_null};
use arrow::datatypes::{Schema, SchemaRef, TimestampMicrosecondType};
use ctct_client::{Client, Request};
use ctct_endpoints::{Endpoint, Kind};
use datafusion::common::Result;
use datafusion::common::cast::as_boolean_array;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::metrics::{BaselineMetrics, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

use super::definitions::Definer;
use super::metrics::ScanMetrics;
use super::plan::{Access, EstimatedRows, moved};
use super::reader::{Reader, Reading};
use super::shared::Answers;
use super::{RequestPlan, ScanSpec};
use crate::decode::PageDecoder;
use crate::predicate::{Domain, Domains, analyse_physical};

/// Rows that were only counted are given away in batches of the usual size.
const COUNTED_AT_ONCE: usize = 8_192;

/// A scan that has not begun.
pub(super) struct Scan {
    pub(super) client: Arc<Client>,
    pub(super) endpoint: &'static Endpoint,
    pub(super) spec: ScanSpec,
    /// What joins and subqueries will have said by the time of the first poll.
    pub(super) hints: Vec<Arc<dyn PhysicalExpr>>,
    /// Conditions on the columns of the result that the scan itself applies.
    pub(super) conditions: Vec<Arc<dyn PhysicalExpr>>,
    /// The answers that other scans of the statement have had.
    pub(super) answers: Option<Arc<Answers>>,
    pub(super) metrics: ScanMetrics,
}

impl Scan {
    /// The stream of the scan's batches. Nothing is sent before it is polled, and
    /// nothing after it is dropped or has given as many rows as are wanted.
    pub(super) fn into_stream(self, schema: SchemaRef) -> SendableRecordBatchStream {
        let batches = stream::try_unfold(State::Waiting(Box::new(self)), |state| async move {
            let mut scan = match state {
                State::Waiting(scan) => Box::new(scan.begin().await?),
                State::Reading(scan) => scan,
            };
            Ok(scan.next_batch().await?.map(|batch| (batch, State::Reading(scan))))
        });
        Box::pin(cooperative(RecordBatchStreamAdapter::new(schema, batches.boxed())))
    }

    /// Begins: now everything is known that will ever narrow the requests.
    async fn begin(mut self) -> Result<RowScan> {
        if self.endpoint.period.is_some() {
            let now = self.client.traffic().server_now();
            self.spec.began = Some(now.timestamp_micros());
        }
        let hinted = self.hints.iter().map(|hint| {
            let said = analyse_physical(hint);
            said.only(|column, domain| usable(self.endpoint, column, domain)).domains
        });
        let mut narrowed = hinted.fold(self.spec.domains.clone(), Domains::intersect);
        let estimated = |endpoint: &Endpoint| self.client.estimated_rows(endpoint);
        if self.has_all(&estimated) {
            narrowed = self.spec.domains.clone();
        }
        let plan = RequestPlan::narrowed(self.endpoint, &self.spec, &narrowed, &estimated);
        if plan.by != Access::Count {
            return Ok(RowScan::new(self, narrowed, &plan));
        }
        let rows = RequestPlan::of_rows(self.endpoint, &self.spec, &narrowed, &estimated);
        let mut scan = RowScan::new(self, narrowed, &rows);
        if let Some(first) = plan.starts.first() {
            scan.count(&first.request).await?;
        }
        Ok(scan)
    }
}

impl Scan {
    /// Whether another scan of the statement has read all pages that this one would read if
    /// nothing narrowed it: they cost nothing.
    fn has_all(&self, estimated: &EstimatedRows<'_>) -> bool {
        let Some(answers) = &self.answers else { return false };
        let plan = RequestPlan::new(self.endpoint, &self.spec, estimated);
        plan.only_start().is_some_and(|start| answers.are_complete(&start.request))
    }
}

enum State {
    Waiting(Box<Scan>),
    Reading(Box<RowScan>),
}

/// Whether requests for an endpoint can make use of what is known of a column.
pub(crate) fn usable(endpoint: &Endpoint, column: &str, domain: &Domain) -> bool {
    let Some(field) = endpoint.field(column) else { return false };
    match (domain, field.kind) {
        (Domain::Interval(_), Kind::Timestamp) if endpoint.is_of_period(column) => true,
        (Domain::Interval(_), Kind::Timestamp) => {
            // Where rows come in its order, reading ends where the range does.
            let in_order = endpoint.order.is_some_and(|order| order.column == column);
            in_order || endpoint.range(column).is_some()
        }
        (Domain::Keys(_), Kind::Text | Kind::Identifier) => {
            endpoint.is_key_of_parent(column) || endpoint.key_binding(column).is_some()
        }
        (Domain::HoldsAny(_), Kind::List(Kind::Text | Kind::Identifier)) => {
            endpoint.key_binding(column).is_some()
        }
        _ => false,
    }
}

/// A scan that is under way.
struct RowScan {
    client: Arc<Client>,
    endpoint: &'static Endpoint,
    reader: Reader,
    /// What makes the columns that are made from definitions.
    definer: Option<Definer>,
    /// Rows that were counted, and are given away without having been read; none where they
    /// are read.
    counted: Option<u64>,
    /// Where the values of these columns of a page lie.
    domains: Vec<(usize, Domain)>,
    /// The column of a page in which rows of the table have no value.
    always_null: Option<usize>,
    /// The columns of a page that make up the result.
    projection: Vec<usize>,
    /// What must be true of a row of the result.
    conditions: Vec<Arc<dyn PhysicalExpr>>,
    remaining: usize,
    baseline: BaselineMetrics,
}

impl RowScan {
    /// A scan that has sent nothing yet.
    fn new(scan: Scan, narrowed: Domains, plan: &RequestPlan) -> Self {
        let Scan { client, endpoint, spec, hints, conditions, answers, metrics } = scan;
        let look_ups = plan.by == Access::LookUps;
        // A single page neither loses its cursor nor is it split.
        let many = endpoint.paging.maximum().is_some_and(|maximum| {
            let few = |fetch: usize| fetch <= maximum as usize && !spec.drops_rows();
            !look_ups && !spec.fetch.is_some_and(few)
        });
        let key = if many { endpoint.key } else { &[] };
        let window = endpoint.window.filter(|_| many && spec.fetch.is_none());
        let order = endpoint.order.filter(|_| many).map(|order| order.column);
        let always_null = endpoint.always_null.filter(|_| plan.strays).map(|field| field.name);
        let mut columns = spec.read_columns();
        let window = window.as_ref().map(|window| window.field.name);
        let definer = Definer::new(endpoint, &columns);
        let sources = definer.as_ref().map(Definer::sources).unwrap_or_default();
        let hidden = key.iter().copied().chain(always_null).chain(window).chain(order);
        for column in hidden.chain(sources) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let decoder = if look_ups {
            PageDecoder::of_row(endpoint, &columns)
        } else {
            PageDecoder::new(endpoint, &columns)
        };
        let schema = match &definer {
            Some(definer) => definer.schema(decoder.schema()),
            None => Arc::clone(decoder.schema()),
        };
        let position = |column: &str| schema.index_of(column).ok();
        let domains = spec.domains.iter();
        let domains = domains.filter(|(_, domain)| !matches!(domain, Domain::HoldsAny(_)));
        Self {
            counted: None,
            definer,
            domains: domains
                .filter_map(|(column, domain)| Some((position(column)?, domain.clone())))
                .collect(),
            always_null: always_null.and_then(position),
            projection: spec.columns.iter().filter_map(|column| position(column)).collect(),
            conditions,
            remaining: spec.fetch.unwrap_or(usize::MAX),
            baseline: metrics.baseline.clone(),
            client: Arc::clone(&client),
            endpoint,
            reader: Reader::new(
                Reading { client, endpoint, spec, narrowed, hints, answers, metrics },
                plan,
                decoder,
                key,
            ),
        }
    }

    /// Counts the rows instead of reading them, where the server's count is sure to be
    /// theirs; otherwise they are read.
    ///
    /// Bounds are sent wider than they are meant, because nobody documents whether the API
    /// counts them as inside. A single page is counted here. Of more, the server is asked
    /// for the number within bounds that are narrower than meant: where both are the same,
    /// no row lies where it would matter.
    async fn count(&mut self, first: &Request) -> Result<()> {
        let page = self.reader.answer(first).await?;
        let Some(announced) = page.count else { return Ok(()) };
        if page.next_link.is_some() && announced <= page.answered {
            // There are more than this says: it is not the number of all.
            return Ok(());
        }
        let counted = if page.next_link.is_none() {
            self.wanted(page.rows)?.num_rows() as u64
        } else if self.domains.is_empty() {
            self.client.note_rows(self.endpoint, announced);
            announced
        } else {
            let narrow = narrower(self.endpoint, &self.domains, self.reader.schema());
            let Some(narrow) = narrow else { return Ok(()) };
            if self.reader.answer(&narrow).await?.count != Some(announced) {
                return Ok(());
            }
            announced
        };
        self.client.traffic().note_page(counted);
        self.counted = Some(counted);
        Ok(())
    }

    /// The next of the rows that were counted.
    fn counted_batch(&mut self, left: u64) -> Result<Option<RecordBatch>> {
        if left == 0 {
            return Ok(None);
        }
        let rows = usize::try_from(left).unwrap_or(usize::MAX).min(COUNTED_AT_ONCE);
        self.counted = Some(left - rows as u64);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
        Ok(Some(batch.record_output(&self.baseline)))
    }

    /// The next rows that are wanted; none at the end. A page without any is passed over.
    async fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(left) = self.counted {
            return self.counted_batch(left);
        }
        while self.remaining > 0 {
            let Some(rows) = self.reader.next().await? else { return Ok(None) };
            while let Some(definer) = &mut self.definer
                && let Some(times) = definer.wants_reading(&rows)
            {
                definer.read(self.reader.reading(), times).await?;
            }
            let batch = self.wanted(rows)?;
            if batch.num_rows() > 0 {
                self.remaining -= batch.num_rows();
                return Ok(Some(batch.record_output(&self.baseline)));
            }
        }
        Ok(None)
    }

    /// The rows of a page that lie in all domains and meet all conditions, as many as are
    /// wanted, in the columns of the result.
    fn wanted(&self, mut rows: RecordBatch) -> Result<RecordBatch> {
        for (column, domain) in &self.domains {
            rows = filter_record_batch(&rows, &within(rows.column(*column), domain))?;
        }
        if let Some(column) = self.always_null {
            rows = filter_record_batch(&rows, &is_null(rows.column(column))?)?;
        }
        if let Some(definer) = &self.definer {
            rows = definer.add(&rows)?;
        }
        let mut rows = rows.project(&self.projection)?;
        for condition in &self.conditions {
            let holds = condition.evaluate(&rows)?.into_array(rows.num_rows())?;
            rows = filter_record_batch(&rows, as_boolean_array(&holds)?)?;
        }
        Ok(rows.slice(0, self.remaining.min(rows.num_rows())))
    }
}

/// Which values lie in a domain; nulls do not.
fn within(values: &ArrayRef, domain: &Domain) -> BooleanArray {
    match domain {
        Domain::Interval(interval) => {
            let times = values.as_primitive::<TimestampMicrosecondType>();
            times.iter().map(|at| Some(at.is_some_and(|at| interval.contains(at)))).collect()
        }
        Domain::Keys(keys) => {
            let texts = values.as_string::<i32>();
            texts.iter().map(|text| Some(text.is_some_and(|text| keys.contains(text)))).collect()
        }
        // Looked at by whoever asked for it.
        Domain::HoldsAny(_) => BooleanArray::from(vec![true; values.len()]),
    }
}

/// The request for the number of rows that surely lie within the bounds; none where no
/// such bounds can be written.
fn narrower(
    endpoint: &Endpoint,
    domains: &[(usize, Domain)],
    schema: &SchemaRef,
) -> Option<Request> {
    let mut parameters = Vec::new();
    for (column, domain) in domains {
        let Domain::Interval(interval) = domain else { return None };
        let range = endpoint.range(schema.field(*column).name())?;
        if let Some(lower) = interval.lower {
            parameters.push((range.after, moved(lower, 1)?));
        }
        if let Some(upper) = interval.upper {
            parameters.push((range.before, moved(upper, -1)?));
        }
    }
    parameters.push((endpoint.count?.parameter, "true".to_owned()));
    Some(Request::first(endpoint, &parameters, 1))
}
