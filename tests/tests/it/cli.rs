//! The command line as people see it: output, messages and exit code.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use ctct_tests::{ctct, project};

/// Runs a command and shows all that somebody would see.
fn seen(command: &mut Command) -> String {
    seen_with_input(command, "")
}

fn seen_with_input(command: &mut Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ctct starts");
    // A program that does not read its input may have closed it.
    drop(child.stdin.take().expect("piped").write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("ctct ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().map_or("a signal".to_owned(), |code| code.to_string());
    format!("exit {code}\n--- stdout\n{}--- stderr\n{}", text(&output.stdout), text(&output.stderr))
}

fn sandbox(arguments: &[&str]) -> String {
    seen(ctct().arg("--sandbox").args(arguments))
}

/// A connection as somebody would set it, to an address where nobody listens.
fn own_account(value: &str, arguments: &[&str]) -> String {
    seen(ctct().env("CONSTANT_CONTACT", value).args(arguments))
}

const VALUES: &str = "SELECT * FROM (VALUES \
    (1, 'plain', TIMESTAMP '2025-01-02T03:04:05Z', 1.5, [1, 2], true), \
    (2, 'a, \"b\" | c\u{1b}[31m', NULL, NULL, NULL, NULL)) AS t(id, text, at, number, list, flag)";

#[test]
fn every_format_for_text() {
    for format in ["table", "csv", "tsv", "json", "ndjson", "markdown"] {
        insta::assert_snapshot!(
            format!("format_{format}"),
            sandbox(&["--format", format, "-c", VALUES])
        );
    }
}

#[test]
fn every_format_for_programs() {
    for (format, magic) in [("parquet", &b"PAR1"[..]), ("arrow", &[0xff, 0xff, 0xff, 0xff][..])] {
        let mut command = ctct();
        command.args(["--sandbox", "--format", format, "-c", "SELECT * FROM segments"]);
        let output = command.output().expect("ctct runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.starts_with(magic), "{format}");
        // A second result would not be part of the file.
        let refused = sandbox(&["--format", format, "-c", "SELECT 1; SELECT 2"]);
        assert!(refused.starts_with("exit 1"), "{refused}");
    }
}

#[test]
fn an_empty_result_keeps_its_header() {
    let none = "SELECT name FROM segments WHERE false";
    assert_eq!(sandbox(&["--format", "csv", "-c", none]), "exit 0\n--- stdout\nname\n--- stderr\n");
    assert_eq!(sandbox(&["--format", "json", "-c", none]), "exit 0\n--- stdout\n[]\n--- stderr\n");
    assert_eq!(sandbox(&["--format", "ndjson", "-c", none]), "exit 0\n--- stdout\n--- stderr\n");
}

#[test]
fn counts_are_the_sandboxs() {
    let count = |contacts: &str| {
        sandbox(&[
            "--sandbox-contacts",
            contacts,
            "--format",
            "csv",
            "-c",
            "SELECT count(*) AS n FROM contacts",
        ])
    };
    assert_eq!(count("5000"), "exit 0\n--- stdout\nn\n4794\n--- stderr\n");
    assert_eq!(count("0"), "exit 0\n--- stdout\nn\n0\n--- stderr\n");
}

#[test]
fn a_plan_is_shown_line_by_line() {
    let explain =
        "EXPLAIN SELECT contact_id FROM contacts WHERE updated_at >= '2025-06-01' LIMIT 3";
    insta::assert_snapshot!(sandbox(&["-c", explain]));
}

#[test]
fn the_tour_is_a_pleasure() {
    let folder = tempfile::tempdir().expect("a folder");
    let tour = project().join("sql/tour.sql");
    let mut command = ctct();
    command.current_dir(folder.path()).args(["--sandbox", "--echo", "-f"]).arg(tour);
    insta::assert_snapshot!(seen(&mut command));
    assert!(folder.path().join("contacts_by_list.parquet").exists());
}

#[test]
fn sql_comes_from_everywhere_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("one.sql"), "SELECT 1 AS one").expect("written");
    let mut command = ctct();
    command.current_dir(folder.path()).args([
        "--format",
        "csv",
        "-f",
        "one.sql",
        "-c",
        "SELECT 2 AS two",
        "-f",
        "-",
    ]);
    let seen = seen_with_input(&mut command, "SELECT 3 AS three;");
    assert_eq!(seen, "exit 0\n--- stdout\none\n1\ntwo\n2\nthree\n3\n--- stderr\n");
    let piped = seen_with_input(ctct().args(["--format", "csv"]), "SELECT 4 AS four");
    assert_eq!(piped, "exit 0\n--- stdout\nfour\n4\n--- stderr\n");
}

#[test]
fn mistakes_say_what_was_meant() {
    insta::assert_snapshot!("unknown_table", sandbox(&["-c", "SELECT * FROM contact"]));
    insta::assert_snapshot!(
        "unknown_column",
        sandbox(&["-c", "SELECT emial_address FROM contacts"])
    );
    insta::assert_snapshot!("no_sql", sandbox(&["-c", "SELECT 1;\nSELEC 2"]));
    insta::assert_snapshot!("open_string", sandbox(&["-c", "SELECT 'open"]));
    insta::assert_snapshot!("no_such_file", sandbox(&["-f", "no_such_file.sql"]));
    insta::assert_snapshot!("no_connection", seen(ctct().args(["-c", "SELECT * FROM contacts"])));
    insta::assert_snapshot!(
        "unknown_connection",
        seen(ctct().args(["--conn", "SHOP", "-c", "SELECT 1"]))
    );
    insta::assert_snapshot!("unknown_argument", seen(ctct().arg("--sandbx")));
}

#[test]
fn a_script_says_where_it_failed_and_goes_no_further() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "SELECT 1 AS one;\n\n-- The second one fails.\nSELECT *\nFROM contact;\nSELECT 3 AS three;\n";
    std::fs::write(folder.path().join("script.sql"), script).expect("written");
    let mut command = ctct();
    command.current_dir(folder.path()).args(["--sandbox", "--format", "csv", "-f", "script.sql"]);
    insta::assert_snapshot!(seen(&mut command));
}

#[test]
fn a_connection_says_what_is_wrong_with_it() {
    let good = "type: api, spec: constant-contact";
    for (name, value) in [
        ("no_token", format!("{{ {good}, secrets: {{ client_id: key }} }}")),
        ("not_yaml", format!("{{ {good}, secrets: {{ client_id: \"S3CRET }} }}")),
        ("unknown_key", format!("{{ {good}, secret: {{ client_id: S3CRET }} }}")),
        ("no_client_id", format!("{{ {good}, secrets: {{ access_token: S3CRET }} }}")),
        ("no_mapping", "S3CRET".to_owned()),
        (
            "wrong_date",
            format!(
                "{{ {good}, secrets: {{ client_id: S3CRET }}, inputs: {{ anchor_date: 01/02/2020 }} }}"
            ),
        ),
        (
            "no_tls",
            format!(
                "{{ {good}, secrets: {{ client_id: S3CRET }}, inputs: {{ base_url: 'http://example.com/v3' }} }}"
            ),
        ),
    ] {
        let seen = own_account(&value, &["-c", "SELECT * FROM contacts"]);
        assert!(!seen.contains("S3CRET"), "{seen}");
        insta::assert_snapshot!(format!("connection_{name}"), seen);
    }
}

#[test]
fn a_server_that_is_down_is_temporary() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let value = format!(
        "{{ type: api, spec: constant-contact, secrets: {{ client_id: key, access_token: S3CRET }}, \
         inputs: {{ base_url: 'http://{address}/v3', requests_per_second: unlimited }} }}"
    );
    let seen = own_account(&value, &["-c", "SELECT * FROM contacts"]);
    insta::assert_snapshot!(seen.replace(&address.to_string(), "[ADDRESS]"));
}

#[test]
fn what_costs_much_is_asked_about() {
    // Nobody listens there: what is refused is refused before anything is sent.
    let value = "{ type: api, spec: constant-contact, secrets: { client_id: c, access_token: t }, \
         inputs: { base_url: 'http://127.0.0.1:1/v3', requests_per_day: 300 } }";
    let mut all = own_account(value, &["-c", "SELECT * FROM contacts"]);
    all.push_str(&own_account(value, &["-c", "EXPLAIN SELECT * FROM contacts"]));
    all.push_str(&own_account(value, &["-c", "EXPLAIN SELECT * FROM contacts LIMIT 10"]));
    all.push_str(&own_account(
        value,
        &["-c", "EXPLAIN SELECT * FROM contacts c JOIN contact_lists l ON l.name = c.last_name WHERE c.updated_at > '2025-01-01'"],
    ));
    all.push_str(&own_account(value, &["-c", "COPY contacts TO 'contacts.csv'"]));
    insta::assert_snapshot!(all);
    // What may well be less begins.
    let begun =
        own_account(value, &["-c", "SELECT * FROM contacts WHERE updated_at > '2025-01-01'"]);
    assert!(begun.starts_with("exit 6"), "{begun}");
    let agreed = own_account(value, &["--yes", "-c", "SELECT * FROM contacts"]);
    assert!(agreed.starts_with("exit 6") && agreed.contains("no complete answer"), "{agreed}");
}

#[test]
fn requests_can_be_limited() {
    let seen = sandbox(&["--max-requests", "2", "-c", "SELECT count(contact_id) FROM contacts"]);
    insta::assert_snapshot!(seen);
}

#[test]
fn help_starts_with_what_people_need() {
    insta::assert_snapshot!(seen(ctct().arg("--help")));
}

/// A sandbox served by another process, ended with the test.
struct Served {
    process: Child,
    connection: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        let mut command = ctct();
        command.args(["sandbox", "serve", "--listen", "127.0.0.1:0", "--quiet"]).args(arguments);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("ctct starts");
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        output.read_line(&mut line).expect("a line");
        let value = line
            .trim()
            .strip_prefix("export CONSTANT_CONTACT='")
            .and_then(|v| v.strip_suffix('\''));
        Self { connection: value.expect("a line for a shell").to_owned(), process }
    }

    fn query(&self, arguments: &[&str]) -> Command {
        let mut command = ctct();
        command.env("CONSTANT_CONTACT", &self.connection).args(arguments);
        command
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn a_served_sandbox_is_an_account_like_any_other() {
    let served = Served::start(&["--sandbox-contacts", "1200"]);
    let mut command =
        served.query(&["--format", "csv", "-c", "SELECT count(*) AS n FROM contacts"]);
    assert_eq!(seen(&mut command), "exit 0\n--- stdout\nn\n1145\n--- stderr\n");
    let mut command = served.query(&["--requests-per-second", "0", "-c", "SELECT 1"]);
    assert!(seen(&mut command).starts_with("exit 1\n"));
}

#[test]
fn whoever_stops_reading_is_left_in_peace() {
    let mut process = ctct()
        .args([
            "--sandbox",
            "--sandbox-contacts",
            "100000",
            "--format",
            "csv",
            "-c",
            "SELECT * FROM contacts",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ctct starts");
    let mut start = [0; 100];
    process.stdout.take().expect("piped").read_exact(&mut start).expect("some of it");
    let output = process.wait_with_output().expect("ctct ends");
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
