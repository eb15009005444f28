//! The pages of one path, one after the other, for whoever keeps them as they come and may go
//! on later where it stopped.

use std::sync::Arc;

use arrow::array::RecordBatch;
use ctct_client::{Client, PageChain, Request, Spent};
use ctct_endpoints::Endpoint;
use datafusion::common::Result;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;

use super::definitions::{Definer, KnownDefinitions};
use super::metrics::ScanMetrics;
use super::reader::{Reading, external};
use super::{RequestPlan, ScanSpec};
use crate::decode::{Asked, PageDecoder};

/// The pages of a scan that is one chain of them.
///
/// Unlike a query it repairs nothing by itself: it says what each page announced, and whoever
/// reads decides. Rows that are none of the table's, and rows outside of the domains, are in
/// the pages.
pub struct Pages {
    of: Reading,
    chain: PageChain,
    decoder: PageDecoder,
    definer: Option<Definer>,
    projection: Vec<usize>,
    spent: Spent,
}

/// A page, and where the next one is.
#[derive(Debug)]
pub struct Page {
    /// The rows, in the columns that were asked for.
    pub rows: RecordBatch,
    /// How many rows the answer had, before lists in them became rows.
    pub answered: u64,
    /// How many rows the whole answer has, where the page tells.
    pub announced: Option<u64>,
    /// The request for the next page; none at the end.
    pub next: Option<Request>,
}

impl Pages {
    /// The pages that a scan reads; none where it is not one chain of pages: where it has a
    /// parent, looks rows up, or counts them.
    ///
    /// # Errors
    /// Where the specification names columns that the endpoint does not have.
    pub fn new(
        client: Arc<Client>,
        endpoint: &'static Endpoint,
        spec: ScanSpec,
    ) -> Result<Option<Self>> {
        let plan = RequestPlan::new(endpoint, &spec, &|endpoint| client.estimated_rows(endpoint));
        let Some(start) = plan.only_start() else { return Ok(None) };
        let chain = PageChain::new(client.base_url().clone(), start.request.clone());
        let wanted: Vec<&str> = spec.columns.iter().map(String::as_str).collect();
        let definer = Definer::new(endpoint, &wanted);
        let mut columns = wanted.clone();
        let always_null = endpoint.always_null.as_ref().map(|field| field.name);
        let sources = definer.as_ref().map(Definer::sources).unwrap_or_default();
        for column in sources.into_iter().chain(always_null.filter(|_| plan.strays)) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let decoder = PageDecoder::new(endpoint, &columns);
        let all = match &definer {
            Some(definer) => definer.schema(decoder.schema()),
            None => Arc::clone(decoder.schema()),
        };
        let projection =
            wanted.iter().map(|column| all.index_of(column)).collect::<Result<Vec<_>, _>>()?;
        let metrics = ScanMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
        let narrowed = spec.domains.clone();
        let hints = Vec::new();
        let of = Reading { client, endpoint, spec, narrowed, hints, answers: None, metrics };
        let spent = Spent::default();
        Ok(Some(Self { of, chain, decoder, definer, projection, spent }))
    }

    /// The same pages from this one on, which an earlier reading did not come to.
    #[must_use]
    pub fn from(mut self, request: Request) -> Self {
        self.chain = PageChain::new(self.of.client.base_url().clone(), request);
        self
    }

    /// The same pages, which need not read the definitions again that others have read.
    #[must_use]
    pub fn knowing(mut self, known: &KnownDefinitions) -> Self {
        if let Some(definer) = &mut self.definer {
            definer.take(known);
        }
        self
    }

    /// The definitions that were read so far.
    pub fn known(&self) -> KnownDefinitions {
        self.definer.as_ref().map(Definer::known).unwrap_or_default()
    }

    /// The next page; none at the end.
    ///
    /// # Errors
    /// Whatever keeps a page from being read.
    pub async fn next(&mut self) -> Result<Option<Page>> {
        let Some(request) = self.chain.request().cloned() else { return Ok(None) };
        let body = self.of.client.get(&request, &mut self.spent).await.map_err(external)?;
        let page = self.decoder.decode_for(&body, &Asked::default()).map_err(external)?;
        self.chain.advance(page.next_link.as_deref()).map_err(external)?;
        let mut rows = page.rows;
        if let Some(definer) = &mut self.definer {
            while let Some(times) = definer.wants_reading(&rows) {
                definer.read(&self.of, times).await?;
            }
            rows = definer.add(&rows)?;
        }
        self.of.client.traffic().note_page(rows.num_rows() as u64);
        Ok(Some(Page {
            rows: rows.project(&self.projection)?,
            answered: page.answered,
            announced: page.count,
            next: self.chain.request().cloned(),
        }))
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("spec", &self.of.spec).finish_non_exhaustive()
    }
}
