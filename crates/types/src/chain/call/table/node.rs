//! What nodes' operators call about a node.

use crate::{
    PublicKey, SealingKey,
    chain::call::{
        field::{Clock, DbKind, NodeKind, ObjectMut, ObjectRef, Payment},
        function::functions,
    },
};

functions! {
    Atoma {
        /// Registers a node; shares a `Node` owned by the sender.
        RegisterNode = node::register {
            /// The database, `AtomaDb`, which is changed.
            db: ObjectMut<DbKind>,
            /// The coins that are staked.
            collateral: Payment,
            /// The URL at which users will reach it, `http(s)://…`.
            url: String,
            /// Will sign its receipts.
            response_key: PublicKey => ResponseKeyInvalid,
            /// X25519 key that requests are sealed to, where it has one.
            sealing_key: Option<SealingKey> => SealingKeyInvalid,
        }
        /// Moves a node to another URL.
        SetNodeUrl = node::set_url {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The URL at which users will reach it from now on.
            url: String,
        }
        /// Adds to a node's collateral.
        AddCollateral = node::add_collateral {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The coins that are added to the stake.
            collateral: Payment,
        }
        /// Begins to leave; the node must have no subscription.
        BeginUnbonding = node::begin_unbonding {
            /// The database, for the length of the wait.
            db: ObjectRef<DbKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Takes the collateral out after the wait.
        WithdrawCollateral = node::withdraw_collateral {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
