//! The figures that the project is held to, measured and printed; none is asserted.
//!
//! `cargo bench --workspace --bench figures` measures all; the names of some (`rate`, `cpu`,
//! `memory`, `replication`, `shell`) choose. Runs on Linux, whose `/proc` tells times and sizes of
//! processes; `replication` needs PostgreSQL and `shell` tmux, as the tests do.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program that prints what it measures"
)]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use arrow::json::ReaderBuilder;
use bytes::Bytes;
use ctct_client::{Client, Connection, Pace, PageChain, Request, Spent, Traffic};
use ctct_sandbox::{ACCESS_TOKEN, CLIENT_ID, Fault, FaultKind, Sandbox, Settings};
use ctct_tests::postgres::Database;
use ctct_tests::terminal::Terminal;
use datafusion_ctct::{SessionBuilder, arrow_schema};
use futures::StreamExt;

/// Processor time is counted in these.
const TICKS_PER_SECOND: f64 = 100.0;
/// How often what takes little time is measured.
const RUNS: u32 = 12;

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if let [serve, contacts] = arguments.as_slice()
        && serve == "serve"
    {
        runtime().block_on(serve_pages(contacts.parse().expect("a number")));
        return;
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|a| a == name);
    if wanted("cpu") {
        runtime().block_on(cpu());
    }
    if wanted("memory") {
        memory();
    }
    if wanted("shell") {
        shell();
    }
    if wanted("rate") {
        runtime().block_on(rate());
    }
    if wanted("replication") {
        runtime().block_on(replication());
    }
}

/// How long until the first prompt, and until the version; and what a million rows take on their
/// way to a pipe.
fn shell() {
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let version = || {
        let began = Instant::now();
        let done = ctct_tests::ctct().arg("--version").output().expect("ctct runs");
        assert!(done.status.success());
        began.elapsed()
    };
    let prompt = || {
        let mut program = ctct_tests::ctct();
        let began = Instant::now();
        let terminal = Terminal::open(program.arg("--sandbox"), (100, 30));
        terminal.wait_for("constant_contact>");
        began.elapsed()
    };
    let nothing = || {
        let began = Instant::now();
        let terminal = Terminal::open(Command::new("echo").arg("constant_contact>"), (100, 30));
        terminal.wait_for("constant_contact>");
        began.elapsed()
    };
    println!("shell: version after {:?}", median((0..21).map(|_| version()).collect()));
    println!(
        "shell: first prompt after {:?}, of which a terminal that echoes it takes {:?}",
        median((0..11).map(|_| prompt()).collect()),
        median((0..11).map(|_| nothing()).collect())
    );
    let server = Server::start(1_050_000);
    let mut ctct = server.ctct();
    ctct.args(["--format", "csv", "-c", "SELECT * EXCLUDE (custom) FROM contacts LIMIT 1000000"]);
    let mut process = ctct.stdout(Stdio::piped()).spawn().expect("ctct runs");
    let mut rows = BufReader::new(process.stdout.take().expect("piped"));
    let reading = std::thread::spawn(move || {
        let (mut lines, mut bytes) = (0_u64, 0_u64);
        let mut line = Vec::new();
        while rows.read_until(b'\n', &mut line).expect("it can be read") > 0 {
            (lines, bytes) = (lines + 1, bytes + line.len() as u64);
            line.clear();
        }
        (lines, bytes)
    });
    let most = most_memory(&mut process);
    let (lines, bytes) = reading.join().expect("read");
    println!(
        "shell: {lines} lines of CSV, {} MB, with {} MB of memory",
        bytes / 1_000_000,
        most / 1_000
    );
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// A sandbox for another process: it keeps its pages, and says where it is.
async fn serve_pages(contacts: u32) {
    let sandbox = Sandbox::start(Settings {
        contacts,
        keep_pages: contacts <= 200_000,
        ..Settings::default()
    });
    let sandbox = sandbox.await.expect("a sandbox");
    println!("{}", sandbox.base_url());
    std::future::pending::<()>().await;
}

/// A process that is stopped when this is dropped.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(contacts: u32) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["serve", &contacts.to_string()]).stdout(Stdio::piped());
        let mut process = command.spawn().expect("a process");
        let mut url = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut url).expect("a line");
        Self { process, url: url.trim().to_owned() }
    }

    fn connection(&self) -> Connection {
        Connection::new("SHOP", CLIENT_ID, &self.url)
            .expect("a loopback address")
            .with_access_token(ACCESS_TOKEN.to_owned())
            .with_pace(Pace::Unlimited)
    }

    /// `ctct` with this connection.
    fn ctct(&self) -> Command {
        self.ctct_since("1980-01-01")
    }

    /// The same, whose first incremental runs begin at a day.
    fn ctct_since(&self, anchor: &str) -> Command {
        let mut ctct = ctct_tests::ctct();
        ctct.env("SHOP", format!(
            "{{ type: api, spec: constant-contact, secrets: {{ client_id: {CLIENT_ID}, access_token: {ACCESS_TOKEN} }}, \
             inputs: {{ base_url: \"{}\", requests_per_second: unlimited, requests_per_day: 1000000, \
             anchor_date: \"{anchor}\" }} }}", self.url));
        ctct.args(["--yes", "--quiet"]);
        ctct
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// How many requests a second a scan sends at 4 a second, however slow the server is.
async fn rate() {
    const CONTACTS: u32 = 208_500;
    for milliseconds in [100, 500, 1_000] {
        let sandbox = Sandbox::start(Settings { contacts: CONTACTS, ..Settings::default() }).await;
        let sandbox = sandbox.expect("a sandbox");
        sandbox.inject(Fault {
            kind: FaultKind::Latency { milliseconds },
            path: String::new(),
            skip: 0,
            times: u32::MAX,
        });
        let connection = Connection::new("SHOP", CLIENT_ID, &sandbox.base_url())
            .expect("a loopback address")
            .with_access_token(ACCESS_TOKEN.to_owned())
            .with_pace(Pace::PerSecond(4.0));
        let period = Client::new(connection.clone(), Traffic::default().into()).period();
        let session = SessionBuilder::new().with_connection(connection).build().expect("a session");
        let frame = session.sql("SELECT contact_id FROM contacts").await.expect("a plan");
        let started = Instant::now();
        let mut rows = frame.execute_stream().await.expect("a stream");
        let mut count = 0;
        while let Some(batch) = rows.next().await {
            count += batch.expect("rows").num_rows();
        }
        let took = started.elapsed();
        let requests = sandbox.requests().len();
        let sent = as_f64(requests) / took.as_secs_f64();
        let paced = 1.0 / period.unwrap_or(Duration::from_secs(1)).as_secs_f64();
        println!(
            "rate, {milliseconds} ms: {count} rows, {} pages, {requests} requests in {:.1} s = {sent:.2}/s, {:.1} % of the paced {paced:.2}/s, {:.1} % of 4/s",
            count.div_ceil(500),
            took.as_secs_f64(),
            100.0 * sent / paced,
            100.0 * sent / 4.0
        );
    }
}

/// Processor time of a scan, as a ratio to that of arrow-json on the same bytes.
async fn cpu() {
    // As many as for the rate; of a few the start would take the larger part.
    let server = Server::start(200_000);
    let contacts = ctct_endpoints::find("contacts").expect("declared");
    let schema = arrow_schema(contacts);
    let everything = "custom_fields,list_memberships,notes,phone_numbers,street_addresses,taggings";
    for (name, columns, include) in
        [("all columns", "*", Some(everything)), ("two columns", "contact_id, updated_at", None)]
    {
        let sql = format!("EXPLAIN ANALYZE SELECT {columns} FROM contacts");
        let bodies = bodies(&server, include).await;
        let bytes: usize = bodies.iter().map(Bytes::len).sum();
        let wanted: Vec<usize> = match include {
            Some(_) => (0..schema.fields().len()).collect(),
            None => {
                ["contact_id", "updated_at"].map(|c| schema.index_of(c).expect("declared")).to_vec()
            }
        };
        let envelope = envelope(contacts, &wanted);
        let decode = || {
            for body in &bodies {
                let mut decoder = ReaderBuilder::new(envelope.clone())
                    .with_batch_size(2)
                    .with_coerce_primitive(true)
                    .build_decoder()
                    .expect("a decoder");
                decoder.decode(body).expect("JSON");
                decoder.flush().expect("a page");
            }
        };
        let run = || {
            let status = server.ctct().args(["-c", &sql]).stdout(Stdio::null()).status();
            assert!(status.expect("ctct runs").success());
        };
        // The first run makes the pages; the others read them. Times are told in hundredths of
        // a second, and machines have moods: many runs of both, in turns.
        run();
        let (mut spent, mut alone) = (0.0, 0.0);
        for _ in 0..RUNS {
            let before = children();
            run();
            spent += children() - before;
            let before = this();
            decode();
            alone += this() - before;
        }
        let (spent, alone) = (spent / f64::from(RUNS), alone / f64::from(RUNS));
        println!(
            "cpu, {name}: ctct {spent:.3} s, arrow-json alone {alone:.3} s for {} pages of {} MB: {:.2} times",
            bodies.len(),
            bytes >> 20,
            spent / alone
        );
    }
}

/// The envelope of a page around these columns of contacts, as one record.
fn envelope(contacts: &ctct_endpoints::Endpoint, wanted: &[usize]) -> arrow::datatypes::SchemaRef {
    use arrow::datatypes::{DataType, Field, Fields, Schema};
    use std::collections::BTreeMap;
    let schema = arrow_schema(contacts);
    let mut nested: BTreeMap<&str, Vec<Field>> = BTreeMap::new();
    let mut members: Vec<Field> = Vec::new();
    for index in wanted {
        let (field, column) = (&contacts.fields[*index], schema.field(*index));
        let member = Field::new(field.member, column.data_type().clone(), true);
        match field.parents {
            [] => members.push(member),
            [parent, ..] => nested.entry(parent).or_default().push(member),
        }
    }
    for (name, fields) in nested {
        members.push(Field::new(name, DataType::Struct(fields.into()), true));
    }
    let row = DataType::Struct(Fields::from(members));
    let href = Field::new("href", DataType::Utf8, true);
    let next = Field::new("next", DataType::Struct(vec![href].into()), true);
    let links = Field::new("_links", DataType::Struct(vec![next].into()), true);
    let rows = Field::new("contacts", DataType::new_list(row, true), true);
    Schema::new(vec![rows, links, Field::new("contacts_count", DataType::Int64, true)]).into()
}

/// The bodies of all pages of contacts.
async fn bodies(server: &Server, include: Option<&str>) -> Vec<Bytes> {
    let client = Client::new(server.connection(), Traffic::default().into());
    let contacts = ctct_endpoints::find("contacts").expect("declared");
    let include = include.map(|include| ("include", include.to_owned()));
    let parameters: Vec<_> =
        include.into_iter().chain([("include_count", "true".to_owned())]).collect();
    let mut chain =
        PageChain::new(client.base_url().clone(), Request::first(contacts, &parameters, 500));
    let mut bodies = Vec::new();
    while let Some(request) = chain.request().cloned() {
        let body = client.get(&request, &mut Spent::default()).await.expect("a page");
        let page: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        chain.advance(page["_links"]["next"]["href"].as_str()).expect("followed");
        bodies.push(body);
    }
    bodies
}

/// The most memory that a copy of five million contacts takes.
fn memory() {
    let server = Server::start(5_210_000);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("contacts.parquet");
    let sql = format!("COPY (SELECT * FROM contacts) TO '{}'", file.display());
    let mut ctct = server.ctct();
    let started = Instant::now();
    let mut process = ctct.args(["-c", &sql]).spawn().expect("ctct runs");
    let most = most_memory(&mut process);
    let size = std::fs::metadata(&file).map(|file| file.len()).unwrap_or_default();
    println!(
        "memory: COPY of the contacts of an account of 5,210,000 (4 % are deleted): at most {} MB, {:.0} s, {} MB of Parquet",
        most / 1_000,
        started.elapsed().as_secs_f64(),
        size / 1_000_000
    );
}

/// How fast contacts come into PostgreSQL, against `psql` copying the same rows from a file into
/// an equal table.
async fn replication() {
    let server = Server::start(1_045_000);
    let database = Database::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("replication.yaml");
    let run = |anchor: &str, mode: &str| {
        let text = format!(
            "source: SHOP\ntarget: MY_POSTGRES\nstreams:\n  contacts: {{ mode: {mode}, object: crm.contacts }}\n"
        );
        std::fs::write(&file, text).expect("written");
        let mut ctct = server.ctct_since(anchor);
        ctct.env("MY_POSTGRES", database.settings()).args(["run", "-r"]).arg(&file);
        let started = Instant::now();
        let mut process = ctct.stdout(Stdio::null()).spawn().expect("ctct runs");
        let most = most_memory(&mut process);
        (started.elapsed().as_secs_f64(), most)
    };
    let psql = |command: &str| {
        let started = Instant::now();
        assert!(database.psql(command).status().expect("psql runs").success(), "{command}");
        started.elapsed().as_secs_f64()
    };
    let client = database.connect().await;
    let count =
        async |sql: &str| -> i64 { client.query_one(sql, &[]).await.expect("a row").get(0) };

    let (took, most) = run("1980-01-01", "full-refresh");
    let rows = count("SELECT count(*) FROM crm.contacts").await;
    let csv = folder.path().join("contacts.csv");
    psql(&format!("\\copy crm.contacts TO '{}' csv", csv.display()));
    psql("CREATE TABLE crm.copied (LIKE crm.contacts INCLUDING ALL)");
    let alone = psql(&format!("\\copy crm.copied FROM '{}' csv", csv.display()));
    psql("DROP TABLE crm.copied");
    println!(
        "replication, full refresh of {rows} contacts: {took:.1} s, psql's COPY {alone:.1} s: {:.2} of its rate; at most {} MB",
        alone / took,
        most / 1_000
    );

    // What changed since some day differs in the target, which forgets how far it had come.
    let day = "SELECT updated_at::date::text FROM crm.contacts ORDER BY updated_at DESC OFFSET 100000 LIMIT 1";
    let day: String = client.query_one(day, &[]).await.expect("a day").get(0);
    psql(&format!(
        "UPDATE crm.contacts SET first_name = 'x', _ctct_changed_at = now() - interval '1 day' \
         WHERE updated_at >= '{day}'"
    ));
    psql("UPDATE _ctct.state SET state = '{}'");
    psql("VACUUM ANALYZE crm.contacts");
    let (took, most) = run(&day, "incremental");
    let changed =
        count("SELECT coalesce(sum(inserted + updated), 0)::bigint FROM _ctct.runs WHERE mode = 'incremental'").await;
    #[expect(clippy::cast_precision_loss, reason = "numbers of rows are small")]
    let share = (changed as f64 / took) / (rows as f64 / alone);
    println!(
        "replication, upsert of {changed} changed contacts: {took:.1} s: {share:.2} of COPY's rate; at most {} MB",
        most / 1_000
    );
    run(&day, "incremental");
    let (requests, written) = (
        count("SELECT requests FROM _ctct.runs ORDER BY ended_at DESC LIMIT 1").await,
        count("SELECT inserted + updated + deleted FROM _ctct.runs ORDER BY ended_at DESC LIMIT 1")
            .await,
    );
    println!("replication, a run without changes: {requests} requests, {written} rows written");
}

/// Waits for a process, and tells the most memory that it took, in kilobytes.
fn most_memory(process: &mut Child) -> u64 {
    let status = PathBuf::from(format!("/proc/{}/status", process.id()));
    let mut most = 0;
    loop {
        if let Some(ended) = process.try_wait().expect("a process") {
            assert!(ended.success(), "{ended}");
            return most;
        }
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes =
            line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok());
        most = most.max(kilobytes.unwrap_or(0_u64));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Processor time of this process, in seconds.
fn this() -> f64 {
    times(13)
}

/// Processor time of the processes that this one has waited for, in seconds.
fn children() -> f64 {
    times(15)
}

/// Two neighbouring fields of `/proc/self/stat`, time in user and in system mode.
fn times(first: usize) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    // The name of the program, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| fields[index - 2].parse::<f64>().expect("a number");
    (ticks(first) + ticks(first + 1)) / TICKS_PER_SECOND
}

#[expect(clippy::cast_precision_loss, reason = "numbers of requests are small")]
fn as_f64(number: usize) -> f64 {
    number as f64
}
