//! Waits for a browser to come back. Whatever else comes is not listened to.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::authorize::{AuthorizationAnswer, AuthorizationRequest};
use super::paste;
use super::redirect::ListenAt;
use crate::{Error, ErrorKind, Result};

/// How long one connection may take: browsers open some in advance and say nothing.
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections at a time; more wait.
const CONNECTIONS: usize = 64;

const ALLOWED: &str = "<h1>Access allowed</h1><p>ctct has received the answer. You can close this page and go back to the terminal.</p>";
const REFUSED: &str = "<h1>Access not given</h1><p>ctct has been told. You can close this page and go back to the terminal.</p>";
const OTHER: &str =
    "<h1>Nothing here</h1><p>This page is only for the end of a login that is going on.</p>";

/// A listener that is ready for a browser.
pub struct Listener {
    sockets: Vec<TcpListener>,
    tls: Option<TlsAcceptor>,
    at: Arc<ListenAt>,
}

/// What a listener listens for.
#[derive(Debug)]
struct Expected {
    at: Arc<ListenAt>,
    state: SecretString,
    answers: mpsc::Sender<Result<SecretString>>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Listener {
    /// Listens at an address of this machine: on all of its forms that there are.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], saying what stands in the way, where none can be had.
    pub async fn bind(at: ListenAt) -> Result<Self> {
        let mut sockets = Vec::new();
        let mut refused = None;
        for address in &at.addresses {
            match TcpListener::bind(address).await {
                Ok(socket) => sockets.push(socket),
                Err(error) => refused = refused.or(Some((*address, error))),
            }
        }
        if let (true, Some((address, error))) = (sockets.is_empty(), refused) {
            return Err(occupied(address, error));
        }
        let tls = if at.tls { Some(self_signed(&at)?) } else { None };
        Ok(Self { sockets, tls, at: Arc::new(at) })
    }

    /// Waits for the answer to a request. Dropping the future stops listening.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`] where the browser says that access was not given.
    pub async fn answer(self, request: &AuthorizationRequest) -> Result<AuthorizationAnswer> {
        let (answers, mut answered) = mpsc::channel(1);
        let expected =
            Arc::new(Expected { at: Arc::clone(&self.at), state: request.state.clone(), answers });
        // Says that it is over, so that connections end after what they are sending.
        let (over, ending) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for socket in self.sockets {
            tasks.spawn(listen(socket, self.tls.clone(), Arc::clone(&expected), ending.clone()));
        }
        let answer = answered.recv().await;
        // Nobody is left waiting if the channel's receiver is gone.
        let _ = over.send(true);
        // The browser must have its page before the process goes on, and maybe ends.
        let last_pages = async { while tasks.join_next().await.is_some() {} };
        // A browser that does not take its page is not waited for.
        drop(tokio::time::timeout(Duration::from_secs(2), last_pages).await);
        let code = answer
            .unwrap_or_else(|| Err(Error::new(ErrorKind::Unavailable, "the listener has ended")))?;
        Ok(AuthorizationAnswer { code })
    }
}

/// Accepts connections until it is over.
async fn listen(
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    expected: Arc<Expected>,
    mut ending: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept(), if connections.len() < CONNECTIONS => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            _ = ending.changed() => break,
        };
        // A connection that is gone before it is accepted is not missed.
        let Ok((stream, _)) = accepted else { continue };
        let serving = serve(stream, tls.clone(), Arc::clone(&expected), ending.clone());
        connections.spawn(async {
            drop(tokio::time::timeout(PATIENCE, serving).await);
        });
    }
    drop(socket);
    while connections.join_next().await.is_some() {}
}

async fn serve(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    expected: Arc<Expected>,
    ending: watch::Receiver<bool>,
) {
    match tls {
        None => converse(stream, expected, ending).await,
        // A browser that does not trust the certificate ends the connection here.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                converse(stream, expected, ending).await;
            }
        }
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    expected: Arc<Expected>,
    mut ending: watch::Receiver<bool>,
) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let expected = Arc::clone(&expected);
        async move { Ok::<_, Infallible>(respond(&request, &expected)) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = ending.changed() => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        // Whoever was in the midst of something else gets nothing more.
        drop(connection.await);
    }
}

fn respond(request: &Request<Incoming>, expected: &Expected) -> Response<Full<Bytes>> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let ours = request.method() == Method::GET
        && request.uri().path() == expected.at.path
        && expected.at.hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
    if !ours {
        return page(StatusCode::NOT_FOUND, OTHER);
    }
    match paste::code_of_query(request.uri().query().unwrap_or_default(), &expected.state) {
        // Another state, or no code: not the answer, whoever sent it.
        Err(error) if error.kind() == ErrorKind::InvalidRequest => {
            page(StatusCode::BAD_REQUEST, OTHER)
        }
        answer => {
            let content = if answer.is_ok() { ALLOWED } else { REFUSED };
            // A second answer finds the channel full, and changes nothing.
            drop(expected.answers.try_send(answer));
            page(StatusCode::OK, content)
        }
    }
}

/// A page that holds nothing of the request.
fn page(status: StatusCode, content: &str) -> Response<Full<Bytes>> {
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>ctct</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <style>body{{font:16px/1.5 sans-serif;max-width:34em;margin:4em auto;padding:0 1em;color:#222}}</style>\
         </head><body>{content}</body></html>\n"
    );
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (CONNECTION, "close"),
    ] {
        headers.insert(name, hyper::header::HeaderValue::from_static(value));
    }
    response
}

/// A certificate for this login alone: its key never leaves this process.
fn self_signed(at: &ListenAt) -> Result<TlsAcceptor> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(ErrorKind::Configuration, "no certificate could be made for the listener")
            .with_source(source)
    };
    let made =
        rcgen::generate_simple_self_signed(at.names()).map_err(|error| failed(error.into()))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key)
        })
        .map_err(|error| failed(error.into()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn occupied(address: SocketAddr, error: std::io::Error) -> Error {
    let hint = match error.kind() {
        std::io::ErrorKind::PermissionDenied => format!(
            "port {} needs special rights; register an address with a port above 1024, or paste the address instead",
            address.port()
        ),
        std::io::ErrorKind::AddrInUse => format!(
            "another program listens there; stop it, or paste the address instead (port {})",
            address.port()
        ),
        _ => "paste the address instead".to_owned(),
    };
    Error::new(ErrorKind::Configuration, format!("nothing can listen at {address}: {error}"))
        .with_hint(hint)
        .with_source(error)
}
