//! How the answer of a browser comes back, decided from the registered address alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

use crate::{Error, ErrorKind, Result};

/// How the answer of a browser comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Return {
    /// The browser ends at a page that cannot be shown; its address is pasted.
    Paste,
    /// The browser ends here.
    Listen(ListenAt),
}

/// Where to listen for a browser, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAt {
    /// Any of these will do.
    pub(super) addresses: Vec<SocketAddr>,
    /// With a certificate that is made for the occasion, and that browsers warn of.
    pub(super) tls: bool,
    /// The `Host` headers that a browser sends.
    pub(super) hosts: Vec<String>,
    /// The path of the registered address.
    pub(super) path: String,
}

impl Return {
    /// The way back for an address that the application is registered with. A listener
    /// with TLS is an option, because its certificate is one that no browser knows.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] where the code would cross a network in the open, or
    /// where a listener is asked for that no browser would find.
    ///
    /// ```
    /// use ctct_client::Return;
    ///
    /// assert_eq!(Return::of("https://localhost", false)?, Return::Paste);
    /// assert!(matches!(Return::of("http://127.0.0.1:8765/", false)?, Return::Listen(_)));
    /// # Ok::<(), ctct_client::Error>(())
    /// ```
    pub fn of(redirect_uri: &str, tls_listener: bool) -> Result<Self> {
        let wrong = |message: &str| {
            Error::new(ErrorKind::Configuration, format!("`redirect_uri`: {message}"))
        };
        let url =
            Url::parse(redirect_uri).map_err(|source| wrong("not a URL").with_source(source))?;
        let loopback = loopback_addresses(&url);
        match (url.scheme(), loopback) {
            ("http", Some(_)) if tls_listener => {
                Err(wrong("--tls-listener is for an address that starts with https://"))
            }
            ("http", Some(addresses)) => Ok(Self::Listen(ListenAt::new(&url, &addresses, false))),
            ("http", None) => {
                Err(wrong("over http only this very machine may be named (127.0.0.1, localhost)"))
            }
            ("https", Some(addresses)) if tls_listener => {
                Ok(Self::Listen(ListenAt::new(&url, &addresses, true)))
            }
            ("https", None) if tls_listener => {
                Err(wrong("--tls-listener is for an address of this very machine"))
            }
            ("https", _) => Ok(Self::Paste),
            _ => Err(wrong("an address that starts with https:// or http:// is needed")),
        }
    }
}

impl ListenAt {
    fn new(url: &Url, addresses: &[IpAddr], tls: bool) -> Self {
        let port = url.port_or_known_default().unwrap_or(80);
        let host = url.host_str().unwrap_or_default();
        let mut hosts = vec![format!("{host}:{port}")];
        if url.port().is_none() {
            hosts.push(host.to_owned());
        }
        Self {
            addresses: addresses.iter().map(|address| SocketAddr::new(*address, port)).collect(),
            tls,
            hosts,
            path: url.path().to_owned(),
        }
    }

    /// The names that a certificate needs.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.hosts.iter().map(|host| {
            host.rsplit_once(':')
                .map_or(host.as_str(), |(name, _)| name)
                .trim_matches(['[', ']'])
                .to_owned()
        });
        names.take(1).collect()
    }
}

/// The addresses of this machine that a URL names; none where it names another one.
fn loopback_addresses(url: &Url) -> Option<Vec<IpAddr>> {
    let addresses = match url.host()? {
        Host::Ipv4(address) => vec![IpAddr::V4(address)],
        Host::Ipv6(address) => vec![IpAddr::V6(address)],
        Host::Domain("localhost") => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        Host::Domain(_) => return None,
    };
    addresses.iter().all(IpAddr::is_loopback).then_some(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(redirect_uri: &str, tls: bool) -> (Vec<String>, Vec<String>, String) {
        match Return::of(redirect_uri, tls).expect(redirect_uri) {
            Return::Listen(at) => {
                assert_eq!(at.tls, tls);
                (at.addresses.iter().map(ToString::to_string).collect(), at.hosts, at.path)
            }
            Return::Paste => panic!("{redirect_uri} is listened for"),
        }
    }

    #[test]
    fn each_registered_address_has_its_way_back() {
        assert_eq!(
            listen("http://localhost:8888/back", false),
            (
                vec!["127.0.0.1:8888".into(), "[::1]:8888".into()],
                vec!["localhost:8888".into()],
                "/back".into()
            )
        );
        assert_eq!(listen("http://127.0.0.1:8000", false).0, ["127.0.0.1:8000"]);
        assert_eq!(listen("http://[::1]:8000/", false).1, ["[::1]:8000"]);
        assert_eq!(listen("https://localhost", true).0, ["127.0.0.1:443", "[::1]:443"]);
        assert_eq!(listen("https://localhost", true).1, ["localhost:443", "localhost"]);
        for pasted in [
            "https://localhost",
            "https://localhost:8888",
            "https://127.0.0.1:1/",
            "https://shop.example/back",
        ] {
            assert_eq!(Return::of(pasted, false).expect(pasted), Return::Paste);
        }
    }

    #[test]
    fn a_code_never_crosses_a_network_in_the_open() {
        for (address, tls) in [
            ("http://shop.example/", false),
            ("http://10.0.0.1:80/", false),
            ("http://localhost.evil.example/", false),
            ("ftp://localhost/", false),
            ("localhost", false),
            ("https://shop.example/", true),
            ("http://localhost:80/", true),
        ] {
            let error = Return::of(address, tls).expect_err(address);
            assert_eq!(error.kind(), ErrorKind::Configuration, "{address}");
        }
    }
}
