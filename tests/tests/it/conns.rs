//! `ctct conns`, and every place that a connection may come from.

use std::process::Command;

use chrono::TimeDelta;
use ctct_sandbox::{CLIENT_ID, CLIENT_SECRET};
use ctct_tests::{ctct, project};

use crate::logins::{Home, consent, output, quick};

/// What somebody sees, with the home's path replaced.
async fn seen(home: &Home, command: Command) -> String {
    let (code, out, told) = output(command).await;
    let text = format!("exit {}\n--- stdout\n{out}--- stderr\n{told}", code.unwrap_or(-1));
    text.replace(&home.path().display().to_string(), "HOME")
        .replace(&home.sandbox.base_url(), "API")
        .replace(&home.sandbox.auth_url(), "AUTH")
}

/// The program in a home where no variable holds a connection.
fn bare(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.ctct(arguments);
    command.env_remove("CONSTANT_CONTACT");
    command
}

async fn set(home: &Home, arguments: &[&str]) -> String {
    seen(home, bare(home, &[&["conns", "set"], arguments].concat())).await
}

fn secrets() -> String {
    format!("secrets={{ client_id: {CLIENT_ID}, client_secret: {CLIENT_SECRET} }}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_set_listed_tried_and_unset() {
    let home = Home::new(quick()).await;
    let mut all = String::new();
    let mut note = |text: String| {
        all.push_str(&text);
        all.push('\n');
    };
    note(seen(&home, bare(&home, &["conns", "list"])).await);
    note(set(&home, &["CONSTANT_CONTACT", "type=api", "spec=constant-contact", &secrets()]).await);
    let (base, auth) = (home.sandbox.base_url(), home.sandbox.auth_url());
    let (base, auth) = (format!("inputs.base_url={base}"), format!("inputs.auth_url={auth}"));
    note(
        set(
            &home,
            &[
                "constant_contact",
                &base,
                &auth,
                "inputs.anchor_date=2020-01-01",
                "inputs.requests_per_second=unlimited",
            ],
        )
        .await,
    );
    note(
        set(&home, &["MY_POSTGRES", "type=postgres", "url=postgres://u:S3CRET@db.example/shop"])
            .await,
    );
    note(seen(&home, bare(&home, &["conns", "list", "--format", "csv"])).await);
    note(seen(&home, bare(&home, &["conns", "test"])).await);
    home.log_in(TimeDelta::zero()).await;
    note(seen(&home, bare(&home, &["conns", "test"])).await);
    note(
        seen(
            &home,
            bare(&home, &["conns", "test", "constant_contact", "--endpoints", "contacts,segments"]),
        )
        .await,
    );
    note(
        seen(
            &home,
            bare(
                &home,
                &[
                    "conns",
                    "exec",
                    "CONSTANT_CONTACT",
                    "SELECT count(*) AS lists FROM contact_lists",
                    "--format",
                    "csv",
                ],
            ),
        )
        .await,
    );
    note(seen(&home, home.ctct(&["conns", "list", "--format", "csv"])).await);
    note(seen(&home, bare(&home, &["conns", "unset", "CONSTANT_CONTACT"])).await);
    note(seen(&home, home.ctct(&["conns", "unset", "CONSTANT_CONTACT"])).await);
    note(std::fs::read_to_string(home.path().join("env.yaml")).expect("written"));
    insta::assert_snapshot!(all);
    let tried = home.sandbox.requests();
    let paths: Vec<&str> = tried.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(
        paths[..3],
        ["/v3/account/summary", "/v3/contacts", "/v3/segments"],
        "a request each"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_a_setting_are_told_and_nothing_is_written() {
    let home = Home::new(quick()).await;
    let mut all = String::new();
    for arguments in [
        &["CONSTANT_CONTACT", "type=api", "spec=constant-contact"][..],
        &[
            "CONSTANT_CONTACT",
            "type=api",
            "spec=constant-contact",
            "secrets={ client_id: a, client_secert: b }",
        ],
        &["CONSTANT_CONTACT", "type=api", "spec=constant-contact", "secrets={ client_id: a", "x"],
        &[
            "CONSTANT_CONTACT",
            "type=api",
            "spec=constant-contact",
            "secrets={ client_id: a }",
            "inputs.anchor_date=last year",
        ],
        &[
            "CONSTANT_CONTACT",
            "type=api",
            "spec=constant-contact",
            "secrets={ client_id: a }",
            "inputs.redirect_uri=http://shop.example/",
        ],
        &["CONSTANT_CONTACT", "type=api", "spec=shopify", "secrets={ client_id: a }"],
        &["CONSTANT_CONTACT", "secrets=@nowhere.yaml"],
        &["my shop", "type=api", "spec=constant-contact", "secrets={ client_id: a }"],
        &["system", "type=api", "spec=constant-contact", "secrets={ client_id: a }"],
    ] {
        all.push_str(&set(&home, arguments).await);
        all.push('\n');
    }
    insta::assert_snapshot!(all);
    assert!(!home.path().join("env.yaml").exists());
    // A file with secrets that others can read is taken from them.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let path = home.path().join("env.yaml");
        std::fs::write(&path, "connections:\n  SHOP: { type: api, spec: constant-contact, secrets: { client_id: a } }\n").expect("written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("set");
        let told = seen(&home, bare(&home, &["-c", "SELECT 1"])).await;
        assert!(told.contains("others could read HOME/env.yaml"), "{told}");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // A connection that cannot be used names its line.
    let broken = "connections:\n  SHOP:\n    type: api\n    spec: constant-contact\n    secrets:\n      client_id: a\n    inputs:\n      anchor_date: 2020-02-31\n";
    std::fs::write(home.path().join("env.yaml"), broken).expect("written");
    let told = seen(&home, bare(&home, &["-c", "SELECT 1"])).await;
    assert!(told.contains("HOME/env.yaml, line 8: `inputs.anchor_date`: a date like"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_come_from_files_and_standard_input_too() {
    let home = Home::new(quick()).await;
    std::fs::write(
        home.path().join("s.yaml"),
        format!("client_id: {CLIENT_ID}\nclient_secret: {CLIENT_SECRET}\n"),
    )
    .expect("written");
    let told = set(&home, &["A", "type=api", "spec=constant-contact", "secrets=@s.yaml"]).await;
    assert!(told.contains("exit 0") && !told.contains("command line"), "{told}");
    #[cfg(unix)]
    assert!(told.contains("others can read s.yaml"), "{told}");
    let mut login = crate::logins::Waiting::start(bare(
        &home,
        &["conns", "set", "B", "type=api", "spec=constant-contact", "secrets=-"],
    ));
    login.paste(&format!("{{ client_id: {CLIENT_ID} }}\n"));
    drop(login.child.stdin.take());
    assert_eq!(login.end().0, Some(0));
    let text = std::fs::read_to_string(home.path().join("env.yaml")).expect("written");
    assert!(text.contains("  A:\n") && text.contains("  B:\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_discovered_without_a_request() {
    let home = Home::new(quick()).await;
    let mut all = seen(&home, home.ctct(&["conns", "discover", "CONSTANT_CONTACT"])).await;
    all.push_str(
        &seen(
            &home,
            home.ctct(&[
                "conns",
                "discover",
                "--pattern",
                "contact_*",
                "--columns",
                "--format",
                "csv",
            ]),
        )
        .await,
    );
    all.push_str(&seen(&home, home.ctct(&["conns", "discover", "--pattern", "nothing*"])).await);
    all.push_str(&seen(&home, home.ctct(&["conns", "discover", "SHOP"])).await);
    insta::assert_snapshot!(all);
    assert_eq!(home.sandbox.requests().len(), 0);
}

/// Logs in and asks something, with a program that finds its connection by itself.
async fn whole_way(home: &Home, make: impl Fn(&[&str]) -> Command) {
    let (code, url, told) = output(make(&["auth", "url"])).await;
    assert_eq!(code, Some(0), "{told}");
    std::fs::write(home.path().join("back"), consent(url.trim(), true).await).expect("written");
    let (code, _, told) = output(make(&["auth", "finish", "--file", "back"])).await;
    assert_eq!(code, Some(0), "{told}");
    let sql = "SELECT organization_name FROM account_summary";
    let (code, rows, told) = output(make(&["--format", "csv", "-c", sql])).await;
    assert_eq!((code, rows.lines().count()), (Some(0), 2), "{told}");
    let (_, status, _) = output(make(&["auth", "status", "--format", "json"])).await;
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status[0]["login"], "logged in as june.1@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_place_leads_the_whole_way_to_a_query() {
    let yaml =
        |home: &Home| format!("connections:\n  CONSTANT_CONTACT: {}\n", home.connection_text());
    for place in
        ["command", "variable", "json variable", "env.yaml", "sling", "sling home", ".env.sling"]
    {
        let home = Home::new(quick()).await;
        let write = |name: &str, text: String| {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, text).expect("written");
        };
        match place {
            "command" => {
                let text = home.connection_text();
                let inputs =
                    text.split("inputs: ").nth(1).and_then(|inputs| inputs.rsplit_once('}'));
                let inputs = format!("inputs={}", inputs.expect("inputs").0);
                let told = set(
                    &home,
                    &["CONSTANT_CONTACT", "type=api", "spec=constant-contact", &secrets(), &inputs],
                )
                .await;
                assert!(told.starts_with("exit 0"), "{told}");
            }
            "env.yaml" => write("env.yaml", yaml(&home)),
            "sling" => write("home/.sling/env.yaml", yaml(&home)),
            "sling home" => write("elsewhere/env.yaml", yaml(&home)),
            ".env.sling" => write(
                ".env.sling",
                format!("export CONSTANT_CONTACT='{}'\n", home.connection_text()),
            ),
            _ => {}
        }
        whole_way(&home, |arguments| {
            let mut command = bare(&home, arguments);
            match place {
                "variable" => drop(command.env("CONSTANT_CONTACT", home.connection_text())),
                "json variable" => {
                    let value =
                        serde_saphyr::from_str::<serde_json::Value>(&home.connection_text())
                            .expect("YAML");
                    command.env("CONSTANT_CONTACT", value.to_string());
                }
                "sling" => drop(command.env("HOME", home.path().join("home"))),
                "sling home" => drop(command.env("SLING_HOME_DIR", home.path().join("elsewhere"))),
                _ => {}
            }
            command
        })
        .await;
        if place == "sling" {
            // It is read, and never written.
            let path = home.path().join("home/.sling/env.yaml");
            assert_eq!(std::fs::read_to_string(path).expect("there"), yaml(&home));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_later_place_counts_and_list_says_so() {
    let home = Home::new(quick()).await;
    let told = set(
        &home,
        &[
            "CONSTANT_CONTACT",
            "type=api",
            "spec=constant-contact",
            "secrets={ client_id: of-the-file }",
        ],
    )
    .await;
    assert!(told.starts_with("exit 0"), "{told}");
    let mut command =
        home.ctct(&["conns", "set", "CONSTANT_CONTACT", "inputs.anchor_date=2020-01-01"]);
    command.env("CONSTANT_CONTACT", home.connection_text());
    let told = seen(&home, command).await;
    assert!(
        told.contains("is also in environment variable CONSTANT_CONTACT, and that is what counts"),
        "{told}"
    );
    let (_, url, _) = output(home.ctct(&["auth", "url"])).await;
    assert!(url.contains(&format!("client_id={CLIENT_ID}")), "{url}");
    let list = seen(&home, home.ctct(&["conns", "list", "--format", "csv"])).await;
    assert!(list.contains("another one of this name counts"), "{list}");
}

/// The set-ups of the connector's own documentation, where that is at hand: as they stand
/// there, but for the program's name.
#[tokio::test(flavor = "multi_thread")]
async fn documented_set_ups_work_as_they_stand() {
    let path = project().join("../shared/seed.md");
    let Ok(document) = std::fs::read_to_string(&path) else {
        println!("not shown: the connector's documentation is not at hand");
        return;
    };
    let blocks: Vec<&str> = document.split("```").skip(1).step_by(2).collect();
    let block = |kind: &str, part: &str| -> Vec<&str> {
        let of_kind = blocks.iter().filter_map(|block| block.strip_prefix(kind));
        of_kind.filter(|text| text.contains(part)).collect()
    };
    let home = Home::new(quick()).await;
    let url = |home: &Home, mut command: Command| {
        command.current_dir(home.path());
        output(command)
    };
    let program = bare(&home, &[]).get_program().to_owned();
    let shell = |text: &str| {
        let inner = bare(&home, &[]);
        let mut command = Command::new("/bin/sh");
        // The documentation's own line, read by a shell.
        let text = format!(
            "ctct() {{ \"$CTCT\" \"$@\"; }}\n{}\n",
            text.replace("sling conns", "ctct conns")
        );
        command.arg("-c").arg(text).env_clear().env("CTCT", &program);
        for (name, value) in inner.get_envs().filter_map(|(name, value)| Some((name, value?))) {
            command.env(name, value);
        }
        command.stdin(std::process::Stdio::null());
        command
    };
    let login = |command: Command| url(&home, command);
    let good = |told: &(Option<i32>, String, String)| {
        assert_eq!(told.0, Some(0), "{}", told.2);
        assert!(
            told.1.contains("https://authz.constantcontact.com/oauth2/default/v1/authorize?"),
            "{}",
            told.1
        );
        assert!(
            told.1.contains("client_id=your_client_id&")
                && told.1.contains("redirect_uri=https%3A%2F%2Flocalhost&"),
            "{}",
            told.1
        );
    };
    // The command.
    let [set] = block("bash", "conns set")[..] else { panic!("one command to set a connection") };
    good(&login(shell(&format!("{set}\nctct auth url"))).await);
    let [discover] = block("bash", "conns discover")[..] else { panic!("one command to discover") };
    let told = login(shell(discover)).await;
    assert!(told.0 == Some(0) && told.1.contains("email_campaign_summaries"), "{}", told.2);
    std::fs::remove_file(home.path().join("env.yaml")).expect("it was written");
    // The variable.
    let [export] = block("bash", "export CONSTANT_CONTACT")[..] else { panic!("one variable") };
    good(&login(shell(&format!("{export}\nctct auth url"))).await);
    // The file, without and with the anchor date.
    let files = block("yaml", "connections:");
    assert_eq!(files.len(), 2, "without and with an anchor date");
    for (number, file) in files.iter().enumerate() {
        assert_eq!(file.contains("anchor_date"), number == 1);
        std::fs::write(home.path().join("env.yaml"), file).expect("written");
        good(&login(bare(&home, &["auth", "url"])).await);
    }
    assert_eq!(home.sandbox.requests().len(), 0);
    drop(ctct());
}
