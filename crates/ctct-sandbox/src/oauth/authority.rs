//! What the authorization server remembers: codes, grants and devices, and how they change.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use super::Application;

/// How long an authorization code lasts.
const CODE_SECONDS: i64 = 300;
/// How long a refresh token lasts without being used.
const REFRESH_SECONDS: i64 = 180 * 86_400;
/// How long a device may wait for its user.
pub(super) const DEVICE_SECONDS: i64 = 600;

/// Why no token is given: the error's code and its description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Denied(pub(super) &'static str, pub(super) &'static str);

const INVALID_CODE: Denied =
    Denied("invalid_grant", "The authorization code is invalid or has expired.");
const INVALID_REFRESH: Denied = Denied("invalid_grant", "The refresh token is invalid or expired.");
const WRONG_VERIFIER: Denied = Denied("invalid_grant", "PKCE verification failed.");
const WRONG_REDIRECT: Denied = Denied(
    "invalid_grant",
    "The 'redirect_uri' does not match the redirection URI used in the authorization request.",
);
const NO_CLIENT: Denied = Denied("invalid_client", "Client authentication failed.");

/// What is granted: a new access token for these scopes, and how to have the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) scopes: Vec<String>,
    pub(super) refresh_token: Option<String>,
}

/// What a user allowed in a browser.
#[derive(Debug, Clone)]
struct Code {
    redirect_uri: String,
    challenge: Option<String>,
    scopes: Vec<String>,
    until: i64,
}

/// A chain of refresh tokens; only the last one is good.
#[derive(Debug)]
struct Chain {
    current: String,
    spent: Vec<String>,
    scopes: Vec<String>,
    until: i64,
}

/// A device that waits for its user.
#[derive(Debug)]
struct Device {
    user_code: String,
    scopes: Vec<String>,
    until: i64,
    interval: u32,
    asked: Option<Instant>,
    decision: Option<bool>,
}

/// The state of the authorization server, for one application and one account.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) application: Application,
    random: fastrand::Rng,
    codes: HashMap<String, Code>,
    chains: Vec<Chain>,
    devices: HashMap<String, Device>,
    recent: VecDeque<Instant>,
}

impl Authority {
    pub(super) fn new(application: Application) -> Self {
        Self {
            application,
            random: fastrand::Rng::new(),
            codes: HashMap::new(),
            chains: Vec::new(),
            devices: HashMap::new(),
            recent: VecDeque::new(),
        }
    }

    /// Whether the token endpoint takes one more request in this second.
    pub(super) fn arrive(&mut self) -> bool {
        let now = Instant::now();
        let old = |at: &Instant| now.duration_since(*at) >= Duration::from_secs(1);
        while self.recent.front().is_some_and(old) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        let most = self.application.token_requests_per_second;
        most.is_none_or(|most| self.recent.len() <= usize::try_from(most).unwrap_or(usize::MAX))
    }

    /// A code for what a user allowed.
    pub(super) fn code(
        &mut self,
        redirect_uri: &str,
        challenge: Option<&str>,
        scopes: Vec<String>,
        now: i64,
    ) -> String {
        let code = self.secret(20);
        let (redirect_uri, challenge) = (redirect_uri.to_owned(), challenge.map(str::to_owned));
        let until = now + CODE_SECONDS;
        self.codes.insert(code.clone(), Code { redirect_uri, challenge, scopes, until });
        code
    }

    /// Tokens for a code, which is good once. `confidential` is whether the client proved
    /// itself with its secret.
    pub(super) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        confidential: bool,
        now: i64,
    ) -> Result<Granted, Denied> {
        let code = self.codes.remove(code).ok_or(INVALID_CODE)?;
        if now >= code.until {
            return Err(INVALID_CODE);
        }
        if redirect_uri != code.redirect_uri {
            return Err(WRONG_REDIRECT);
        }
        match (&code.challenge, verifier) {
            (Some(challenge), Some(verifier)) if challenge_of(verifier) == *challenge => {}
            (Some(_), _) => return Err(WRONG_VERIFIER),
            (None, _) if confidential => {}
            (None, _) => return Err(NO_CLIENT),
        }
        Ok(self.grant(code.scopes, now))
    }

    /// Tokens for a refresh token. One that was spent already was stolen from somebody: the
    /// whole chain ends, as RFC 9700 asks for.
    pub(super) fn refresh(&mut self, token: &str, now: i64) -> Result<Granted, Denied> {
        self.chains.retain(|chain| now < chain.until);
        if let Some(index) =
            self.chains.iter().position(|chain| chain.spent.iter().any(|t| t == token))
        {
            self.chains.remove(index);
            return Err(INVALID_REFRESH);
        }
        let next = self.secret(32);
        let long_lived = self.application.long_lived_refresh_tokens;
        let chain = self.chains.iter_mut().find(|chain| chain.current == token);
        let chain = chain.ok_or(INVALID_REFRESH)?;
        chain.until = now + REFRESH_SECONDS;
        if !long_lived {
            chain.spent.push(std::mem::replace(&mut chain.current, next));
        }
        Ok(Granted { scopes: chain.scopes.clone(), refresh_token: Some(chain.current.clone()) })
    }

    fn grant(&mut self, scopes: Vec<String>, now: i64) -> Granted {
        if !scopes.iter().any(|scope| scope == "offline_access") {
            return Granted { scopes, refresh_token: None };
        }
        if !self.application.long_lived_refresh_tokens {
            // A new set of rotating tokens ends all earlier ones of the application and user.
            self.chains.clear();
        }
        let current = self.secret(32);
        let until = now + REFRESH_SECONDS;
        self.chains.push(Chain {
            current: current.clone(),
            spent: Vec::new(),
            scopes: scopes.clone(),
            until,
        });
        Granted { scopes, refresh_token: Some(current) }
    }

    /// A device's code, and the code that its user types.
    pub(super) fn device(&mut self, scopes: Vec<String>, now: i64) -> (String, String) {
        let letters: String = (0..4).map(|_| char::from(self.random.u8(b'A'..=b'Z'))).collect();
        let user_code = format!("{letters}-{:04}", self.random.u16(0..10_000));
        let device_code = self.secret(32);
        let device = Device {
            user_code: user_code.clone(),
            scopes,
            until: now + DEVICE_SECONDS,
            interval: self.application.device_interval,
            asked: None,
            decision: None,
        };
        self.devices.insert(device_code.clone(), device);
        (device_code, user_code)
    }

    /// What the device with this user code asks for, while it waits.
    pub(super) fn waiting_device(&self, user_code: &str, now: i64) -> Option<Vec<String>> {
        let mut waiting = self.devices.values();
        let device = waiting.find(|device| {
            device.user_code == user_code && device.decision.is_none() && now < device.until
        })?;
        Some(device.scopes.clone())
    }

    /// Notes what the user decided; whether any device waited for it.
    pub(super) fn decide(&mut self, user_code: &str, allowed: bool, now: i64) -> bool {
        let mut waiting = self.devices.values_mut();
        let device = waiting.find(|device| {
            device.user_code == user_code && device.decision.is_none() && now < device.until
        });
        device.map(|device| device.decision = Some(allowed)).is_some()
    }

    /// Tokens for a device whose user allowed it.
    pub(super) fn poll(&mut self, device_code: &str, now: i64) -> Result<Granted, Denied> {
        let invalid = Denied("invalid_grant", "The device code is invalid.");
        let device = self.devices.get_mut(device_code).ok_or(invalid)?;
        if now >= device.until {
            self.devices.remove(device_code);
            return Err(Denied("expired_token", "The device code has expired."));
        }
        let pause = Duration::from_secs(u64::from(device.interval)).mul_f64(0.9);
        let too_fast = device.asked.is_some_and(|asked| asked.elapsed() < pause);
        device.asked = Some(Instant::now());
        match device.decision {
            None if too_fast => {
                device.interval += 5;
                Err(Denied("slow_down", "Polling too often."))
            }
            None => Err(Denied(
                "authorization_pending",
                "The device authorization is pending. Please try again later.",
            )),
            Some(false) => {
                self.devices.remove(device_code);
                Err(Denied("access_denied", "The resource owner denied the request."))
            }
            Some(true) => {
                let scopes = std::mem::take(&mut device.scopes);
                self.devices.remove(device_code);
                Ok(self.grant(scopes, now))
            }
        }
    }

    /// Ends every refresh token, as its user can in the account's settings.
    pub(super) fn revoke(&mut self) {
        self.chains.clear();
    }

    fn secret(&mut self, bytes: usize) -> String {
        let bytes: Vec<u8> = (0..bytes).map(|_| self.random.u8(..)).collect();
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// The S256 challenge of a verifier (RFC 7636).
fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REDIRECT: &str = "https://localhost";

    fn authority() -> Authority {
        Authority::new(Application::default())
    }

    fn scopes() -> Vec<String> {
        vec!["contact_data".to_owned(), "offline_access".to_owned()]
    }

    /// The pair of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn a_code_is_good_once_for_five_minutes_and_its_verifier() {
        let mut authority = authority();
        let mut code = || authority.code(REDIRECT, Some(CHALLENGE), scopes(), 0);
        let (good, late, stolen, elsewhere) = (code(), code(), code(), code());
        let mut exchange = |code: &str, redirect: &str, verifier, now| {
            authority.exchange(code, redirect, verifier, true, now).map(|_| ())
        };
        assert_eq!(exchange(&good, REDIRECT, Some(VERIFIER), 299), Ok(()));
        assert_eq!(exchange(&good, REDIRECT, Some(VERIFIER), 299), Err(INVALID_CODE));
        assert_eq!(exchange(&late, REDIRECT, Some(VERIFIER), 300), Err(INVALID_CODE));
        assert_eq!(exchange(&stolen, REDIRECT, None, 0), Err(WRONG_VERIFIER));
        assert_eq!(
            exchange(&elsewhere, "https://localhost/", Some(VERIFIER), 0),
            Err(WRONG_REDIRECT)
        );
        let bare = authority.code(REDIRECT, None, scopes(), 0);
        assert_eq!(authority.exchange(&bare, REDIRECT, None, false, 0), Err(NO_CLIENT));
    }

    #[test]
    fn a_spent_refresh_token_ends_its_chain() {
        let mut authority = authority();
        let first = authority.grant(scopes(), 0).refresh_token.expect("offline");
        let second = authority.refresh(&first, 1).expect("fresh").refresh_token.expect("rotated");
        assert_ne!(first, second);
        assert_eq!(authority.refresh(&first, 2), Err(INVALID_REFRESH));
        assert_eq!(authority.refresh(&second, 3), Err(INVALID_REFRESH), "the thief or the owner");
    }

    #[test]
    fn a_refresh_token_lives_for_180_days_after_its_last_use() {
        let mut authority = authority();
        authority.application.long_lived_refresh_tokens = true;
        let token = authority.grant(scopes(), 0).refresh_token.expect("offline");
        let almost = REFRESH_SECONDS - 1;
        assert_eq!(
            authority.refresh(&token, almost).expect("alive").refresh_token.as_ref(),
            Some(&token)
        );
        assert!(authority.refresh(&token, 2 * almost).is_ok());
        assert_eq!(authority.refresh(&token, 2 * almost + REFRESH_SECONDS), Err(INVALID_REFRESH));
    }

    #[test]
    fn a_device_waits_for_its_user_and_is_told_to_be_patient() {
        let mut authority = authority();
        let (device, user) = authority.device(scopes(), 0);
        let error = |outcome: Result<Granted, Denied>| outcome.expect_err("not yet").0;
        assert_eq!(error(authority.poll(&device, 1)), "authorization_pending");
        assert_eq!(error(authority.poll(&device, 1)), "slow_down");
        assert!(!authority.decide("AAAA-0000x", true, 1));
        assert!(authority.decide(&user, true, 1) && !authority.decide(&user, true, 1));
        assert!(authority.poll(&device, 2).is_ok());
        assert_eq!(error(authority.poll(&device, 3)), "invalid_grant", "used once");
        let (late, _) = authority.device(scopes(), 0);
        assert_eq!(error(authority.poll(&late, DEVICE_SECONDS)), "expired_token");
    }
}
