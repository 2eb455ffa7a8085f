//! A node as its users meet it, over HTTP, on a localnet of its own.
#![expect(
    clippy::disallowed_methods,
    reason = "reads what a child process prints on a thread of its own"
)]

mod common;
mod evidence;
mod kill;
mod serving;
