//! The servers behind an upstream engine: which are well, how busy they are, whom to ask next.
//!
//! A server that can't be reached is left out at once and comes back when a probe succeeds. One that
//! works on requests and gets nowhere for too long is left out as well, whatever it says of its health:
//! progress is what shows that a server is well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::choice::{self, Candidate, Outcome};
use super::dialect::Identity;
use super::metrics::Metrics;
use super::prefix::{Prefix, Seen};
use crate::UpstreamLoad;

/// Weight of a new observation of the time to the first words: an eighth, as in TCP.
const SMOOTHING: u64 = 8;
/// How long a server that let a count wait isn't asked for one: each question may cost its asker seconds.
const COUNT_PAUSE: Duration = Duration::from_secs(60);

/// One of the servers that have the model.
#[derive(Debug)]
pub(super) struct Server {
    /// Without a slash at its end, and without `/v1`.
    pub(super) base: String,
    healthy: AtomicBool,
    /// It worked on requests and got nowhere: it must show that it can answer.
    hung: AtomicBool,
    running: AtomicUsize,
    /// Requests in its queue by its own metrics.
    waiting: AtomicUsize,
    failures: AtomicU32,
    first_byte_us: AtomicU64,
    /// When something last moved: its words, its counters, or a request that came to an idle server.
    moved: RwLock<Instant>,
    /// Its counters at the last probe.
    progress: AtomicU64,
    /// What it says of itself; asked again after a failure.
    identity: RwLock<Option<Identity>>,
    /// Told when it is found to hang.
    gave_up: Notify,
    /// It isn't asked to count before this.
    counts_from: RwLock<Instant>,
    /// What it may have keys and values of; nothing after a failure.
    seen: RwLock<Seen>,
}

/// A request that a server is working on; counted until dropped.
#[derive(Debug)]
pub(super) struct Busy(pub(super) Arc<Server>);

/// A prompt that a server is being asked: others with the same beginning should follow, even before it answers.
/// Dropped, it leaves nothing behind: what a server refuses says nothing of what it has.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    server: Arc<Server>,
    prefix: &'a Prefix,
}

impl Server {
    pub(super) fn new(url: &str) -> Self {
        let base = url.trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base).to_owned();
        Self {
            base,
            // Until proven otherwise: the first request finds out as well as a probe.
            healthy: AtomicBool::new(true),
            hung: AtomicBool::new(false),
            running: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            failures: AtomicU32::new(0),
            first_byte_us: AtomicU64::new(0),
            moved: RwLock::new(Instant::now()),
            progress: AtomicU64::new(0),
            identity: RwLock::new(None),
            gave_up: Notify::new(),
            counts_from: RwLock::new(Instant::now()),
            seen: RwLock::default(),
        }
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.healthy.load(Relaxed)
    }

    pub(super) fn is_hung(&self) -> bool {
        self.hung.load(Relaxed)
    }

    pub(super) fn running(&self) -> usize {
        self.running.load(Relaxed)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    pub(super) fn identity(&self) -> Option<Identity> {
        *self.identity.read()
    }

    pub(super) fn context(&self) -> Option<usize> {
        self.identity()?.context
    }

    pub(super) fn identified(&self, identity: Identity) {
        *self.identity.write() = Some(identity);
    }

    /// Whether it may be asked how many tokens a prompt has.
    pub(super) fn counts(&self) -> bool {
        Instant::now() >= *self.counts_from.read()
    }

    /// It doesn't say how many tokens a short text has.
    pub(super) fn lets_counts_wait(&self) {
        tracing::warn!(server = %self.base, "the server counts no prompts: for a while their bytes bound them");
        *self.counts_from.write() = Instant::now() + COUNT_PAUSE;
    }

    /// Notes that the server is well.
    pub(super) fn succeeded(&self) {
        self.failures.store(0, Relaxed);
        if self.hung.swap(false, Relaxed) {
            self.moved();
        }
        self.healthy.store(true, Relaxed);
    }

    /// It couldn't be reached, or a probe found it ill. What comes back may be another server.
    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
        self.healthy.store(false, Relaxed);
        self.waiting.store(0, Relaxed);
        *self.identity.write() = None;
        self.seen.write().clear();
    }

    fn candidate(&self, prefix: &Prefix) -> Candidate {
        Candidate {
            load: self.running().saturating_add(self.waiting()),
            depth: self.seen.read().depth(prefix),
            first_byte_us: self.first_byte_us.load(Relaxed),
        }
    }

    /// The server has sent something: it isn't hanging.
    pub(super) fn moved(&self) {
        *self.moved.write() = Instant::now();
    }

    /// Takes in what its metrics say.
    pub(super) fn measured(&self, metrics: &Metrics) {
        self.waiting.store(metrics.waiting, Relaxed);
        if self.progress.swap(metrics.progress, Relaxed) != metrics.progress {
            self.moved();
        }
    }

    /// Gives it up if it works on requests and nothing has moved for `stall`: who waits for it is told.
    pub(super) fn check_progress(&self, stall: Duration) {
        if self.running() == 0 || self.moved.read().elapsed() < stall {
            return;
        }
        tracing::warn!(server = %self.base, running = self.running(), "the server hangs: nothing moves");
        self.hung.store(true, Relaxed);
        self.failed();
        self.gave_up.notify_waiters();
    }

    /// Ready when the server is found to hang.
    pub(super) async fn hangs(&self) {
        // made first, so that no news is missed
        let news = self.gave_up.notified();
        if !self.is_hung() {
            news.await;
        }
    }

    /// Notes how long the first words took. Concurrent notes may lose one another, harmlessly.
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
            waiting: self.waiting(),
            first_byte_us: self.first_byte_us.load(Relaxed),
            failures: self.failures.load(Relaxed),
        }
    }
}

impl<'a> Asked<'a> {
    pub(super) fn new(server: Arc<Server>, prefix: &'a Prefix) -> Self {
        server.seen.write().ask(prefix);
        Self { server, prefix }
    }

    /// The server took it, and has it from now on.
    pub(super) fn taken(self) {
        self.server.seen.write().note(self.prefix);
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.server.seen.write().asked(self.prefix);
    }
}

impl Busy {
    pub(super) fn new(server: Arc<Server>) -> Self {
        if server.running.fetch_add(1, Relaxed) == 0 {
            server.moved();
        }
        Self(server)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Relaxed);
    }
}

/// Servers that are well, the best for a prompt first, and what that means for its beginning.
pub(super) fn in_order(
    servers: &[Arc<Server>],
    prefix: &Prefix,
    slack_percent: u32,
) -> (Vec<Arc<Server>>, Outcome) {
    let healthy: Vec<_> = servers.iter().filter(|s| s.is_healthy()).collect();
    let candidates: Vec<_> = healthy.iter().map(|s| s.candidate(prefix)).collect();
    let (order, outcome) = choice::order(&candidates, slack_percent);
    let servers = order.into_iter().map(|at| Arc::clone(healthy[at]));
    (servers.collect(), outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers() -> Vec<Arc<Server>> {
        ["http://a/v1/", "http://b", "http://c"]
            .map(|u| Arc::new(Server::new(u)))
            .to_vec()
    }

    #[tokio::test]
    async fn the_least_busy_healthy_server_is_asked_first() {
        let servers = servers();
        assert_eq!(servers[0].base, "http://a");
        servers[2].failed();
        servers[0].observed(Duration::from_millis(9));
        servers[1].observed(Duration::from_millis(5));
        let names = |servers: &[Arc<Server>]| -> Vec<String> {
            let (order, _) = in_order(servers, &Prefix::default(), 25);
            order.iter().map(|s| s.base.clone()).collect()
        };
        assert_eq!(names(&servers), ["http://b", "http://a"]);
        let busy = Busy::new(servers[1].clone());
        assert_eq!(names(&servers), ["http://a", "http://b"]);
        drop(busy);
        servers[2].succeeded();
        assert_eq!(names(&servers), ["http://c", "http://b", "http://a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_let_a_count_wait_is_not_asked_for_one_for_a_while() {
        let server = servers().remove(0);
        assert!(server.counts());
        server.lets_counts_wait();
        assert!(!server.counts() && server.is_healthy());
        tokio::time::advance(COUNT_PAUSE).await;
        assert!(server.counts());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_works_and_gets_nowhere_hangs() {
        const STALL: Duration = Duration::from_secs(60);
        let server = servers().remove(0);
        let metrics = |progress| Metrics {
            progress,
            waiting: 0,
        };
        server.measured(&metrics(7));
        let pass = async |seconds| {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            server.check_progress(STALL);
            server.is_hung()
        };
        assert!(!pass(600).await, "an idle server needn't move");
        let busy = Busy::new(server.clone());
        assert!(!pass(59).await);
        server.measured(&metrics(8));
        assert!(!pass(59).await, "its counters moved");
        server.measured(&metrics(8));
        server.moved();
        assert!(!pass(59).await, "it said something");
        let waiting = server.hangs();
        tokio::pin!(waiting);
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        assert!(pass(2).await);
        assert!(futures::poll!(waiting.as_mut()).is_ready());
        assert!(!server.is_healthy());
        server.succeeded();
        assert!(server.is_healthy() && !pass(59).await);
        drop(busy);
    }
}
