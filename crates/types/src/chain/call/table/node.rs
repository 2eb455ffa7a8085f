//! What nodes' operators call about a node, and pardons.

use crate::{
    Address, BlobId, MicroUsdc, PublicKey, SealingKey, TimestampMs,
    chain::call::{
        field::{AdminKind, Clock, DbKind, NodeKind, ObjectMut, ObjectRef, Owned, Payment},
        function::functions,
    },
    hash::Hash32,
};

functions! {
    Atoma {
        /// Registers a node; shares a `Node` of the sender's.
        RegisterNode = node::register {
            /// The database, which is changed.
            db: ObjectMut<DbKind>,
            /// What is paid for it.
            collateral: Payment,
            /// Where it serves, `http(s)://…`.
            url: String,
            /// Checks receipts of leases that begin from now on.
            response_key: PublicKey => ResponseKeyInvalid,
            /// X25519, if requests may be sealed.
            sealing_key: Option<SealingKey> => SealingKeyInvalid,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Moves a node to another URL.
        SetNodeUrl = node::set_url {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// Where it serves, `http(s)://…`.
            url: String,
        }
        /// Gives a node other keys; open leases keep the old response key.
        SetNodeKeys = node::set_keys {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// Checks receipts of leases that begin from now on.
            response_key: PublicKey => ResponseKeyInvalid,
            /// X25519, if requests may be sealed.
            sealing_key: Option<SealingKey> => SealingKeyInvalid,
        }
        /// States what hardware and software a node runs on.
        AttestNode = node::attest {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// What kind it is.
            kind: u8,
            /// Digest of the release that it runs.
            release: Hash32 => ReleaseDigestInvalid,
            /// Where the evidence is stored.
            evidence: BlobId,
            /// The last moment at which it opens a lease.
            expires_at_ms: TimestampMs,
        }
        /// Adds to a node's collateral; what is added weighs once it has matured.
        AddCollateral = node::add_collateral {
            /// The database, for its parameters.
            db: ObjectRef<DbKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// What is paid for it.
            collateral: Payment,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Begins to leave.
        BeginUnbonding = node::begin_unbonding {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Makes the collateral of a node that has waited its owner's credit.
        LeaveNode = node::leave {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Pays a node's whole credit out.
        WithdrawEarnings = node::withdraw {
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// Who gets the coin.
            to: Address,
        }
        /// Returns fines, or a part of them, to the collateral within the delay.
        Pardon = node::pardon {
            /// The database, for its parameters.
            db: ObjectRef<DbKind>,
            /// The administrator's right.
            cap: Owned<AdminKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// How much of the fines.
            amount: MicroUsdc,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Moves fines whose delay is over to the treasury. Anyone may.
        Forfeit = node::forfeit {
            /// The database, which is changed.
            db: ObjectMut<DbKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
