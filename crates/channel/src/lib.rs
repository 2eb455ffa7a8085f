//! The sealed channel: a request that only attested nodes can open, and an answer that only whoever
//! asked can. Gateways, forwarders and a node's host pass both on and read neither.
//!
//! ```text
//! client                                                 guest of a node
//! VerifiedKeyset::new   a keyset that a policy accepted
//! seal_request      ──► head, wrapped keys, frames ──►   KeyRing::open        keys, head, every byte
//!                                                        ReplayGuard::admit   once, at one replica
//!                                                        Opening::admitted    the text, and:
//! AnswerOpener      ◄── head, frames, receipt     ◄──    AnswerSealer
//! ```
//!
//! * A random *content key* encrypts the request. It is wrapped by HPKE (RFC 9180, base mode) with X-Wing for each
//!   of one to four nodes: whichever is asked opens it. There is one suite; nothing is negotiated.
//! * Everything that stands in clear is bound: the wrapped keys to the head, the frames to head and wrapped keys, the
//!   answer to every byte of the request.
//! * The answer's key comes from the HPKE context of the node that answers, so the other nodes that could open the
//!   request can neither read nor make the answer.
//! * A message ends with a frame that says so, errors are sealed like text, and sizes are padded ([`limits`]).
//!
//! Base mode doesn't say who asks: that is the signed request header's job, whose `body_hash` commits to the sealed
//! bytes. What the format is byte by byte stands in `docs/protocol.md`, and in the modules beside the code.
//!
//! By the same pieces a model is sealed for its owner, and its key wrapped for a guest: [`model`].
//!
//! This crate does no I/O of its own and has no clock: the time is an argument, randomness comes from a
//! [`Random`](atoma_runtime::Random).

mod answer;
mod fault;
mod frame;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod hpke;
#[cfg(test)]
mod insider_test;
mod key;
pub mod limits;
mod message_key;
pub mod model;
mod padding;
mod recipient;
pub mod replay;
mod request;
mod ring;
mod schedule;
mod secret;
mod tags;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod xwing;

pub use answer::{AnswerOpener, AnswerPart, AnswerSealer, AnswerSplitter, SealedPart};
pub use fault::Fault;
pub use padding::Padding;
pub use recipient::VerifiedKeyset;
pub use replay::{ReplayGuard, ReplayWindow, SealId, Seen, SeenStore};
pub use request::{Opening, Recipient, RequestHead, RequestTerms, SealedRequest, seal_request};
pub use ring::KeyRing;
pub use secret::SealingSecret;
pub use tags::is_sealed;

/// The media type of sealed requests and answers.
pub const MEDIA_TYPE: &str = "application/vnd.atoma.sealed";
