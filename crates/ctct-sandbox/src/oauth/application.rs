//! The application that asks for access, as it is registered.

use crate::CLIENT_ID;

/// An application as it is registered in the developer portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its API key.
    pub client_id: String,
    /// Its secret. A client that sends it is a confidential one, a client that sends PKCE
    /// instead a public one; both are let in.
    pub client_secret: String,
    /// Where a browser may be sent back to: compared to the letter.
    pub redirect_uris: Vec<String>,
    /// Whether a refresh gives the same refresh token again; otherwise each is used once.
    pub long_lived_refresh_tokens: bool,
    /// How long an access token lasts, in seconds of the sandbox's clock.
    pub access_token_seconds: i64,
    /// Whether `expires_in` is written as text, as one of the documentation's examples has it.
    pub expires_in_as_text: bool,
    /// Requests to the token endpoint in any second; no limit without.
    pub token_requests_per_second: Option<u32>,
    /// The pause between two questions of a device, in seconds.
    pub device_interval: u32,
}

/// The secret of the sandbox's application.
pub const CLIENT_SECRET: &str = "sandbox-client-secret";

impl Default for Application {
    fn default() -> Self {
        let redirect_uris = [
            "https://localhost",
            "https://localhost:8888",
            "http://localhost:8888/",
            "http://127.0.0.1:8888/",
        ];
        Self {
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            redirect_uris: redirect_uris.map(str::to_owned).to_vec(),
            long_lived_refresh_tokens: false,
            access_token_seconds: 86_400,
            expires_in_as_text: false,
            token_requests_per_second: Some(1),
            device_interval: 5,
        }
    }
}
