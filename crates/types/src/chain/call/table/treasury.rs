//! What the protocol keeps, and pays out.

use crate::chain::call::{
    field::{Clock, DbKind, NodeKind, ObjectMut, ObjectRef, TaskKind},
    function::functions,
};

functions! {
    Atoma {
        /// Sweeps a task's fees into the communal treasury. Anyone may.
        CollectFees = treasury::collect_fees {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
        }
        /// Enters a node's units of the last epoch in the book. Anyone may.
        ReportUnits = treasury::report_units {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Pays a node its share of a reported epoch. Anyone may.
        PayTreasury = treasury::pay {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The node, whose owner is paid.
            node: ObjectRef<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
