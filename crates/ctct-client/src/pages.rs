//! Following an endpoint from page to page, safely: a state machine without I/O.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::{Error, ErrorKind, Request, Result};

/// The pages of one scan, one after the other.
///
/// Ask for the [`request`](Self::request), send it, and tell the chain which next
/// link the answer had with [`advance`](Self::advance), until there is no request.
///
/// Of a link only the query is used: the path stays the one that was called
/// (some links name an internal path of the server), and the origin stays the
/// configured one. A link to another origin, a link without a query and a link
/// that was followed before are errors, never the end of the data.
#[derive(Debug, Clone)]
pub struct PageChain {
    base: Url,
    next: Option<Request>,
    followed: HashSet<u64>,
}

impl PageChain {
    /// A chain that starts with this request to the API at `base`.
    pub fn new(base: Url, first: Request) -> Self {
        let mut chain = Self { base, next: None, followed: HashSet::new() };
        chain.followed.insert(fingerprint(&first));
        chain.next = Some(first);
        chain
    }

    /// Whether the next page is the first one.
    pub fn is_at_start(&self) -> bool {
        self.followed.len() == 1
    }

    /// The request for the next page; none when all pages were read.
    pub fn request(&self) -> Option<&Request> {
        self.next.as_ref()
    }

    /// Goes on to the page that `next_link` (`_links.next.href` of the answer to
    /// [`request`](Self::request)) leads to, or to the end where there is none.
    ///
    /// A page without rows that has a next link is not the end.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] where the link cannot be followed safely.
    pub fn advance(&mut self, next_link: Option<&str>) -> Result<()> {
        let Some(current) = self.next.take() else { return Ok(()) };
        let Some(link) = next_link else { return Ok(()) };
        let next = Request { query: self.query_of(link, &current)?, path: current.path };
        if !self.followed.insert(fingerprint(&next)) {
            return Err(refused(&next.path, "leads to a page that was read before"));
        }
        self.next = Some(next);
        Ok(())
    }

    fn query_of(&self, link: &str, current: &Request) -> Result<String> {
        let target = self
            .base
            .join(link)
            .map_err(|source| refused(&current.path, "is not a URL").with_source(source))?;
        let other_origin = target.origin() != self.base.origin();
        if other_origin || !target.username().is_empty() || target.password().is_some() {
            let host = target.host_str().unwrap_or("no host").to_owned();
            return Err(refused(&current.path, "leads to another server")
                .with_context("host", host)
                .with_hint("nothing was sent there; the token stays with the configured server"));
        }
        match target.query() {
            Some(query) if !query.is_empty() => Ok(query.to_owned()),
            _ => Err(refused(&current.path, "has no query to follow")),
        }
    }
}

/// The link to the page that a cursor stands for, where an answer names the cursor alone.
///
/// ```
/// assert_eq!(ctct_client::cursor_link("next", "a+b="), "?next=a%2Bb%3D");
/// ```
pub fn cursor_link(parameter: &str, cursor: &str) -> String {
    let cursor = utf8_percent_encode(cursor, NON_ALPHANUMERIC);
    format!("?{parameter}={cursor}")
}

fn refused(path: &str, why: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("the link to the next page of {path} {why}"))
}

fn fingerprint(request: &Request) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(path: &str) -> PageChain {
        let base = Url::parse("https://api.cc.email/v3").expect("valid");
        PageChain::new(base, Request { path: path.into(), query: "limit=2".into() })
    }

    #[test]
    fn only_the_query_of_a_link_is_used() {
        for link in [
            "/v3/contact_tags?cursor=bGltaXQ9MQ==",
            "/contacts-service/v3/accounts/1/contact_tags?cursor=bGltaXQ9MQ==",
            "https://api.cc.email/v3/contact_tags?cursor=bGltaXQ9MQ==",
            "?cursor=bGltaXQ9MQ==",
        ] {
            let mut chain = chain("/contact_tags");
            chain.advance(Some(link)).expect("followed");
            let request = chain.request().expect("a second page");
            assert_eq!(request.path, "/contact_tags");
            assert_eq!(request.query, "cursor=bGltaXQ9MQ==", "{link}");
        }
    }

    #[test]
    fn no_link_is_the_end() {
        let mut chain = chain("/contacts");
        chain.advance(None).expect("the end");
        assert!(chain.request().is_none());
        chain.advance(None).expect("still the end");
        assert!(chain.request().is_none());
    }

    #[test]
    fn other_servers_are_refused() {
        for link in [
            "https://evil.example/v3/contacts?cursor=a",
            "//evil.example/v3/contacts?cursor=a",
            "\\\\evil.example\\v3?cursor=a",
            "https://api.cc.email@evil.example/?cursor=a",
            "https://user@api.cc.email/v3/contacts?cursor=a",
            "https://api.cc.email.evil.example/?cursor=a",
            "http://api.cc.email/v3/contacts?cursor=a",
            "https://api.cc.email:8443/v3/contacts?cursor=a",
            "//evil.example",
            "\\/evil.example?cursor=a",
            "https:\\\\evil.example?cursor=a",
            "https://аpi.cc.email/v3/contacts?cursor=a",
            "https://api.cc。email.evil.example/?cursor=a",
            "https://api.cc.email%2eevil.example/?cursor=a",
            "ftp://api.cc.email/v3/contacts?cursor=a",
            "javascript:alert(1)?cursor=a",
            "data:text/plain,x?cursor=a",
            "\t//evil.example?cursor=a",
            "https://:password@api.cc.email/v3/contacts?cursor=a",
        ] {
            let error = chain("/contacts").advance(Some(link)).expect_err(link);
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(!error.to_string().contains("cursor"), "{error}");
        }
    }

    #[test]
    fn odd_links_on_our_own_server_are_reduced_to_their_query() {
        for (link, query) in [
            ("/v3/../secret?cursor=a", "cursor=a"),
            ("/v3/%2e%2e/secret?cursor=a", "cursor=a"),
            ("/v3/contacts?cursor=a#fragment", "cursor=a"),
            ("/v3/contacts?cursor=a\r\nX-Evil: 1", "cursor=aX-Evil:%201"),
            ("/v3/contacts?cursor=é\u{202e}", "cursor=%C3%A9%E2%80%AE"),
            ("https://api.cc。email/v3/contacts?cursor=a", "cursor=a"),
            ("HTTPS://API.CC.EMAIL:443/v3/contacts?cursor=a", "cursor=a"),
            (" /v3/contacts?cursor=a ", "cursor=a"),
        ] {
            let mut chain = chain("/contacts");
            chain.advance(Some(link)).expect(link);
            let request = chain.request().expect("a second page");
            assert_eq!(
                (request.path.as_str(), request.query.as_str()),
                ("/contacts", query),
                "{link}"
            );
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_not_the_end() {
        for link in ["/v3/contacts", "/v3/contacts?", "http://[", ""] {
            assert!(chain("/contacts").advance(Some(link)).is_err(), "{link}");
        }
    }

    #[test]
    fn a_page_is_read_once() {
        let mut chain = chain("/contacts");
        assert!(chain.clone().advance(Some("?limit=2")).is_err(), "the first page again");
        chain.advance(Some("?cursor=a")).expect("second page");
        chain.advance(Some("?cursor=b")).expect("third page");
        let error = chain.advance(Some("?cursor=a")).expect_err("a loop");
        assert!(error.to_string().contains("read before"), "{error}");
    }
}
