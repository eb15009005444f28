//! From a connection's YAML or JSON text to a [`Connection`], with errors that name the place.
//!
//! The text holds secrets, and so may the messages of a YAML parser: of its errors
//! only the position is used.

use std::net::IpAddr;

use chrono::NaiveDate;
use secrecy::SecretString;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::{Connection, DEFAULT_BASE_URL, Pace};
use crate::auth::Return;
use crate::likely::likely;
use crate::{Error, ErrorKind, Result};

/// Partners are given at most this rate.
const HIGHEST_RATE: f64 = 10.0;

/// What is wrong, and with which key, such as `inputs.anchor_date`.
#[derive(Debug)]
struct Mistake {
    place: String,
    error: Error,
}

impl From<Error> for Mistake {
    fn from(error: Error) -> Self {
        Self { place: String::new(), error }
    }
}

type Parsed<T> = Result<T, Mistake>;

const FORM: &str = "it should look like { type: api, spec: constant-contact, secrets: { client_id: …, client_secret: … } }";

pub(super) fn connection(name: &str, origin: &str, text: &str) -> Result<Connection> {
    let value = yaml(text).map_err(|error| at(origin, error).with_hint(FORM))?;
    connection_of(name, origin, &value, &|_| None)
}

/// The connection that parsed YAML describes; `line` tells where a key stands.
pub(super) fn connection_of(
    name: &str,
    origin: &str,
    value: &Value,
    line: &dyn Fn(&str) -> Option<usize>,
) -> Result<Connection> {
    build(name, origin, value).map_err(|Mistake { place, error }| {
        let origin = match line(&place) {
            Some(line) => format!("{origin}, line {line}"),
            None => origin.to_owned(),
        };
        let error = at(&origin, error);
        // A single input is wrong by itself; the form around it is as it should be.
        let told = error.hint().is_some() || place.starts_with("inputs.");
        if told { error } else { error.with_hint(FORM) }
    })
}

/// The same error, saying where.
pub(super) fn at(origin: &str, error: Error) -> Error {
    let hint = error.hint().map(str::to_owned);
    let located = Error::new(error.kind(), format!("{origin}: {error}")).with_source(error);
    match hint {
        Some(hint) => located.with_hint(hint),
        None => located,
    }
}

/// A value as it is given on the command line: YAML or JSON where it is a mapping, else
/// text.
///
/// # Errors
/// [`ErrorKind::Configuration`] with the place of the mistake, and nothing of the text.
pub fn setting_value(text: &str) -> Result<Value> {
    if text.trim_start().starts_with('{') { yaml(text) } else { Ok(Value::String(text.to_owned())) }
}

pub(super) fn yaml(text: &str) -> Result<Value> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let place = match error.location() {
            Some(at) => format!(" at line {}, column {}", at.line(), at.column()),
            None => String::new(),
        };
        Error::new(ErrorKind::Configuration, format!("not valid YAML or JSON{place}"))
    })
}

fn build(name: &str, origin: &str, value: &Value) -> Parsed<Connection> {
    let root = Section::new("", value)?;
    root.only(&["type", "spec", "secrets", "inputs"])?;
    root.must_be("type", "api")?;
    root.must_be("spec", "constant-contact")?;
    let secrets = root.section("secrets")?.ok_or_else(|| missing("secrets"))?;
    secrets.only(&["client_id", "client_secret", "access_token", "refresh_token"])?;
    let client_id = secrets.text("client_id")?.ok_or_else(|| missing("secrets.client_id"))?;

    let mut connection = Connection::new(name, &client_id, DEFAULT_BASE_URL)?;
    origin.clone_into(&mut connection.origin);
    connection.client_secret = secrets.text("client_secret")?.map(SecretString::from);
    connection.access_token = secrets.text("access_token")?.map(SecretString::from);
    connection.refresh_token = secrets.text("refresh_token")?.map(SecretString::from);
    if let Some(inputs) = root.section("inputs")? {
        read_inputs(&mut connection, &inputs)?;
    }
    Ok(connection)
}

fn read_inputs(connection: &mut Connection, section: &Section<'_>) -> Parsed<()> {
    section.only(&[
        "anchor_date",
        "redirect_uri",
        "requests_per_second",
        "requests_per_day",
        "quota_reserve",
        "base_url",
        "auth_url",
    ])?;
    let inputs = &mut connection.inputs;
    if let Some(text) = section.text("anchor_date")? {
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").map_err(|source| {
            let mut mistake = section.wrong("anchor_date", "a date like 2020-01-31");
            mistake.error = mistake.error.with_source(source);
            mistake
        })?;
        inputs.anchor_date = Some(date);
    }
    if let Some(text) = section.text("redirect_uri")? {
        Return::of(&text, false).map_err(|error| {
            let place = section.place("redirect_uri");
            Mistake {
                place,
                error: Error::new(
                    error.kind(),
                    format!("`inputs.{error}").replacen("`inputs.`", "`inputs.", 1),
                ),
            }
        })?;
        inputs.redirect_uri = text;
    }
    if let Some(url) = section.url("base_url")? {
        inputs.base_url = url;
    }
    if let Some(url) = section.url("auth_url")? {
        inputs.auth_url = url;
    }
    if let Some(text) = section.text("requests_per_day")? {
        inputs.requests_per_day = text
            .parse()
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(|| section.wrong("requests_per_day", "a whole number above 0"))?;
    }
    if let Some(text) = section.text("quota_reserve")? {
        let reserve: Option<u32> = text.parse().ok();
        inputs.quota_reserve =
            reserve.filter(|reserve| *reserve < inputs.requests_per_day).ok_or_else(|| {
                section.wrong("quota_reserve", "a whole number below requests_per_day")
            })?;
    } else {
        inputs.quota_reserve = inputs.quota_reserve.min(inputs.requests_per_day / 2);
    }
    if let Some(text) = section.text("requests_per_second")? {
        inputs.pace = pace(&text, &inputs.base_url).map_err(|error| {
            let place = section.place("requests_per_second");
            let error = Error::new(ErrorKind::Configuration, format!("`{place}`: {error}"));
            Mistake { place, error }
        })?;
    }
    Ok(())
}

pub(super) fn pace(text: &str, base_url: &Url) -> Result<Pace> {
    let pace = match text {
        "unlimited" => is_loopback(base_url).then_some(Pace::Unlimited),
        _ => text
            .parse()
            .ok()
            .filter(|rate| *rate > 0.0 && *rate <= HIGHEST_RATE)
            .map(Pace::PerSecond),
    };
    pace.ok_or_else(|| {
        Error::new(
            ErrorKind::Configuration,
            "requests per second are a number above 0 and up to 10 (`unlimited` is for servers on this machine)",
        )
    })
}

/// The URL, if a token may be sent to it: over TLS, or to this very machine.
pub(super) fn safe_url(text: &str) -> Result<Url> {
    let wrong = |why: &str| Error::new(ErrorKind::Configuration, why.to_owned());
    let url = Url::parse(text).map_err(|source| wrong("not a URL").with_source(source))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(wrong("a URL without user name, password and query is needed"));
    }
    let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if safe {
        Ok(url)
    } else {
        Err(wrong("tokens are sent over https, or to a loopback address, only"))
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A mapping of the text, and where it stands.
struct Section<'a> {
    path: &'a str,
    members: &'a Map<String, Value>,
}

impl<'a> Section<'a> {
    fn new(path: &'a str, value: &'a Value) -> Parsed<Self> {
        match value.as_object() {
            Some(members) => Ok(Self { path, members }),
            None => Err(mistake(path, "a mapping of keys to values")),
        }
    }

    fn section(&self, key: &'a str) -> Parsed<Option<Self>> {
        match self.members.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => Self::new(key, value).map(Some),
        }
    }

    /// Text, or a number or boolean as it would be written.
    fn text(&self, key: &str) -> Parsed<Option<String>> {
        match self.members.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => {
                Err(self.wrong(key, "something other than empty text"))
            }
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.wrong(key, "text")),
        }
    }

    fn url(&self, key: &str) -> Parsed<Option<Url>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        safe_url(&text).map(Some).map_err(|error| {
            let place = self.place(key);
            let error = Error::new(ErrorKind::Configuration, format!("`{place}`: {error}"));
            Mistake { place, error }
        })
    }

    fn must_be(&self, key: &str, expected: &str) -> Parsed<()> {
        match self.text(key)? {
            Some(found) if found == expected => Ok(()),
            Some(_) => Err(self.wrong(key, &format!("`{expected}`"))),
            None => Err(missing(&self.place(key))),
        }
    }

    fn only(&self, known: &[&str]) -> Parsed<()> {
        for key in self.members.keys() {
            if !known.contains(&key.as_str()) {
                // A key that nobody knows is shown only as the key it resembles:
                // a slip of the quotes can make a key of a secret.
                let error = Error::new(
                    ErrorKind::Configuration,
                    match self.path {
                        "" => "there is an unknown key".to_owned(),
                        path => format!("`{path}` has an unknown key"),
                    },
                );
                let error = match likely(key, known.iter().copied()) {
                    Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
                    None => error.with_hint(format!("the known keys are {}", known.join(", "))),
                };
                return Err(Mistake { place: self.place(key), error });
            }
        }
        Ok(())
    }

    fn place(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wrong(&self, key: &str, expected: &str) -> Mistake {
        mistake(&self.place(key), expected)
    }
}

fn mistake(place: &str, expected: &str) -> Mistake {
    let message = match place {
        "" => format!("{expected} is expected"),
        _ => format!("`{place}`: {expected} is expected"),
    };
    Mistake { place: place.to_owned(), error: Error::new(ErrorKind::Configuration, message) }
}

fn missing(place: &str) -> Mistake {
    let error = Error::new(ErrorKind::Configuration, format!("`{place}` is missing"));
    Mistake { place: place.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Connection> {
        Connection::parse("CC", "environment variable CC", text)
    }

    fn with_inputs(inputs: &str) -> Result<Connection> {
        parse(&format!(
            "{{type: api, spec: constant-contact, secrets: {{client_id: c}}, inputs: {{{inputs}}}}}"
        ))
    }

    #[test]
    fn yaml_and_json_are_read_alike() {
        let block = "type: api\nspec: constant-contact\nsecrets:\n  client_id: abc\n  client_secret: \"s\"\n";
        let json = r#"{"type":"api","spec":"constant-contact","secrets":{"client_id":"abc","client_secret":"s"}}"#;
        for text in [block, json] {
            let connection = parse(text).expect("valid");
            assert_eq!(connection.client_id, "abc");
            assert!(connection.client_secret.is_some());
            assert!(connection.access_token.is_none());
            assert_eq!(connection.inputs.pace, Pace::PerSecond(3.0));
            assert_eq!(connection.inputs.base_url.as_str(), DEFAULT_BASE_URL);
        }
    }

    #[test]
    fn inputs_are_read_and_checked() {
        let connection = with_inputs(
            "anchor_date: 2020-01-01, requests_per_second: 4, requests_per_day: 250000",
        )
        .expect("valid");
        assert_eq!(connection.inputs.anchor_date, NaiveDate::from_ymd_opt(2020, 1, 1));
        assert_eq!(connection.inputs.pace, Pace::PerSecond(4.0));
        assert_eq!(connection.inputs.requests_per_day, 250_000);
        for (inputs, place) in [
            ("anchor_date: yesterday", "inputs.anchor_date"),
            ("requests_per_second: 11", "inputs.requests_per_second"),
            ("requests_per_second: -1", "inputs.requests_per_second"),
            ("requests_per_second: unlimited", "inputs.requests_per_second"),
            ("requests_per_day: 0", "inputs.requests_per_day"),
            ("quota_reserve: 10000", "inputs.quota_reserve"),
            ("quota_reserve: some", "inputs.quota_reserve"),
            ("base_url: \"http://api.example.com/v3\"", "inputs.base_url"),
            ("base_url: \"https://user:pw@api.example.com/v3\"", "inputs.base_url"),
        ] {
            let error = with_inputs(inputs).expect_err(inputs).to_string();
            assert!(error.contains(place) && error.contains("variable CC"), "{error}");
        }
    }

    #[test]
    fn only_a_server_on_this_machine_goes_without_tls_and_pace() {
        for host in ["127.0.0.1:80", "[::1]:80", "localhost:80"] {
            let inputs = format!("base_url: \"http://{host}/v3\", requests_per_second: unlimited");
            assert_eq!(with_inputs(&inputs).expect("loopback").inputs.pace, Pace::Unlimited);
        }
        for url in ["http://127.0.0.1.example.com/v3", "http://10.0.0.1/v3", "ftp://localhost/"] {
            assert!(safe_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn mistakes_name_their_place_and_show_no_secret() {
        for (text, place) in [
            ("{ type: api, spec: constant-contact, secrets: { client_id: \"S3CRET }", "line 1"),
            ("type: api\nspec: constant-contact\nsecrets:\n  client_id: S3CRET\n bad: [", "line"),
            ("{ type: api, spec: constant-contact, secrets: S3CRET }", "`secrets`"),
            (
                "{ type: api, spec: constant-contact, secrets: { client_id: [S3CRET] } }",
                "secrets.client_id",
            ),
            (
                "{ type: api, spec: constant-contact, secrets: { client_secret: S3CRET } }",
                "secrets.client_id",
            ),
            (
                "{ type: api, spec: constant-contact, secrets: { client_id: c, S3CRET: x } }",
                "`secrets`",
            ),
            ("{ type: S3CRET, spec: constant-contact }", "`type`"),
            ("S3CRET", "mapping"),
        ] {
            let error = parse(text).expect_err(text);
            let shown = format!("{error} {error:?} {:?}", error.hint());
            assert!(shown.contains(place), "{shown}");
            assert!(shown.contains("environment variable CC"), "{shown}");
            assert!(!shown.contains("S3CRET"), "{shown}");
        }
    }

    #[test]
    fn a_slip_of_the_key_is_told() {
        let error =
            parse("{ type: api, spec: constant-contact, secret: {} }").expect_err("unknown key");
        assert_eq!(error.hint(), Some("did you mean `secrets`?"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = "{ type: api, spec: constant-contact, secrets: { client_id: c, client_secret: S3CRET, access_token: S3CRET } }";
        let shown = format!("{:?}", parse(text).expect("valid"));
        assert!(!shown.contains("S3CRET"), "{shown}");
    }
}
