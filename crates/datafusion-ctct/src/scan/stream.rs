//! The rows of a scan: one page is asked for, decoded and given away at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{filter_record_batch, is_null};
use arrow::datatypes::{Schema, SchemaRef, TimestampMicrosecondType};
use ctct_client::{Client, Error, ErrorKind, PageChain, Request, Spent};
use ctct_endpoints::{Endpoint, Kind, Paging};
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::metrics::RecordOutput;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

use super::metrics::ScanMetrics;
use super::plan::{Access, moved};
use super::seen::SeenRows;
use super::{RequestPlan, ScanSpec};
use crate::decode::{DecodedPage, PageDecoder};
use crate::predicate::{Domain, Domains, analyse_physical};

/// How often a scan starts again after its cursor was not accepted any more.
const NEW_STARTS: u32 = 3;
/// Rows that were only counted are given away in batches of the usual size.
const COUNTED_AT_ONCE: usize = 8_192;

/// A scan that has not begun.
pub(super) struct Scan {
    pub(super) client: Arc<Client>,
    pub(super) endpoint: &'static Endpoint,
    pub(super) spec: ScanSpec,
    /// What joins and subqueries will have said by the time of the first poll.
    pub(super) hints: Vec<Arc<dyn PhysicalExpr>>,
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
    async fn begin(self) -> Result<PageScan> {
        let hinted = self.hints.iter().map(|hint| {
            let said = analyse_physical(hint);
            said.only(|column, domain| usable(self.endpoint, column, domain)).domains
        });
        let narrowed = hinted.fold(self.spec.domains.clone(), Domains::intersect);
        let estimated = self.client.estimated_rows(self.endpoint);
        let plan = RequestPlan::narrowed(self.endpoint, &self.spec, &narrowed, estimated);
        let rows = RequestPlan::of_rows(self.endpoint, &self.spec, &narrowed, estimated);
        let mut scan = PageScan::new(self, &plan);
        if plan.by == Access::Count
            && let Some(first) = plan.firsts.first()
            && !scan.count(first).await?
        {
            scan.waiting = rows.firsts.into();
            scan.next_chain();
        }
        Ok(scan)
    }
}

enum State {
    Waiting(Box<Scan>),
    Reading(Box<PageScan>),
}

/// Whether requests for an endpoint can make use of what is known of a column.
pub(crate) fn usable(endpoint: &Endpoint, column: &str, domain: &Domain) -> bool {
    let Some(field) = endpoint.field(column) else { return false };
    match (domain, field.kind) {
        (Domain::Interval(_), Kind::Timestamp) => endpoint.range(column).is_some(),
        (Domain::Keys(_), Kind::Text | Kind::Identifier)
        | (Domain::HoldsAny(_), Kind::List(Kind::Text | Kind::Identifier)) => {
            endpoint.key_binding(column).is_some()
        }
        _ => false,
    }
}

/// A scan that is under way.
struct PageScan {
    client: Arc<Client>,
    endpoint: &'static Endpoint,
    /// Where the pages of the keys begin that are still to come.
    waiting: VecDeque<Request>,
    first: Option<Request>,
    pages: Option<PageChain>,
    /// Whether an answer is one row, or says that there is none.
    look_ups: bool,
    seen: SeenRows,
    new_starts: u32,
    /// Rows that came since the first page, and how many it announced.
    came: u64,
    announced: Option<u64>,
    /// Rows that were counted, and are given away without having been read.
    counted: u64,
    decoder: PageDecoder,
    /// Where the values of these columns of a page lie.
    domains: Vec<(usize, Domain)>,
    /// Whether the pages are all that the path has.
    whole: bool,
    /// The column of a page in which rows of the table have no value.
    always_null: Option<usize>,
    /// The columns of a page that make up the result.
    projection: Vec<usize>,
    remaining: usize,
    metrics: ScanMetrics,
}

impl PageScan {
    /// A scan that has sent nothing yet.
    fn new(scan: Scan, plan: &RequestPlan) -> Self {
        let Scan { client, endpoint, spec, metrics, .. } = scan;
        let look_ups = plan.by == Access::LookUps;
        let mut columns = spec.read_columns();
        let key: &[&str] = match endpoint.paging {
            Paging::Links { maximum }
                if !look_ups && spec.fetch.is_none_or(|fetch| fetch > maximum as usize) =>
            {
                endpoint.key
            }
            // A single page cannot lose its cursor.
            _ => &[],
        };
        let always_null = endpoint.always_null.filter(|_| plan.strays).map(|field| field.name);
        for column in key.iter().copied().chain(always_null) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let decoder = if look_ups {
            PageDecoder::of_row(endpoint, &columns)
        } else {
            PageDecoder::new(endpoint, &columns)
        };
        let position = |column: &str| decoder.schema().index_of(column).ok();
        let domains = spec.domains.iter();
        let domains = domains.filter(|(_, domain)| !matches!(domain, Domain::HoldsAny(_)));
        let mut scan = Self {
            waiting: plan.firsts.iter().cloned().collect(),
            first: None,
            pages: None,
            look_ups,
            seen: SeenRows::new(key.iter().filter_map(|column| position(column)).collect()),
            new_starts: 0,
            came: 0,
            announced: None,
            counted: 0,
            domains: domains
                .filter_map(|(column, domain)| Some((position(column)?, domain.clone())))
                .collect(),
            whole: plan.whole,
            always_null: always_null.and_then(position),
            projection: spec.columns.iter().filter_map(|column| position(column)).collect(),
            remaining: spec.fetch.unwrap_or(usize::MAX),
            metrics,
            decoder,
            client,
            endpoint,
        };
        scan.next_chain();
        scan
    }

    /// Goes on with the pages of the next key; whether there is one.
    fn next_chain(&mut self) -> bool {
        self.first = self.waiting.pop_front();
        let base = self.client.base_url().clone();
        self.pages = self.first.clone().map(|first| PageChain::new(base, first));
        (self.came, self.announced) = (0, None);
        self.pages.is_some()
    }

    /// Counts the rows instead of reading them, where the server's count is sure to be
    /// theirs; otherwise says that they must be read.
    ///
    /// Bounds are sent wider than they are meant, because nobody documents whether the API
    /// counts them as inside. A single page is counted here. Of more, the server is asked
    /// for the number within bounds that are narrower than meant: where both are the same,
    /// no row lies where it would matter.
    async fn count(&mut self, first: &Request) -> Result<bool> {
        let page = self.page(first).await?;
        let Some(announced) = page.count else { return Ok(false) };
        if page.next_link.is_none() {
            self.counted = self.wanted(page.rows)?.num_rows() as u64;
        } else if self.domains.is_empty() {
            self.client.note_rows(self.endpoint, announced);
            self.counted = announced;
        } else {
            let narrow = narrower(self.endpoint, &self.domains, &self.decoder);
            let Some(narrow) = narrow else { return Ok(false) };
            if self.page(&narrow).await?.count != Some(announced) {
                return Ok(false);
            }
            self.counted = announced;
        }
        self.pages = None;
        self.client.traffic().note_page(self.counted);
        Ok(true)
    }

    /// Asks for a page and decodes it.
    async fn page(&mut self, request: &Request) -> Result<DecodedPage> {
        let mut spent = Spent::default();
        let body = self.client.get(request, &mut spent).await;
        self.metrics.add(&spent);
        let timer = self.metrics.baseline.elapsed_compute().clone();
        let _computing = timer.timer();
        let page = {
            let _decoding = self.metrics.decode_time.timer();
            self.decoder.decode(&body.map_err(external)?).map_err(external)?
        };
        self.metrics.pages.add(1);
        self.metrics.conflicts.add(page.conflicts.len());
        Ok(page)
    }

    /// The next of the rows that were counted.
    fn counted_batch(&mut self) -> Result<RecordBatch> {
        let rows = usize::try_from(self.counted).unwrap_or(usize::MAX).min(COUNTED_AT_ONCE);
        self.counted -= rows as u64;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?)
    }

    /// The next rows that are wanted; none at the end. A page without any is passed over.
    async fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.counted > 0 {
            return Ok(Some(self.counted_batch()?.record_output(&self.metrics.baseline)));
        }
        while self.remaining > 0 {
            let Some(request) = self.pages.as_ref().and_then(PageChain::request) else {
                if self.next_chain() {
                    continue;
                }
                break;
            };
            let mut spent = Spent::default();
            let body = self.client.get(request, &mut spent).await;
            self.metrics.add(&spent);
            let body = match body {
                Err(error) if self.starts_again(&error) => continue,
                Err(error) if self.look_ups && error.kind() == ErrorKind::NotFound => {
                    self.pages = None;
                    continue;
                }
                body => body.map_err(external)?,
            };

            let timer = self.metrics.baseline.elapsed_compute().clone();
            let _computing = timer.timer();
            let page = {
                let _decoding = self.metrics.decode_time.timer();
                self.decoder.decode(&body).map_err(external)?
            };
            self.account_for(page.rows.num_rows() as u64, page.count);
            self.metrics.pages.add(1);
            self.metrics.conflicts.add(page.conflicts.len());
            if let Some(pages) = &mut self.pages {
                pages.advance(page.next_link.as_deref()).map_err(external)?;
                if pages.request().is_none() {
                    self.check_count();
                }
            }
            let rows = self.seen.fresh(page.rows)?;
            let batch = self.wanted(rows)?;
            if batch.num_rows() > 0 {
                self.remaining -= batch.num_rows();
                return Ok(Some(batch.record_output(&self.metrics.baseline)));
            }
        }
        Ok(None)
    }

    /// Counts the rows of a page, and those that the first page announced.
    fn account_for(&mut self, rows: u64, announced: Option<u64>) {
        let traffic = self.client.traffic();
        if self.pages.as_ref().is_some_and(PageChain::is_at_start) && self.new_starts == 0 {
            traffic.note_announced(announced);
        }
        if self.came == 0 {
            self.announced = announced;
            if let Some(rows) = announced.filter(|_| self.whole) {
                self.client.note_rows(self.endpoint, rows);
            }
        }
        self.came += rows;
        traffic.note_page(rows);
    }

    /// Warns where all pages together do not hold what the first one announced: rows came
    /// or went while they were read, and pages are counted by the server, so that some
    /// may be missing and others doubled.
    fn check_count(&self) {
        if let Some(announced) = self.announced.filter(|announced| *announced != self.came) {
            tracing::warn!(
                "{announced} {table} were announced and {} came: the account changed meanwhile; ask again for a settled answer",
                self.came,
                table = self.endpoint.table
            );
        }
    }

    /// Starts again from the first page, where the server no longer accepts a cursor:
    /// nobody documents how long one lives.
    fn starts_again(&mut self, error: &Error) -> bool {
        let at_start = self.pages.as_ref().is_none_or(PageChain::is_at_start);
        let expired = error.kind() == ErrorKind::InvalidRequest && !at_start;
        if !expired || !self.seen.can_start_again() || self.new_starts == NEW_STARTS {
            return false;
        }
        tracing::warn!("a cursor was not accepted any more; reading starts again ({error})");
        self.new_starts += 1;
        self.seen.start_again();
        self.came = 0;
        let base = self.client.base_url().clone();
        self.pages = self.first.clone().map(|first| PageChain::new(base, first));
        true
    }

    /// The rows of a page that lie in all domains, as many as are wanted, in the
    /// columns of the result.
    fn wanted(&self, mut rows: RecordBatch) -> Result<RecordBatch> {
        for (column, domain) in &self.domains {
            rows = filter_record_batch(&rows, &within(rows.column(*column), domain))?;
        }
        if let Some(column) = self.always_null {
            rows = filter_record_batch(&rows, &is_null(rows.column(column))?)?;
        }
        let rows = rows.slice(0, self.remaining.min(rows.num_rows()));
        Ok(rows.project(&self.projection)?)
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
    decoder: &PageDecoder,
) -> Option<Request> {
    let mut parameters = Vec::new();
    for (column, domain) in domains {
        let Domain::Interval(interval) = domain else { return None };
        let range = endpoint.range(decoder.schema().field(*column).name())?;
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

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
