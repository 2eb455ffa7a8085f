//! The read model against a real localnet: whatever parties do, it says what the ledger's own objects
//! say; it survives being killed; it never mixes two histories.

mod alike;
mod parties;
mod resume;
mod wiped;

/// The parties of the ledger client's own tests.
#[allow(dead_code)] // each test program uses its part
#[path = "../../../ledger/tests/localnet/trial.rs"]
mod trial;
#[allow(dead_code)] // as above
#[path = "../../../ledger/tests/localnet/world.rs"]
mod world;
