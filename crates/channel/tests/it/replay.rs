//! A host sends again what it recorded: to the same process, after a restart, to another replica.

use crate::support::sealed_to;
use atoma_channel::{
    Fault, ReplayGuard, ReplayWindow, SealId, Seen, SeenStore,
    limits::MAX_SKEW,
    replay::{AdmitError, NoStore},
    testing::{NOW, TestNode, window},
};
use atoma_types::{DurationMs, TimestampMs, hash::Hash32};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// A store that several replicas share, and that outlives them: what a database would hold.
#[derive(Clone, Debug, Default)]
struct ReplicaStore {
    kept: Arc<Mutex<BTreeMap<[u8; 32], TimestampMs>>>,
    broken: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Broken;

impl SeenStore for ReplicaStore {
    type Error = Broken;

    async fn claim(&self, seen: Seen) -> Result<bool, Broken> {
        if self.broken {
            return Err(Broken);
        }
        let mut kept = self.kept.lock();
        let before = kept.insert(*seen.id.as_bytes(), seen.expires_at);
        Ok(before.is_none())
    }

    async fn forget(&self, ended_before: TimestampMs) -> Result<(), Broken> {
        self.kept.lock().retain(|_, end| *end >= ended_before);
        Ok(())
    }
}

/// Futures of these stores never wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn later(milliseconds: u64) -> TimestampMs {
    NOW.saturating_add(DurationMs(milliseconds))
}

fn seen() -> Seen {
    let node = TestNode::new(1);
    let (request, _) = sealed_to(&[&node]);
    node.open(&request).unwrap().seen()
}

fn refusal<T, E>(admitted: &Result<T, AdmitError<E>>) -> Option<Fault> {
    match admitted {
        Err(AdmitError::Fault(fault)) => Some(*fault),
        Ok(_) | Err(AdmitError::Store(_)) => None,
    }
}

#[test]
fn a_replay_is_refused_for_as_long_as_the_request_lives_and_then_for_its_age() {
    let (seen, mut window) = (seen(), window());
    assert!(window.admit(&seen, NOW).is_ok());
    for after in [0, 1, 59_999] {
        let again = window.admit(&seen, later(after));
        assert_eq!(again.map(|_| ()), Err(Fault::Replayed), "{after}");
    }
    assert_eq!(
        window.admit(&seen, later(60_000)).map(|_| ()),
        Err(Fault::Expired)
    );
    assert!(window.is_empty());
}

#[test]
fn a_clock_that_is_set_back_admits_nothing_again() {
    let (seen, mut window) = (seen(), window());
    assert!(window.admit(&seen, NOW).is_ok());
    assert_eq!(
        window.admit(&seen, later(60_000)).map(|_| ()),
        Err(Fault::Expired)
    );
    assert_eq!(window.admit(&seen, NOW).map(|_| ()), Err(Fault::Expired));
}

#[test]
fn replay_after_restart() {
    // with a store that outlives the process
    let store = ReplicaStore::default();
    let seen = seen();
    let guard = ReplayGuard::new(window(), store.clone());
    assert!(now(guard.admit(seen, NOW)).is_ok());
    drop(guard);
    let guard = ReplayGuard::new(window(), store);
    assert_eq!(
        refusal(&now(guard.admit(seen, later(5)))),
        Some(Fault::Replayed)
    );
    // without one: what was sealed before the start is refused
    let guard = ReplayGuard::new(ReplayWindow::new(later(5)), NoStore);
    assert_eq!(
        refusal(&now(guard.admit(seen, later(5)))),
        Some(Fault::BeforeStart)
    );
    // a host that puts an old copy of the store back gains no client with a fast clock, if the guest knows better than
    // to believe it
    let mut fast = seen;
    fast.issued_at = later(MAX_SKEW.0);
    fast.expires_at = later(MAX_SKEW.0 + 60_000);
    let distrustful = ReplayWindow::new(later(5 + MAX_SKEW.0));
    let guard = ReplayGuard::new(distrustful, ReplicaStore::default());
    assert_eq!(
        refusal(&now(guard.admit(fast, later(5)))),
        Some(Fault::BeforeStart)
    );
}

#[test]
fn after_a_restart_with_new_keys_nothing_old_opens() {
    let node = TestNode::new(1);
    let (request, _) = sealed_to(&[&node]);
    let mut restarted = TestNode::new(2);
    restarted.keyset.node = node.id();
    assert_eq!(restarted.open(&request).map(|_| ()), Err(Fault::KeyUnknown));
}

#[test]
fn replay_at_another_replica() {
    let store = ReplicaStore::default();
    let one = ReplayGuard::new(window(), store.clone());
    let two = ReplayGuard::new(window(), store);
    let seen = seen();
    assert!(now(one.admit(seen, NOW)).is_ok());
    assert_eq!(refusal(&now(two.admit(seen, NOW))), Some(Fault::Replayed));
    // a replica whose clock is ahead cleans up; another's, which is behind, still finds the request
    now(one.forget(later(60_000 + MAX_SKEW.0))).unwrap();
    let behind = ReplayGuard::new(window(), one.store().clone());
    assert_eq!(
        refusal(&now(behind.admit(seen, later(59_999)))),
        Some(Fault::Replayed)
    );
}

#[test]
fn a_store_forgets_what_has_long_expired() {
    let store = ReplicaStore::default();
    let guard = ReplayGuard::new(window(), store.clone());
    now(guard.admit(seen(), NOW)).unwrap();
    now(guard.forget(later(60_000 + 2 * MAX_SKEW.0))).unwrap();
    assert_eq!(store.kept.lock().len(), 1);
    now(guard.forget(later(60_001 + 2 * MAX_SKEW.0))).unwrap();
    assert_eq!(store.kept.lock().len(), 0);
}

#[test]
fn a_store_that_cannot_say_admits_nothing() {
    let store = ReplicaStore {
        broken: true,
        ..ReplicaStore::default()
    };
    let guard = ReplayGuard::new(window(), store);
    let seen = seen();
    let refused = now(guard.admit(seen, NOW));
    assert!(matches!(refused, Err(AdmitError::Store(Broken))));
    // nor does it later: nobody knows what became of the first try
    assert_eq!(refusal(&now(guard.admit(seen, NOW))), Some(Fault::Replayed));
}

#[test]
fn requests_of_other_times_are_refused() {
    let mut window = window();
    let mut admit = |issued: u64, expires: u64| {
        let seen = Seen {
            issued_at: TimestampMs(issued),
            expires_at: TimestampMs(expires),
            ..seen()
        };
        window.admit(&seen, NOW).map(|_| ())
    };
    let now = NOW.0;
    assert_eq!(
        admit(now + MAX_SKEW.0 + 1, now + 60_000),
        Err(Fault::Future)
    );
    assert_eq!(admit(now, now + 120_001), Err(Fault::Lifetime));
    assert_eq!(admit(now, now), Err(Fault::Lifetime));
    assert_eq!(admit(now, now - 1), Err(Fault::Lifetime));
    assert_eq!(admit(now - 10, now - 5), Err(Fault::Expired));
    assert_eq!(admit(now - 2, now + 1), Err(Fault::BeforeStart));
    assert_eq!(admit(now + MAX_SKEW.0, now + 60_000), Ok(()));
}

fn numbered(number: u64, issued: u64, lives: u64) -> Seen {
    Seen {
        id: SealId(Hash32::of(&number.to_le_bytes())),
        issued_at: later(issued),
        expires_at: later(issued + lives),
    }
}

#[test]
fn a_full_window_refuses_and_forgets_nothing_early() {
    let mut window = ReplayWindow::of_size(NOW, 2);
    assert!(window.admit(&numbered(1, 0, 10), NOW).is_ok());
    assert!(window.admit(&numbered(2, 0, 20), NOW).is_ok());
    let third = numbered(3, 0, 100);
    assert_eq!(
        window.admit(&third, NOW).map(|_| ()),
        Err(Fault::WindowFull)
    );
    assert_eq!(
        window.admit(&numbered(1, 0, 10), NOW).map(|_| ()),
        Err(Fault::Replayed)
    );
    assert!(window.admit(&third, later(10)).is_ok());
    assert_eq!(window.len(), 2);
}

proptest! {
    /// Whatever comes when, in whatever order and with clocks that jump: no replica of several, restarted at any time,
    /// admits what any has admitted.
    #[test]
    fn nothing_is_admitted_twice(
        plays in prop::collection::vec((0..40_u64, 0..3_usize, 0..400_000_u64, any::<bool>()), 1..200),
    ) {
        let store = ReplicaStore::default();
        let fresh = || ReplayGuard::new(ReplayWindow::of_size(NOW, 16), store.clone());
        let mut replicas = [fresh(), fresh(), fresh()];
        let mut admitted = std::collections::BTreeSet::new();
        for (number, replica, clock, restart) in plays {
            if restart {
                replicas[replica] = fresh();
            }
            let seen = numbered(number, number * 7_000, 1 + number * 3_000);
            if now(replicas[replica].admit(seen, later(clock))).is_ok() {
                prop_assert!(admitted.insert(number), "{number} was admitted twice");
            }
        }
    }
}
