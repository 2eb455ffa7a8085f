//! The read model against a real localnet: whatever parties do, it says what the ledger's own objects
//! say; it survives being killed; it never mixes two histories.

mod alike;
mod parties;
mod resume;
mod wiped;
