//! The package's events, and those of Walrus about blobs: [`Event`] over all of them, and a file for the events of each
//! module. In Move each is a struct of the named module with these fields in this order; a node or indexer needs
//! nothing else to follow the network.

mod audit;
mod db;
mod dispute;
mod node;
mod settlement;
mod stack;
mod task;
mod treasury;
mod walrus;

pub use audit::{
    Challenged, Committed, Disclosed, DisclosedToJury, ExaminerDrawn, JuryDecided, JuryDrawn,
    Revealed, TicketDrawn, Unexamined, VerdictGiven,
};
pub use db::{DevelopmentSet, ParamSet, VersionAnnounced};
pub use dispute::{DemandAnswered, NodeConvicted, RecordDemanded};
pub use node::{
    CollateralAdded, EarningsWithdrawn, FinesForfeited, FinesPardoned, NodeAttested,
    NodeKeysChanged, NodeLeft, NodeMoved, NodeRegistered, NodeStatusChanged,
};
pub use settlement::{Claimed, SettlementOpened};
pub use stack::{
    ExpiryChanged, FreeWithdrawn, LeaseClosed, Leased, StackAcquired, ToppedUp, UngrantedRevoked,
    UnitsReleased, WatcherSet,
};
pub use task::{
    AttesterChanged, AttesterPaid, ReleaseAnnounced, ReleaseWithdrawn, Subscribed, TaskCreated,
    TaskDeprecated, TaskFunded, Unsubscribed,
};
pub use treasury::{FeesCollected, FeesReported, TreasuryPaid};
pub use walrus::{BlobCertified, BlobDeleted, BlobRegistered, EpochChangeDone};

use crate::chain::Package;
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
    /// Too few agreed on one or the other.
    Hung,
    /// It could not be drawn.
    Dissolved,
}

macro_rules! events {
    ($($(#[$list_doc:meta])* $list:ident of $package:ident { $($module:ident::$name:ident),* $(,)? })*) => {
        $($(impl From<$name> for Event {
            fn from(event: $name) -> Self { Self::$name(event) }
        })*)*

        /// Any event that is known.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event {
            $($(#[doc = concat!("As [`", stringify!($name), "`] says.")]
            $name($name),)*)*
        }

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
        db::ParamSet, db::DevelopmentSet, db::VersionAnnounced,
        node::NodeRegistered, node::NodeMoved, node::NodeKeysChanged, node::NodeAttested,
        node::CollateralAdded, node::NodeStatusChanged, node::NodeLeft, node::EarningsWithdrawn,
        node::FinesPardoned, node::FinesForfeited,
        task::TaskCreated, task::TaskDeprecated, task::TaskFunded, task::ReleaseAnnounced,
        task::ReleaseWithdrawn, task::Subscribed, task::Unsubscribed, task::AttesterChanged,
        task::AttesterPaid,
        stack::StackAcquired, stack::Leased, stack::UnitsReleased, stack::ToppedUp,
        stack::ExpiryChanged, stack::WatcherSet, stack::UngrantedRevoked, stack::FreeWithdrawn,
        stack::LeaseClosed,
        settlement::SettlementOpened, settlement::Claimed,
        dispute::RecordDemanded, dispute::DemandAnswered, dispute::NodeConvicted,
        audit::TicketDrawn, audit::ExaminerDrawn, audit::Unexamined, audit::Disclosed,
        audit::VerdictGiven, audit::Challenged, audit::JuryDrawn, audit::DisclosedToJury,
        audit::Committed, audit::Revealed, audit::JuryDecided,
        treasury::FeesCollected, treasury::FeesReported, treasury::TreasuryPaid,
    }
    /// Module and name of Walrus's events about blobs and epochs. Our streams of events leave them out:
    /// there is everybody's blobs in them.
    WALRUS_NAMES of Walrus {
        events::BlobRegistered, events::BlobCertified, events::BlobDeleted, events::EpochChangeDone,
    }
}
