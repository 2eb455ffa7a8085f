//! What a user's program needs to buy compute and use it without trusting anyone: stacks, grants,
//! signed requests, receipts that are checked against what really arrived, and the way out.
//!
//! ```text
//! Client ── buy ──> StackHandle ── grant ──> a node's lease
//!                        │
//!                        ├── request ──> Answer (bytes unchanged, hashed as they pass)
//!                        │                 └── receipt: verified, chained, kept
//!                        └── close ────> what was paid, what came back
//! ```
//!
//! The hard parts are pure and stand alone: [`lane`] (what may be signed), [`ReceiptError`] (what a
//! receipt must say), [`retry`] (what follows from a refusal), [`receipt_scanner`] (where the receipt is in
//! a stream), [`estimate`] (what a body may cost), [`fair_price`] (what a unit is worth). The rest moves bytes. [`evidence`] checks afterwards
//! all that there is about a request,
//! and [`watch`] answers settlements that don't fit the receipts.
//!
//! # Example
//!
//! ```no_run
//! use atoma_client::{BuyRequest, Client, ClientConfig};
//! use atoma_keys::SigningKey;
//! use atoma_types::{ComputeUnits, DurationMs, TaskId};
//!
//! # async fn example(wallet: SigningKey, task: TaskId) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("http://127.0.0.1:9000", wallet, ClientConfig::default()).await?;
//! let stack = client
//!     .buy(BuyRequest {
//!         task,
//!         units: ComputeUnits(20_000),
//!         max_price: None, // what nodes with half of the collateral ask at most
//!         nodes: 0,
//!         lifetime: DurationMs(3_600_000),
//!     })
//!     .await?;
//! let node = stack.engage().await?.node;
//! let body = r#"{"model":"atoma-tiny","messages":[{"role":"user","content":"Hello"}]}"#;
//! let answer = stack.chat(node, body).await?.whole().await?;
//! if let Some(receipt) = answer.receipt {
//!     println!("{} charged for {:?}", receipt.units, answer.body);
//! }
//! let closed = stack.close().await?;
//! println!("{} came back", closed.withdrawn);
//! # Ok(())
//! # }
//! ```
//!
//! The whole way stands in `examples/quickstart.rs`.

mod account;
mod answer;
mod buy;
mod close;
mod confidential;
mod denials;
mod directory;
pub mod dispute;
mod error;
mod error_frame;
pub mod estimate;
pub mod evidence;
pub mod fair_price;
mod gaps;
mod grant;
mod http;
mod immediate;
mod in_flight;
mod kept_chain;
pub mod lane;
mod lines;
mod networks;
mod never_came;
mod node_info;
mod owed;
mod pace;
mod reach;
pub mod receipt_scanner;
mod receipts;
mod records;
mod request;
pub mod retry;
mod second;
mod signing;
mod stack;
mod stack_state;
mod store;
mod told;
mod trust;
mod units;
mod usage;
mod verified_receipt;
mod vouchers;
pub mod watch;

pub use account::{Client, ClientConfig, request_key};
pub use answer::{Answer, AnswerBody, ReceiptWait, WholeAnswer};
pub use atoma_channel::Padding;
pub use atoma_evidence::{
    receipt::ReceiptError,
    second::{SecondError, SecondRecord},
};
pub use buy::BuyRequest;
pub use close::{CloseUntil, ClosedStack, ClosingStep, PaidTicket, WaitingTicket};
pub use confidential::{AttestationFault, Attested, Confidential, Sealing, Through, ThroughAnswer};
pub use directory::Offer;
pub use error::{ClientError, MalformedAnswer};
pub use grant::LeaseTerms;
pub use immediate::Evidence;
pub use networks::{KnownNetwork, known_networks};
pub use node_info::NodeInfo;
pub use reach::{BadNodeUrl, NodeReach};
pub use receipts::{KeptReceipt, Receipts};
pub use request::{RequestOptions, RequestTry};
pub use stack::StackHandle;
pub use told::{Ended, Owed, Voucher};
pub use units::StackUnits;
pub use verified_receipt::VerifiedReceipt;
