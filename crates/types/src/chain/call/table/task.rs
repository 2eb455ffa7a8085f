//! Tasks, and nodes' subscriptions to them.

use crate::{
    ComputeUnits, MicroUsdc, NodeId, Numerics, Price, Role, Rule, SecurityLevel, UnitWeights,
    chain::call::{
        field::{Clock, DbKind, NodeKind, ObjectMut, ObjectRef, TaskKind},
        function::functions,
    },
    hash::Hash32,
};

functions! {
    Atoma {
        /// Creates a task; shares a `Task` owned by the sender.
        CreateTask = task::create {
            /// The database, `AtomaDb`, which is changed.
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
            /// The database (its list of models).
            db: ObjectMut<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
        }
        /// Subscribes a node to a task, or changes its price and capacity.
        Subscribe = task::subscribe {
            /// The database (paused or not).
            db: ObjectRef<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// Its price, in micro-USDC for a million units.
            price: Price,
            /// Units it will have under lease at once.
            capacity: ComputeUnits,
        }
        /// Leaves a task: no new leases; the entry goes with its last lease.
        Unsubscribe = task::unsubscribe {
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
        }
        /// Copies a node's collateral, reputation and standing into a task; removes an entry that has
        /// left and has no open lease. Anyone may.
        SyncSubscription = task::sync {
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
