//! Tasks, and nodes' subscriptions to them.

use crate::{
    MicroUsdc, NodeId, Numerics, Price, Role, Rule, SecurityLevel, UnitWeights,
    chain::call::{
        field::{Clock, DbKind, NodeKind, ObjectMut, ObjectRef, Payment, TaskKind},
        function::functions,
    },
    hash::Hash32,
};

functions! {
    Atoma {
        /// Creates a task; shares a `Task` owned by the sender.
        CreateTask = task::create {
            /// The database, which is changed.
            db: ObjectMut<DbKind>,
            /// The kind of work, such as chat completion.
            role: Role => RoleUnknown,
            /// The model's name, as requests will give it.
            model_name: String,
            /// How its answers are made trustworthy.
            security_level: SecurityLevel => SecurityLevelUnknown,
            /// The highest price that nodes may ask, in micro-USDC for a million units.
            price_ceiling: Price,
            /// What one of each thing costs.
            weights: UnitWeights => WeightsInvalid,
            /// Content hash of the model.
            model: Hash32 => ModelHashInvalid,
            /// The arithmetic that answers are computed in.
            numerics: Numerics => NumericsUnknown,
            /// How a verifier compares.
            rule: Rule => RuleUnknown,
            /// The least reputation that a node needs, of 1000.
            min_reputation: u64,
            /// The least collateral that a node needs, in micro-USDC.
            min_collateral: MicroUsdc,
            /// Who may subscribe, if not everyone.
            allow_list: Option<Vec<NodeId>>,
        }
        /// Ends new business on a task.
        DeprecateTask = task::deprecate {
            /// The database, which is changed.
            db: ObjectMut<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Adds to the pool that pays for a task's examinations. Anyone may.
        FundTask = task::fund {
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// What is paid for it.
            payment: Payment,
        }
        /// The task's owner announces a release that nodes may attest after the delay.
        AnnounceRelease = task::release {
            /// The database, for its parameters.
            db: ObjectRef<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// Digest of the release.
            release: Hash32 => ReleaseDigestInvalid,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The task's owner withdraws one, at once.
        WithdrawRelease = task::withdraw_release {
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// Digest of the release.
            release: Hash32 => ReleaseDigestInvalid,
        }
        /// Subscribes a node to a task, or changes its price.
        Subscribe = task::subscribe {
            /// The database, for its parameters.
            db: ObjectRef<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// Its price, in micro-USDC for a million units.
            price: Price,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Subscribes a node to a full task in another's place: a suspended one's, or that of the smallest, a quarter below.
        Evict = task::evict {
            /// The database, for its parameters.
            db: ObjectRef<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The node that has to go, which is changed.
            evicted: ObjectMut<NodeKind>,
            /// Its price, in micro-USDC for a million units.
            price: Price,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Leaves a task. Its leases go on.
        Unsubscribe = task::unsubscribe {
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
        }
        /// Copies a node's standing into a task. Anyone may.
        SyncSubscription = task::sync {
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node whose standing it is.
            node: ObjectRef<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Promises to examine others, with a deposit.
        EnrollAttester = task::attest {
            /// The database, for its parameters.
            db: ObjectRef<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node that will examine and judge.
            node: ObjectRef<NodeKind>,
            /// Exactly the parameter `attest_deposit`.
            deposit: Payment,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Ends the promise; deposit and fees become the node's credit. With a duty open it is drawn no more, and resigns again
        /// once that is over.
        ResignAttester = task::resign {
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
        }
        /// Makes an attester's fees its node's credit. Anyone may.
        CollectAttesterFees = task::collect {
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
        }
    }
}
