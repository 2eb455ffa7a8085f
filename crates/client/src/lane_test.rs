use super::*;
use proptest::prelude::*;

const WINDOW: ComputeUnits = ComputeUnits(50);

fn id(n: u8) -> RequestId {
    RequestId([n; 16])
}

fn units(n: u64) -> ComputeUnits {
    ComputeUnits(n)
}

#[test]
fn ceilings_cover_what_is_open_and_only_rise() {
    let mut lane = Lane::new(WINDOW);
    assert_eq!(lane.sign(id(1), units(100), None), Ok(units(100)));
    assert_eq!(lane.sign(id(2), units(100), None), Ok(units(200)));
    lane.settle(id(1), units(30)).unwrap();
    assert_eq!(lane.sign(id(3), units(20), None), Ok(units(200)));
    lane.refuse(id(2));
    assert_eq!(lane.spoken_for(), units(50));
    assert_eq!(lane.sign(id(4), units(200), None), Ok(units(250)));
    assert_eq!(lane.settle(id(2), units(1)), Err(LaneError::NotOpen));
    assert_eq!(
        lane.settle(id(4), units(201)),
        Err(LaneError::OverMax {
            units: units(201),
            max: units(200)
        })
    );
}

#[test]
fn a_demand_is_granted_within_the_window_once() {
    let mut lane = Lane::new(WINDOW);
    assert_eq!(lane.sign(id(1), units(10), Some(units(60))), Ok(units(60)));
    assert_eq!(lane.unexplained(), WINDOW);
    assert_eq!(lane.sign(id(2), units(10), None), Ok(units(70)));
    let disputed = LaneError::Disputed {
        needed: units(81),
        explained: units(30),
        window: WINDOW,
    };
    assert_eq!(lane.sign(id(3), units(10), Some(units(81))), Err(disputed));
    assert_eq!(lane.open(), units(20), "a disputed request is not open");
    lane.explain(units(40));
    assert_eq!((lane.settled(), lane.unexplained()), (units(40), units(10)));
}

#[test]
fn after_a_restart_anything_below_the_bound_is_believed() {
    let mut lane = Lane::restore(units(40), units(200), WINDOW);
    assert_eq!(
        lane.sign(id(1), units(10), Some(units(210))),
        Ok(units(210))
    );
    let mut lane = Lane::restore(units(40), units(200), WINDOW);
    assert!(lane.sign(id(1), units(10), Some(units(211))).is_err());
}

#[test]
fn overflow_changes_nothing() {
    let mut lane = Lane::new(WINDOW);
    lane.sign(id(1), units(u64::MAX), None).unwrap();
    assert_eq!(lane.sign(id(2), units(1), None), Err(LaneError::Overflow));
    assert_eq!(lane.open(), units(u64::MAX));
}

/// A node that keeps its account as the protocol says, and what is on the wire to and from it.
#[derive(Default)]
struct World {
    committed: u64,
    reserved: u64,
    highest: u64,
    to_node: Vec<(RequestId, u64, u64)>,
    at_node: Vec<(RequestId, u64)>,
    receipts: Vec<(RequestId, u64)>,
    refusals: Vec<RequestId>,
}

#[derive(Clone, Debug)]
enum Step {
    Sign(u64),
    Arrive(usize),
    Commit(usize, u64),
    Receive(usize),
    Lose(usize),
    Refuse(usize),
    HearRefusal(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..100u64).prop_map(Step::Sign),
        3 => any::<usize>().prop_map(Step::Arrive),
        3 => (any::<usize>(), 0..=100u64).prop_map(|(i, share)| Step::Commit(i, share)),
        3 => any::<usize>().prop_map(Step::Receive),
        1 => any::<usize>().prop_map(Step::Lose),
        1 => any::<usize>().prop_map(Step::Refuse),
        1 => any::<usize>().prop_map(Step::HearRefusal),
    ]
}

fn take<T>(list: &mut Vec<T>, place: usize) -> Option<T> {
    (!list.is_empty()).then(|| list.remove(place % list.len()))
}

proptest! {
    /// However requests, commits, receipts, losses and refusals interleave: an honest node never
    /// needs more than was signed, and it holds vouchers for no more than was ever open at once.
    #[test]
    fn honest_nodes_never_ask_and_exposure_is_bounded(steps in prop::collection::vec(step(), 0..200)) {
        let mut lane = Lane::new(WINDOW);
        let mut world = World::default();
        let mut most_open = 0;
        for (place, step) in steps.into_iter().enumerate() {
            match step {
                Step::Sign(max) => {
                    let mut bytes = [0; 16];
                    bytes[..8].copy_from_slice(&(place as u64).to_le_bytes());
                    let id = RequestId(bytes);
                    let before = lane.ceiling();
                    let ceiling = lane.sign(id, units(max), None).unwrap();
                    prop_assert!(ceiling >= before);
                    world.to_node.push((id, max, ceiling.0));
                }
                Step::Arrive(i) => if let Some((id, max, ceiling)) = take(&mut world.to_node, i) {
                    world.highest = world.highest.max(ceiling);
                    prop_assert!(world.committed + world.reserved + max <= world.highest.max(lane.ceiling().0));
                    if world.committed + world.reserved + max <= world.highest {
                        world.reserved += max;
                        world.at_node.push((id, max));
                    } else {
                        // a header signed earlier is overtaken by none that covers it: never here
                        prop_assert!(false, "an honest node had to refuse");
                    }
                },
                Step::Commit(i, share) => if let Some((id, max)) = take(&mut world.at_node, i) {
                    world.reserved -= max;
                    let cost = max * share / 100;
                    world.committed += cost;
                    world.receipts.push((id, cost));
                },
                Step::Receive(i) => if let Some((id, cost)) = take(&mut world.receipts, i) {
                    lane.settle(id, units(cost)).unwrap();
                },
                // the answer never comes; the request stays open
                Step::Lose(i) => { take(&mut world.receipts, i); }
                Step::Refuse(i) => if let Some((id, ..)) = take(&mut world.to_node, i) {
                    world.refusals.push(id);
                },
                Step::HearRefusal(i) => if let Some(id) = take(&mut world.refusals, i) {
                    lane.refuse(id);
                },
            }
            most_open = most_open.max(lane.open().0);
            prop_assert!(world.committed + world.reserved <= world.highest);
            prop_assert!(lane.ceiling().0 - lane.settled().0 <= most_open);
        }
    }

    /// Whatever a node demands, what it can take beyond receipts and open requests is W.
    #[test]
    fn demands_never_exceed_the_window(
        demands in prop::collection::vec((1..100u64, 0..1_000u64, any::<bool>()), 0..100),
    ) {
        let mut lane = Lane::new(WINDOW);
        for (place, (max, demand, settles)) in demands.into_iter().enumerate() {
            let id = id(u8::try_from(place).unwrap());
            let before = lane.ceiling().0;
            match lane.sign(id, units(max), Some(units(demand))) {
                Ok(ceiling) => {
                    prop_assert!(ceiling.0 >= demand);
                    let fair = lane.settled().0 + lane.open().0 + WINDOW.0;
                    prop_assert!(ceiling.0 <= fair.max(before));
                    if settles {
                        lane.settle(id, units(max / 2)).unwrap();
                    }
                }
                Err(_) => prop_assert_eq!(lane.ceiling().0, before),
            }
            prop_assert!(lane.unexplained() <= WINDOW);
        }
    }
}
