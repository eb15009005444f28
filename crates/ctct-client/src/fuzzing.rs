//! What the fuzzer and the tests of its corpus do with their data.

use secrecy::ExposeSecret;
use url::Url;

use crate::auth::read_paste;
use crate::connection::edit_file;
use crate::transport::judge_anything;
use crate::{Connection, PageChain, Request};

/// Judges the body in `data` behind two bytes of status.
///
/// # Panics
/// Where an error shows what it must not.
pub fn error_body(data: &[u8]) {
    let [first, second, body @ ..] = data else { return };
    let status = u16::from_be_bytes([*first, *second]) % 1_000;
    let Ok(connection) = Connection::new("SHOP", "key", "https://api.cc.email/v3") else { return };
    let request = Request { path: "/contacts".to_owned(), query: "cursor=hidden".to_owned() };
    if let Some(error) = judge_anything(&connection, &request, status, body) {
        let shown = error.to_string();
        assert!(!shown.chars().any(char::is_control) && shown.len() < 2_000, "{shown:?}");
    }
}

/// Follows the link in `data`.
///
/// # Panics
/// Where it leads to another path, or to a query that cannot be sent.
pub fn next_link(data: &[u8]) {
    let Ok(link) = std::str::from_utf8(data) else { return };
    let Ok(base) = Url::parse("https://api.cc.email/v3") else { return };
    let first = Request { path: "/contacts".to_owned(), query: "limit=500".to_owned() };
    let mut pages = PageChain::new(base, first);
    if pages.advance(Some(link)).is_err() {
        return;
    }
    let safe = pages.request().is_some_and(|request| {
        request.path == "/contacts"
            && !request.query.is_empty()
            && request.query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
    });
    assert!(safe, "{link:?} became {:?}", pages.request());
}

/// Reads what somebody may have pasted at the end of a login.
///
/// # Panics
/// Where something is taken for the answer that does not hold the login's state.
pub fn paste(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let state = "st4te".into();
    match read_paste(text, "https://localhost", &state, false) {
        Ok(code) => assert!(!code.expose_secret().is_empty(), "an empty code"),
        Err(error) => {
            let shown = format!("{error} {:?}", error.hint());
            assert!(!shown.chars().any(char::is_control) && shown.len() < 2_000, "{shown:?}");
        }
    }
}

/// Reads an `env.yaml`, and sets something in it: it is written as it was meant, or not.
///
/// # Panics
/// Where what was set is not what is read afterwards.
pub fn env_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let path = ["secrets", "client_id"].map(str::to_owned).to_vec();
    let value = serde_json::Value::from("fuzz: #1");
    if let Ok(changed) = edit_file(text, "SHOP", &[(path, value)]) {
        let read: serde_json::Value = serde_saphyr::from_str(&changed).unwrap_or_default();
        let set = &read["connections"]["SHOP"]["secrets"]["client_id"];
        assert_eq!(set, "fuzz: #1", "{changed}");
    }
}

#[cfg(test)]
mod tests {
    fn corpus(target: &str) -> Vec<Vec<u8>> {
        let folder = format!("{}/../../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
        let files = std::fs::read_dir(folder).expect("the corpus");
        let all: Vec<_> = files
            .map(|file| std::fs::read(file.expect("an entry").path()).expect("a file"))
            .collect();
        assert!(!all.is_empty(), "the corpus of {target} is empty");
        all
    }

    #[test]
    fn the_corpus_is_survived() {
        for data in corpus("error_body") {
            super::error_body(&data);
        }
        for data in corpus("next_link") {
            super::next_link(&data);
        }
        for data in corpus("paste") {
            super::paste(&data);
        }
        for data in corpus("env_file") {
            super::env_file(&data);
        }
    }
}
