//! From an answer's JSON to Arrow: the rows of a page, and the link to the next one.
//!
//! A whole answer is decoded as one record whose schema is the envelope around the
//! columns that are read, so that rows and link come out of one pass and what nobody
//! reads is never built. The first try is strict. Where it fails, the envelope is read
//! strictly once more (a link that cannot be read must not look like the end of the
//! data), and the rows leniently: a value of the wrong type becomes null, with a
//! warning that names its field.

mod asked;
mod conflicts;
mod page;
mod prepare;
mod selection;
mod shape;

pub(crate) use asked::Asked;
pub(crate) use page::{DecodedPage, PageDecoder};
