//! No secret is ever seen: not at the finest level of logging, not in any failure.

use std::process::Command;

use base64::Engine;
use chrono::TimeDelta;
use ctct_sandbox::{Application, CLIENT_ID, Fault, FaultKind};

use crate::logins::{Home, TOKEN_PATH, Waiting, consent, output, quick, request};

const CANARY: &str = "canary-in-the-client-secret";

/// All that was ever said, and all that must not have been.
struct Heard {
    home: Home,
    secrets: Vec<String>,
    said: String,
}

impl Heard {
    /// Notes the secrets that there are now.
    fn collect(&mut self) {
        let folder = self.home.path().join("tokens").join(CLIENT_ID);
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.map(|entry| entry.expect("an entry").path()) {
            let text = std::fs::read_to_string(entry).unwrap_or_default();
            let Ok(value) = serde_json::from_str::<serde_json::Value>(text.trim()) else {
                continue;
            };
            for name in ["access_token", "refresh_token", "verifier"] {
                self.secrets.extend(value[name].as_str().map(str::to_owned));
            }
        }
    }

    /// Runs a command at the finest level, and listens.
    async fn run(&mut self, arguments: &[&str]) -> String {
        let command = self.home.ctct(arguments);
        self.run_command(command).await
    }

    async fn run_command(&mut self, mut command: Command) -> String {
        self.collect();
        command.env("CTCT_LOG", "trace");
        let (_, out, told) = output(command).await;
        self.collect();
        self.said.push_str(&out);
        self.said.push_str(&told);
        told
    }

    fn fault(&self, kind: FaultKind, path: &str, times: u32) {
        self.home.sandbox.inject(Fault { kind, path: path.to_owned(), skip: 0, times });
    }

    /// Queries, good and bad ones.
    async fn ask(&mut self) {
        for sql in [
            "SELECT * FROM contacts LIMIT 3",
            "EXPLAIN VERBOSE SELECT * FROM contacts",
            "EXPLAIN ANALYZE SELECT count(*) FROM contact_lists",
            "SELECT * FROM ctct.system.requests; SELECT * FROM ctct.system.connections; SELECT * FROM ctct.system.quota",
            "SELECT nothing FROM contacts",
            "SELECT * FROM nowhere",
            "COPY contact_tags TO 'tags.csv'",
            "SHOW ALL",
        ] {
            self.run(&["-c", sql]).await;
        }
    }

    /// Requests for tokens that fail.
    async fn fail_for_tokens(&mut self, refresh_token: &str, access_token: &str) {
        // Every way in which a request for tokens fails; the server repeats what it was sent.
        let repeated = format!(
            r#"{{"error":"invalid_client","error_description":"{refresh_token} is not for you"}}"#
        );
        for (kind, times) in [
            (FaultKind::Answer { status: 400, body: repeated.clone(), headers: Vec::new() }, 1),
            (FaultKind::Answer { status: 401, body: repeated, headers: Vec::new() }, 1),
            (
                FaultKind::Answer {
                    status: 403,
                    body: refresh_token.to_owned(),
                    headers: Vec::new(),
                },
                1,
            ),
            (
                FaultKind::Answer {
                    status: 200,
                    body: format!("{{\"access_token\":\"{access_token}"),
                    headers: Vec::new(),
                },
                1,
            ),
            (
                FaultKind::Answer {
                    status: 200,
                    body: format!("{{\"access_token\":[\"{access_token}\"]}}"),
                    headers: Vec::new(),
                },
                1,
            ),
            (
                FaultKind::Redirect {
                    location: format!("https://evil.example/?token={refresh_token}"),
                },
                1,
            ),
            (FaultKind::Reset, 1),
            (FaultKind::Truncated, 1),
        ] {
            self.fault(kind, TOKEN_PATH, times);
            self.home.sandbox.expire_access_tokens();
            self.run(&["-c", "SELECT count(*) FROM contact_lists"]).await;
            self.run(&["auth", "refresh"]).await;
        }
    }

    /// Requests of the API that fail.
    async fn fail_for_rows(&mut self, access_token: &str) {
        // Every way in which a request of the API fails.
        let evil = format!("https://evil.example/v3/contacts?cursor={access_token}");
        for kind in [
            FaultKind::Answer {
                status: 403,
                body: r#"{"error_key":"access_denied"}"#.into(),
                headers: Vec::new(),
            },
            FaultKind::Answer { status: 400, body: "[]".into(), headers: Vec::new() },
            FaultKind::QuotaExceeded,
            FaultKind::Html,
            FaultKind::Redirect { location: evil.clone() },
            FaultKind::NextLink { href: evil },
            FaultKind::BadJson,
            FaultKind::TokenExpired,
        ] {
            self.fault(kind, "/v3/contacts", 1);
            self.run(&["-c", "SELECT contact_id FROM contacts"]).await;
            drop(std::fs::remove_file(self.home.path().join("ledger.sqlite")));
        }
    }

    /// Everything else that somebody types.
    async fn do_everything_else(&mut self) {
        for arguments in [
            &["auth", "status"][..],
            &["auth", "status", "--format", "json"],
            &["auth", "url"],
            &["auth", "finish", "--allow-bare-code"],
            &["conns", "list"],
            &["conns", "test", "--endpoints", "contacts,segments"],
            &["conns", "discover", "--columns"],
            &["quota"],
            &["auth", "logout"],
            &["auth", "status"],
            &["-c", "SELECT 1 FROM contacts"],
        ] {
            self.run(arguments).await;
        }
    }

    /// Settings and files with a slip in them.
    async fn slip(&mut self, access_token: &str) {
        // Configurations with a slip in them.
        for value in [
            format!(
                "{{ type: api, spec: constant-contact, secrets: {{ client_id: a, client_secret: \"{CANARY} }} }}"
            ),
            format!("{{ type: api, spec: constant-contact, secrets: {{ {CANARY}: a }} }}"),
            format!("{{ type: {CANARY}, spec: constant-contact }}"),
            format!("constant-contact {CANARY}"),
        ] {
            let mut command = self.home.ctct(&["-c", "SELECT 1"]);
            command.env("CONSTANT_CONTACT", value);
            self.run_command(command).await;
        }
        for setting in [
            format!("secrets={{ client_id: {CANARY}"),
            format!("secrets={{ client_ids: {CANARY} }}"),
            CANARY.to_owned(),
        ] {
            let setting = setting.as_str();
            self.run(&["conns", "set", "SHOP", "type=api", "spec=constant-contact", setting]).await;
        }
        std::fs::write(
            self.home.path().join("broken.json"),
            format!("{{\"access_token\": \"{access_token}\""),
        )
        .expect("written");
        self.run(&["auth", "import", "--file", "broken.json"]).await;
        std::fs::remove_file(self.home.path().join("broken.json")).expect("removed");
    }

    async fn log_in(&mut self) {
        let mut command = self.home.ctct(&["auth", "login", "--no-browser"]);
        command.env("CTCT_LOG", "trace");
        let mut login = Waiting::start(command);
        let url = login.line("/authorize?");
        #[cfg(target_os = "linux")]
        {
            let line =
                std::fs::read(format!("/proc/{}/cmdline", login.child.id())).expect("a process");
            self.said.push_str(&String::from_utf8_lossy(&line));
        }
        let back = consent(&url, true).await;
        let code =
            back.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("a code");
        self.secrets.push(code.to_owned());
        // Another login's answer, a bare code, half an address: each is refused in words.
        for wrong in [
            back.replace("state=", "state=x"),
            code.to_owned(),
            back.replace("localhost", "evil.example"),
        ] {
            login.paste(&format!("{wrong}\n"));
            login.line("Once more");
        }
        login.paste(&format!("{back}\n"));
        let (code, told) = login.end();
        assert_eq!(code, Some(0), "{told}");
        self.said.push_str(&told);
        self.collect();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_t11_no_secret_is_ever_seen() {
    let application = Application {
        client_secret: CANARY.to_owned(),
        long_lived_refresh_tokens: true,
        ..quick()
    };
    let home = Home::new(application).await;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT_ID}:{CANARY}"));
    let secrets = vec![CANARY.to_owned(), basic];
    let mut all = Heard { home, secrets, said: String::new() };

    all.log_in().await;
    let tokens: serde_json::Value = serde_json::from_str(&all.home.tokens()).expect("JSON");
    let refresh_token = tokens["refresh_token"].as_str().expect("there").to_owned();
    let access_token = tokens["access_token"].as_str().expect("there").to_owned();

    all.ask().await;
    all.fail_for_tokens(&refresh_token, &access_token).await;
    all.fail_for_rows(&access_token).await;
    all.do_everything_else().await;
    all.slip(&access_token).await;

    // What people write into their own logs.
    all.home.log_in(TimeDelta::zero()).await;
    let client = all.home.client();
    let begun = request(&client);
    let answer = begun.answer(&consent(begun.url(), true).await, false).expect("an answer");
    let status = client.login_status().await;
    let shown = format!(
        "{client:?} {begun:?} {answer:?} {status:?} {:#?} {:?}",
        all.home.connection(),
        all.home.store()
    );
    all.said.push_str(&shown);

    all.collect();
    all.secrets.retain(|secret| !secret.is_empty() && secret != ctct_sandbox::ACCESS_TOKEN);
    all.secrets.sort();
    all.secrets.dedup();
    println!("{} bytes heard, {} secrets", all.said.len(), all.secrets.len());
    assert!(all.said.contains("trace ") || all.said.contains("debug "), "it was the finest level");
    assert!(all.secrets.len() >= 12, "tokens, codes, verifiers and the client's secret");
    for secret in &all.secrets {
        if let Some(place) = all.said.find(secret.as_str()) {
            let start = place.saturating_sub(300);
            panic!("a secret was seen after: {}", &all.said[start..place]);
        }
    }
    // Nor in any file but those that are made for it.
    for entry in std::fs::read_dir(all.home.path()).expect("readable") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("readable");
            let text = String::from_utf8_lossy(&bytes);
            assert!(
                !all.secrets.iter().any(|secret| text.contains(secret.as_str())),
                "{}",
                path.display()
            );
        }
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_t12_files_are_private_under_any_umask() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::with_an_old_login(quick()).await;
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    let token = home.token_files().remove(0);
    // As an earlier program, or a copy, may have left it.
    std::fs::set_permissions(&token, PermissionsExt::from_mode(0o644)).expect("set");
    for arguments in [
        &["-c", "SELECT count(*) FROM contact_lists"][..],
        &["auth", "url"],
        &["conns", "set", "SHOP", "type=api", "spec=constant-contact", "secrets={ client_id: a }"],
    ] {
        let inner = home.ctct(arguments);
        let mut open = Command::new("/bin/sh");
        open.args(["-c", "umask 000; exec \"$0\" \"$@\""])
            .arg(inner.get_program())
            .args(inner.get_args());
        for (name, value) in inner.get_envs() {
            open.env(name, value.unwrap_or_default());
        }
        let (code, _, told) = output(open).await;
        assert_eq!(code, Some(0), "{told}");
        assert_eq!(arguments[0] == "-c", told.contains("others could read"), "{told}");
    }
    let mut folders = vec![home.path().join("tokens")];
    assert_eq!(mode(&home.path().join("env.yaml")), 0o600);
    assert_eq!(mode(&home.path().join("ledger.sqlite")), 0o600);
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(&folder).expect("readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen >= 3);
}
