//! The ledger package as seen from outside: its objects, events, functions and parameters, in the
//! bytes that the Move package has them. The rules themselves live in `atoma-contract`.

mod abort;
mod call;
mod deployment;
pub mod events;
mod objects;
mod params;

pub use abort::AbortCode;
pub use call::{
    AdminKind, ArgKind, BlobKind, Call, CallArg, CallError, Clock, DbKind, FunctionSpec, Kind,
    NodeKind, ObjectKind, ObjectMut, ObjectRef, Owned, Payment, PureKind, Random, StackKind,
    TaskKind, calls,
};
pub use deployment::{
    CLOCK_OBJECT, Deployment, LOCALNET_DB, LOCALNET_PACKAGE, LOCALNET_USDC_PACKAGE, RANDOM_OBJECT,
    SUI_COIN,
};
pub use events::{Charge, Event, EventError};
pub use objects::{
    AdminCap, AtomaDb, CertifiedBlob, Dispute, EpochBook, EpochShare, Lease, LeaseState, Node,
    NodeStatus, Selection, Stack, Subscription, SubscriptionState, Table, Task, Ticket,
    UnitsInEpoch,
};
pub use params::Params;
