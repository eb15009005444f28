//! Logging in, and staying logged in.
//!
//! `authorize`, `paste`, `redirect`, `grant` and `response` decide, as functions of values;
//! `listener` waits for a browser, `exchange` talks to the authorization server through the
//! transport, `store` keeps files, and `keeper` gives every request its token.

mod authorize;
mod exchange;
mod grant;
mod keeper;
mod listener;
mod login;
mod paste;
mod redirect;
mod response;
mod stop;
mod store;

pub use authorize::{AuthorizationAnswer, AuthorizationRequest, SCOPES};
pub(crate) use keeper::Keeper;
pub use listener::Listener;
pub use login::{DevicePrompt, LoggedOut, LoginKind, LoginStatus};
#[cfg(any(feature = "fuzzing", test))]
pub(crate) use paste::read as read_paste;
pub use redirect::{ListenAt, Return};
pub use store::TokenStore;
