//! What is asked of the server, built from an endpoint's declaration without any I/O.

use ctct_endpoints::{Endpoint, Paging};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// What is escaped in a parameter: everything but what RFC 3986 allows in a
/// query and no server mistakes for something else. A `+` is escaped, because
/// many servers read it as a space; the colons of a time and the commas of a
/// list are not, so that people can read what is sent.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b',')
    .remove(b'@');

/// A GET request: a path below the API's base and a query that is already escaped.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Request {
    /// The path below the base, with its leading slash.
    pub path: String,
    /// The escaped query without its question mark; empty for none.
    pub query: String,
}

impl Request {
    /// The first request for an endpoint's rows, with these parameters.
    ///
    /// Parameters that every request of the endpoint has come first, those that these have
    /// another value for left out. `page_size` is cut to what the endpoint allows and is left
    /// out where the endpoint does not ask for one.
    ///
    /// ```
    /// use ctct_client::Request;
    ///
    /// let contacts = ctct_endpoints::find("contacts").expect("declared");
    /// let request = Request::first(contacts, &[("email", "a+b@example.com".into())], 1_000);
    /// assert_eq!(request.to_string(), "/contacts?email=a%2Bb@example.com&limit=500");
    /// ```
    pub fn first(endpoint: &Endpoint, parameters: &[(&str, String)], page_size: u32) -> Self {
        let mut query = String::new();
        let given = |name: &str| parameters.iter().any(|(given, _)| *given == name);
        for (name, value) in endpoint.fixed.iter().filter(|(name, _)| !given(name)) {
            push_parameter(&mut query, name, value);
        }
        for (name, value) in parameters {
            push_parameter(&mut query, name, value);
        }
        if let Paging::Links { maximum } | Paging::Cursor { maximum, .. } = endpoint.paging {
            push_parameter(&mut query, "limit", &page_size.clamp(1, maximum).to_string());
        }
        Self { path: endpoint.path.to_owned(), query }
    }

    /// The first request for the rows that belong to these keys of an endpoint's parent,
    /// with these parameters.
    ///
    /// The keys stand in the path, or are a parameter, as the endpoint declares; in a path
    /// they are escaped, but whoever calls this makes sure that they are plain. A key of one
    /// part goes with others of its kind, one of several parts stands alone.
    ///
    /// ```
    /// use ctct_client::Request;
    ///
    /// let opens = ctct_endpoints::find("email_opens").expect("declared");
    /// let request = Request::of_parent(opens, &[vec!["a-1".to_owned()]], &[], 500);
    /// assert_eq!(request.to_string(), "/reports/email_reports/a-1/tracking/opens?limit=500");
    /// ```
    pub fn of_parent(
        endpoint: &Endpoint,
        keys: &[Vec<String>],
        parameters: &[(&str, String)],
        page_size: u32,
    ) -> Self {
        let parts = keys.first().map_or(0, Vec::len);
        let part = |place: usize| {
            let parts: Vec<&str> =
                keys.iter().filter_map(|key| key.get(place)).map(String::as_str).collect();
            parts.join(",")
        };
        let parameter = endpoint.parent.and_then(|parent| parent.parameter);
        let key = parameter.map(|name| (name, part(0)));
        let all: Vec<_> = key.into_iter().chain(parameters.iter().cloned()).collect();
        let mut request = Self::first(endpoint, &all, page_size);
        for place in 0..parts {
            let Some((before, rest)) = request.path.split_once('{') else { break };
            let after = rest.split_once('}').map_or("", |(_, after)| after);
            request.path = format!("{before}{}{after}", utf8_percent_encode(&part(place), ESCAPED));
        }
        request
    }

    /// The request for the one row that a key identifies, with these parameters.
    ///
    /// The key stands in the path: whoever calls this makes sure that it is plain.
    pub fn look_up(endpoint: &Endpoint, key: &str, parameters: &[(&str, String)]) -> Self {
        let mut query = String::new();
        for (name, value) in parameters {
            push_parameter(&mut query, name, value);
        }
        let key = utf8_percent_encode(key, ESCAPED);
        Self { path: format!("{}/{key}", endpoint.path), query }
    }

    /// The request as it may be shown: what continues a scan is replaced by `…`,
    /// because a cursor is nobody's business and says nothing to people.
    pub fn redacted(&self) -> String {
        let mut shown = self.path.clone();
        let query = self.redacted_query();
        if !query.is_empty() {
            shown.push('?');
            shown.push_str(&query);
        }
        shown
    }

    /// The query as it may be shown; see [`redacted`](Self::redacted).
    pub fn redacted_query(&self) -> String {
        let parameters = self.query.split('&').map(|parameter| match parameter.split_once('=') {
            Some((name @ ("cursor" | "next"), _)) => format!("{name}=…"),
            _ => parameter.to_owned(),
        });
        parameters.collect::<Vec<_>>().join("&")
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.redacted())
    }
}

fn push_parameter(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.extend(utf8_percent_encode(name, ESCAPED));
    query.push('=');
    query.extend(utf8_percent_encode(value, ESCAPED));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(table: &str) -> &'static Endpoint {
        ctct_endpoints::find(table).expect("declared")
    }

    #[test]
    fn a_page_is_never_larger_than_the_endpoint_allows() {
        let size = |table, asked| Request::first(endpoint(table), &[], asked).query;
        assert_eq!(size("contacts", 3), "limit=3");
        assert_eq!(size("contacts", 9_999), "limit=500");
        assert_eq!(size("custom_fields", 9_999), "limit=100");
        assert_eq!(size("contacts", 0), "limit=1");
        assert_eq!(size("account_summary", 10), "");
    }

    #[test]
    fn a_parameter_takes_the_place_of_a_fixed_one() {
        let messages = endpoint("sms_campaign_summaries");
        let request = Request::first(messages, &[], 50);
        assert_eq!(request.query, "start_at=2000-01-01T00:00:00Z&limit=50");
        let request = Request::first(messages, &[("start_at", "2025-01-01".into())], 50);
        assert_eq!(request.query, "start_at=2025-01-01&limit=50");
    }

    #[test]
    fn a_key_of_several_parts_fills_the_path_in_order() {
        let key = ["e", "t", "r"].map(str::to_owned).to_vec();
        let request = Request::of_parent(endpoint("event_registration_details"), &[key], &[], 1);
        assert_eq!(request.to_string(), "/events/e/tracks/t/registrations/r");
    }

    #[test]
    fn values_cannot_break_out_of_their_parameter() {
        let request =
            Request::first(endpoint("account_summary"), &[("a b", "x&y=z#+%é".into())], 1);
        assert_eq!(request.query, "a%20b=x%26y%3Dz%23%2B%25%C3%A9");
    }

    #[test]
    fn cursors_are_not_shown() {
        let request = Request { path: "/contacts".into(), query: "cursor=bGlt==&limit=5".into() };
        assert_eq!(request.to_string(), "/contacts?cursor=…&limit=5");
        let request = Request { path: "/emails".into(), query: "next=abc".into() };
        assert_eq!(request.to_string(), "/emails?next=…");
    }
}
