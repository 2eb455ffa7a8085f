//! The tables, by the modules of Move, and [`Call`] over all their functions.

mod audit;
mod db;
mod dispute;
mod node;
mod settlement;
mod stack;
mod task;
mod treasury;
mod walrus;

use super::{
    error::CallError,
    spec::{CallArg, FunctionSpec},
};

/// A type for each function of the package, whose fields are its arguments.
pub mod calls {
    pub use super::{
        audit::*, db::*, dispute::*, node::*, settlement::*, stack::*, task::*, treasury::*,
        walrus::*,
    };
}

macro_rules! calls {
    ($($(#[$doc:meta])* $list:ident: $($name:ident),*;)*) => {
        /// A call of one of the functions.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Call {
            $($(#[doc = concat!("As [`", stringify!($name), "`](calls::", stringify!($name), ") says.")]
            $name(calls::$name),)*)*
        }

        impl Call {
            $($(#[$doc])*
            pub const $list: &'static [FunctionSpec] = &[$(calls::$name::FUNCTION),*];)*

            /// The function that is called.
            #[must_use]
            pub fn function(&self) -> &'static FunctionSpec {
                match self { $($(Self::$name(_) => &calls::$name::FUNCTION,)*)* }
            }

            /// The arguments, in order.
            #[must_use]
            pub fn args(&self) -> Vec<CallArg> {
                match self { $($(Self::$name(call) => call.args(),)*)* }
            }

            /// Reads a call of the function.
            ///
            /// # Errors
            /// If there is no such function, the arguments aren't its, or a value is none that it
            /// knows: with the code that the package aborts with, before it looks at the ledger.
            pub fn decode(function: &FunctionSpec, args: Vec<CallArg>) -> Result<Self, CallError> {
                let name = |spec: &FunctionSpec| (spec.package, spec.module, spec.name);
                $($(if name(function) == name(&calls::$name::FUNCTION) {
                    return calls::$name::decode(args).map(Self::$name);
                })*)*
                Err(CallError::UnknownFunction {
                    module: function.module.to_owned(),
                    name: function.name.to_owned(),
                })
            }
        }

        $($(impl From<calls::$name> for Call {
            fn from(call: calls::$name) -> Self { Self::$name(call) }
        })*)*
    };
}

calls! {
    /// Every function of our package, with its arguments.
    FUNCTIONS:
        SetParam, SetDevelopment,
        RegisterNode, SetNodeUrl, SetNodeKeys, AttestNode, AddCollateral, BeginUnbonding, LeaveNode,
        WithdrawEarnings, Pardon, Forfeit,
        CreateTask, DeprecateTask, FundTask, AnnounceRelease, WithdrawRelease,
        Subscribe, Evict, Unsubscribe, SyncSubscription,
        EnrollAttester, ResignAttester, CollectAttesterFees,
        AcquireStack, Lease, ReleaseUnits, TopUp, Extend, SetWatcher, RevokeUngranted, BeginClose, WithdrawFree,
        Settle, Claim, ExpireLease,
        DemandRecord, AnswerDemand, ProveSilence, ProveEquivocation,
        DrawTicket, DrawExaminer, Disclose, GiveVerdict, ChallengeTicket, DrawJury, DiscloseToJury,
        CommitVerdict, RevealVerdict, DecideJury, ProveUndisclosed,
        CollectFees, ReportFees, PayTreasury;
    /// The functions of the development Walrus: storage costs nothing, so there are no payments.
    WALRUS_FUNCTIONS:
        RegisterBlob, CertifyBlob, ExtendBlob, DeleteBlob, AdvanceEpoch, SetCommittee;
}
