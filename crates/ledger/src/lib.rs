//! The one ledger client: builds and signs transactions, waits for their effects, reads objects,
//! follows events. It speaks Sui's gRPC protocol through Sui's own crates and knows nothing of
//! what answers: localnet and Sui are the same to it.
//!
//! * A [`Connection`] needs no package: it reads coins and blobs, pays, and publishes. A [`Ledger`] is a connection
//!   with the deployment that is meant on it.
//! * [`Ledger::execute`] turns [`Call`](atoma_types::chain::Call)s into one programmable
//!   transaction, pays exact amounts out of the sender's coins, simulates it (an abort costs
//!   nothing), submits it and reads its effects.
//! * [`Connection::keep_in_flight`] keeps what is on its way on disk, so that a program that is killed pays nothing
//!   twice; [`Connection::usdc_held`] says what lies in coins and what in the address's balance. Both pay.
//! * [`Ledger::task`], [`Ledger::stack`] and their like read objects by their BCS.
//! * [`Ledger::demand_record`] and its like make the calls of disputes from signed messages.
//! * [`due()`] says what anyone may do about a stack now.
//! * [`Connection::blob`] and its like read Walrus's blobs; [`Connection::register_blob`] and its like make the
//!   calls of localnet's development Walrus.
//! * [`CompiledPackage`] is the Move package, ready to be published; [`Connection::publish`] and
//!   [`Connection::upgrade`] do it, [`Connection::published`] and its like look at what stands on a ledger;
//!   [`Ledger::migrate_db`] and its like take objects over to an upgraded package.
//! * [`Ledger::with_gas`] has a sponsor pay, or sets a limit; [`Ledger::gas_pool`] has several
//!   transactions of one wallet in flight.
//! * [`Ledger::events`] follows the package's events from a [`Cursor`] and reconnects by itself;
//!   [`Connection::tip`] and its like say how far the ledger is and whether it is still the same.

mod amount;
mod attempt;
mod build;
mod build_error;
mod call;
mod certified;
mod coin;
mod coins;
mod connect_error;
mod connection;
mod cursor;
mod disputes;
mod due;
mod epoch;
mod escrow;
mod events;
mod execute;
mod execute_error;
mod execution_failure;
mod faucet;
mod faucet_error;
mod frozen;
mod gas;
mod gas_funds;
mod grpc_status;
mod history;
mod in_flight;
mod inspect;
mod ledger;
mod listen;
mod localnet;
mod malformed;
mod mask;
mod migrate;
mod objects;
mod open;
mod outcome;
mod payment;
mod plan;
mod pool;
mod publish;
mod publish_error;
mod published;
mod read;
mod read_error;
mod resume;
mod status;
mod terms;
mod transport;
mod wallet;
mod wallets;
mod walrus;

pub use amount::Amount;
pub use atoma_package::{CompiledPackage, PackageError};
pub use build_error::BuildError;
pub use certified::{SealedTransaction, WalrusEpoch};
pub use connect_error::{ConnectError, TipError, WrongNetwork};
pub use connection::{Connection, ConnectionConfig};
pub use cursor::{Cursor, ParseCursorError};
pub use due::{Due, due, due_of_lease};
pub use escrow::{required_escrow, top_up_payment};
pub use events::{EventStart, EventStream, FrameStream, LedgerEvent, LedgerFrame};
pub use execute_error::ExecuteError;
pub use execution_failure::ExecutionFailure;
pub use faucet_error::FaucetError;
pub use gas::{GasOptions, MOST_GAS_PRICE};
pub use grpc_status::GrpcStatus;
pub use history::{Checkpoint, Tip};
pub use inspect::Service;
pub use ledger::{Ledger, LedgerConfig};
pub use listen::{Listener, Told};
pub use malformed::MalformedAnswer;
pub use outcome::Executed;
pub use pool::GasPool;
pub use publish::{Publication, UpgradeCap};
pub use publish_error::PublishError;
pub use published::Published;
pub use read::Holding;
pub use read_error::ReadError;
pub use resume::{AfterResume, IN_FLIGHT, Resumed};
pub use walrus::OwnedBlob;

/// The digest of a transaction.
pub use sui_sdk_types::Digest;
/// A Move type, such as that of the money.
pub use sui_sdk_types::TypeTag;
