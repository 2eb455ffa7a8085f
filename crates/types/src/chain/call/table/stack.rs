//! Stacks: buying, leasing, topping up, closing.

use crate::{
    ComputeUnits, DurationMs, Price, PublicKey,
    chain::{
        Selection,
        call::{
            field::{
                Clock, DbKind, NodeKind, ObjectMut, ObjectRef, Payment, Random, StackKind, TaskKind,
            },
            function::functions,
        },
    },
};

functions! {
    Atoma {
        /// Buys a stack; shares a `Stack` owned by the sender. Draws, so it ends its transaction.
        /// The payment must be exactly the escrow.
        AcquireStack = stack::acquire {
            /// The database, for the parameters.
            db: ObjectRef<DbKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The escrow: `floor(max_price * units / 1e6)`, times the surcharge where the task samples.
            payment: Payment,
            /// How many compute units are bought.
            total_units: ComputeUnits,
            /// The highest price that the buyer pays, in micro-USDC for a million units.
            max_price: Price,
            /// Who may serve it.
            selection: Selection,
            /// Will sign its requests.
            request_key: PublicKey => RequestKeyInvalid,
            /// How long it lives.
            lifetime_ms: DurationMs,
            /// The ledger's random beacon, the object `0x8`.
            random: Random,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// A node takes a signed grant to the ledger and so gets the units (`Limited`, `Any`).
        Lease = stack::lease {
            /// The database (paused or not).
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, owned by the sender.
            node: ObjectRef<NodeKind>,
            /// BCS of the [`Grant`](crate::message::Grant).
            grant: Vec<u8>,
            /// Signature of the message before it.
            signature: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The owner adds units; a `Single` stack's go to its lease.
        TopUp = stack::top_up {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// Exactly what the escrow then lacks.
            payment: Payment,
            /// How many compute units are added.
            units: ComputeUnits,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The owner lets it live longer.
        Extend = stack::extend {
            /// The database, for the longest life.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// By how many milliseconds it lives longer.
            by_ms: DurationMs,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The owner takes back units that no node has.
        RevokeUngranted = stack::revoke_ungranted {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
        }
        /// The owner ends the stack now: nodes settle within the grace, and ungranted units go back.
        BeginClose = stack::begin_close {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// After expiry and grace, with no lease open or settling: pays the rest to the owner. Anyone may.
        CloseStack = stack::close_after_expiry {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
