//! Every Constant Contact endpoint as one declaration: pure data, no I/O.
//!
//! # Owns
//! What is known of each endpoint: its table's name, path and envelope, its
//! [fields](Field) and their types, keys, which column's range maps to which
//! [parameter](RangeParameter), what is sent only [on request](OnRequest), how
//! it [pages](Paging), and about how many rows to expect.
//!
//! # Does not own
//! Sending requests (`ctct-client`) and decoding answers (`datafusion-ctct`).
//!
//! # Invariants
//! Adding an endpoint is adding one declaration under `endpoints/` and naming it
//! in [`all`]; nothing else in the code names an endpoint. The tests of this
//! crate hold every declaration to the rules that its readers rely on.
//!
//! ```
//! let contacts = ctct_endpoints::find("contacts").expect("declared");
//! assert_eq!(contacts.path, "/contacts");
//! assert_eq!(contacts.field("email_address").expect("declared").member, "address");
//! ```

mod definition;
mod endpoint;
mod endpoints;
mod field;
mod parameter;
mod relation;
mod words;

pub use definition::{Defined, Definitions};
pub use endpoint::{Endpoint, Envelope, Paging};
pub use endpoints::{all, find};
pub use field::{Field, Kind, Source};
pub use parameter::{CountParameter, KeyBinding, KeyRequest, OnRequest, RangeParameter};
pub use relation::{Order, Parent, Period, Window, Without};
