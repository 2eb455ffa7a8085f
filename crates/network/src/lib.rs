//! A whole network in one process: a ledger, a Walrus, a model, nodes, a gateway. The demo, the devnet,
//! the tests and the benchmarks are different ways to look at the same [`Network`]; each names the
//! parts that it wants, and one builder starts them.
//!
//! ```no_run
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! use atoma_network::Network;
//! use atoma_types::Price;
//!
//! let folder = std::env::temp_dir().join("my-network");
//! let engine = std::sync::Arc::new(atoma_engine::builtin::load()?);
//! let network = Network::builder(folder)
//!     .serving(engine)
//!     .node(Price(2_000_000))
//!     .walrus()
//!     .start()
//!     .await?;
//! println!("{}", network.nodes[0].running.url());
//! network.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `testing` come the worlds of the tests: parties with money on a ledger, which may be
//! one elsewhere; a settlement that can be disputed; a user who signs every byte by hand.

mod build;
pub mod cheat;
mod error;
mod funds;
mod gateway;
mod keyfile;
mod network;
mod policy;
mod progress;
mod task;
#[cfg(feature = "testing")]
pub mod testing;

pub use build::NetworkBuilder;
pub use error::NetworkError;
pub use funds::{COLLATERAL, POCKET_MONEY, fund};
pub use gateway::{ApiKeys, GatewayPlan, start_gateway};
pub use keyfile::stored_key;
pub use network::{Network, NetworkNode};
pub use policy::software_policy;
pub use progress::{Observer, Silent, Step};
pub use task::{
    create_task, engine_class, find_or_create_task, natural_role, release,
    subscribe_unreachable_node,
};

use std::net::{Ipv4Addr, SocketAddr};

/// Any free port of loopback.
#[must_use]
pub fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}
