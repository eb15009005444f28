//! The pages of a scan: several chains of them side by side, as many as the pace can feed.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use ctct_client::{Client, Error, ErrorKind, Request, Spent};
use ctct_endpoints::{Endpoint, Window};
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::oneshot;

use super::ScanSpec;
use super::chain::{Chain, End};
use super::keys::Keys;
use super::metrics::ScanMetrics;
use super::order::{OrderWatch, Wanted};
use super::plan::{Key, RequestPlan, Start, window_request};
use super::seen::RowKeys;
use super::shared::{Answers, Received};
use super::windows::{Budget, cut, side_by_side};
use crate::decode::{Asked, DecodedPage, PageDecoder};
use crate::predicate::{Domain, Domains, Interval};

/// How many chains are open side by side where they are known from the start.
const OPEN: usize = 16;
/// The same where requests are not paced.
const OPEN_UNPACED: usize = 4;

/// What a reader reads.
pub(super) struct Reading {
    pub(super) client: Arc<Client>,
    pub(super) endpoint: &'static Endpoint,
    pub(super) spec: ScanSpec,
    /// All that was known when the scan began.
    pub(super) narrowed: Domains,
    /// What those above the scan learn from the rows that it gives them.
    pub(super) hints: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) answers: Option<Arc<Answers>>,
    pub(super) metrics: ScanMetrics,
}

/// The pages of a scan.
///
/// At most one request waits for its slot, so that nothing is counted that is not sent, and
/// the chain with the most left to read has the next one, so that all end together. Where
/// no more rows are wanted than a few, or nobody polls, nothing is sent ahead.
pub(super) struct Reader {
    of: Reading,
    decoder: PageDecoder,
    /// Chains that were not begun.
    waiting: VecDeque<Start>,
    /// Where the keys of further chains come from.
    keys: Option<Keys>,
    /// Chains whose next page may be asked for.
    ready: Vec<Chain>,
    in_flight: FuturesUnordered<BoxFuture<'static, (Chain, Fetched)>>,
    /// Hears when the request that waits for its slot has had it.
    sending: Option<oneshot::Receiver<()>>,
    /// How many chains are open at most.
    open: usize,
    row_keys: RowKeys,
    windows: Option<Windows>,
    order_column: Option<usize>,
    said: Said,
    /// Whether the pages are all that the path has.
    whole: bool,
    /// The request with which all pages begin, where there is one.
    first: Option<Request>,
    /// Whether the first keys of a parent will tell what time it is.
    awaits_now: bool,
    /// Whether some pages were not read, because nothing of them was wanted.
    stopped: bool,
}

/// How a large answer is read in windows.
struct Windows {
    declared: Window,
    /// Where its column stands in a page.
    column: usize,
    /// What is left to spend, once the answer is split.
    budget: Option<Budget>,
    waiting: VecDeque<Interval>,
    /// The rows that were given away before the answer was split.
    given: HashSet<u64>,
}

/// What was said to people, and is not said again.
#[derive(Default)]
struct Said {
    /// That the documented order was broken.
    disordered: bool,
    /// That rows did not add up.
    unsettled: bool,
}

/// What came of a request.
struct Fetched {
    answer: Result<Received, Error>,
    spent: Spent,
}

impl Reader {
    /// The reader of these requests, which decodes their answers so. `key` names the columns
    /// by which rows can be told apart; they, a window's and the order's are read as far as
    /// the decoder has them.
    pub(super) fn new(of: Reading, plan: &RequestPlan, decoder: PageDecoder, key: &[&str]) -> Self {
        let position = |column: &str| decoder.schema().index_of(column).ok();
        let windows =
            of.endpoint.window.filter(|_| plan.starts.len() == 1 && of.spec.fetch.is_none());
        let windows = windows.and_then(|declared| {
            Some(Windows {
                column: position(declared.field.name)?,
                declared,
                budget: None,
                waiting: VecDeque::new(),
                given: HashSet::new(),
            })
        });
        // Whoever wants a few rows only has them from few pages, one after the other.
        let open = match (of.spec.fetch, of.client.period()) {
            (Some(_), _) => 1,
            (None, Some(_)) => OPEN,
            (None, None) => OPEN_UNPACED,
        };
        Self {
            waiting: plan.starts.iter().cloned().collect(),
            keys: plan.walk.as_ref().and_then(|walk| Keys::new(&of, walk)),
            ready: Vec::new(),
            in_flight: FuturesUnordered::new(),
            sending: None,
            open,
            row_keys: RowKeys::new(key.iter().filter_map(|column| position(column)).collect()),
            windows,
            order_column: of.endpoint.order.and_then(|order| position(order.column)),
            said: Said::default(),
            whole: plan.whole,
            first: plan.only_start().map(|start| start.request.clone()),
            awaits_now: of.endpoint.period.is_some(),
            stopped: false,
            decoder,
            of,
        }
    }

    /// What is read.
    pub(super) fn reading(&self) -> &Reading {
        &self.of
    }

    /// The schema of the rows.
    pub(super) fn schema(&self) -> &SchemaRef {
        self.decoder.schema()
    }

    /// The rows of the next page that has any; none at the end. Each row of the answer comes
    /// once.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            self.send();
            let is_idle = self.in_flight.is_empty();
            let wants_keys =
                self.waiting.len() < self.open && (is_idle || self.of.spec.fetch.is_none());
            let wants_keys = wants_keys && self.keys.is_some();
            let Self { in_flight, sending, keys, .. } = self;
            let is_sending = sending.is_some();
            tokio::select! {
                biased;
                Some((chain, fetched)) = in_flight.next(), if !is_idle => {
                    let rows = self.receive(chain, fetched)?;
                    if let Some(rows) = rows.filter(|rows| rows.num_rows() > 0) {
                        return Ok(Some(rows));
                    }
                }
                () = left(sending), if is_sending => self.sending = None,
                more = next_keys(keys), if wants_keys => match more? {
                    Some(keys) => {
                        let endpoint = self.of.endpoint;
                        if std::mem::take(&mut self.awaits_now) {
                            // The first answers have told what time the server has.
                            let now = self.of.client.traffic().server_now();
                            self.of.spec.began = Some(now.timestamp_micros());
                        }
                        self.waiting.push_back(super::plan::start_of(endpoint, &self.of.spec, keys));
                    }
                    None => self.keys = None,
                },
                else => {
                    self.tell_that_all_came();
                    return Ok(None);
                }
            }
        }
    }

    /// Other scans of the statement need not ask for a part of what is all here.
    fn tell_that_all_came(&self) {
        if let (Some(answers), Some(first)) = (&self.of.answers, &self.first)
            && !self.stopped
        {
            answers.note_complete(first.clone());
        }
    }

    /// Asks for an answer of another shape than the pages have, beside them.
    pub(super) async fn answer(&mut self, request: &Request) -> Result<DecodedPage> {
        let (sent, _) = oneshot::channel();
        let Fetched { answer, spent } =
            fetch(&self.of.client, self.of.answers.as_deref(), request, 0, sent).await;
        self.of.metrics.add(&spent);
        self.decode(&answer.map_err(external)?.body, &Asked::default())
    }

    /// Sends the next request, unless one waits for its slot, or there are enough.
    fn send(&mut self) {
        while self.sending.is_none() {
            let Some(chain) = self.next_chain() else { return };
            let Some(request) = chain.request().cloned() else { continue };
            let (sent, hears) = oneshot::channel();
            self.sending = Some(hears);
            let client = Arc::clone(&self.of.client);
            let answers = self.of.answers.clone();
            let reading = chain.reading();
            self.in_flight.push(
                async move {
                    let answers = answers.as_deref();
                    let fetched = fetch(&client, answers, &request, reading, sent).await;
                    (chain, fetched)
                }
                .boxed(),
            );
        }
    }

    /// The chain whose next page is asked for: a new one while too few are open, else the one
    /// that has the most left.
    fn next_chain(&mut self) -> Option<Chain> {
        if self.in_flight.len() + self.ready.len() < self.open
            && let Some(chain) = self.new_chain()
        {
            return Some(chain);
        }
        // What was given away by now may have been enough.
        let enough: Vec<bool> = self.ready.iter().map(|chain| self.has_enough(chain)).collect();
        let mut enough = enough.into_iter();
        let before = self.ready.len();
        self.ready.retain(|_| !enough.next().unwrap_or(false));
        self.stopped |= self.ready.len() < before;
        let (longest, _) = self.ready.iter().enumerate().max_by_key(|(_, chain)| chain.left())?;
        Some(self.ready.swap_remove(longest))
    }

    fn new_chain(&mut self) -> Option<Chain> {
        let of = &self.of;
        let window = self
            .windows
            .as_mut()
            .and_then(|windows| Some((windows.waiting.pop_front()?, windows.declared)));
        let (start, window) = match window {
            Some((within, declared)) => {
                let request =
                    window_request(of.endpoint, &of.spec, &of.narrowed, &declared, within);
                (Start { request, keys: Vec::new(), asked: Asked::default() }, Some(within))
            }
            None => (self.waiting.pop_front()?, None),
        };
        let mut chain = Chain::new(&of.client, start, self.row_keys.clone());
        chain.window = window;
        let order = of.endpoint.order.zip(self.order_column);
        chain.order = order.map(|(order, column)| OrderWatch::new(order, column));
        Some(chain)
    }

    /// Takes the answer to a chain's request, and gives the rows that are new; the chain goes
    /// on, or ends.
    fn receive(&mut self, mut chain: Chain, fetched: Fetched) -> Result<Option<RecordBatch>> {
        self.of.metrics.add(&fetched.spent);
        let received = match fetched.answer {
            Ok(received) => received,
            Err(error) if chain.recovers(&error, &self.of.client) => {
                self.ready.push(chain);
                return Ok(None);
            }
            // Pages that go on were there: that they are no more is an error like any other.
            Err(error)
                if error.kind() == ErrorKind::NotFound
                    && chain.is_at_start()
                    && !chain.start.keys.is_empty() =>
            {
                self.without(&chain.start);
                return Ok(None);
            }
            Err(error) => return Err(external(error)),
        };
        let mut page = self.decode(&received.body, &chain.start.asked)?;
        if page.next_link.is_some() && page.count.is_some_and(|count| count <= page.answered) {
            // There are more: whatever it counts, it is not the whole answer.
            page.count = None;
        }
        let is_first = chain.is_at_start();
        if is_first {
            chain.began = received.at;
        }
        let newcomer = !is_first && self.has_newcomer(&page.rows, chain.began);
        chain.tally.note(page.count, page.answered, newcomer);
        self.tell(&chain, &page, is_first);
        chain.advance(page.next_link.as_deref()).map_err(external)?;

        let splits = is_first && chain.reading() == 1 && chain.request().is_some();
        if splits && self.splits(&chain, &page, &received) {
            return match chain.window {
                // What was read before the answer was split is given away, and left out later.
                None => {
                    let given = self.row_keys.of(&page.rows)?;
                    self.windows.iter_mut().for_each(|windows| windows.given.extend(&given));
                    Ok(Some(page.rows))
                }
                Some(_) => Ok(None),
            };
        }
        let rows = chain.seen.fresh(self.inside(page.rows.clone(), chain.window)?)?;
        self.watch_order(&mut chain, &page.rows);
        if chain.request().is_none() {
            self.finish(chain);
        } else {
            self.ready.push(chain);
        }
        Ok(Some(rows))
    }

    /// The server knows not all of the keys that it was asked for: it is asked for fewer.
    fn without(&mut self, start: &Start) {
        if let [_, _, ..] = start.keys.as_slice() {
            let (some, others) = start.keys.split_at(start.keys.len() / 2);
            for keys in [others, some] {
                let start = super::plan::start_of(self.of.endpoint, &self.of.spec, keys.to_vec());
                self.waiting.push_front(start);
            }
        }
    }

    fn decode(&mut self, body: &[u8], asked: &Asked) -> Result<DecodedPage> {
        let computing = self.of.metrics.baseline.elapsed_compute().clone();
        let _computing = computing.timer();
        let page = {
            let _decoding = self.of.metrics.decode_time.timer();
            self.decoder.decode_for(body, asked).map_err(external)?
        };
        self.of.metrics.pages.add(1);
        self.of.metrics.conflicts.add(page.conflicts.len());
        Ok(page)
    }

    /// Tells those who watch what a page brought, and what it says of the whole.
    fn tell(&self, chain: &Chain, page: &DecodedPage, is_first: bool) {
        let traffic = self.of.client.traffic();
        if is_first && chain.reading() == 1 && chain.window.is_none() {
            traffic.note_announced(page.count);
            if let Some(rows) = page.count.filter(|_| self.whole) {
                self.of.client.note_rows(self.of.endpoint, rows);
            }
        }
        traffic.note_page(page.rows.num_rows() as u64);
    }

    /// Whether a page has a row that was not there when the reading of its chain began: then
    /// rows moved, even if their number is the same.
    fn has_newcomer(&self, rows: &RecordBatch, began: i64) -> bool {
        let Some(windows) = &self.windows else { return false };
        let created = rows.column(windows.column).as_primitive_opt::<TimestampMicrosecondType>();
        // Times have a fraction in some places, and none in others.
        created.is_some_and(|created| created.iter().flatten().any(|at| at >= began - 1_000_000))
    }

    /// Splits what a chain reads into windows, where its first page says that it is large.
    fn splits(&mut self, chain: &Chain, page: &DecodedPage, received: &Received) -> bool {
        let Some(windows) = self.windows.as_mut().filter(|_| self.row_keys.tell_apart()) else {
            return false;
        };
        let Some(count) = page.count else { return false };
        let pages = count.div_ceil(u64::from(self.of.endpoint.page_size()));
        let side = side_by_side(received.network, self.of.client.period());
        let budget = windows.budget.get_or_insert_with(|| Budget::new(pages, side));
        let mut after = *budget;
        let Some(parts) = after.split(pages) else { return false };
        let within = chain.window.unwrap_or_else(|| asked_for(&self.of, &windows.declared));
        let created = page.rows.column(windows.column);
        let sample: Vec<i64> = created
            .as_primitive_opt::<TimestampMicrosecondType>()
            .map(|times| times.iter().flatten().collect())
            .unwrap_or_default();
        let parts = cut(within, &sample, received.at, parts);
        if parts.len() < 2 {
            return false;
        }
        *budget = after;
        self.open = side;
        self.of.metrics.windows.add(parts.len());
        windows.waiting.extend(parts);
        true
    }

    /// The rows of a chain's page that belong to its window, and were not given away before
    /// there were windows.
    fn inside(&self, rows: RecordBatch, window: Option<Interval>) -> Result<RecordBatch> {
        let (Some(windows), Some(window)) = (&self.windows, window) else { return Ok(rows) };
        let created = rows.column(windows.column).as_primitive_opt::<TimestampMicrosecondType>();
        let Some(created) = created else { return Ok(rows) };
        let given = &windows.given;
        let keys = self.row_keys.of(&rows)?;
        let inside = created.iter().zip(keys).map(|(at, key)| {
            // A row without a time is in whichever window the server gives it.
            Some(at.is_none_or(|at| window.contains(at)) && !given.contains(&key))
        });
        Ok(filter_record_batch(&rows, &inside.collect::<BooleanArray>())?)
    }

    fn watch_order(&mut self, chain: &mut Chain, rows: &RecordBatch) {
        let Some(order) = &mut chain.order else { return };
        if !order.looks_at(rows) && !self.said.disordered {
            self.said.disordered = true;
            tracing::warn!(
                "{} did not come in the order that is documented; all of them are read",
                self.of.endpoint.table
            );
        }
    }

    /// Whether nothing of what a chain has still to read can be wanted.
    fn has_enough(&self, chain: &Chain) -> bool {
        let wanted = Wanted { domains: &self.of.spec.domains, hints: &self.of.hints };
        chain.order.as_ref().is_some_and(|order| order.has_left(&wanted))
    }

    fn finish(&mut self, mut chain: Chain) {
        let tally = chain.tally;
        match chain.end(&self.of.client) {
            End::Complete => {}
            End::Again => {
                tracing::debug!(
                    table = self.of.endpoint.table,
                    ?tally,
                    "rows moved; reading again"
                );
                self.ready.push(chain);
            }
            End::Unsettled if std::mem::replace(&mut self.said.unsettled, true) => {}
            End::Unsettled => tracing::warn!(
                "{announced} {table} were announced and {came} came: the account changed meanwhile; ask again for a settled answer",
                announced = tally.announced.unwrap_or_default(),
                came = tally.came,
                table = self.of.endpoint.table
            ),
        }
    }
}

/// The range of a window's time that the scan itself asks for.
fn asked_for(of: &Reading, window: &Window) -> Interval {
    let range = of.endpoint.ranges.iter().find(|range| range.after == window.after);
    match range.and_then(|range| of.narrowed.get(range.column)) {
        Some(Domain::Interval(interval)) => *interval,
        _ => Interval::ALL,
    }
}

async fn fetch(
    client: &Client,
    answers: Option<&Answers>,
    request: &Request,
    reading: u32,
    leaves: oneshot::Sender<()>,
) -> Fetched {
    let mut spent = Spent::default();
    let answer = if let Some(answers) = answers {
        answers.get(client, request, reading, &mut spent, leaves).await
    } else {
        let body = client.get_and_tell(request, &mut spent, Some(leaves)).await;
        body.map(|body| Received::now(client, body, &spent))
    };
    Fetched { answer, spent }
}

/// Waits until the request that waits for its slot has left; for ever where none does.
async fn left(sending: &mut Option<oneshot::Receiver<()>>) {
    match sending {
        // An error says that it never will: it was refused, or answered by another one's.
        Some(hears) => drop(hears.await),
        None => std::future::pending().await,
    }
}

async fn next_keys(keys: &mut Option<Keys>) -> Result<Option<Vec<Key>>> {
    match keys {
        Some(keys) => keys.next().await,
        None => std::future::pending().await,
    }
}

pub(super) fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
