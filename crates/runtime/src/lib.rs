//! What a simulation replaces: the clock, the source of randomness, threads, and the network.
//!
//! Whoever needs the time, a random number, a thread or a connection takes a [`Runtime`] in its configuration or
//! constructor and asks that. [`Runtime::system`] is the machine's. [`Runtime::simulated`] is a
//! function of a seed and a start: on a current-thread tokio runtime with paused time, a program that
//! asks nothing else does the same again with the same seed. `clippy.toml` bans the direct reads.
//!
//! Sleeping and deadlines need no seam of their own: `tokio::time`, including
//! `tokio::time::Instant::now`, is what a paused tokio runtime simulates, so anyone may use it.
//!
//! [`WithCauses`], [`files`] and [`Backoff`] stand here because it is the lowest crate that all who write logs, keep
//! files or try again use.

mod backoff;
mod causes;
mod clock;
pub mod files;
#[cfg(feature = "testing")]
mod kept_log;
mod random;
mod sockets;
mod threads;

pub use backoff::{Backoff, spread};
pub use causes::WithCauses;
pub use clock::{Clock, SharedClock, SimulatedClock, SystemClock};
#[cfg(feature = "testing")]
pub use kept_log::KeptLog;
pub use random::{Entropy, Random, SeededRandom, SharedRandom, SystemRandom};
pub use sockets::{Listener, MemorySockets, Socket, Sockets};
pub use threads::{Blocking, Threads, Worker, WorkerPanicked};

use atoma_types::{RequestId, TimestampMs};
use std::sync::Arc;

/// The clock, the randomness, the threads and the network that a part of the system runs on. Cheap to
/// clone; clones share one clock, one stream of random bytes and one network.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// What tells the time.
    pub clock: SharedClock,
    /// Where random bytes come from.
    pub random: SharedRandom,
    /// Says where blocking work runs.
    pub threads: Threads,
    /// The network on which addresses are listened on and connected to.
    pub sockets: Sockets,
}

impl Runtime {
    /// The machine's clock, the operating system's randomness, real threads, TCP.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
            threads: Threads::Real,
            sockets: Sockets::Tcp,
        }
    }

    /// A clock that shows `start` now and follows tokio's time, random bytes that follow from `seed`,
    /// no threads, and a network in memory. Deterministic on a current-thread tokio runtime with paused
    /// time.
    #[must_use]
    pub fn simulated(seed: u64, start: TimestampMs) -> Self {
        Self {
            clock: Arc::new(SimulatedClock::following_tokio(start)),
            random: Arc::new(SeededRandom::new(seed)),
            threads: Threads::InLine,
            sockets: Sockets::Memory(MemorySockets::default()),
        }
    }

    /// Wall time; see [`Clock::now`].
    #[must_use]
    pub fn now(&self) -> TimestampMs {
        self.clock.now()
    }

    /// A fresh id for a request.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        RequestId::new(self.now(), self.random.bytes())
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self::system()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, time::Duration};

    #[test]
    fn fresh_request_ids_rise_with_time_and_are_all_different() {
        let runtime = Runtime::system();
        let before = runtime.now().0;
        let ids: BTreeSet<_> = (0..1_000).map(|_| runtime.request_id()).collect();
        let after = runtime.now().0;
        assert_eq!(ids.len(), 1_000);
        for RequestId(bytes) in ids {
            let time = bytes[..6]
                .iter()
                .fold(0, |time, b| time << 8 | u64::from(*b));
            assert!((before..=after).contains(&time));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_seed_gives_the_same_ids_again() {
        async fn run(seed: u64) -> Vec<RequestId> {
            let runtime = Runtime::simulated(seed, TimestampMs(1_000));
            let mut ids = Vec::new();
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                ids.push(runtime.request_id());
            }
            ids
        }
        assert_eq!(run(7).await, run(7).await);
        assert_ne!(run(7).await, run(8).await);
    }
}
