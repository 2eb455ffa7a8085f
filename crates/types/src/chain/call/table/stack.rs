//! Stacks: buying, leasing, topping up, closing.

use crate::{
    Address, ComputeUnits, DurationMs, Price, PublicKey,
    chain::call::{
        field::{
            Clock, DbKind, NodeKind, ObjectMut, ObjectRef, Payment, Random, StackKind, TaskKind,
        },
        function::functions,
    },
};

functions! {
    Atoma {
        /// Buys a stack; shares a `Stack` owned by the sender. Draws, so it ends its transaction. The payment must be exactly the escrow.
        AcquireStack = stack::acquire {
            /// The database, for its parameters.
            db: ObjectRef<DbKind>,
            /// What it is for.
            task: ObjectRef<TaskKind>,
            /// `floor(max_price * units / 1e6)`.
            payment: Payment,
            /// How many compute units are bought.
            total_units: ComputeUnits,
            /// The highest price that the buyer pays, in micro-USDC for a million units.
            max_price: Price,
            /// How many nodes are drawn, at most 16; 0 for any.
            nodes: u8,
            /// Will sign its requests and grants.
            request_key: PublicKey => RequestKeyInvalid,
            /// How long it lives.
            lifetime_ms: DurationMs,
            /// The ledger's random beacon, the object `0x8`.
            random: Random,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// A node takes a signed grant to the ledger and so gets the units.
        Lease = stack::lease {
            /// The database, for its parameters.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack.
            task: ObjectRef<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// BCS of the [`Grant`](crate::message::Grant).
            grant: Vec<u8>,
            /// Signature of the message before it.
            signature: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// A node gives back units of a lease, down to `units`.
        ReleaseUnits = stack::release {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// What the lease is to have.
            units: ComputeUnits,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The owner adds units.
        TopUp = stack::top_up {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack.
            task: ObjectRef<TaskKind>,
            /// Exactly what the escrow then lacks.
            payment: Payment,
            /// How many compute units.
            units: ComputeUnits,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The owner lets it live longer.
        Extend = stack::extend {
            /// The database, for its parameters.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// By how many milliseconds it lives longer.
            by_ms: DurationMs,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The owner names who else may demand and challenge.
        SetWatcher = stack::set_watcher {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// Who it is; nobody if absent.
            watcher: Option<Address>,
        }
        /// The owner, or after the expiry anyone, takes back units that no node has; every grant given out before is void.
        RevokeUngranted = stack::revoke {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The owner ends the stack now: nodes settle within the grace, and ungranted units go back.
        BeginClose = stack::begin_close {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Pays the owner's whole credit out.
        WithdrawFree = stack::withdraw {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// Who gets the coin.
            to: Address,
        }
    }
}
