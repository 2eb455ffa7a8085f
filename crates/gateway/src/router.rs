//! Which node gets the next request.
//!
//! Two nodes are drawn at random among those not yet tried, and the better one is taken: the lower
//! `price * latency * (pending + 1)`. Two choices spread load nearly as well as looking at all,
//! without everyone rushing to the same best node. Latency is a peak-sensitive moving average (as
//! Finagle's and linkerd's PeakEWMA): it jumps to a slow answer at once and comes down slowly. A node
//! never heard of is tried once; one not heard of for a while is believed to be as good as the best,
//! so that a bad moment is forgotten, and price decides. A node that fails rests, each time twice as long; if all rest, the one whose
//! rest ends first is tried nonetheless, because a refusal costs nothing.
//!
//! Anyone can register nodes that take requests and never answer. So a request finds out about one
//! stranger at most: once it has failed somewhere, nodes that have answered come first, and those that
//! have only ever failed come last.
//!
//! Pure: time and the seed come from outside.

use atoma_types::{NodeId, Price, message::Endpoint};
use std::time::Duration;

/// How fast an average forgets higher values, and an unheard node its own.
const MEMORY: Duration = Duration::from_secs(10);
/// Faster than any node: keeps scores apart from zero.
const FASTEST: Duration = Duration::from_micros(10);
/// The first rest after a failure.
const REST_FIRST: Duration = Duration::from_millis(500);
/// The longest rest after failures in a row.
const REST_MAX: Duration = Duration::from_secs(30);
/// After a refusal for overload: about one short answer's time.
const REST_BUSY: Duration = Duration::from_millis(200);
/// How a node stands that has only ever failed.
const FAILS: u8 = 2;

/// What is measured, because it can't be compared with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Until a stream's first bytes.
    FirstToken,
    /// A plain answer's whole time, by its number of output tokens.
    PerToken,
    /// An embedding's whole time.
    Embedding,
}

impl Measure {
    pub(crate) fn of(endpoint: Endpoint, stream: bool) -> Self {
        match endpoint {
            Endpoint::Embeddings => Self::Embedding,
            Endpoint::ChatCompletions | Endpoint::Completions if stream => Self::FirstToken,
            Endpoint::ChatCompletions | Endpoint::Completions => Self::PerToken,
        }
    }
}

/// How an attempt at a node ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It answered, in this time.
    Answered(Measure, Duration),
    /// It has too much to do.
    Busy,
    /// It can't be reached, broke off, or answered what it must not.
    Failed,
    /// Nothing was learnt: the client left, or the fault was its own or ours.
    Nothing,
}

#[derive(Clone, Copy, Debug)]
struct Average {
    value: Duration,
    at: Duration,
}

#[derive(Debug)]
struct Slot {
    node: NodeId,
    price: Price,
    pending: u32,
    averages: [Option<Average>; 3],
    failures: u32,
    rests_until: Duration,
}

/// The nodes of one task.
#[derive(Debug)]
pub(crate) struct Router {
    slots: Vec<Slot>,
    random: u64,
}

impl Router {
    /// A router that knows no node.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            random: seed,
        }
    }

    /// Takes over the nodes and their prices; what is known of those that stay is kept.
    pub(crate) fn set_nodes(&mut self, nodes: &[(NodeId, Price)]) {
        self.slots
            .retain(|slot| nodes.iter().any(|(node, _)| *node == slot.node));
        for &(node, price) in nodes {
            match self.slots.iter_mut().find(|slot| slot.node == node) {
                Some(slot) => slot.price = price,
                None => self.slots.push(Slot {
                    node,
                    price,
                    pending: 0,
                    averages: [None; 3],
                    failures: 0,
                    rests_until: Duration::ZERO,
                }),
            }
        }
    }

    /// Chooses a node for a request, none of `tried` and one that is able to serve it, and counts it as pending
    /// there until [`Router::done`]. Those that are able have a `rank`: others than the lowest are asked only when those
    /// rest. `now` is any clock that only goes forward.
    pub(crate) fn pick_able<R: Ord + Copy>(
        &mut self,
        measure: Measure,
        tried: &[NodeId],
        rank: impl Fn(NodeId) -> Option<R>,
        now: Duration,
    ) -> Option<NodeId> {
        let untried = (0..self.slots.len()).filter(|&i| !tried.contains(&self.slots[i].node));
        let able = untried.filter_map(|i| Some((i, rank(self.slots[i].node)?)));
        let (awake, resting): (Vec<_>, Vec<_>) =
            able.partition(|&(i, _)| self.slots[i].rests_until <= now);
        // who has only ever failed comes last, whatever its rank
        let order = |&(i, rank): &(usize, R)| {
            let standing = self.slots[i].standing(!tried.is_empty());
            (standing == FAILS, rank, standing)
        };
        let best = awake.iter().map(order).min();
        let awake = awake.into_iter().filter(|able| Some(order(able)) == best);
        let awake: Vec<usize> = awake.map(|(i, _)| i).collect();
        let resting = resting.into_iter().map(|(i, _)| i);
        let chosen = match *awake.as_slice() {
            [] => resting.min_by_key(|&i| self.slots[i].rests_until)?,
            [only] => only,
            _ => {
                let first = self.random_below(awake.len());
                // any other than the first
                let second = (first + 1 + self.random_below(awake.len() - 1)) % awake.len();
                self.better(awake[first], awake[second], measure, now)
            }
        };
        let slot = &mut self.slots[chosen];
        slot.pending += 1;
        Some(slot.node)
    }

    /// Tells how a request chosen by [`Router::pick_able`] ended.
    pub(crate) fn done(&mut self, node: NodeId, outcome: Outcome, now: Duration) {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.node == node) else {
            return;
        };
        // a node that left and came back meanwhile has forgotten its pending ones
        slot.pending = slot.pending.saturating_sub(1);
        match outcome {
            Outcome::Answered(measure, took) => {
                let average = &mut slot.averages[measure as usize];
                *average = Some(observe(*average, took, now));
                slot.failures = 0;
                slot.rests_until = Duration::ZERO;
            }
            Outcome::Busy => slot.rests_until = slot.rests_until.max(now + REST_BUSY),
            Outcome::Failed => {
                let rest = REST_FIRST
                    .saturating_mul(1 << slot.failures.min(16))
                    .min(REST_MAX);
                slot.rests_until = slot.rests_until.max(now + rest);
                slot.failures = slot.failures.saturating_add(1);
            }
            Outcome::Nothing => {}
        }
    }

    /// Where any node is able.
    #[cfg(test)]
    fn pick(&mut self, measure: Measure, tried: &[NodeId], now: Duration) -> Option<NodeId> {
        self.pick_able(measure, tried, |_| Some(()), now)
    }

    /// Requests under way, by node.
    #[cfg(test)]
    fn pending(&self) -> Vec<(NodeId, u32)> {
        self.slots
            .iter()
            .map(|slot| (slot.node, slot.pending))
            .collect()
    }

    fn better(&self, a: usize, b: usize, measure: Measure, now: Duration) -> usize {
        let best = self.best(measure);
        let score = |i: usize| score(&self.slots[i], measure, best, now);
        // equal scores: the one drawn first, so that the draw spreads them
        if score(b) < score(a) { b } else { a }
    }

    /// The lowest average of all; zero if there is none.
    fn best(&self, measure: Measure) -> Duration {
        let known = self
            .slots
            .iter()
            .filter_map(|slot| slot.averages[measure as usize]);
        known.map(|average| average.value).min().unwrap_or_default()
    }

    /// SplitMix64: any generator will do, as nobody gains by guessing it.
    fn random_below(&mut self, bound: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // the remainder is below `bound`
        usize::try_from((z ^ (z >> 31)) % (bound as u64)).unwrap_or(0)
    }
}

impl Slot {
    /// Who is asked first: lower is better. Strangers are given their chance with a request's first try.
    fn standing(&self, has_failed: bool) -> u8 {
        let has_answered = self.averages.iter().any(Option::is_some);
        match (has_answered, self.failures) {
            (true, _) => 0,
            (false, 0) => u8::from(has_failed),
            (false, _) => FAILS,
        }
    }
}

fn observe(average: Option<Average>, took: Duration, now: Duration) -> Average {
    let value = match average {
        Some(old) if took < old.value => {
            let weight = memory(now.saturating_sub(old.at));
            old.value.mul_f64(weight) + took.mul_f64(1.0 - weight)
        }
        _ => took,
    };
    Average { value, at: now }
}

/// How much of an old value is still believed after this long: from 1 down to 0.
fn memory(age: Duration) -> f64 {
    (-age.as_secs_f64() / MEMORY.as_secs_f64()).exp()
}

fn score(slot: &Slot, measure: Measure, best: Duration, now: Duration) -> f64 {
    let latency = match slot.averages[measure as usize] {
        // one request finds out; the next ones don't all follow it
        None if slot.pending == 0 => return 0.0,
        None => best,
        Some(average) => {
            let above = average.value.saturating_sub(best);
            best + above.mul_f64(memory(now.saturating_sub(average.at)))
        }
    };
    // a score, not money: floats are fine
    let price = slot.price.0.max(1) as f64;
    price * latency.max(FASTEST).as_secs_f64() * (f64::from(slot.pending) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;
    use std::collections::BTreeMap;

    const MS: Duration = Duration::from_millis(1);
    const FIRST: Measure = Measure::FirstToken;

    fn node(n: u8) -> NodeId {
        NodeId(Address::new([n; 32]))
    }

    fn router(prices: &[u64]) -> Router {
        let mut router = Router::new(7);
        let nodes: Vec<_> = (1..)
            .zip(prices)
            .map(|(n, &p)| (node(n), Price(p)))
            .collect();
        router.set_nodes(&nodes);
        router
    }

    /// Serves `count` requests one after the other, each in its node's time.
    fn serve(router: &mut Router, count: u32, times: &[Duration]) -> BTreeMap<NodeId, u32> {
        let mut served = BTreeMap::new();
        for i in 0..count {
            let now = MS * i;
            let picked = router.pick(FIRST, &[], now).unwrap();
            let index = (1..)
                .zip(times)
                .find(|&(n, _)| node(n) == picked)
                .unwrap()
                .0;
            let took = times[usize::from(index) - 1];
            router.done(picked, Outcome::Answered(FIRST, took), now);
            *served.entry(picked).or_default() += 1;
        }
        served
    }

    #[test]
    fn equal_nodes_share_evenly() {
        let served = serve(&mut router(&[5, 5, 5]), 3_000, &[10 * MS; 3]);
        assert!(
            served.values().all(|&n| (850..1150).contains(&n)),
            "{served:?}"
        );
    }

    #[test]
    fn the_cheaper_one_while_it_is_as_fast() {
        let served = serve(&mut router(&[10, 11]), 100, &[10 * MS; 2]);
        // the dearer one has one chance to be faster
        assert_eq!(served, BTreeMap::from([(node(1), 99), (node(2), 1)]));
    }

    #[test]
    fn the_faster_one_when_price_is_made_good() {
        // half the price, three times the time
        let served = serve(&mut router(&[5, 10]), 1_000, &[30 * MS, 10 * MS]);
        assert!(served[&node(2)] > 900, "{served:?}");
    }

    #[test]
    fn load_spills_over_to_the_dearer_node() {
        let mut router = router(&[10, 25]);
        for n in [1, 2] {
            router.done(node(n), Outcome::Answered(FIRST, MS), MS);
        }
        let picked: Vec<_> = (0..7)
            .map(|_| router.pick(FIRST, &[], MS).unwrap())
            .collect();
        // 10 * (pending + 1) against 25: the third one goes over
        assert_eq!(picked[..3], [node(1), node(1), node(2)]);
        assert_eq!(picked.iter().filter(|&&n| n == node(1)).count(), 5);
        for node in picked {
            router.done(node, Outcome::Nothing, MS);
        }
        assert!(router.pending().iter().all(|&(_, pending)| pending == 0));
    }

    #[test]
    fn failures_rest_longer_each_time_and_an_answer_forgives() {
        let mut router = router(&[1, 1_000]);
        for n in [1, 2] {
            router.done(node(n), Outcome::Answered(FIRST, MS), MS);
        }
        for rest in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            assert_eq!(router.pick(FIRST, &[], Duration::ZERO), Some(node(1)));
            router.done(node(1), Outcome::Failed, Duration::ZERO);
            assert_eq!(router.pick(FIRST, &[], MS * (rest - 1)), Some(node(2)));
            router.done(node(2), Outcome::Nothing, MS);
            assert_eq!(router.slots[0].rests_until, MS * rest);
            router.slots[0].rests_until = Duration::ZERO;
        }
        router.done(node(1), Outcome::Answered(FIRST, MS), MS);
        assert_eq!(router.slots[0].failures, 0);
    }

    #[test]
    fn sellers_that_never_answer_stand_between_nobody_and_a_healthy_one() {
        let prices: Vec<u64> = std::iter::once(1_000).chain([1; 20]).collect();
        let mut router = router(&prices);
        let now = Duration::from_secs(3_600);
        router.done(node(1), Outcome::Answered(FIRST, 10 * MS), now);
        // each of the twenty is tried once, by one request, which then finds the healthy one
        for _ in 0..20 {
            let stranger = router.pick(FIRST, &[], now).unwrap();
            if stranger == node(1) {
                router.done(stranger, Outcome::Nothing, now);
                continue;
            }
            router.done(stranger, Outcome::Failed, now);
            let second = router.pick(FIRST, &[stranger], now).unwrap();
            assert_eq!(second, node(1));
            router.done(second, Outcome::Nothing, now);
        }
        // rested or not, they come last from then on
        for hours in 2..50 {
            let now = Duration::from_secs(3_600 * hours);
            let mut strangers = 0;
            let picked = router.pick(FIRST, &[], now).unwrap();
            strangers += u32::from(
                router
                    .slots
                    .iter()
                    .any(|s| s.node == picked && s.failures > 0),
            );
            router.done(picked, Outcome::Nothing, now);
            assert_eq!(strangers, 0);
        }
    }

    #[test]
    fn all_resting_the_first_to_wake_is_tried() {
        let mut router = router(&[1, 1]);
        router.done(node(1), Outcome::Failed, MS);
        router.done(node(2), Outcome::Busy, MS);
        assert_eq!(router.pick(FIRST, &[], MS), Some(node(2)));
        assert_eq!(router.pick(FIRST, &[node(2)], MS), Some(node(1)));
        assert_eq!(router.pick(FIRST, &[node(1), node(2)], MS), None);
    }

    #[test]
    fn a_peak_counts_at_once_and_fades() {
        let mut router = router(&[10, 11]);
        router.done(node(2), Outcome::Answered(FIRST, 10 * MS), Duration::ZERO);
        router.done(node(1), Outcome::Answered(FIRST, 10 * MS), Duration::ZERO);
        router.done(node(1), Outcome::Answered(FIRST, 900 * MS), Duration::ZERO);
        assert_eq!(router.pick(FIRST, &[], MS), Some(node(2)));
        router.done(node(2), Outcome::Nothing, MS);
        // the price decides again once the peak is old
        assert_eq!(
            router.pick(FIRST, &[], 200 * Duration::from_secs(1)),
            Some(node(1))
        );
    }

    #[test]
    fn who_is_not_able_is_not_asked_even_if_all_others_rest() {
        let mut router = router(&[1, 9]);
        let able = |asked: NodeId| (asked == node(2)).then_some(());
        for _ in 0..20 {
            assert_eq!(router.pick_able(FIRST, &[], able, MS), Some(node(2)));
            router.done(node(2), Outcome::Failed, MS);
        }
        assert_eq!(router.pick_able(FIRST, &[node(2)], able, MS), None);
    }

    #[test]
    fn the_lowest_rank_is_asked_first_however_dear_unless_it_rests_or_always_fails() {
        let mut router = router(&[9, 1, 1]);
        let rank = |asked: NodeId| Some(u8::from(asked != node(1)));
        router.done(node(2), Outcome::Answered(FIRST, MS), MS);
        for _ in 0..20 {
            assert_eq!(router.pick_able(FIRST, &[], rank, MS), Some(node(1)));
            router.done(node(1), Outcome::Answered(FIRST, 900 * MS), MS);
        }
        router.done(node(1), Outcome::Busy, MS);
        assert_ne!(router.pick_able(FIRST, &[], rank, MS), Some(node(1)));
        // after a failure elsewhere, too: one that has answered doesn't come before it
        let awake = 2_000 * MS;
        assert_eq!(
            router.pick_able(FIRST, &[node(3)], rank, awake),
            Some(node(1))
        );
        let rank = |asked: NodeId| Some(u8::from(asked != node(3)));
        router.done(node(3), Outcome::Failed, MS);
        assert_ne!(router.pick_able(FIRST, &[], rank, awake), Some(node(3)));
    }

    #[test]
    fn nodes_come_and_go() {
        let mut router = router(&[1, 1]);
        router.done(node(1), Outcome::Answered(FIRST, 5 * MS), MS);
        assert_eq!(router.pick(FIRST, &[node(2)], MS), Some(node(1)));
        router.set_nodes(&[(node(1), Price(9)), (node(3), Price(1))]);
        assert_eq!(router.pending(), [(node(1), 1), (node(3), 0)]);
        assert!(router.slots[0].averages[FIRST as usize].is_some());
        router.done(node(2), Outcome::Failed, MS);
        assert_eq!(router.pick(FIRST, &[node(1), node(3)], MS), None);
        assert_eq!(Router::new(1).pick(FIRST, &[], MS), None);
    }
}
