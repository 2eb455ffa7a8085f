//! Passing a request on. A node that is full, or shutting down, asks another node of the task for the answer, as
//! a client of its own: it holds a stack with that node, signs a header for it, and streams the answer through.
//! The ledger knows nothing of it. Both legs are paid, demanded and examined as any other: the first node is liable
//! to the user for what it passes on, and the second one to the first.
//!
//! **What is signed.** The second header names the hash of the user's as its
//! [`Origin`](atoma_types::message::Origin), and repeats its body, units, times and salt. So both nodes would
//! give the same answer, and commit to it in the same bytes: the first receipt is the second one on the first
//! lease. The node shows the second record beside its receipt; clients hold one against the other
//! (`atoma_evidence::second`).
//!
//! **When.** While more than `above_permille` of the node's places are taken, or of the queue before the model that
//! is asked for; when there is no place; when the engine refuses for too much work, as a server does with status
//! 429; and, while the node stops, for as long as its own answers still run. Whoever forbids it
//! ([`Origin::Kept`](atoma_types::message::Origin), or a request that is stored first) is served or refused here.
//!
//! **One hop.** Whoever takes a request that was passed on serves it or refuses it (`second_hop`). A request can't
//! come back, then, as nobody passes it on twice.
//!
//! **Who gains by lying?**
//!
//! | Who | What | What comes of it |
//! |---|---|---|
//! | first node | invents the second record | its receipt isn't signed by the second node's key on the ledger; it proves nothing, and the first receipt binds as it would alone |
//! | first node | shows none, and answers with what a cheaper node computed | liable as if it had computed it, at its own price; a wrong answer convicts it |
//! | first node | charges more than was computed | the two usages differ, and the client takes the answer for unpaid; showing none, it overcounts as any node could |
//! | first node | passes on to itself under another name | it pays itself, and a fee twice |
//! | first node | shows an old record again | it names another request |
//! | second node | answers wrongly | the first is examined and convicted on its own leg, and may demand and challenge on the other: so an operator says whom it trusts (`nodes`), or stands for what it chooses by price |
//! | second node | takes the request and falls silent | the user is refused or finds the stream broken, and pays nothing; the second node is paid for few of them if it has receipts: four, the client's window or an eighth of what its lease has used |
//! | second node | removes the mark and passes it on | it pays for that by itself |
//! | user | leaves as soon as the other node has computed, or long before | pays what that node's receipt says, whenever it comes, as for an answer of this one |
//!
//! `choice` says which node is asked, `supply` what is bought and granted beforehand: both are pure. `stocker` buys
//! and grants in the background, so that no request waits for the ledger.

mod choice;
mod filled;
mod forwarder;
mod stocker;
mod supply;

pub(crate) use choice::Seller;
pub(crate) use filled::Filled;
pub(crate) use forwarder::Forwarder;
pub(crate) use stocker::Stocker;
