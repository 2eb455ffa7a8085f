//! The worlds of the tests. What fails here panics: a test has nothing better to do.

mod accounts;
mod court;
mod elsewhere;
mod http;
mod node;
mod trial;
mod world;

pub use accounts::Accounts;
pub use court::{Attester, BAD, Court, attesters, examined_task};
pub use elsewhere::{Elsewhere, KEY, NETWORK, WalrusEndpoints};
pub use http::get;
pub use node::TestTask;
pub use trial::{DAY, PARTS, Trial, UNITS};
pub use world::{PRICE, World, advance, event};
