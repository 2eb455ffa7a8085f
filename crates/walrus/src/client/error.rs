//! What can go wrong for a client.

use crate::{BlobId, coding::CodingError, quilt::QuiltError};
use std::time::Duration;

/// Why a blob isn't stored or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A setting that can't be.
    #[error("bad configuration: {0}")]
    Config(String),
    /// The client only reads.
    #[error("no publisher is configured")]
    NoPublisher,
    /// Nobody is there; nothing was sent.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// Whom.
        url: String,
        /// Why.
        reason: String,
    },
    /// The connection broke after the request was sent.
    #[error("{url} broke off: {reason}")]
    Broken {
        /// Who.
        url: String,
        /// Why.
        reason: String,
    },
    /// No answer in time.
    #[error("{url} didn't answer within {after:?}")]
    TimedOut {
        /// Who.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// A refusal.
    #[error("{url} refuses: {status}, {reason}: {message}")]
    Refused {
        /// Who.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The stable reason, or nothing.
        reason: String,
        /// In words.
        message: String,
    },
    /// No such blob.
    #[error("no blob {0}")]
    NotFound(BlobId),
    /// The publisher failed, and said so with a status of 200.
    #[error("{url} failed in {phase}: {message}")]
    Failed {
        /// Who.
        url: String,
        /// In what.
        phase: String,
        /// Why.
        message: String,
    },
    /// An answer that can't be read.
    #[error("cannot read the answer of {url}: {reason}")]
    Malformed {
        /// Whose.
        url: String,
        /// What's wrong.
        reason: String,
    },
    /// The answer is longer than allowed.
    #[error("the answer of {url} exceeds {max} bytes")]
    TooLong {
        /// Whose.
        url: String,
        /// The limit.
        max: u64,
    },
    /// The publisher claims what isn't so.
    #[error("publisher {url} lies: {what}")]
    LyingPublisher {
        /// Who.
        url: String,
        /// What's wrong with its answer.
        what: String,
    },
    /// The aggregator's bytes aren't those of the blob id.
    #[error("aggregator {url} lies: its bytes aren't those of blob {blob_id}")]
    LyingAggregator {
        /// Who.
        url: String,
        /// The blob.
        blob_id: BlobId,
    },
    /// The coding's reasons.
    #[error(transparent)]
    Coding(#[from] CodingError),
    /// A quilt's reasons.
    #[error(transparent)]
    Quilt(#[from] QuiltError),
    /// A bug.
    #[error("internal: {0}")]
    Internal(String),
}

impl ClientError {
    /// A stable code.
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
            Self::Malformed { .. } => "walrus_malformed",
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
