//! The one ledger client: builds and signs transactions, waits for their effects, reads objects,
//! follows events. It speaks Sui's gRPC protocol through Sui's own crates and knows nothing of
//! what answers: localnet and Sui are the same to it.
//!
//! * [`Ledger::execute`] turns [`Call`](atoma_types::chain::Call)s into one programmable
//!   transaction, pays exact amounts out of the sender's coins, simulates it (an abort costs
//!   nothing), submits it and reads its effects.
//! * [`Ledger::task`], [`Ledger::stack`] and their like read objects by their BCS.
//! * [`Ledger::open_dispute`] and its like make the calls of disputes from signed messages.
//! * [`Ledger::blob`] and its like read Walrus's blobs; [`Ledger::register_blob`] and its like make the
//!   calls of localnet's development Walrus.
//! * [`CompiledPackage`] is the Move package, ready to be published; [`Ledger::publish`] and
//!   [`Ledger::upgrade`] do it, [`Ledger::published`] and its like look at what stands on a ledger.
//! * [`Ledger::with_gas`] has a sponsor pay, or sets a limit; [`Ledger::gas_pool`] has several
//!   transactions of one wallet in flight.
//! * [`Ledger::events`] follows the package's events from a [`Cursor`] and reconnects by itself;
//!   [`Ledger::tip`] and its like say how far the ledger is and whether it is still the same.

mod amount;
mod build;
mod coin;
mod coins;
mod connect;
mod cursor;
mod disputes;
mod error;
mod escrow;
mod events;
mod execute;
mod faucet;
mod gas;
mod history;
mod inspect;
mod localnet;
mod mask;
mod no_answer;
mod outcome;
mod plan;
mod pool;
mod publish;
mod read;
mod status;
mod transport;
mod wallet;
mod wallets;
mod walrus;

pub use amount::Amount;
pub use atoma_package::{CompiledPackage, PackageError};
pub use connect::{Ledger, LedgerConfig};
pub use cursor::{Cursor, CursorFile, ParseCursorError};
pub use error::LedgerError;
pub use escrow::{required_escrow, top_up_payment};
pub use events::{EventStart, EventStream, FrameStream, LedgerEvent, LedgerFrame};
pub use gas::GasOptions;
pub use history::{Checkpoint, Tip};
pub use inspect::{Published, Service};
pub use no_answer::NoAnswer;
pub use outcome::Executed;
pub use pool::GasPool;
pub use publish::{Publication, UpgradeCap};
pub use walrus::OwnedBlob;

/// The digest of a transaction.
pub use sui_sdk_types::Digest;
/// A Move type, such as that of the money.
pub use sui_sdk_types::TypeTag;
