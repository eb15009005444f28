//! The rows of a scan: one page is asked for, decoded and given away at a time.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use ctct_client::{Client, Error, ErrorKind, PageChain, Request, Spent};
use ctct_endpoints::{Endpoint, Paging};
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

use super::metrics::ScanMetrics;
use super::seen::SeenRows;
use super::{RequestPlan, ScanSpec};
use crate::decode::PageDecoder;
use crate::predicate::Interval;

/// How often a scan starts again after its cursor was not accepted any more.
const NEW_STARTS: u32 = 3;

/// A scan that is under way.
pub(super) struct PageScan {
    client: Arc<Client>,
    table: &'static str,
    first: Option<Request>,
    pages: Option<PageChain>,
    seen: SeenRows,
    new_starts: u32,
    /// Rows that came since the first page, and how many it announced.
    came: u64,
    announced: Option<u64>,
    decoder: PageDecoder,
    /// Where the values of these columns of a page lie.
    domains: Vec<(usize, Interval)>,
    /// The columns of a page that make up the result.
    projection: Vec<usize>,
    remaining: usize,
    metrics: ScanMetrics,
}

impl PageScan {
    /// A scan that has sent nothing yet.
    pub(super) fn new(
        client: Arc<Client>,
        endpoint: &'static Endpoint,
        spec: &ScanSpec,
        metrics: &ExecutionPlanMetricsSet,
        partition: usize,
    ) -> Self {
        let first = RequestPlan::new(endpoint, spec).first;
        let mut columns = spec.read_columns();
        let key: &[&str] = match endpoint.paging {
            Paging::Links { maximum }
                if spec.fetch.is_none_or(|fetch| fetch > maximum as usize) =>
            {
                endpoint.key
            }
            // A single page cannot lose its cursor.
            _ => &[],
        };
        for column in key {
            if !columns.contains(column) {
                columns.push(column);
            }
        }
        let decoder = PageDecoder::new(endpoint, &columns);
        let position = |column: &str| decoder.schema().index_of(column).ok();
        let domains = spec.domains.iter();
        Self {
            pages: first.clone().map(|request| PageChain::new(client.base_url().clone(), request)),
            first,
            table: endpoint.table,
            seen: SeenRows::new(key.iter().filter_map(|column| position(column)).collect()),
            new_starts: 0,
            came: 0,
            announced: None,
            client,
            domains: domains
                .filter_map(|(column, domain)| Some((position(column)?, *domain)))
                .collect(),
            projection: spec.columns.iter().filter_map(|column| position(column)).collect(),
            remaining: spec.fetch.unwrap_or(usize::MAX),
            metrics: ScanMetrics::new(metrics, partition),
            decoder,
        }
    }

    /// The stream of the scan's batches. Nothing is sent before it is polled, and
    /// nothing after it is dropped or has given as many rows as are wanted.
    pub(super) fn into_stream(self, schema: SchemaRef) -> SendableRecordBatchStream {
        let batches = stream::try_unfold(self, |mut scan| async move {
            Ok(scan.next_batch().await?.map(|batch| (batch, scan)))
        });
        Box::pin(cooperative(RecordBatchStreamAdapter::new(schema, batches.boxed())))
    }

    /// The next rows that are wanted; none at the end. A page without any is passed over.
    async fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while self.remaining > 0 {
            let Some(request) = self.pages.as_ref().and_then(PageChain::request) else { break };
            let mut spent = Spent::default();
            let body = self.client.get(request, &mut spent).await;
            self.metrics.add(&spent);
            let body = match body {
                Err(error) if self.starts_again(&error) => continue,
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
                table = self.table
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
            let times = rows.column(*column).as_primitive::<TimestampMicrosecondType>();
            let inside: BooleanArray =
                times.iter().map(|at| Some(at.is_some_and(|at| domain.contains(at)))).collect();
            rows = filter_record_batch(&rows, &inside)?;
        }
        let rows = rows.slice(0, self.remaining.min(rows.num_rows()));
        Ok(rows.project(&self.projection)?)
    }
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
