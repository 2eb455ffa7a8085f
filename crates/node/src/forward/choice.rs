//! Which node a request is passed on to: the cheapest that has room, costs no more than it may, and hasn't just
//! failed. Pure.

use atoma_client::StackHandle;
use atoma_runtime::Backoff;
use atoma_types::{ComputeUnits, NodeId, Price};
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// After a refusal for too much work: about one short answer's time.
const REST_BUSY: Duration = Duration::from_millis(200);
/// After the first failure; it doubles with each in a row.
const REST_FIRST: Duration = Duration::from_secs(1);
/// Longest rest after failures in a row.
const REST_MAX: Duration = Duration::from_secs(60);

/// Connections break now and then. A node that charges for a second broken answer within this time is asked nothing for as long:
/// its user may have had all but the end of both, and paid neither.
const PARTED: Duration = Duration::from_secs(3_600);

/// A node with a lease on a stack of ours, and the way to ask it.
#[derive(Clone, Debug)]
pub(crate) struct Offered<S> {
    pub stack: S,
    pub node: NodeId,
    pub price: Price,
    /// What is left of its lease.
    pub room: ComputeUnits,
}

/// Who is asked, over which stack.
#[derive(Clone, Debug)]
pub(crate) struct Seller<S = StackHandle> {
    pub stack: S,
    pub node: NodeId,
}

/// The most that another may cost where a request's lease pays so much.
pub(super) fn most(earns: Price, max_price_permille: u64) -> Price {
    let most = u128::from(earns.0) * u128::from(max_price_permille) / 1_000;
    Price(u64::try_from(most).unwrap_or(u64::MAX))
}

/// The cheapest that may be asked.
pub(super) fn cheapest<S>(
    offered: impl Iterator<Item = Offered<S>>,
    most: Price,
    units: ComputeUnits,
    is_out: impl Fn(NodeId) -> bool,
) -> Option<Seller<S>> {
    let fits =
        |offer: &Offered<S>| offer.price <= most && offer.room >= units && !is_out(offer.node);
    let best = offered
        .filter(fits)
        .min_by_key(|offer| (offer.price, offer.node))?;
    Some(Seller {
        stack: best.stack,
        node: best.node,
    })
}

/// Nodes that aren't asked for a while.
#[derive(Debug, Default)]
pub(super) struct Rests {
    failed: HashMap<NodeId, Rest>,
    /// Nodes that charged for broken answers: when they did so last, and whether that was once too often.
    broke: HashMap<NodeId, (Instant, bool)>,
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    backoff: Backoff,
}

impl Rests {
    pub(super) fn is_resting(&self, node: NodeId, now: Instant) -> bool {
        self.failed.get(&node).is_some_and(|rest| now < rest.until)
    }

    pub(super) fn rest(&mut self, node: NodeId, busy: bool, now: Instant) {
        let rest = self.failed.entry(node).or_insert(Rest {
            until: now,
            backoff: Backoff::new(REST_FIRST, REST_MAX),
        });
        let pause = match busy {
            true => REST_BUSY,
            false => rest.backoff.failed(),
        };
        rest.until = rest.until.max(now + pause);
    }

    pub(super) fn wake(&mut self, node: NodeId) {
        self.failed.remove(&node);
    }

    pub(super) fn is_parted(&self, node: NodeId, now: Instant) -> bool {
        let broke = self.broke.get(&node);
        broke.is_some_and(|(since, parted)| *parted && now < *since + PARTED)
    }

    /// It charges for a broken answer. Whether that was once too often.
    pub(super) fn charged_break(&mut self, node: NodeId, now: Instant) -> bool {
        self.broke.retain(|_, (since, _)| now < *since + PARTED);
        let parted = self.broke.contains_key(&node);
        self.broke.insert(node, (now, parted));
        parted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    fn node(n: u8) -> NodeId {
        NodeId(Address::new([n; 32]))
    }

    fn chosen(offered: &[(u8, u64, u64)], most: u64, out: &[u8]) -> Option<NodeId> {
        let offered = offered.iter().map(|&(n, price, room)| Offered {
            stack: (),
            node: node(n),
            price: Price(price),
            room: ComputeUnits(room),
        });
        let out: Vec<_> = out.iter().map(|&n| node(n)).collect();
        let seller = cheapest(offered, Price(most), ComputeUnits(100), |node| {
            out.contains(&node)
        });
        seller.map(|seller| seller.node)
    }

    #[test]
    fn the_cheapest_that_has_room_and_is_awake() {
        let offered = [(1, 30, 500), (2, 20, 500), (3, 10, 99), (4, 25, 100)];
        assert_eq!(chosen(&offered, 30, &[]), Some(node(2)));
        assert_eq!(chosen(&offered, 30, &[2]), Some(node(4)));
        assert_eq!(
            chosen(&offered, 24, &[2]),
            None,
            "too dear for what it earns"
        );
        assert_eq!(chosen(&[], 30, &[]), None);
    }

    #[test]
    fn what_another_may_cost_follows_from_what_the_request_earns() {
        assert_eq!(most(Price(1_500_000), 1_000), Price(1_500_000));
        assert_eq!(most(Price(1_500_000), 800), Price(1_200_000));
        assert_eq!(most(Price(u64::MAX), 2_000), Price(u64::MAX));
    }

    #[test]
    fn who_charges_for_two_broken_answers_within_an_hour_is_asked_nothing_for_one() {
        let mut rests = Rests::default();
        let start = Instant::now();
        let minutes = |n: u64| start + Duration::from_secs(60 * n);
        assert!(!rests.charged_break(node(1), start));
        assert!(!rests.is_parted(node(1), start));
        assert!(!rests.charged_break(node(1), minutes(61)), "one an hour");
        assert!(rests.charged_break(node(1), minutes(100)));
        rests.wake(node(1));
        assert!(rests.is_parted(node(1), minutes(159)));
        assert!(!rests.is_parted(node(2), minutes(159)));
        assert!(!rests.is_parted(node(1), minutes(160)));
    }

    #[test]
    fn who_fails_rests_longer_each_time_and_an_answer_forgives() {
        let mut rests = Rests::default();
        let start = Instant::now();
        let mut now = start;
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert!(!rests.is_resting(node(1), now));
            rests.rest(node(1), false, now);
            let end = now + Duration::from_secs(seconds);
            assert!(rests.is_resting(node(1), end - Duration::from_millis(1)));
            now = end;
        }
        rests.rest(node(1), false, now);
        rests.wake(node(1));
        assert!(!rests.is_resting(node(1), now));
        rests.rest(node(1), true, now);
        assert!(!rests.is_resting(node(1), now + REST_BUSY));
    }
}
