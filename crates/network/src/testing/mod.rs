//! The worlds of the tests. What fails here panics: a test has nothing better to do.

mod accounts;
mod attesters;
mod elsewhere;
mod http;
mod node;
mod trial;
mod wait;
mod world;

pub use accounts::{Accounts, Parties};
pub use attesters::{Attester, DAY, attesters, examined_task};
pub use elsewhere::{Elsewhere, KEY, NETWORK, WalrusEndpoints};
pub use http::get;
pub use node::TestTask;
pub use trial::{PARTS, Trial, UNITS};
pub use wait::wait_until;
pub use world::{PRICE, World, advance, event};
