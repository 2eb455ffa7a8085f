//! What a server counts, for its owner's metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a connection or a stream was closed against the client's will.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closed {
    /// Refused: as many connections as allowed were open.
    Full,
    /// Refused: as many connections as allowed were open from its address.
    AddressFull,
    /// It sent nothing at all.
    FirstByteTimeout,
    /// It didn't complete the head of a request.
    HeaderTimeout,
    /// It had no request for a while.
    IdleTimeout,
    /// It took nothing of its answers for a while.
    WriteTimeout,
    /// It took nothing of one stream's answer for a while; only the stream was closed.
    StreamWriteTimeout,
    /// It still had requests under way when the server stopped and the grace was over.
    Stopped,
}

impl Closed {
    /// Every reason, in the order in which metrics name them.
    pub const ALL: [Self; 8] = [
        Self::Full,
        Self::AddressFull,
        Self::FirstByteTimeout,
        Self::HeaderTimeout,
        Self::IdleTimeout,
        Self::WriteTimeout,
        Self::StreamWriteTimeout,
        Self::Stopped,
    ];

    /// The name in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::AddressFull => "address_full",
            Self::FirstByteTimeout => "first_byte_timeout",
            Self::HeaderTimeout => "header_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::WriteTimeout => "write_timeout",
            Self::StreamWriteTimeout => "stream_write_timeout",
            Self::Stopped => "stopped",
        }
    }
}

/// Counts of one server or several. Written by [`Server`](super::Server), read by whoever keeps the
/// metrics.
#[derive(Debug, Default)]
pub struct Counters {
    open: AtomicU64,
    closed: [AtomicU64; Closed::ALL.len()],
}

impl Counters {
    /// Connections that are open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// How many were closed for this reason.
    #[must_use]
    pub fn closed(&self, reason: Closed) -> u64 {
        self.closed[reason as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, reason: Closed) {
        self.closed[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
