//! The sealed channel from end to end, and everything that somebody between its ends could try.

mod answers;
mod downgrade;
mod flips;
mod golden;
mod interop;
mod model;
mod parties;
mod replay;
mod rotation;
mod round_trip;
mod stream;
mod support;
