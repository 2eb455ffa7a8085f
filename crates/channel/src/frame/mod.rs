//! Frames: what a message's text is cut into and encrypted as.
//!
//! ```text
//! frame    length u32 le ‖ index u32 le ‖ kind 1 ‖ ciphertext and tag: `length` bytes
//! kind     0 more follow, 1 the last, 2 a receipt behind the last: not encrypted, it is signed;
//!          3 the only one of an answer that is a refusal
//! nonce    the message's base XOR index, in the last four bytes, big endian
//! bound    binding 32 ‖ length ‖ index ‖ kind
//! binding  request: BLAKE2b-256 of head and wrapped keys; answer: of its head
//! ```
//!
//! Whoever has no key can count frames, see their lengths, find the end, and tell a refusal from an answer: no more than
//! the receipt says that follows the one and not the other. The index tells a reader whether frames were lost, repeated
//! or swapped; the kind is bound, so nobody on the way makes a refusal of an answer.

mod cipher;
mod cut;
mod sequence;

pub(crate) use cipher::{FrameOpener, FrameSealer};
pub(crate) use cut::{FRAME_HEAD, FrameHead, Kind, TAG, cut};
pub(crate) use sequence::Sequence;
