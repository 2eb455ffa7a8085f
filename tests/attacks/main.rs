//! The attacks of docs/threat-model.md, each as somebody would run it: against real nodes, gateways and
//! a ledger on loopback. Each test is named after its row there; each succeeded against an earlier
//! version and must fail now.

mod arena;
mod between;
mod clock;
mod disk;
mod files;
mod gateway;
mod grants;
mod journal;
mod leaves;
mod operator;
mod prompts;
mod replay;
mod seller;
mod sockets;
