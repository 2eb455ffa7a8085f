//! The ledger package as seen from outside: its objects, events, functions and parameters, in the
//! bytes that the Move package has them. The rules themselves live in `atoma-contract`.

mod abort;
mod call;
mod deployment;
pub mod events;
mod new_task;
mod objects;
mod params;
mod walrus;

pub use abort::AbortCode;
pub use call::{
    AdminKind, ArgError, ArgKind, BlobKind, Call, CallArg, CallError, Clock, Consumed, DbKind,
    FunctionSpec, Kind, NodeKind, ObjectKind, ObjectMut, ObjectRef, OperatorKind, Owned, OwnedMut,
    Package, Payment, PureKind, Random, RootHash, StackKind, SystemKind, TaskKind, calls,
};
pub use deployment::{
    CLOCK_OBJECT, Deployment, LOCALNET_CHAIN, LOCALNET_DB, LOCALNET_PACKAGE, LOCALNET_USDC_PACKAGE,
    LOCALNET_WALRUS_PACKAGE, LOCALNET_WALRUS_SYSTEM, RANDOM_OBJECT, SUI_COIN, Surroundings,
    WalrusDeployment,
};
pub use events::{Charge, Event, EventError, Outcome};
pub use new_task::NewTask;
pub use objects::{
    AdminCap, AtRisk, AtomaDb, Attestation, Attester, Auditor, Challenge, Demand, EpochBook, Exam,
    FeesInEpoch, Hit, HitStage, Juror, Jury, Lease, Node, NodeStatus, Pending, Release,
    SamplingTerms, Stack, Standing, Subscription, SubscriptionState, Table, Task, Terms, Ticket,
    VERSION, Verdict,
};
pub use params::Params;
pub use walrus::{Blob, Storage, WALRUS_ENCODING_RS2, WalrusCap, WalrusMember, WalrusSystem};
