//! Requests.
//!
//! ```text
//! tag           16  "atoma/sealreq/v1"
//! length         4  u32 le, of the head
//! head              BCS, see [`RequestHead`]
//! wrapped keys  48  of each recipient, in the head's order: the content key and a tag, by HPKE;
//!                   bound to BLAKE2b-256 of all before the wrapped keys
//! frames            bound to BLAKE2b-256 of all before the frames
//! ```
//!
//! The request's hash, which the answer is bound to, is BLAKE2b-256 over all of it. So a node that could open the
//! request and puts other frames into it for another node is found out by the answer.

mod head;
mod open;
mod read;
mod seal;

pub use head::{Recipient, RequestHead, RequestTerms};
pub use open::Opening;
pub(crate) use open::open;
pub use read::SealedRequest;
pub use seal::seal_request;
