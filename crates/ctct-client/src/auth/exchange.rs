//! The conversations with the authorization server: a code, a refresh token or a device
//! becomes tokens.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
};
use oauth2::{
    AsyncHttpClient, AuthUrl, AuthorizationCode, ClientId, ClientSecret, DeviceAuthorizationUrl,
    EndpointNotSet, EndpointSet, ErrorResponse, HttpRequest, HttpResponse, PkceCodeVerifier,
    RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardDeviceAuthorizationResponse,
    StandardRevocableToken, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};

use super::response::{TokenAnswer, Tokens};
use crate::transport::{Transport, Unanswered};
use crate::{Connection, Error, ErrorKind, Result};

/// How often a request that the server did not take is sent again, and after what pauses.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(1_500), Duration::from_secs(3), Duration::from_secs(6)];

pub(super) type OauthClient = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Why there are no tokens.
#[derive(Debug)]
pub(super) enum NoTokens {
    /// The server refused what it was given, with this code and these words.
    Refused { code: String, words: String },
    /// Nobody knows whether what was given is spent.
    Unknown(Error),
    /// What was given is as good as before.
    Kept(Error),
}

/// The client of the connection's application.
pub(super) fn oauth_client(connection: &Connection) -> Result<OauthClient> {
    let wrong = |source: oauth2::url::ParseError| {
        Error::new(ErrorKind::Configuration, "the authorization server's address is not a URL")
            .with_source(source)
    };
    let base = connection.auth_url();
    let at = |end: &str| format!("{}/{end}", base.as_str().trim_end_matches('/'));
    let client = oauth2::Client::new(ClientId::new(connection.client_id.clone()))
        .set_auth_uri(AuthUrl::new(at("authorize")).map_err(wrong)?)
        .set_token_uri(TokenUrl::new(at("token")).map_err(wrong)?)
        .set_device_authorization_url(
            DeviceAuthorizationUrl::new(at("device/authorize")).map_err(wrong)?,
        );
    let secret = connection.client_secret.as_ref();
    Ok(match secret {
        Some(secret) => {
            client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
        }
        None => client,
    })
}

/// Tokens for an authorization code.
pub(super) async fn of_code(
    transport: &Arc<Transport>,
    connection: &Arc<Connection>,
    redirect_uri: &str,
    code: &SecretString,
    verifier: &SecretString,
) -> Result<Tokens, NoTokens> {
    let client = oauth_client(connection).map_err(NoTokens::Kept)?;
    let redirect = RedirectUrl::new(redirect_uri.to_owned()).map_err(|source| {
        NoTokens::Kept(
            Error::new(ErrorKind::Configuration, "`redirect_uri` is not a URL").with_source(source),
        )
    })?;
    let http = Wire { transport: Arc::clone(transport), connection: Arc::clone(connection) };
    let answer = client
        .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
        .set_redirect_uri(std::borrow::Cow::Owned(redirect))
        .request_async(&http)
        .await;
    tokens(answer).map_err(|failure| failure.without(code))
}

/// New tokens for a refresh token.
pub(super) async fn of_refresh_token(
    transport: &Arc<Transport>,
    connection: &Arc<Connection>,
    refresh_token: &SecretString,
) -> Result<Tokens, NoTokens> {
    let client = oauth_client(connection).map_err(NoTokens::Kept)?;
    let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
    let http = Wire { transport: Arc::clone(transport), connection: Arc::clone(connection) };
    let answer = client.exchange_refresh_token(&token).request_async(&http).await;
    tokens(answer).map_err(|failure| failure.without(refresh_token))
}

/// What a device shows its user.
pub(super) async fn device(
    transport: &Arc<Transport>,
    connection: &Arc<Connection>,
    scopes: &[String],
) -> Result<StandardDeviceAuthorizationResponse, NoTokens> {
    // A device is a public client by its nature: no secret is sent, as is documented.
    let public = Connection { client_secret: None, ..(**connection).clone() };
    let client = oauth_client(&public).map_err(NoTokens::Kept)?;
    let http = Wire { transport: Arc::clone(transport), connection: Arc::clone(connection) };
    let scopes = scopes.iter().map(|scope| Scope::new(scope.clone()));
    let answer = client.exchange_device_code().add_scopes(scopes).request_async(&http).await;
    answer.map_err(no_tokens)
}

/// Tokens for a device, once its user has allowed it. Gives up when the code has expired.
pub(super) async fn of_device(
    transport: &Arc<Transport>,
    connection: &Arc<Connection>,
    device: &StandardDeviceAuthorizationResponse,
) -> Result<Tokens, NoTokens> {
    let public = Connection { client_secret: None, ..(**connection).clone() };
    let client = oauth_client(&public).map_err(NoTokens::Kept)?;
    let http = Wire { transport: Arc::clone(transport), connection: Arc::clone(connection) };
    let wait = |pause: Duration| tokio::time::sleep(pause);
    tokens(client.exchange_device_access_token(device).request_async(&http, wait, None).await)
}

/// How requests leave: through the transport.
struct Wire {
    transport: Arc<Transport>,
    connection: Arc<Connection>,
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = Unanswered;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unanswered>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Wire {
    /// Sends a request, again only where it surely did nothing.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let failure = match self.transport.post(&self.connection, request.clone()).await {
                Err(failure @ (Unanswered::Unsent(_) | Unanswered::Failed(_))) => failure,
                other => return other,
            };
            let Some(pause) = pauses.next() else { return Err(failure) };
            tracing::debug!(?pause, "asking the authorization server again");
            tokio::time::sleep(pause).await;
        }
    }
}

fn tokens<E>(
    answer: Result<TokenAnswer, RequestTokenError<Unanswered, E>>,
) -> Result<Tokens, NoTokens>
where
    E: ErrorResponse + 'static,
{
    // A success whose body cannot be read may have spent what was given for it.
    answer.map_err(no_tokens)?.into_tokens().ok_or_else(|| NoTokens::Unknown(unreadable()))
}

fn no_tokens<E>(error: RequestTokenError<Unanswered, E>) -> NoTokens
where
    E: ErrorResponse + 'static,
{
    match error {
        RequestTokenError::ServerResponse(response) => {
            let said = response.to_string();
            // Displayed as `code: description (see …)`.
            let (code, words) = said.split_once(": ").unwrap_or((&said, ""));
            NoTokens::Refused { code: harmless(code), words: harmless(words) }
        }
        RequestTokenError::Request(Unanswered::Unknown(error)) => NoTokens::Unknown(error),
        RequestTokenError::Request(other) => NoTokens::Kept(other.into_error()),
        // The error would show what it could not read, and that may be a token.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            NoTokens::Unknown(unreadable())
        }
    }
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Protocol, "the authorization server's answer cannot be read")
        .with_hint("check `auth_url`; a proxy or a captive portal may stand in between")
}

/// A server's words, short and without control characters.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

impl NoTokens {
    /// The same, should the server have repeated the secret that it was sent.
    fn without(self, secret: &SecretString) -> Self {
        match self {
            Self::Refused { code, words } => {
                Self::Refused { code, words: words.replace(secret.expose_secret(), "…") }
            }
            other => other,
        }
    }

    /// The error in words, when `what` was refused.
    pub(super) fn into_error(self, what: &str, hint: &str) -> Error {
        match self {
            Self::Refused { code, words } => {
                let said = if words.is_empty() { code } else { format!("{words} [{code}]") };
                Error::new(ErrorKind::Authentication, format!("{what} was refused: {said}"))
                    .with_hint(hint)
            }
            Self::Unknown(error) | Self::Kept(error) => error,
        }
    }
}
