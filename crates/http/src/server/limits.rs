//! What a server allows strangers before, and while, a handler works for them.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The operator and their Prometheus need few.
const OPERATOR_CONNECTIONS: usize = 64;

/// A server's limits: the section `[limits]`, with the same names in every configuration file.
/// Times are in milliseconds. The defaults are for a server that strangers can reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections open at once; more are closed unread. Lowered where the system allows few open
    /// files: half of them are left for what stands behind connections. Default 8192: each costs
    /// some tens of KiB while it is read from.
    pub max_connections: usize,
    /// Of these, connections from one address (IPv6: from one /64 network). Behind a proxy all come
    /// from one address: set it to `max_connections` there. Default 2048, a quarter of all: several
    /// large users still fit when one takes all that it may.
    pub max_connections_per_address: usize,
    /// A new connection must send something by then. Default 10 s: a slow handshake takes three.
    pub first_byte_timeout_ms: u64,
    /// The head of a request must be complete so long after its first byte. Default 15 s: heads have
    /// a few KiB.
    pub header_timeout_ms: u64,
    /// A request's body must be complete so long after its reading began. Default 30 s: the largest
    /// body at 140 KiB a second.
    pub body_timeout_ms: u64,
    /// And some of it must come at least this often. Default 10 s: longer than any hiccup of a network.
    pub body_idle_timeout_ms: u64,
    /// A connection without a request is closed after this time. Default 60 s: longer than clients keep
    /// idle connections, so that they, who know when they send, close first.
    pub idle_timeout_ms: u64,
    /// A client that takes no byte of an answer for so long loses it: over HTTP/1.1 with the
    /// connection, over HTTP/2 that stream alone. Default 60 s: people close their laptops for less.
    pub write_timeout_ms: u64,
    /// Over HTTP/2, a client is asked this often whether it is there, and has as long to answer.
    /// Default 20 s: below the minute after which most home routers forget a connection.
    pub ping_interval_ms: u64,
    /// Requests under way at once on one HTTP/2 connection. Default 256: enough for a gateway, which
    /// can open more connections.
    pub max_streams: u32,
    /// Bytes of a request's body; larger ones are refused. Default 4 MiB: room for a long conversation
    /// in JSON.
    pub max_body_bytes: usize,
    /// How long requests under way may go on after the server was told to stop. Default 30 s: most
    /// answers are complete by then, and service managers wait longer before they kill.
    pub drain_grace_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 8_192,
            max_connections_per_address: 2_048,
            first_byte_timeout_ms: 10_000,
            header_timeout_ms: 15_000,
            body_timeout_ms: 30_000,
            body_idle_timeout_ms: 10_000,
            idle_timeout_ms: 60_000,
            write_timeout_ms: 60_000,
            ping_interval_ms: 20_000,
            max_streams: 256,
            max_body_bytes: 4 << 20,
            drain_grace_ms: 30_000,
        }
    }
}

/// A limit of zero would let nothing through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limits.{0} must be above zero")]
pub struct ZeroLimit(pub &'static str);

impl Limits {
    /// For a port that only the operator should reach.
    #[must_use]
    pub fn for_operator() -> Self {
        Self {
            max_connections: OPERATOR_CONNECTIONS,
            max_connections_per_address: OPERATOR_CONNECTIONS,
            ..Self::default()
        }
    }

    /// Looks for limits under which nothing could be served.
    ///
    /// # Errors
    /// Names a limit that is zero. Only `drain_grace_ms` may be.
    pub fn check(&self) -> Result<(), ZeroLimit> {
        let limits = [
            ("max_connections", self.max_connections as u64),
            (
                "max_connections_per_address",
                self.max_connections_per_address as u64,
            ),
            ("first_byte_timeout_ms", self.first_byte_timeout_ms),
            ("header_timeout_ms", self.header_timeout_ms),
            ("body_timeout_ms", self.body_timeout_ms),
            ("body_idle_timeout_ms", self.body_idle_timeout_ms),
            ("idle_timeout_ms", self.idle_timeout_ms),
            ("write_timeout_ms", self.write_timeout_ms),
            ("ping_interval_ms", self.ping_interval_ms),
            ("max_streams", u64::from(self.max_streams)),
            ("max_body_bytes", self.max_body_bytes as u64),
        ];
        match limits.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(ZeroLimit(name)),
            None => Ok(()),
        }
    }

    /// `drain_grace_ms` as a duration.
    #[must_use]
    pub fn drain_grace(&self) -> Duration {
        Duration::from_millis(self.drain_grace_ms)
    }

    /// `body_timeout_ms` as a duration.
    #[must_use]
    pub fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_limits_and_unknown_names_are_refused() {
        assert_eq!(Limits::default().check(), Ok(()));
        let limits = Limits {
            write_timeout_ms: 0,
            ..Limits::default()
        };
        assert_eq!(limits.check(), Err(ZeroLimit("write_timeout_ms")));
        let known: Limits = serde_json::from_str(r#"{"max_streams":7}"#).unwrap();
        assert_eq!(known.max_streams, 7);
        let unknown = serde_json::from_str::<Limits>(r#"{"max_steams":7}"#).unwrap_err();
        assert!(unknown.to_string().contains("max_steams"), "{unknown}");
    }
}
