//! Connections that wait for their next request, and where they go back to.

use super::connection::Connection;
use http::uri::{Authority, Scheme};
use parking_lot::Mutex;
use std::{
    cmp::Ordering,
    collections::{BTreeMap, VecDeque},
    mem,
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

/// Where requests go: the key of the pool.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
}

impl Ord for Origin {
    /// Authorities are the same in upper and lower case.
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (self.authority.as_str(), other.authority.as_str());
        let schemes = self.scheme.as_str().cmp(other.scheme.as_str());
        schemes.then_with(|| lower(ours).cmp(lower(theirs)))
    }
}

fn lower(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().map(|letter| letter.to_ascii_lowercase())
}

impl PartialOrd for Origin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The idle connections of a pool.
pub(crate) struct IdleConnections {
    /// None is kept for longer.
    timeout: Duration,
    /// No more are kept for one server.
    per_server: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The one that was used last comes last, and is used first.
    connections: BTreeMap<Origin, VecDeque<(Instant, Connection)>>,
    /// A task looks for those that were idle too long.
    tended: bool,
}

/// Where a connection comes from and goes back to.
pub(crate) struct PoolSlot {
    pub(crate) idle: Arc<IdleConnections>,
    pub(crate) origin: Origin,
}

impl IdleConnections {
    pub(crate) fn new(timeout: Duration, per_server: usize) -> Self {
        Self {
            timeout,
            per_server,
            kept: Mutex::default(),
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        let kept = self.kept.lock();
        kept.connections.values().map(VecDeque::len).sum()
    }

    /// The idle connection that was used last and still stands.
    pub(crate) fn take(&self, origin: &Origin) -> Option<Connection> {
        loop {
            let (since, mut connection) =
                self.kept.lock().connections.get_mut(origin)?.pop_back()?;
            if since.elapsed() < self.timeout && connection.is_free() {
                return Some(connection);
            }
        }
    }

    /// Closes what was idle too long. True if nothing idle is left.
    fn tend(&self) -> bool {
        let mut over = Vec::new();
        let mut idle = self.kept.lock();
        idle.connections.retain(|_, connections| {
            while let Some((since, _)) = connections.front()
                && since.elapsed() >= self.timeout
            {
                over.extend(connections.pop_front());
            }
            !connections.is_empty()
        });
        idle.tended = !idle.connections.is_empty();
        let empty = !idle.tended;
        // closing takes time that nobody should wait for
        drop(idle);
        drop(over);
        empty
    }
}

impl PoolSlot {
    /// Takes a connection back that is free again.
    pub(crate) fn put(&self, connection: Connection) {
        let mut idle = self.idle.kept.lock();
        let connections = match idle.connections.get_mut(&self.origin) {
            Some(connections) => connections,
            None => idle.connections.entry(self.origin.clone()).or_default(),
        };
        if connections.len() >= self.idle.per_server {
            return;
        }
        connections.push_back((Instant::now(), connection));
        let tended = mem::replace(&mut idle.tended, true);
        drop(idle);
        if !tended {
            self.tend_later();
        }
    }

    /// Looks after the idle ones until there are none or the pool is gone.
    fn tend_later(&self) {
        let Ok(runtime) = Handle::try_current() else {
            // the next request closes them
            self.idle.kept.lock().tended = false;
            return;
        };
        let all = Arc::downgrade(&self.idle);
        let pause = self.idle.timeout;
        runtime.spawn(async move {
            loop {
                sleep(pause).await;
                if all.upgrade().is_none_or(|all| all.tend()) {
                    return;
                }
            }
        });
    }
}
