//! What can go wrong for a client.

use super::bad_config::BadConfig;
use crate::{BlobId, coding::CodingError, quilt::QuiltError};
use atoma_http::client::Error as TransportError;
use std::time::Duration;

/// Why a blob isn't stored or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A setting that can't be.
    #[error("bad configuration")]
    Config(#[from] BadConfig),
    /// The client only reads.
    #[error("no publisher is configured")]
    NoPublisher,
    /// Nobody is there; nothing was sent.
    #[error("cannot reach {url}")]
    Unreachable {
        /// The URL that was asked.
        url: String,
        /// Why there is no connection.
        source: TransportError,
    },
    /// The connection broke after the request was sent.
    #[error("{url} broke off")]
    Broken {
        /// The URL that was asked.
        url: String,
        /// How it broke.
        source: TransportError,
    },
    /// No answer in time.
    #[error("{url} didn't answer within {after:?}")]
    TimedOut {
        /// The URL that was asked.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The server refused the request.
    #[error("{url} refuses: {status}, {reason}: {message}")]
    Refused {
        /// The URL that was asked.
        url: String,
        /// The HTTP status that it answered with.
        status: u16,
        /// The stable reason that the server gives, or nothing. Walrus's word: each service has its own list of them, which
        /// grows, so it is kept as it came.
        reason: String,
        /// The server's own words, for people.
        message: String,
    },
    /// The aggregator has no blob of that id.
    #[error("no blob {0}")]
    NotFound(BlobId),
    /// The publisher failed, and said so with a status of 200.
    #[error("{url} failed in {phase}: {message}")]
    Failed {
        /// The URL that was asked.
        url: String,
        /// The phase of storing in which it failed, as the publisher calls it.
        phase: String,
        /// The publisher's own words.
        message: String,
    },
    /// An answer that isn't the JSON that it should be.
    #[error("cannot read the answer of {url}")]
    NotJson {
        /// The URL that was asked.
        url: String,
        /// Where the text departs from what it should be.
        source: serde_json::Error,
    },
    /// An answer of another length than was asked for.
    #[error("the answer of {url} has {found} bytes, expected {expected}")]
    Length {
        /// The URL that was asked.
        url: String,
        /// How many came.
        found: usize,
        /// How many were asked for.
        expected: u64,
    },
    /// An answer that doesn't say how long the blob is.
    #[error("the answer of {url} doesn't tell the blob's length")]
    NoLength {
        /// The URL that was asked.
        url: String,
    },
    /// The answer is longer than allowed.
    #[error("the answer of {url} exceeds {max} bytes")]
    TooLong {
        /// The URL that was asked.
        url: String,
        /// The most that is taken.
        max: u64,
    },
    /// The publisher claims what isn't so.
    #[error("publisher {url} lies: {lie}")]
    LyingPublisher {
        /// The URL that was asked.
        url: String,
        /// What's wrong with its answer.
        lie: Lie,
    },
    /// The aggregator's bytes aren't those of the blob id.
    #[error("aggregator {url} lies: its bytes aren't those of blob {blob_id}")]
    LyingAggregator {
        /// The URL that was asked.
        url: String,
        /// The blob's id, which follows from its bytes.
        blob_id: BlobId,
    },
    /// The blob can't be coded, or what came can't be decoded.
    #[error(transparent)]
    Coding(#[from] CodingError),
    /// The quilt can't be made, or what came isn't one.
    #[error(transparent)]
    Quilt(#[from] QuiltError),
    /// A mistake of this program.
    #[error("the client of Walrus failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How a publisher's answer differs from what was asked, or from what is so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lie {
    /// It names another blob.
    #[error("it says {said}, the id is {id}")]
    OtherId {
        /// The id in its answer.
        said: BlobId,
        /// The id that follows from the bytes.
        id: BlobId,
    },
    /// It names another length.
    #[error("it says {said} bytes, not {size}")]
    Size {
        /// The bytes in its answer.
        said: u64,
        /// The blob's bytes.
        size: u64,
    },
    /// The blob's object has less storage than its slivers take.
    #[error("the storage is too small for the blob")]
    SmallStorage,
    /// The blob may be deleted, though it was to last.
    #[error("the blob is deletable")]
    Deletable,
    /// Storage is paid for less long than was asked.
    #[error("{paid} epochs, not {asked}")]
    Epochs {
        /// For how many epochs it is paid.
        paid: u32,
        /// For how many it was to be.
        asked: u32,
    },
    /// It says that storage nodes found the blob encoded wrongly; what they were sent wasn't this blob.
    #[error("it says that the blob is encoded wrongly")]
    EncodedWrongly,
    /// No aggregator has what it says is stored.
    #[error("no aggregator has blob {0}")]
    NotThere(BlobId),
    /// The quilt's blobs aren't where they were put.
    #[error("the patches are elsewhere")]
    PatchesElsewhere,
}

impl ClientError {
    /// A code for programs, such as `walrus_not_found`. It never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "walrus_config",
            Self::NoPublisher => "walrus_no_publisher",
            Self::Unreachable { .. } => "walrus_unreachable",
            Self::Broken { .. } => "walrus_broken",
            Self::TimedOut { .. } => "walrus_timed_out",
            Self::Refused { .. } => "walrus_refused",
            Self::NotFound(_) => "walrus_not_found",
            Self::Failed { .. } => "walrus_failed",
            Self::NotJson { .. } | Self::Length { .. } | Self::NoLength { .. } => {
                "walrus_malformed"
            }
            Self::TooLong { .. } => "walrus_too_long",
            Self::LyingPublisher { .. } => "walrus_lying_publisher",
            Self::LyingAggregator { .. } => "walrus_lying_aggregator",
            Self::Coding(_) => "walrus_coding",
            Self::Quilt(_) => "walrus_quilt",
            Self::Internal(_) => "walrus_internal",
        }
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::TimedOut { .. }
            | Self::Failed { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            _ => false,
        }
    }

    /// Whether nothing can have been stored: the request didn't arrive, or was turned away before
    /// it was looked at.
    pub(super) fn is_harmless(&self) -> bool {
        let turned_away = matches!(self, Self::Refused { status: 429, .. });
        turned_away || matches!(self, Self::Unreachable { .. })
    }
}
