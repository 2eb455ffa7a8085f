//! The package's events, and those of Walrus about blobs. In Move each is a struct of the named module
//! with these fields in this order; a node or indexer needs nothing else to follow the network.

use crate::{
    Address, BlobId, ComputeUnits, DurationMs, MicroUsdc, NodeId, ObjectId, Price, PublicKey, Role,
    SealingKey, SecurityLevel, StackId, TaskId, TimestampMs,
    chain::{Attestation, NodeStatus, Package, Verdict},
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
    /// A demanded record was not shown in time.
    Silence,
    /// Two receipts for one request.
    Equivocation,
    /// An examined record was not disclosed in time.
    Undisclosed,
    /// The jury of an examination found it guilty.
    Examined,
    /// The jury of a challenge found it guilty.
    Challenged,
}

/// How a jury ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// So many found the same bad that the node is convicted.
    Guilty,
    /// So many found nothing wrong.
    Acquitted,
    /// Neither.
    Hung,
    /// It could not be drawn.
    Dissolved,
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
            /// Which parameter.
            name: String,
            /// Its new value.
            value: u64,
        }
        /// The database is one for development.
        db::DevelopmentSet {
            /// That it is: in Move no event is without a field.
            development: bool,
        }
        /// A node was registered.
        node::NodeRegistered {
            /// Id of the node.
            node: NodeId,
            /// From 1, in order of creation.
            number: u64,
            /// Who may act for it.
            owner: Address,
            /// What it stands to lose, afterwards.
            collateral: MicroUsdc,
            /// Where it serves.
            url: String,
            /// Checks the receipts of leases from now on.
            response_key: PublicKey,
            /// X25519, if requests may be sealed.
            sealing_key: Option<SealingKey>,
        }
        /// A node serves elsewhere.
        node::NodeMoved {
            /// Id of the node.
            node: NodeId,
            /// Where it serves.
            url: String,
        }
        /// A node has other keys; open leases keep the old response key.
        node::NodeKeysChanged {
            /// Id of the node.
            node: NodeId,
            /// Checks the receipts of leases from now on.
            response_key: PublicKey,
            /// X25519, if requests may be sealed.
            sealing_key: Option<SealingKey>,
        }
        /// A node stated what it runs on.
        node::NodeAttested {
            /// Id of the node.
            node: NodeId,
            /// What it stated.
            attestation: Attestation,
        }
        /// Collateral was added.
        node::CollateralAdded {
            /// Id of the node.
            node: NodeId,
            /// What it stands to lose, afterwards.
            collateral: MicroUsdc,
        }
        /// A node was jailed, or leaves.
        node::NodeStatusChanged {
            /// Id of the node.
            node: NodeId,
            /// As it is now.
            status: NodeStatus,
        }
        /// A node is gone; its collateral is its owner's credit.
        node::NodeLeft {
            /// Id of the node.
            node: NodeId,
            /// How much.
            amount: MicroUsdc,
        }
        /// A node's credit was paid out.
        node::EarningsWithdrawn {
            /// Id of the node.
            node: NodeId,
            /// Who got the coin.
            to: Address,
            /// How much.
            amount: MicroUsdc,
        }
        /// The administrator returned fines.
        node::FinesPardoned {
            /// Id of the node.
            node: NodeId,
            /// How much.
            amount: MicroUsdc,
            /// What it stands to lose, afterwards.
            collateral: MicroUsdc,
        }
        /// Fines became the treasury's.
        node::FinesForfeited {
            /// Id of the node.
            node: NodeId,
            /// How much.
            amount: MicroUsdc,
        }
        /// A task was created.
        task::TaskCreated {
            /// Id of the task.
            task: TaskId,
            /// From 1, in order of creation.
            number: u64,
            /// Who may act for it.
            owner: Address,
            /// The kind of work.
            role: Role,
            /// The model's name.
            model_name: String,
            /// How it is secured.
            security_level: SecurityLevel,
            /// The highest price.
            price_ceiling: Price,
        }
        /// A task takes no new business.
        task::TaskDeprecated {
            /// Id of the task.
            task: TaskId,
        }
        /// Somebody added to the pool of examinations.
        task::TaskFunded {
            /// Id of the task.
            task: TaskId,
            /// How much.
            amount: MicroUsdc,
            /// The task's pool, afterwards.
            dues: MicroUsdc,
        }
        /// A release will be good.
        task::ReleaseAnnounced {
            /// Id of the task.
            task: TaskId,
            /// Its digest.
            release: Hash32,
            /// From when on it is good.
            from_ms: TimestampMs,
        }
        /// A release is no longer good.
        task::ReleaseWithdrawn {
            /// Id of the task.
            task: TaskId,
            /// Its digest.
            release: Hash32,
        }
        /// A node subscribed, or changed its price.
        task::Subscribed {
            /// Id of the task.
            task: TaskId,
            /// Id of the node.
            node: NodeId,
            /// The node's price.
            price: Price,
        }
        /// A node is no longer subscribed.
        task::Unsubscribed {
            /// Id of the task.
            task: TaskId,
            /// Id of the node.
            node: NodeId,
            /// Whether another took its place.
            evicted: bool,
        }
        /// A node attests, was fined, was struck off, or resigned.
        task::AttesterChanged {
            /// Id of the task.
            task: TaskId,
            /// Id of the node.
            node: NodeId,
            /// Whether it is drawn.
            active: bool,
            /// What is left of its deposit.
            stake: MicroUsdc,
        }
        /// Fees of an attester are its node's earnings.
        task::AttesterPaid {
            /// Id of the task.
            task: TaskId,
            /// Id of the node.
            node: NodeId,
            /// How much.
            amount: MicroUsdc,
        }
        /// A stack was bought.
        stack::StackAcquired {
            /// Id of the stack.
            stack: StackId,
            /// Who may act for it.
            owner: Address,
            /// Id of the task.
            task: TaskId,
            /// Signs its requests.
            request_key: PublicKey,
            /// Units bought.
            total_units: ComputeUnits,
            /// No lease costs more.
            max_price: Price,
            /// What it holds.
            escrow: MicroUsdc,
            /// The drawn nodes.
            candidates: Vec<NodeId>,
            /// When it ends.
            expires_at_ms: TimestampMs,
            /// How long nodes may settle after that.
            settle_grace_ms: DurationMs,
        }
        /// A node has so many units.
        stack::Leased {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// Id of the task.
            task: TaskId,
            /// Who may act for it.
            owner: Address,
            /// Signs its requests.
            request_key: PublicKey,
            /// Checks the receipts of leases from now on.
            response_key: PublicKey,
            /// Units, afterwards.
            units: ComputeUnits,
            /// The node's price.
            price: Price,
            /// Units that no node has, afterwards.
            ungranted: ComputeUnits,
            /// When it ends.
            expires_at_ms: TimestampMs,
            /// How long nodes may settle after that.
            settle_grace_ms: DurationMs,
        }
        /// A node gave units back.
        stack::UnitsReleased {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// Units, afterwards.
            units: ComputeUnits,
            /// Units that no node has, afterwards.
            ungranted: ComputeUnits,
        }
        /// Units were added.
        stack::ToppedUp {
            /// Id of the stack.
            stack: StackId,
            /// Units that no node has, afterwards.
            ungranted: ComputeUnits,
            /// What was paid.
            paid: MicroUsdc,
        }
        /// A stack ends sooner or later.
        stack::ExpiryChanged {
            /// Id of the stack.
            stack: StackId,
            /// When it ends.
            expires_at_ms: TimestampMs,
            /// Whether the owner ended it.
            closing: bool,
        }
        /// Another may demand and challenge.
        stack::WatcherSet {
            /// Id of the stack.
            stack: StackId,
            /// Who it is now.
            watcher: Option<Address>,
        }
        /// Units that nobody had were taken back.
        stack::UngrantedRevoked {
            /// Id of the stack.
            stack: StackId,
            /// Units, afterwards.
            units: ComputeUnits,
            /// What became the owner's credit.
            freed: MicroUsdc,
            /// Grants with another are void.
            nonce: u64,
        }
        /// A stack's credit was paid out.
        stack::FreeWithdrawn {
            /// Id of the stack.
            stack: StackId,
            /// Who got the coin.
            to: Address,
            /// How much.
            amount: MicroUsdc,
        }
        /// Nothing more comes of a lease.
        stack::LeaseClosed {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// Units of the lease that are paid.
            paid_units: ComputeUnits,
            /// What became the owner's credit.
            freed: MicroUsdc,
        }
        /// A node claims; a ticket is open.
        settlement::SettlementOpened {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// Units of the lease that would then be paid.
            to_units: ComputeUnits,
            /// `seq` of the last receipt.
            to_seq: u64,
            /// Over the records.
            receipts_root: Hash32,
            /// The pack that has all of the ticket's records, or the list of their packs.
            manifest_blob: Option<BlobId>,
            /// Its new value.
            value: MicroUsdc,
            /// The last moment of what comes next.
            deadline_ms: TimestampMs,
        }
        /// A ticket was paid.
        settlement::Claimed {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// Units of the lease that are paid.
            paid_units: ComputeUnits,
            /// `seq` of the last paid receipt.
            paid_seq: u64,
            /// What was paid.
            paid: MicroUsdc,
            /// The protocol's share.
            fee: MicroUsdc,
            /// What was kept for the examination: the task's pool's, or the owner's if nobody examined.
            due: MicroUsdc,
            /// The node's, afterwards.
            reputation: u64,
        }
        /// A record must be shown.
        dispute::RecordDemanded {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// The unit.
            unit: ComputeUnits,
            /// The last moment of what comes next.
            deadline_ms: TimestampMs,
        }
        /// It was.
        dispute::DemandAnswered {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// The unit.
            unit: ComputeUnits,
            /// The record's `seq`.
            seq: u64,
            /// Where the bodies are stored.
            blob: Option<BlobId>,
            /// The sealed bodies.
            bodies: Vec<u8>,
        }
        /// A node was convicted; its fine can be pardoned until then.
        dispute::NodeConvicted {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// What it was convicted of.
            charge: Charge,
            /// Its new value.
            value: MicroUsdc,
            /// What left the collateral.
            fine: MicroUsdc,
            /// What of the fine went to jurors.
            jurors: MicroUsdc,
            /// What became the owner's credit.
            freed: MicroUsdc,
            /// What it stands to lose, afterwards.
            collateral: MicroUsdc,
            /// Until when.
            until_ms: TimestampMs,
        }
        /// It is known whether a ticket is examined.
        audit::TicketDrawn {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// The beacon's bytes.
            seed: Hash32,
            /// Whether it is examined.
            hit: bool,
        }
        /// The node must disclose to the examiner.
        audit::ExaminerDrawn {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// The unit.
            unit: ComputeUnits,
            /// The examiner.
            examiner: NodeId,
            /// The last moment of what comes next.
            deadline_ms: TimestampMs,
        }
        /// Nobody was there to examine; the due goes to the owner.
        audit::Unexamined {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
        }
        /// The examiner can work.
        audit::Disclosed {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// The examiner.
            examiner: NodeId,
            /// The record's `seq`.
            seq: u64,
            /// The wrapped key.
            wrap: Vec<u8>,
            /// The last moment of what comes next.
            deadline_ms: TimestampMs,
        }
        /// The examiner has looked.
        audit::VerdictGiven {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// The examiner.
            examiner: NodeId,
            /// Whether it accuses the node.
            bad: bool,
        }
        /// The owner accuses the node.
        audit::Challenged {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// What is staked.
            bond: MicroUsdc,
            /// The unit.
            unit: Option<ComputeUnits>,
        }
        /// The node must disclose to a jury.
        audit::JuryDrawn {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it is the challenge's jury.
            challenge: bool,
            /// The unit.
            unit: ComputeUnits,
            /// The jurors, in their order.
            nodes: Vec<NodeId>,
            /// The last moment of what comes next.
            deadline_ms: TimestampMs,
        }
        /// The jury can work.
        audit::DisclosedToJury {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it is the challenge's jury.
            challenge: bool,
            /// The record's `seq`.
            seq: u64,
            /// The wrapped keys.
            wraps: Vec<Vec<u8>>,
            /// The last moment of what comes next.
            deadline_ms: TimestampMs,
        }
        /// A juror has committed to a verdict.
        audit::Committed {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it is the challenge's jury.
            challenge: bool,
            /// Which juror.
            juror: NodeId,
        }
        /// What it found.
        audit::Revealed {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it is the challenge's jury.
            challenge: bool,
            /// Which juror.
            juror: NodeId,
            /// What was found.
            verdict: Verdict,
        }
        /// A jury is done.
        audit::JuryDecided {
            /// Id of the stack.
            stack: StackId,
            /// Id of the node.
            node: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it is the challenge's jury.
            challenge: bool,
            /// How it ended.
            outcome: Outcome,
        }
        /// A task's fees are the treasury's.
        treasury::FeesCollected {
            /// Id of the task.
            task: TaskId,
            /// How much.
            amount: MicroUsdc,
        }
        /// A node's fees count.
        treasury::FeesReported {
            /// Id of the node.
            node: NodeId,
            /// Which epoch.
            epoch: u64,
            /// How much.
            fees: MicroUsdc,
        }
        /// A node was credited with its share.
        treasury::TreasuryPaid {
            /// Id of the node.
            node: NodeId,
            /// Which epoch.
            epoch: u64,
            /// How much.
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
