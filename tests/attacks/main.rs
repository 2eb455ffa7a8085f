//! The attacks of docs/threat-model.md, each as somebody would run it: against real nodes, gateways and
//! a ledger on loopback. A row there names its tests. Each attack succeeded against an earlier version
//! and must fail now. A new one is a test in the module that is about the same party, and a row there;
//! `arena` has the ledger, the user and the nodes.

mod arena;
mod between;
mod bodies;
mod borrowed_id;
mod clock;
mod crowd;
mod disk;
mod files;
mod gateway;
mod grants;
mod guesses;
mod journal;
mod leaves;
mod operator;
mod prompts;
mod replay;
mod seller;
mod sockets;
