//! Each sealed request is answered once.
//!
//! A host can send what it recorded as often as it likes. The signed request header is no help: whoever signs it can
//! sign another for the same sealed bytes. So the guest remembers, for as long as a request lives, which it has
//! opened, in memory ([`ReplayWindow`]) and, where keys outlive a process or several replicas share them, in a store
//! that all of them ask ([`SeenStore`]).
//!
//! What is remembered is the hash of the head, which nobody can change unseen, and no more than until the request
//! expires. The memory is bounded: when it is full, requests are refused; nothing is forgotten early.

mod guard;
mod store;
mod window;

pub use guard::{AdmitError, ReplayGuard};
pub use store::{NoStore, SeenStore};
pub use window::{Admitted, ReplayWindow, SealId, Seen};
