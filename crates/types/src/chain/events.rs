//! The package's events, and those of Walrus about blobs. In Move each is a struct of the named module
//! with these fields in this order; a node or indexer needs nothing else to follow the network.

use crate::{
    Address, BlobId, ComputeUnits, DurationMs, MicroUsdc, NodeId, ObjectId, Price, PublicKey, Role,
    SecurityLevel, StackId, TaskId, TimestampMs,
    chain::{NodeStatus, Package, Selection},
    hash::Hash32,
};
use serde::{Deserialize, Serialize};

/// Why an event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// This version knows no event of the name: a later package emits it.
    #[error("cannot read event {module}::{name}: unknown event")]
    Unknown {
        /// The module that its type stands in.
        module: String,
        /// The name of its type.
        name: String,
    },
    /// The bytes don't fit the event's fields.
    #[error("cannot read event {module}::{name}")]
    Bytes {
        /// The module that its type stands in.
        module: &'static str,
        /// The name of its type.
        name: &'static str,
        /// Where they depart from them.
        source: bcs::Error,
    },
}

/// What a node was convicted of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Charge {
    /// It didn't show a record that it had settled.
    Silence,
    /// It signed receipts that contradict each other.
    Equivocation,
    /// It charged more than tariff, request or its own receipts allow.
    OverClaim,
    /// It settled a record that isn't what it should be.
    ForgedRequest,
}

macro_rules! events {
    ($($(#[$list_doc:meta])* $list:ident of $package:ident {
        $($(#[$doc:meta])* $module:ident::$name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? })*
    })*) => {
        $($(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $name { $($(#[$fdoc])* pub $field: $type),* }
            impl From<$name> for Event {
                fn from(event: $name) -> Self { Self::$name(event) }
            }
        )*)*

        /// Any event that is known.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event { $($($(#[$doc])* $name($name),)*)* }

        impl Event {
            $($(#[$list_doc])*
            pub const $list: &'static [(&'static str, &'static str)] =
                &[$((stringify!($module), stringify!($name))),*];)*

            /// The package that defines it.
            #[must_use]
            pub fn package(&self) -> Package {
                match self { $($(Self::$name(_) => Package::$package,)*)* }
            }

            /// The module that defines it.
            #[must_use]
            pub fn module(&self) -> &'static str {
                match self { $($(Self::$name(_) => stringify!($module),)*)* }
            }

            /// The event's name in Move, without its module.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $($(Self::$name(_) => stringify!($name),)*)* }
            }

            /// Its BCS, as Move emits it.
            #[must_use]
            pub fn to_bytes(&self) -> Vec<u8> {
                // structs of integers, strings and options: BCS can't refuse them
                match self { $($(Self::$name(event) => bcs::to_bytes(event).expect("BCS has every event"),)*)* }
            }

            /// Reads an event by its Move name.
            ///
            /// # Errors
            /// If no event has this name, or the bytes are not those of one.
            pub fn from_bytes(module: &str, name: &str, bytes: &[u8]) -> Result<Self, EventError> {
                match (module, name) {
                    $($((stringify!($module), stringify!($name)) =>
                        bcs::from_bytes(bytes).map(Self::$name).map_err(|source| EventError::Bytes {
                            module: stringify!($module), name: stringify!($name), source,
                        }),)*)*
                    _ => Err(EventError::Unknown { module: module.to_owned(), name: name.to_owned() }),
                }
            }

            /// Its fields as JSON, for people and logs.
            #[must_use]
            pub fn to_json(&self) -> serde_json::Value {
                match self {
                    $($(Self::$name(event) => serde_json::to_value(event).expect("JSON has every event"),)*)*
                }
            }
        }
    };
}

events! {
    /// Module and name of every event of our package.
    NAMES of Atoma {
        /// A parameter was set.
        db::ParamSet {
            /// The parameter's name, as `set_param` takes it.
            name: String,
            /// The parameter's new value.
            value: u64,
        }
        /// A node was registered.
        node::NodeRegistered {
            /// Id of the node's object.
            node: NodeId,
            /// The number that the package gave it, from 1 in order of creation.
            number: u64,
            /// Address of its owner.
            owner: Address,
            /// What it has staked, in micro-USDC.
            collateral: MicroUsdc,
            /// The URL at which users reach it.
            url: String,
            /// The ed25519 key by which its receipts are checked.
            response_key: PublicKey,
        }
        /// A node moved to another URL.
        node::NodeMoved {
            /// Id of the node's object.
            node: NodeId,
            /// The URL at which users reach it from now on.
            url: String,
        }
        /// A node's owner added to its collateral.
        node::CollateralAdded {
            /// Id of the node's object.
            node: NodeId,
            /// All that it has staked now, in micro-USDC.
            collateral: MicroUsdc,
        }
        /// A node's standing changed.
        node::NodeStatusChanged {
            /// Id of the node's object.
            node: NodeId,
            /// Whether it is now active, jailed, leaving or gone.
            status: NodeStatus,
        }
        /// A node left and took its collateral.
        node::NodeLeft {
            /// Id of the node's object.
            node: NodeId,
            /// The collateral that its owner took out, in micro-USDC.
            collateral: MicroUsdc,
        }
        /// A task was created.
        task::TaskCreated {
            /// Id of the task's object.
            task: TaskId,
            /// The number that the package gave it, from 1 in order of creation.
            number: u64,
            /// Address of its owner.
            owner: Address,
            /// The kind of work, such as chat completion.
            role: Role,
            /// The model's name, as requests give it.
            model_name: String,
            /// How it is secured.
            security_level: SecurityLevel,
            /// The highest price that its nodes may ask, in micro-USDC for a million units.
            price_ceiling: Price,
        }
        /// A task takes no new business.
        task::TaskDeprecated {
            /// Id of the task's object.
            task: TaskId,
        }
        /// A node subscribed, or changed price or capacity.
        task::Subscribed {
            /// Id of the task's object.
            task: TaskId,
            /// Id of the node's object.
            node: NodeId,
            /// Its price, in micro-USDC for a million units.
            price: Price,
            /// The units that it will have under lease at once.
            capacity: ComputeUnits,
        }
        /// A node takes no new leases of the task.
        task::Unsubscribed {
            /// Id of the task's object.
            task: TaskId,
            /// Id of the node's object.
            node: NodeId,
        }
        /// A stack was bought.
        stack::StackAcquired {
            /// Id of the stack's object.
            stack: StackId,
            /// Address of its owner.
            owner: Address,
            /// Id of the task that it is of.
            task: TaskId,
            /// The ed25519 key by which its requests are checked.
            request_key: PublicKey,
            /// Units that were bought with it.
            total_units: ComputeUnits,
            /// The highest price that its owner pays, in micro-USDC for a million units.
            max_price: Price,
            /// What was paid into escrow.
            escrow: MicroUsdc,
            /// How its nodes are chosen: drawn when it is bought, or by the owner's grants.
            selection: Selection,
            /// The nodes that were drawn when it was bought.
            candidates: Vec<NodeId>,
            /// When it ends, by the ledger's clock.
            expires_at_ms: TimestampMs,
            /// Nodes may settle for this long after it.
            settle_grace_ms: DurationMs,
        }
        /// A node was given units of a stack, or more of them. Carries all a node needs to serve.
        stack::Leased {
            /// Id of the stack's object.
            stack: StackId,
            /// Id of the node's object.
            node: NodeId,
            /// Id of the task that it is of.
            task: TaskId,
            /// Address of its owner.
            owner: Address,
            /// The ed25519 key by which its requests are checked.
            request_key: PublicKey,
            /// Units of this lease in all.
            units: ComputeUnits,
            /// The price of this lease.
            price: Price,
            /// When the stack ends.
            expires_at_ms: TimestampMs,
            /// The node may settle for this long after it.
            settle_grace_ms: DurationMs,
        }
        /// Units were added to a stack.
        stack::ToppedUp {
            /// Id of the stack's object.
            stack: StackId,
            /// All units that the stack has now.
            total_units: ComputeUnits,
            /// What was paid into its escrow, in micro-USDC.
            paid: MicroUsdc,
        }
        /// A stack's end moved: later by `extend`, to now by `begin_close`.
        stack::ExpiryChanged {
            /// Id of the stack's object.
            stack: StackId,
            /// When it ends from now on, by the ledger's clock.
            expires_at_ms: TimestampMs,
            /// Whether the owner is closing it: nodes should settle now.
            closing: bool,
        }
        /// The owner took back what no node had.
        stack::UngrantedRevoked {
            /// Id of the stack's object.
            stack: StackId,
            /// How many compute units these are.
            units: ComputeUnits,
            /// What went back to the owner, in micro-USDC.
            refunded: MicroUsdc,
        }
        /// Everything is paid. What came back last is told by the event before it.
        stack::StackClosed {
            /// Id of the stack's object.
            stack: StackId,
        }
        /// A node claims units; the dispute window runs.
        settlement::SettlementOpened {
            /// Id of the stack's object.
            stack: StackId,
            /// Id of the node's object.
            node: NodeId,
            /// Units that the settlement claims.
            claimed_units: ComputeUnits,
            /// Root over its receipts.
            receipts_root: Hash32,
            /// How many receipts the settlement is over.
            count: u64,
            /// Where the manifest is.
            manifest_blob: Option<BlobId>,
            /// From when on it can be paid.
            deadline_ms: TimestampMs,
        }
        /// A claim was paid.
        settlement::Claimed {
            /// Id of the stack's object.
            stack: StackId,
            /// Id of the node's object.
            node: NodeId,
            /// Units that were paid for.
            units: ComputeUnits,
            /// What the node got.
            paid: MicroUsdc,
            /// The protocol's share of the payment, in micro-USDC.
            fee: MicroUsdc,
            /// What went back to the stack's owner.
            refunded: MicroUsdc,
        }
        /// A node let a lease expire unsettled.
        settlement::LeaseExpired {
            /// Id of the stack's object.
            stack: StackId,
            /// Id of the node's object.
            node: NodeId,
            /// Units that nobody was paid for.
            units: ComputeUnits,
            /// What went back to the stack's owner.
            refunded: MicroUsdc,
        }
        /// An owner demands to see a record of a settlement.
        dispute::DisputeOpened {
            /// Id of the stack's object.
            stack: StackId,
            /// The node that must answer.
            node: NodeId,
            /// Which record: its receipt's `seq`.
            seq: u64,
            /// Hash of the receipt that the owner showed, if any.
            receipt: Option<Hash32>,
            /// What the owner staked on the dispute, in micro-USDC.
            bond: MicroUsdc,
            /// The last moment to answer.
            deadline_ms: TimestampMs,
        }
        /// A node showed the record, and keeps the stake.
        dispute::DisputeAnswered {
            /// Id of the stack's object.
            stack: StackId,
            /// Id of the node's object.
            node: NodeId,
            /// The record's place in its lease, from 1.
            seq: u64,
            /// Where the node says the record is stored.
            blob_id: BlobId,
            /// The owner's stake, which the node got, in micro-USDC.
            bond: MicroUsdc,
        }
        /// A node was found guilty on a lease, which is closed unpaid if it was not paid before.
        dispute::NodeConvicted {
            /// Id of the stack's object.
            stack: StackId,
            /// Id of the node's object.
            node: NodeId,
            /// What it was convicted of.
            charge: Charge,
            /// What went back to the stack's owner out of the escrow.
            refunded: MicroUsdc,
            /// Stakes of open disputes that went back to the owner.
            bonds: MicroUsdc,
            /// What the owner got of the node's collateral.
            to_owner: MicroUsdc,
            /// What the communal treasury got of it.
            to_treasury: MicroUsdc,
            /// What the node has left.
            collateral: MicroUsdc,
        }
        /// A task's fees went into the treasury.
        treasury::FeesCollected {
            /// Id of the task's object.
            task: TaskId,
            /// The amount, in micro-USDC.
            amount: MicroUsdc,
        }
        /// A node reported its units of the last epoch.
        treasury::UnitsReported {
            /// Id of the node's object.
            node: NodeId,
            /// Number of the treasury's epoch.
            epoch: u64,
            /// How many compute units these are.
            units: ComputeUnits,
        }
        /// A node got its share of the treasury.
        treasury::TreasuryPaid {
            /// Id of the node's object.
            node: NodeId,
            /// Number of the treasury's epoch.
            epoch: u64,
            /// The amount, in micro-USDC.
            amount: MicroUsdc,
        }
    }
    /// Module and name of Walrus's events about blobs and epochs. Our streams of events leave them out:
    /// there is everybody's blobs in them.
    WALRUS_NAMES of Walrus {
        /// A blob was registered.
        events::BlobRegistered {
            /// Number of Walrus's epoch at that moment.
            epoch: u32,
            /// The blob's id, which follows from its bytes.
            blob_id: BlobId,
            /// Its length in bytes.
            size: u64,
            /// Walrus's number of the coding: 1 is RS2.
            encoding_type: u8,
            /// It is kept until this epoch begins.
            end_epoch: u32,
            /// Its owner may delete it before.
            deletable: bool,
            /// Id of the blob's object, a `Blob`.
            object_id: ObjectId,
        }
        /// The storage nodes have promised to keep a blob, or its time was extended.
        events::BlobCertified {
            /// Number of Walrus's epoch at that moment.
            epoch: u32,
            /// The blob's id, which follows from its bytes.
            blob_id: BlobId,
            /// It is kept until this epoch begins.
            end_epoch: u32,
            /// Its owner may delete it before.
            deletable: bool,
            /// Id of the blob's object, a `Blob`.
            object_id: ObjectId,
            /// It was certified before.
            is_extension: bool,
        }
        /// A blob was dropped by its owner.
        events::BlobDeleted {
            /// Number of Walrus's epoch at that moment.
            epoch: u32,
            /// The blob's id, which follows from its bytes.
            blob_id: BlobId,
            /// It would have been kept until this epoch.
            end_epoch: u32,
            /// Id of the blob's object, a `Blob`.
            object_id: ObjectId,
            /// Whether it was certified.
            was_certified: bool,
        }
        /// A new epoch of Walrus began.
        events::EpochChangeDone {
            /// Number of the epoch that begins.
            epoch: u32,
        }
    }
}
