//! The shell in a real terminal: keys are pressed, and the screen is read.

use ctct_sandbox::{ACCESS_TOKEN, CLIENT_ID, Sandbox, Settings};
use ctct_tests::terminal::Terminal;
use ctct_tests::{ctct, project};

/// A shell over a made-up account, wide and high enough for most.
fn shell(arguments: &[&str]) -> Terminal {
    let mut program = ctct();
    program.env("PATH", "/usr/bin:/bin").env("NO_COLOR", "1");
    let terminal = Terminal::open(program.arg("--sandbox").args(arguments), (100, 30));
    terminal.wait_for("constant_contact>");
    terminal
}

/// Waits until the next line can be typed: a key that is pressed before edits nothing.
fn ready(shell: &Terminal) {
    shell.wait("a prompt", |screen| screen.ends_with("constant_contact>"));
}

/// What the screen shows after the last prompt that has this behind it.
fn after<'a>(screen: &'a str, line: &str) -> &'a str {
    let at = screen.rfind(line).unwrap_or_else(|| panic!("{line} is not on the screen:\n{screen}"));
    screen.get(at..).unwrap_or_default()
}

#[test]
fn tab_completes_what_can_stand_in_its_place() {
    let shell = shell(&[]);
    shell.text("SELECT em FROM custom_f");
    shell.key("Tab");
    shell.wait_for("FROM custom_fields");
    shell.key("C-u");
    shell.text("SELECT * FROM contacts c WHERE c.email_a");
    shell.key("Tab");
    shell.wait_for("c.email_address");
    shell.text(" IS NULL AND c.updated");
    shell.key("Tab");
    shell.wait_for("c.updated_at");
    // Several that may be meant are listed.
    shell.key("C-u");
    shell.text("\\d contact_l");
    shell.key("Tab");
    shell.key("Tab");
    shell.wait_for("contact_list_memberships");
    shell.key("C-u");
    shell.text("\\format n");
    shell.key("Tab");
    shell.wait_for("\\format ndjson");
    shell.key("C-u");
    shell.text("SELECT * FROM '/etc/host");
    shell.key("Tab");
    shell.key("Tab");
    shell.wait_for("hostname");
    shell.key("C-u");
    // Nothing was asked of anybody.
    shell.enter("\\quota");
    shell.wait_for(": 0 of 10,000 requests used");
}

#[test]
fn a_statement_takes_many_lines_and_can_be_had_again() {
    let shell = shell(&[]);
    shell.enter("SELECT count(*) AS contacts");
    shell.wait_for("a semicolon ends the statement");
    shell.enter("FROM contacts");
    shell.enter("-- those who are there; and not");
    shell.enter(";");
    let screen = shell.wait_for("1 row, 1 request");
    assert!(screen.contains("│ contacts │"), "{screen}");
    ready(&shell);
    // The whole statement comes back with one key.
    shell.key("Up");
    shell.wait("the statement", |screen| screen.matches("FROM contacts").count() >= 2);
    shell.key("C-c");
    ready(&shell);
    // What was begun is given up without leaving.
    shell.enter("SELECT 'open");
    shell.wait_for("SELECT 'open");
    shell.key("C-c");
    ready(&shell);
    shell.enter("SELECT 1 + 1 AS two;");
    let screen = shell.wait_for("│   2 │");
    assert!(!screen.contains("leaves; so does"), "{screen}");
    ready(&shell);
    // What begins as a statement before does is suggested, and one key takes it.
    shell.text("SELECT 1 + 1");
    shell.wait_for("SELECT 1 + 1 AS two;\n┌─────┐");
    shell.wait("a suggestion", |screen| screen.ends_with("SELECT 1 + 1 AS two;"));
    shell.key("Right");
    shell.key("Enter");
    shell.wait("it again", |screen| screen.matches("│   2 │").count() == 2);
    ready(&shell);
    // Another line for a command that follows its statement.
    shell.enter("SELECT 1 AS one, 2 AS two \\gx");
    shell.wait_for("two │ 2");
}

#[test]
fn ctrl_c_cancels_the_statement_and_twice_leaves() {
    let shell = shell(&["--sandbox-contacts", "90000", "--requests-per-second", "2"]);
    shell.enter("SELECT email_address FROM contacts ORDER BY 1;");
    shell.wait_for(" left today");
    shell.key("C-c");
    let screen = shell.wait_for("cancelled");
    let after = after(&screen, "ORDER BY 1;");
    assert!(!after.contains("pages"), "the line of progress is gone: {screen}");
    shell.wait("a prompt", |screen| screen.trim_end().ends_with("constant_contact>"));
    shell.key("C-c");
    shell.wait_for("ended with 130");
}

#[test]
fn what_is_typed_ahead_is_kept() {
    let shell = shell(&["--sandbox-contacts", "3500", "--requests-per-second", "2"]);
    shell.enter("SELECT min(email_address) AS least FROM contacts;");
    shell.wait_for(" left today");
    shell.enter("SELECT 42 AS ahead;");
    shell.text("SELECT 43 AS");
    shell.wait_for("│    42 │");
    shell.wait("what was typed", |screen| screen.ends_with("> SELECT 43 AS"));
    shell.enter(" twice;");
    shell.wait_for("│    43 │");
}

#[test]
fn two_interrupts_at_an_empty_line_leave() {
    let shell = shell(&[]);
    shell.key("C-c");
    shell.wait_for("Ctrl-C once more leaves");
    ready(&shell);
    shell.enter("SELECT 1 AS one;");
    shell.wait_for("│   1 │");
    ready(&shell);
    shell.key("C-d");
    shell.wait_for("ended with 0");
}

#[test]
fn watch_runs_again_until_it_is_ended() {
    let shell = shell(&[]);
    shell.enter("\\watch");
    shell.wait_for("no statement was run yet");
    ready(&shell);
    shell.enter("SELECT count(*) AS n FROM contacts;");
    shell.wait_for("1 row, 1 request");
    ready(&shell);
    shell.enter("\\watch 1");
    shell.wait("three results", |screen| screen.matches("again in 1 s").count() >= 2);
    shell.key("C-c");
    ready(&shell);
    shell.enter("SELECT 'still here' AS said;");
    shell.wait_for("│ still here │");
}

#[test]
fn rows_that_are_too_wide_are_shown_line_by_line_and_many_are_narrowed() {
    let shell = shell(&["--no-pager", "--maxrows", "12"]);
    shell.enter("SELECT * EXCLUDE (custom) FROM contacts WHERE contact_id = (SELECT max(contact_id) FROM contacts);");
    let screen = shell.wait_for("1 row,");
    assert!(screen.contains("│") && !screen.contains("┌"), "{screen}");
    ready(&shell);
    shell.enter("SELECT * FROM contacts;");
    let screen = shell.wait_for("columns; \\x on or --expanded on shows all");
    let table = after(&screen, "SELECT * FROM contacts;");
    assert!(table.contains("… the first 12 of 4,"), "the true count: {screen}");
    assert!(
        table.lines().filter(|line| line.starts_with('│')).all(|line| line.contains(" … ")),
        "{screen}"
    );
    ready(&shell);
    shell.enter("\\x");
    shell.wait_for("rows are shown line by line");
    ready(&shell);
    shell.enter("SELECT 1 AS one;");
    shell.wait_for("one │ 1");
    ready(&shell);
    shell.enter("\\x off");
    shell.wait_for("rows are shown as a table");
    ready(&shell);
    shell.enter("SELECT 2 AS two;");
    shell.wait_for("│ two │");
}

#[test]
fn what_is_longer_than_the_screen_is_paged() {
    let shell = shell(&[]);
    shell.enter("SELECT contact_id FROM contacts LIMIT 100;");
    let screen = shell.wait("the first page", |screen| screen.trim_end().ends_with(':'));
    assert!(!screen.contains("100 rows"), "{screen}");
    shell.key("q");
    shell.wait_for("100 rows, 1 request");
    ready(&shell);
    shell.enter("\\pset pager off");
    shell.wait_for("at once");
    ready(&shell);
    shell.enter("SELECT contact_id FROM contacts LIMIT 90;");
    shell.wait_for("90 rows, 1 request");
}

#[test]
fn an_editor_gives_back_what_it_was_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let editor = folder.path().join("editor");
    std::fs::write(&editor, "#!/bin/sh\nsed -i 's/1 AS/41 + 1 AS/' \"$1\"\n").expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&editor, mode).expect("it can be run");
    let mut program = ctct();
    program.env("PATH", "/usr/bin:/bin").env("NO_COLOR", "1").env("EDITOR", &editor);
    let terminal = Terminal::open(program.arg("--sandbox"), (100, 30));
    terminal.wait_for("constant_contact>");
    terminal.enter("SELECT 1 AS answer;");
    terminal.wait_for("1 row");
    ready(&terminal);
    terminal.enter("\\e");
    terminal.wait_for("> SELECT 41 + 1 AS answer;");
    terminal.key("Enter");
    terminal.wait_for("│     42 │");
}

#[test]
fn without_a_connection_two_ways_on_are_shown_and_offered() {
    let mut program = ctct();
    let home = program.get_envs().find(|(name, _)| *name == "CTCT_HOME").and_then(|(_, v)| v);
    let home = std::path::PathBuf::from(home.expect("a home of its own"));
    program.env("NO_COLOR", "1");
    let terminal = Terminal::open(&program, (80, 30));
    let screen = terminal.wait_for("s, a or Enter:");
    assert!(screen.contains("ctct --sandbox") && screen.contains("developer portal"), "{screen}");
    assert!(screen.lines().count() <= 7, "{screen}");
    terminal.enter("x");
    terminal.wait_for("\"x\" is neither s nor a");
    // An account, given up at its first question.
    terminal.enter("a");
    terminal.wait_for("API key (client_id):");
    terminal.key("Enter");
    terminal.wait("the question", |screen| screen.matches("s, a or Enter:").count() == 3);
    terminal.enter("s");
    terminal.wait_for("A made-up account");
    ready(&terminal);
    terminal.enter("SELECT count(*) AS n FROM contact_lists;");
    terminal.wait_for("1 row, 1 request");
    ready(&terminal);
    terminal.enter(" SELECT 'a secret';");
    terminal.wait_for("│ a secret");
    ready(&terminal);
    terminal.enter("\\q");
    terminal.wait_for("ended with 0");
    // What was typed is remembered, but not what began with a space; and nobody else may read it.
    let history = home.join("history");
    let kept = std::fs::read_to_string(&history).expect("a history");
    assert!(kept.contains("contact_lists") && !kept.contains("a secret"), "{kept}");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&history).expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_account_that_is_set_up_in_the_shell_is_kept_without_its_secret_being_shown() {
    let mut program = ctct();
    let home = program.get_envs().find(|(name, _)| *name == "CTCT_HOME").and_then(|(_, v)| v);
    let home = std::path::PathBuf::from(home.expect("a home of its own"));
    // No browser is to be opened, and what the login says is not pasted.
    program.env("NO_COLOR", "1");
    let terminal = Terminal::open(&program, (100, 40));
    terminal.wait_for("s, a or Enter:");
    terminal.enter("a");
    terminal.wait_for("API key (client_id):");
    terminal.enter("my-api-key");
    terminal.wait_for("Secret, which is not shown");
    terminal.enter("S3CRET");
    let screen = terminal.wait_for("CONSTANT_CONTACT is set in");
    assert!(!screen.contains("S3CRET"), "{screen}");
    let kept = std::fs::read_to_string(home.join("env.yaml")).expect("env.yaml");
    assert!(kept.contains("my-api-key") && kept.contains("S3CRET"), "{kept}");
    terminal.wait_for("https://authz.constantcontact.com");
    terminal.key("C-c");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_connection_is_used_by_its_name() {
    let sandbox = Sandbox::start(Settings { contacts: 300, ..Settings::default() }).await;
    let sandbox = sandbox.expect("a sandbox");
    let connection = format!(
        "{{ type: api, spec: constant-contact, secrets: {{ client_id: {CLIENT_ID}, access_token: {ACCESS_TOKEN} }}, \
         inputs: {{ base_url: \"{}\", requests_per_second: unlimited }} }}",
        sandbox.base_url()
    );
    let mut program = ctct();
    program
        .env("NO_COLOR", "1")
        .env("CONSTANT_CONTACT", &connection)
        .env("OTHER_SHOP", &connection);
    program.env("WAREHOUSE", "{ type: postgres, host: /nowhere, database: d }");
    let terminal = Terminal::open(&program, (120, 30));
    terminal.wait_for("constant_contact>");
    terminal.enter("\\l");
    let screen = terminal.wait_for("└");
    assert!(screen.contains("other_shop") && screen.contains("warehouse"), "{screen}");
    ready(&terminal);
    terminal.enter("\\c other_shp");
    terminal.wait_for("did you mean OTHER_SHOP?");
    ready(&terminal);
    terminal.text("\\c other_s");
    terminal.key("Tab");
    terminal.wait_for("\\c other_shop");
    terminal.key("Enter");
    terminal.wait_for("other_shop>");
    terminal.enter("SELECT count(*) AS n FROM contacts;");
    terminal.wait_for("1 row, 1 request");
    // A database that is not there is no concern of others, and says so itself.
    terminal.wait("a prompt", |screen| screen.ends_with("other_shop>"));
    terminal.enter("SELECT * FROM warehouse.orders;");
    terminal.wait_for("error: target WAREHOUSE");
}

/// The start-up file's settings are those of the shell; what is wrong in it is said.
#[test]
fn a_start_up_file_is_run_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("my.rc");
    std::fs::write(
        &file,
        "\\pset null -\n.timer off\nCREATE VIEW mine AS SELECT email_address FROM contacts;\n",
    )
    .expect("written");
    let terminal = shell(&["--rc", &file.display().to_string()]);
    terminal.enter("SELECT NULL AS nothing, count(*) AS n FROM mine;");
    let screen = terminal.wait("a result", |screen| screen.contains("└"));
    assert!(screen.contains("│ -       │"), "{screen}");
    assert!(!screen.contains("1 row"), "{screen}");
    std::fs::write(&file, "\\pset nul -\n").expect("written");
    let terminal = shell(&["--rc", &file.display().to_string()]);
    terminal.wait_for("was given up at its first error");
    std::fs::write(&file, "SELECT 'only this' AS said;\n\\q\n").expect("written");
    let mut program = ctct();
    let file = file.display().to_string();
    let terminal = Terminal::open(program.args(["--sandbox", "--rc", &file]), (100, 30));
    let screen = terminal.wait_for("ended with 0");
    assert!(screen.contains("│ only this │") && !screen.contains("constant_contact>"), "{screen}");
}

/// How many rows there are behind those that are shown is asked where one request tells.
#[test]
fn rows_that_are_not_shown_are_counted_for_one_request_at_most() {
    let shell = shell(&["--no-pager", "--maxrows", "4"]);
    for (condition, told, requests) in [
        ("", "… the first 4 of 4,", "4 rows, 2 requests"),
        // Two would be needed to be sure.
        (" WHERE updated_at > '2024-01-01'", "… the first 4 rows;", "4 rows, 1 request,"),
        (" WHERE last_name > 'A'", "… the first 4 rows;", "4 rows, 1 request,"),
    ] {
        let line = format!("SELECT last_name FROM contacts{condition};");
        shell.enter(&line);
        let is_done =
            |screen: &str| screen.contains(&line) && after(screen, &line).contains(" left today");
        let screen = shell.wait("a result", is_done);
        let shown = after(&screen, &line);
        assert!(shown.contains(told) && shown.contains(requests), "{screen}");
        ready(&shell);
    }
}

#[test]
fn a_file_of_parquet_holds_one_result() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.parquet");
    let shell = shell(&[]);
    for (line, answer) in [
        (format!("\\o {}", file.display()), "from now on"),
        ("\\format parquet".to_owned(), "written as parquet"),
        ("SELECT 1 AS one;".to_owned(), "1 row"),
        ("SELECT 2 AS two;".to_owned(), "holds the result of one statement"),
    ] {
        shell.enter(&line);
        shell.wait_for(answer);
        ready(&shell);
    }
    let written = std::fs::read(&file).expect("it was written");
    assert!(written.starts_with(b"PAR1") && written.ends_with(b"PAR1"));
    assert_eq!(written.windows(4).filter(|four| four == b"PAR1").count(), 2);
}

/// A database that accepts a connection and says nothing: whoever asked for it gives it up.
#[test]
fn a_command_that_waits_can_be_cancelled() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let mut program = ctct();
    program.env("NO_COLOR", "1").arg("--sandbox");
    program.env(
        "WAREHOUSE",
        format!("{{ type: postgres, host: 127.0.0.1, port: {port}, user: u, database: d, sslmode: disable }}"),
    );
    let terminal = Terminal::open(&program, (100, 30));
    terminal.wait_for("constant_contact>");
    for (line, number) in [("\\d warehouse.orders", 1), ("SELECT * FROM warehouse.orders;", 2)] {
        terminal.enter(line);
        // It has begun once somebody is at the other end.
        let _connection = silent.accept().expect("a connection");
        terminal.key("C-c");
        terminal.wait("its end", |screen| screen.matches("cancelled").count() == number);
        ready(&terminal);
    }
}

/// A session as a newcomer has it: what the README shows of it.
#[test]
fn the_session_of_the_readme_is_what_the_shell_shows() {
    let mut program = ctct();
    program.env("PATH", "/usr/bin:/bin").env("NO_COLOR", "1").args(["--sandbox", "--no-pager"]);
    let terminal = Terminal::open(&program, (100, 90));
    terminal.wait_for("constant_contact>");
    let mut answers = 0;
    for (line, marks_end) in [
        ("SELECT name, membership_count FROM contact_lists ORDER BY 2 DESC LIMIT 4;", true),
        ("\\chart", false),
        ("SELECT email_adress FROM contacts;", false),
        ("EXPLAIN SELECT count(*) FROM contacts WHERE updated_at > '2025-12-01';", false),
        ("SELECT count(*) FROM contacts WHERE updated_at > '2025-12-01';", true),
        ("\\requests", false),
    ] {
        terminal.enter(line);
        answers += u32::from(marks_end);
        let mark = format!("constant_contact> {line}");
        terminal.wait(line, |screen| {
            let done = screen.matches(" left today\n").count() >= answers as usize;
            done && screen.contains(&mark)
                && screen.ends_with("constant_contact>")
                && screen.rfind(&mark).is_some_and(|at| at + mark.len() < screen.len() - 20)
        });
    }
    let screen = terminal.screen();
    let screen = screen.trim_end().trim_end_matches("constant_contact>").trim_end();
    let shown: Vec<String> = screen.lines().map(|line| untimed(line.trim_end())).collect();
    let shown = shown.iter().map(|line| format!("    {line}").trim_end().to_owned() + "\n");
    let shown: String = shown.collect();

    let path = project().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("a README");
    let (begin, end) = ("<!-- a session, written by a test -->\n\n", "\n<!-- its end -->");
    let (before, rest) = readme.split_once(begin).expect("a place for the session");
    let (inside, behind) = rest.split_once(end).expect("its end");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, format!("{before}{begin}{shown}{end}{behind}")).expect("written");
        return;
    }
    assert_eq!(inside, shown, "UPDATE_README=1 writes it anew");
}

/// A line without what differs from time to time.
fn untimed(line: &str) -> String {
    if let Some((before, rest)) = line.split_once(" request, ").or(line.split_once(" requests, "))
        && let Some((_, left)) = rest.split_once(" s, ")
    {
        let noun = if before.ends_with(" 1") { "request" } else { "requests" };
        return format!("{before} {noun}, 0.05 s, {left}");
    }
    // The milliseconds of a request are in the last column but one.
    let cells: Vec<&str> = line.split('│').collect();
    match cells.as_slice() {
        [first @ .., milliseconds, failure, last]
            if milliseconds.trim().parse::<u32>().is_ok() && failure.trim() == "NULL" =>
        {
            let width = milliseconds.len() - 2;
            format!("{}│ {:>width$} │{failure}│{last}", first.join("│"), 5)
        }
        _ => line.to_owned(),
    }
}
