//! A faithful local Constant Contact: the V3 API over real HTTP, with an account made up
//! from a seed.
//!
//! # Owns
//! The [account](Settings)'s data, the endpoints in the exact shapes of the official
//! specification, the authorization server with its consent page,
//! both [limits](Limits) of an API key,
//! [faults](Sandbox::inject) on request, its own [clock](Sandbox::now) and a
//! [log](Sandbox::requests) of what was asked.
//!
//! # Does not own
//! Anything of the product: it depends on none of its crates, so that no mistake of
//! theirs can hide in it.
//!
//! # Invariants
//! The same settings give the same account, to the byte. Contacts are made when they
//! are asked for and never held, so ten million of them cost no memory. Where the
//! documentation is silent, the sandbox does what makes a careless reader fail:
//! bounds of dates are exclusive, contacts come in no order, the links of tags name
//! an internal path.
//!
//! # Example
//! ```no_run
//! # async fn start() -> std::io::Result<()> {
//! let sandbox = ctct_sandbox::Sandbox::start(ctct_sandbox::Settings::default()).await?;
//! println!("GET {}/contacts with bearer {}", sandbox.base_url(), ctct_sandbox::ACCESS_TOKEN);
//! # Ok(())
//! # } // Dropping the sandbox stops it.
//! ```

mod account;
mod api;
mod clock;
mod fault;
mod limits;
mod log;
mod oauth;
mod server;
mod settings;

pub use account::{Change, Collection};
pub use clock::Clock;
pub use fault::{Fault, FaultKind};
pub use limits::Limits;
pub use log::LoggedRequest;
pub use oauth::{Application, CLIENT_SECRET};
pub use server::Sandbox;
pub use settings::{ACCESS_TOKEN, CLIENT_ID, Settings, Token, Variants};
