//! The servers behind an upstream engine: which are healthy, how busy they are, whom to ask next.
//!
//! A server that can't be reached is left out at once and comes back when a probe succeeds. Among
//! the healthy ones the least busy is asked; between equals, the one that answered faster lately.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use crate::UpstreamLoad;

/// Weight of a new observation of the time to first byte: an eighth, as in TCP.
const SMOOTHING: u64 = 8;

/// One of the servers that have the model.
#[derive(Debug)]
pub(super) struct Server {
    /// Without a slash at its end, and without `/v1`.
    pub(super) base: String,
    healthy: AtomicBool,
    running: AtomicUsize,
    failures: AtomicU32,
    first_byte_us: AtomicU64,
}

/// A request that a server is working on; counted until dropped.
#[derive(Debug)]
pub(super) struct Busy(pub(super) Arc<Server>);

impl Server {
    pub(super) fn new(url: &str) -> Self {
        let base = url.trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base).to_owned();
        Self {
            base,
            // Until proven otherwise: the first request finds out as well as a probe.
            healthy: AtomicBool::new(true),
            running: AtomicUsize::new(0),
            failures: AtomicU32::new(0),
            first_byte_us: AtomicU64::new(0),
        }
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.load(Relaxed)
    }

    pub(super) fn running(&self) -> usize {
        self.running.load(Relaxed)
    }

    /// Notes that the server answered.
    pub(super) fn succeeded(&self) {
        self.failures.store(0, Relaxed);
        self.healthy.store(true, Relaxed);
    }

    /// It couldn't be reached, or a probe found it ill.
    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
        self.healthy.store(false, Relaxed);
    }

    /// Notes how long the first byte took. Concurrent notes may lose one another, harmlessly.
    pub(super) fn observed(&self, first_byte: Duration) {
        let sample = first_byte.as_micros() as u64;
        let old = self.first_byte_us.load(Relaxed);
        let new = if old == 0 {
            sample
        } else {
            old - old / SMOOTHING + sample / SMOOTHING
        };
        self.first_byte_us.store(new, Relaxed);
    }

    pub(super) fn load(&self) -> UpstreamLoad {
        UpstreamLoad {
            url: self.base.clone(),
            healthy: self.is_healthy(),
            running: self.running(),
            first_byte_us: self.first_byte_us.load(Relaxed),
            failures: self.failures.load(Relaxed),
        }
    }
}

impl Busy {
    pub(super) fn new(server: Arc<Server>) -> Self {
        server.running.fetch_add(1, Relaxed);
        Self(server)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Relaxed);
    }
}

/// Servers to ask, best first.
pub(super) fn in_order(servers: &[Arc<Server>]) -> Vec<Arc<Server>> {
    let mut order: Vec<_> = servers.iter().filter(|s| s.is_healthy()).cloned().collect();
    order.sort_by_cached_key(|s| (s.running(), s.first_byte_us.load(Relaxed)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_busy_healthy_server_is_asked_first() {
        let servers: Vec<_> = ["http://a/v1/", "http://b", "http://c"]
            .map(|u| Arc::new(Server::new(u)))
            .to_vec();
        assert_eq!(servers[0].base, "http://a");
        servers[2].failed();
        servers[0].observed(Duration::from_millis(9));
        servers[1].observed(Duration::from_millis(5));
        let names = |servers: &[Arc<Server>]| -> Vec<String> {
            in_order(servers).iter().map(|s| s.base.clone()).collect()
        };
        assert_eq!(names(&servers), ["http://b", "http://a"]);
        let busy = Busy::new(servers[1].clone());
        assert_eq!(names(&servers), ["http://a", "http://b"]);
        drop(busy);
        servers[2].succeeded();
        assert_eq!(names(&servers), ["http://c", "http://b", "http://a"]);
    }
}
