//! The communal treasury.

use crate::chain::call::{
    field::{Clock, DbKind, NodeKind, ObjectMut, TaskKind},
    function::functions,
};

functions! {
    Atoma {
        /// Moves a task's fees and fines into the treasury, and its pool once it is long deprecated. Anyone may.
        CollectFees = treasury::collect_fees {
            /// The database, which is changed.
            db: ObjectMut<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Adds the fees that a node paid in the last epoch to the book. Anyone may.
        ReportFees = treasury::report {
            /// The database, which is changed.
            db: ObjectMut<DbKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Credits a node with its share. Anyone may.
        PayTreasury = treasury::pay {
            /// The database, which is changed.
            db: ObjectMut<DbKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
