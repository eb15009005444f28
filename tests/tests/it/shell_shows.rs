//! What people see of every command of the shell, and of every format, hostile content included.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use arrow::array::{AsArray, RecordBatch};
use ctct_sandbox::{ACCESS_TOKEN, CLIENT_ID, Sandbox, Settings};
use ctct_tests::ctct;
use ctct_tests::terminal::Terminal;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Escape sequences, marks that turn the writing, line breaks, separators of every format, wide
/// letters, nulls, numbers, times and what is nested.
const HOSTILE: &str = "SELECT * FROM (VALUES \
    (1, chr(27) || '[31mred' || chr(7) || chr(8238) || 'back' || chr(155) || '2J', 12345.5, \
     TIMESTAMP '2026-01-02T03:04:05Z', make_array('a', NULL), named_struct('k', 'v|\"')), \
    (2, 'a|b,c' || chr(9) || '\"d\"' || chr(10) || '日本語 🙂', -0.25, NULL, make_array(), NULL), \
    (NULL, NULL, NULL, NULL, NULL, NULL)) AS t(id, \"na|me\", amount, at, list, object) ORDER BY id";

fn sandboxed() -> Command {
    let mut program = ctct();
    program.arg("--sandbox");
    program
}

fn output(program: &mut Command) -> (Option<i32>, Vec<u8>, String) {
    let output = program.output().expect("ctct runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), output.stdout, told)
}

#[test]
fn every_format_keeps_what_is_hostile_from_doing_anything() {
    let mut seen = String::new();
    for arguments in [
        &["--format", "table"][..],
        &["--format", "table", "--expanded"],
        &["--format", "table", "--null", "∅", "--maxrows", "2"],
        &["--format", "markdown"],
        &["--format", "csv"],
        &["--format", "csv", "--null", "\\N"],
        &["--format", "tsv"],
        &["--format", "json"],
        &["--format", "ndjson"],
    ] {
        let (code, said, told) = output(sandboxed().args(arguments).args(["-c", HOSTILE]));
        let said = String::from_utf8(said).expect("text");
        assert_eq!((code, told.as_str()), (Some(0), ""), "{arguments:?}");
        let is_for_people = matches!(arguments[1], "table" | "markdown");
        let steers =
            |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!is_for_people || !said.contains(steers), "{arguments:?}: {said:?}");
        // What machines read has the values as they are; here they are made visible.
        let shown: String = said
            .chars()
            .map(|c| {
                if steers(c) && c != '\t' { format!("<{:x}>", u32::from(c)) } else { c.to_string() }
            })
            .collect();
        let _ = writeln!(seen, "$ ctct {}\n{shown}", arguments.join(" "));
    }
    insta::assert_snapshot!(seen);
}

#[test]
fn files_of_arrow_and_parquet_have_the_values_as_they_are() {
    let text = |batches: &[RecordBatch]| -> Vec<Option<String>> {
        let columns = batches.iter().map(|batch| {
            arrow::compute::cast(batch.column(1), &arrow::datatypes::DataType::Utf8).expect("text")
        });
        columns
            .flat_map(|c| {
                c.as_string::<i32>().iter().map(|t| t.map(str::to_owned)).collect::<Vec<_>>()
            })
            .collect()
    };
    let expected = [
        Some("\u{1b}[31mred\u{7}\u{202e}back\u{9b}2J".to_owned()),
        Some("a|b,c\t\"d\"\n日本語 🙂".to_owned()),
        None,
    ];
    let (_, bytes, _) = output(sandboxed().args(["--format", "arrow", "-c", HOSTILE]));
    let reader =
        arrow::ipc::reader::StreamReader::try_new(bytes.as_slice(), None).expect("a stream");
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.expect("a batch")).collect();
    assert_eq!(text(&batches), expected);
    let (_, data, _) = output(sandboxed().args(["--format", "parquet", "-c", HOSTILE]));
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(&data).expect("written");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("a file");
    let batches: Vec<RecordBatch> =
        reader.build().expect("a reader").map(|batch| batch.expect("a batch")).collect();
    assert_eq!(text(&batches), expected);
}

/// What differs from day to day, replaced.
fn settled(line: &str) -> String {
    let mut line = line.trim_end().to_owned();
    if let Some(at) = line.find(" s, ").filter(|_| line.contains(" request")) {
        let begin = line[..at].rfind(' ').map_or(0, |begin| begin + 1);
        line.replace_range(begin..at, "T");
    }
    let is_date = |part: &str| {
        let digits = part.chars().filter(char::is_ascii_digit).count();
        part.len() == 10 && digits == 8 && part.matches('-').count() == 2
    };
    if line.starts_with("renews at") || line.contains(" requests used on ") {
        let words: Vec<&str> = line.split(' ').collect();
        let words = words.into_iter().map(|word| if is_date(word) { "DAY" } else { word });
        line = words.collect::<Vec<_>>().join(" ");
    }
    // The milliseconds of a request.
    let cells: Vec<&str> = line.split('│').collect();
    if let [first @ .., milliseconds, failure, last] = cells.as_slice()
        && milliseconds.trim().parse::<u32>().is_ok()
        && failure.trim() == "NULL"
    {
        let width = milliseconds.chars().count();
        line = format!("{}│{:>width$}│{failure}│{last}", first.join("│"), "T ");
    }
    line
}

/// Each command in its turn, on a screen that is cleared before it.
#[test]
fn every_command_shows_what_it_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(
        file("script.sql"),
        "SELECT 1 AS one;\n\\x on\nSELECT 2 AS two;\n\\x off\nSELECT oops;\n",
    )
    .expect("written");
    let mut program = sandboxed();
    program.env("NO_COLOR", "1").args(["--no-pager", "--sandbox-contacts", "600"]);
    let terminal = Terminal::open(&program, (110, 60));
    terminal.wait_for("constant_contact>");
    let mut seen = String::new();
    let commands = [
        "\\?".to_owned(),
        "\\dv".to_owned(),
        "\\d contact_lists".to_owned(),
        "\\d views.list_growth".to_owned(),
        "\\d contact_lsts".to_owned(),
        "\\l".to_owned(),
        "\\c".to_owned(),
        "\\c elsewhere".to_owned(),
        "\\quota".to_owned(),
        "\\g".to_owned(),
        "SELECT count(*) AS n FROM contact_tags;".to_owned(),
        "\\requests".to_owned(),
        "\\g".to_owned(),
        "\\gx".to_owned(),
        "\\x".to_owned(),
        "\\x auto".to_owned(),
        ".expanded off".to_owned(),
        "\\timing".to_owned(),
        "SELECT NULL AS nothing;".to_owned(),
        "\\timing on".to_owned(),
        "\\pset null (none)".to_owned(),
        "SELECT NULL AS nothing;".to_owned(),
        ".nullvalue".to_owned(),
        "\\pset border 2".to_owned(),
        "\\pset pager on".to_owned(),
        "\\pset pager off".to_owned(),
        "\\maxrows 2".to_owned(),
        "SELECT name FROM contact_lists ORDER BY name;".to_owned(),
        "\\maxrows 0".to_owned(),
        "\\format csv".to_owned(),
        "SELECT 'a,b' AS text;".to_owned(),
        ".mode parquet".to_owned(),
        "\\format tabel".to_owned(),
        "\\format table".to_owned(),
        format!("\\once {}", file("once.txt")),
        "SELECT 'to a file' AS text;".to_owned(),
        format!("\\o {}", file("out.txt")),
        "SELECT 'to another' AS text;".to_owned(),
        "\\o".to_owned(),
        format!("\\o {}", file("out.txt")),
        format!("\\i {}", file("script.sql")),
        format!("\\i {}", file("missing.sql")),
        "SELECT * FROM (VALUES ('a', 3), ('b', 1)) AS t(name, n);".to_owned(),
        "\\chart".to_owned(),
        "\\chart bar nmae".to_owned(),
        "SELECT 1; SELECT 2 AS last_one;".to_owned(),
        "\\watch 0".to_owned(),
        "\\timng".to_owned(),
        "CREATE VIEW mine AS SELECT name FROM contact_lists;".to_owned(),
        "\\d mine".to_owned(),
        format!("COPY (SELECT 1 AS one) TO '{}';", file("script.sql/x.csv")),
        "SELECT list_id FROM contacts JOIN contact_lists USING (nmae);".to_owned(),
        "help".to_owned(),
    ];
    let prompt = "constant_contact>";
    for command in commands {
        terminal.key("C-l");
        terminal.wait("an empty screen", |screen| screen.trim() == prompt);
        terminal.enter(&command);
        let screen = terminal.wait(&command, |screen| {
            screen.ends_with(prompt) && screen.matches(prompt).count() >= 2
                || (screen.ends_with(prompt) && screen.lines().count() > 20)
        });
        let screen = screen.replace(&folder.path().display().to_string(), "FOLDER");
        let lines: Vec<String> = screen.lines().map(settled).collect();
        let shown = lines.join("\n");
        let shown = shown.trim_end().trim_end_matches(prompt).trim_end();
        let _ = writeln!(seen, "{shown}\n");
    }
    insta::assert_snapshot!(seen);
    let written = |name: &str| std::fs::read_to_string(file(name)).expect(name);
    assert!(written("once.txt").contains("to a file") && !written("once.txt").contains("another"));
    assert!(written("out.txt").contains("to another"));
    let mode = std::fs::metadata(file("out.txt")).expect("it is there").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
}

#[test]
fn tables_and_functions_are_listed_without_a_request() {
    let mut program = sandboxed();
    program.env("NO_COLOR", "1").args(["--no-pager", "--maxrows", "70"]);
    let terminal = Terminal::open(&program, (110, 300));
    let prompt = "constant_contact>";
    terminal.wait_for(prompt);
    for (command, expected) in
        [("\\d", &["contacts", "email_opens"]), ("\\df", &["abs", "array_has"])]
    {
        terminal.key("C-l");
        terminal.wait("an empty screen", |screen| screen.trim() == prompt);
        terminal.enter(command);
        let screen =
            terminal.wait(command, |screen| screen.ends_with(prompt) && screen.contains('└'));
        for name in expected {
            assert!(screen.contains(&format!("│ {name} ")), "{name}: {screen}");
        }
    }
    terminal.enter("\\quota");
    terminal.wait_for(": 0 of 10,000 requests used");
}

#[test]
fn what_is_around_the_shell_is_there() {
    let run = |arguments: &[&str]| {
        let (code, said, told) = output(ctct().args(arguments));
        (code, String::from_utf8_lossy(&said).into_owned(), told)
    };
    let (code, said, _) = run(&["help", "exit-codes"]);
    assert_eq!(code, Some(0));
    for number in ["0  ", "3  ", "5  ", "130  "] {
        assert!(said.contains(&format!(" {number}")), "{said}");
    }
    let (_, said, _) = run(&["help", "conns", "set"]);
    assert!(said.contains("ctct conns set"), "{said}");
    let (code, _, told) = run(&["help", "conn"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("did you mean conns?"), "{told}");
    for (shell, sign) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef ctct"),
        ("fish", "complete -c ctct"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let (code, said, told) = run(&["completions", shell]);
        assert_eq!((code, told.as_str()), (Some(0), ""), "{shell}");
        assert!(said.contains(sign) && said.contains("sandbox-contacts"), "{shell}");
    }
    let (_, said, _) = run(&["man"]);
    assert!(said.starts_with(".ie") && said.contains(".TH ctct 1"), "{said}");
    let (_, said, _) = run(&["--version"]);
    assert!(said.starts_with("ctct 0.") && said.contains("(DataFusion 55."), "{said}");
    // Examples come before options.
    let (_, said, _) = run(&["--help"]);
    let place = |text: &str| said.find(text).unwrap_or_else(|| panic!("no {text}: {said}"));
    assert!(
        place("Examples:") < place("Usage:") && place("Usage:") < place("--sandbox-seed"),
        "{said}"
    );
}

#[test]
fn colours_are_where_somebody_wants_them() {
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut program = sandboxed();
        let program = program.args(arguments).args(["-c", "SELECT oops"]);
        let (_, _, told) = output(program.envs(variables.iter().copied()));
        told.contains("\u{1b}[31")
    };
    assert!(!coloured(&[], &[]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("FORCE_COLOR", "1")]));
    assert!(!coloured(&[], &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured(&[], &[("NO_COLOR", ""), ("CLICOLOR_FORCE", "0")]));
    assert!(!coloured(&["--color", "never"], &[("FORCE_COLOR", "1")]));
    let mut program = sandboxed();
    let terminal = Terminal::open(program.arg("--no-input"), (100, 20));
    terminal.wait_for("constant_contact>");
}

/// Whoever reads a result and leaves ends the query: quietly, and without a further request.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_ends_the_requests() {
    let settings = Settings { contacts: 40_000, campaigns: 1, ..Settings::default() };
    let sandbox = Sandbox::start(settings).await.expect("a sandbox");
    let connection = format!(
        "{{ type: api, spec: constant-contact, secrets: {{ client_id: {CLIENT_ID}, access_token: {ACCESS_TOKEN} }}, \
         inputs: {{ base_url: \"{}\", requests_per_second: unlimited }} }}",
        sandbox.base_url()
    );
    let mut program = ctct();
    program.env("CONSTANT_CONTACT", connection).args(["--format", "csv"]);
    program.args(["-c", "SELECT contact_id, email_address FROM contacts"]);
    let ended = tokio::task::spawn_blocking(move || {
        let (stdout, stderr) = (std::process::Stdio::piped(), std::process::Stdio::piped());
        let mut process = program.stdout(stdout).stderr(stderr).spawn().expect("ctct runs");
        let mut head = [0; 64];
        let mut reader = process.stdout.take().expect("a pipe");
        std::io::Read::read_exact(&mut reader, &mut head).expect("a beginning");
        drop(reader);
        process.wait_with_output().expect("it ends")
    })
    .await
    .expect("waited");
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
    // There are eighty pages.
    assert!(sandbox.requests().len() < 40, "{}", sandbox.requests().len());
}
