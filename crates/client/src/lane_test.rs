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
fn a_demand_is_granted_within_the_window_with_the_request() {
    let mut lane = Lane::new(WINDOW);
    assert_eq!(lane.sign(id(1), units(10), Some(units(50))), Ok(units(50)));
    assert_eq!(
        (lane.unexplained(), lane.doubtful()),
        (units(40), units(40))
    );
    let full = |doubtful, wanted| LaneError::Unanswered {
        doubtful: units(doubtful),
        wanted: units(wanted),
        window: WINDOW,
    };
    assert_eq!(lane.sign(id(2), units(11), None), Err(full(40, 11)));
    assert_eq!(lane.sign(id(2), units(10), None), Ok(units(60)));
    assert_eq!(
        lane.sign(id(3), units(10), Some(units(71))),
        Err(full(41, 10))
    );
    let disputed = LaneError::Disputed {
        needed: units(81),
        explained: units(30),
        window: WINDOW,
    };
    assert_eq!(lane.sign(id(3), units(10), Some(units(81))), Err(disputed));
    assert_eq!(
        lane.open(),
        units(20),
        "a request that isn't signed is not open"
    );
    assert_eq!(lane.unexplained(), units(40), "nor is its demand granted");
}

/// Earlier the second was signed, too, since what was doubtful was no more than what it would cost.
#[test]
fn a_request_above_the_window_is_signed_only_while_nothing_is_doubtful() {
    let mut lane = Lane::new(WINDOW);
    lane.sign(id(1), units(1_000), None).unwrap();
    lane.sign(id(2), units(1_000), None).unwrap();
    lane.lose(id(1));
    for wanted in [1_000, 1] {
        let refused = LaneError::Unanswered {
            doubtful: units(1_000),
            wanted: units(wanted),
            window: WINDOW,
        };
        assert_eq!(lane.sign(id(3), units(wanted), None), Err(refused));
    }
    lane.settle(id(1), units(700)).unwrap();
    assert_eq!(lane.sign(id(3), units(1_000), None), Ok(units(2_700)));
}

#[test]
fn after_a_restart_anything_below_the_bound_is_believed_and_the_window_is_whole() {
    let restored = || Lane::restore(units(40), units(200), WINDOW);
    let mut lane = restored();
    assert_eq!(
        lane.sign(id(1), units(1_000), Some(units(1_200))),
        Ok(units(1_200)),
        "the vouchers may be that high, so this gives the node nothing"
    );
    assert_eq!(lane.doubtful(), units(0));
    let mut lane = restored();
    assert_eq!(
        lane.sign(id(1), units(10), Some(units(250))),
        Ok(units(250))
    );
    assert_eq!(lane.doubtful(), units(40));
    assert!(restored().sign(id(1), units(10), Some(units(251))).is_err());
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

/// What is on the disk of a lane.
#[derive(Debug, Default)]
struct Disk {
    bound: u64,
    excused: u64,
    granted: u64,
}

impl Disk {
    /// As the store writes before a header is sent.
    fn write(&mut self, cover: &Cover) {
        if cover.ceiling.0 > self.bound || cover.granted.0 > self.granted {
            if cover.ceiling.0 > self.bound {
                self.bound = cover.ceiling.0 + cover.step.0;
            }
            self.excused = self.excused.max(cover.open.0 + cover.step.0);
            self.granted = cover.granted.0;
        }
    }

    fn after_a_crash(&self, settled: ComputeUnits) -> Lane {
        Lane::restore(settled, units(self.bound), WINDOW)
            .excusing(units(self.excused))
            .granting(units(self.granted))
    }
}

/// What a node, or its user's machine, may do.
#[derive(Clone, Debug)]
enum Play {
    /// A request for so much; the node asks for a ceiling that is so much above our account.
    Sign(u64, Option<u64>),
    Settle(usize, u64),
    Refuse(usize),
    Lose(usize),
    Crash,
}

fn play() -> impl Strategy<Value = Play> {
    prop_oneof![
        8 => (1..100u64, prop::option::weighted(0.3, 0..120u64)).prop_map(|(max, above)| Play::Sign(max, above)),
        3 => (any::<usize>(), 0..=100u64).prop_map(|(i, share)| Play::Settle(i, share)),
        2 => any::<usize>().prop_map(Play::Refuse),
        3 => any::<usize>().prop_map(Play::Lose),
        1 => Just(Play::Crash),
    ]
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

    /// The module's theorem, against a node that does whatever it likes: answers with a receipt, without one, not at all,
    /// says that it committed this much, in any order and any number at once; and a user who crashes on the way.
    #[test]
    fn what_a_node_can_take_beyond_its_receipts_is_what_ran_and_the_window(
        plays in prop::collection::vec(play(), 0..200),
    ) {
        let mut lane = Lane::new(WINDOW);
        let mut disk = Disk::default();
        let (mut highest, mut limit, mut most) = (0, 0, 0);
        let mut open = Vec::new();
        for (place, play) in plays.into_iter().enumerate() {
            match play {
                Play::Sign(max, above) => {
                    let id = id(u8::try_from(place).unwrap());
                    let (ran, doubtful) = (lane.running().0, lane.doubtful().0);
                    let demanded = above.map(|above| units(lane.spoken_for().0 + max + above));
                    let unchanged = (lane.ceiling(), lane.open(), lane.unexplained());
                    match lane.sign(id, units(max), demanded) {
                        Ok(ceiling) => {
                            disk.write(&lane.cover());
                            highest = highest.max(ceiling.0);
                            open.push((id, max));
                            let doubtful = lane.doubtful().0;
                            prop_assert!(doubtful == 0 || doubtful + max <= WINDOW.0);
                            limit = ran + max.max(WINDOW.0);
                            most = most.max(limit);
                        }
                        Err(_) => {
                            let doubted = doubtful > 0 && doubtful + max > WINDOW.0;
                            let granted = lane.granted > 0;
                            prop_assert!(doubted || granted || demanded.is_some(), "an honest node would wait for nothing");
                            prop_assert_eq!((lane.ceiling(), lane.open(), lane.unexplained()), unchanged);
                        }
                    }
                }
                Play::Settle(i, share) => if let Some((id, max)) = take(&mut open, i) {
                    lane.settle(id, units(max * share / 100)).unwrap();
                },
                Play::Refuse(i) => if let Some((id, _)) = take(&mut open, i) {
                    lane.refuse(id);
                },
                // what became of it may still be found out
                Play::Lose(i) => if let Some((id, _)) = open.get(i % open.len().max(1)) {
                    lane.lose(*id);
                },
                Play::Crash => {
                    lane = disk.after_a_crash(lane.settled());
                    limit = 0;
                    open.clear();
                }
            }
            prop_assert!(lane.doubtful().0 + lane.running().0 <= limit);
            // over all crashes together
            prop_assert!(highest.saturating_sub(lane.settled().0) <= disk.excused + most);
        }
    }

    /// What a user's crash made it forget shuts no honest node out: whatever the node had open then, it is signed to.
    #[test]
    fn a_crash_shuts_no_honest_node_out(
        settled in 0..1_000u64,
        ahead in 0..1_000u64,
        share in 0..=100u64,
        requests in prop::collection::vec(1..1_000u64, 1..20),
    ) {
        let mut lane = Lane::restore(units(settled), units(settled + ahead), WINDOW);
        // committed or still running, and no voucher was above the bound
        let mut used = settled + ahead * share / 100;
        for (place, max) in requests.into_iter().enumerate() {
            let id = id(u8::try_from(place).unwrap());
            let ceiling = lane.sign(id, units(max), Some(units(used + max)));
            prop_assert!(ceiling.unwrap().0 >= used + max);
            lane.settle(id, units(max)).unwrap();
            used += max;
        }
    }

    /// Whatever a node demands, what it is granted beyond receipts and open requests is at most W.
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

#[test]
fn a_record_of_what_was_forgotten_explains_it_and_leaves_no_more_to_be_said() {
    let mut lane = Lane::restore(units(40), units(100), WINDOW);
    assert_eq!(lane.sign(id(1), units(10), Some(units(90))), Ok(units(90)));
    assert_eq!(lane.unexplained(), units(40));
    lane.explain(units(30), units(30));
    assert_eq!((lane.settled(), lane.unexplained()), (units(70), units(10)));
    assert_eq!(lane.doubtful(), ComputeUnits::ZERO);
    // thirty of the sixty that were forgotten are left
    assert_eq!(
        lane.sign(id(2), units(10), Some(units(121))),
        Ok(units(121))
    );
    assert_eq!(lane.doubtful(), units(1));
}

#[test]
fn a_record_of_what_was_not_forgotten_is_no_reason_to_sign_for_more() {
    let mut lane = Lane::restore(units(40), units(70), WINDOW);
    lane.explain(units(1_000), units(1_000));
    assert_eq!(lane.settled(), units(70));
    lane.explain(units(1_000), units(1_000));
    assert_eq!(lane.settled(), units(70));
    assert_eq!(lane.sign(id(1), units(10), None), Ok(units(80)));
}

/// A program that ended well was taken for one that had crashed: in each run its node asked for the step that the bound was ahead,
/// and for a window anew.
#[test]
fn programs_that_end_well_leave_a_node_one_window_together() {
    const W: u64 = 4_096;
    let (max, cost) = (units(2_000), units(200));
    let (mut settled, mut left, mut ceiling) = (0, (units(0), units(0)), units(0));
    for run in 0..20 {
        let (bound, granted) = left;
        let mut lane = Lane::restore(units(settled), bound, units(W)).granting(granted);
        let forgotten = bound.0.saturating_sub(settled);
        // it is refused in its node's own words, which keeps the header
        let first = lane.sign(id(run), max, None).unwrap();
        lane.refuse(id(run));
        let needed = |window: u64| Some(units(settled + max.0 + forgotten + window));
        // as much as it is given
        let mut windows = (0..=W).rev().step_by(8);
        let second = windows.find_map(|window| lane.sign(id(run), max, needed(window)).ok());
        lane.settle(id(run), cost).unwrap();
        settled += cost.0;
        ceiling = ceiling.max(second.unwrap_or(first));
        left = lane.rest();
    }
    let loose = ceiling.0 - settled;
    assert!(loose <= W, "{ceiling} of which {settled} are receipted");
}

/// A program that crashed left its node a window anew and the step that its bound was ahead, each time.
#[test]
fn programs_that_crash_leave_a_node_what_was_open_once_and_one_window_together() {
    let (max, cost) = (units(40), units(5));
    let (mut disk, mut settled, mut highest) = (Disk::default(), units(0), 0);
    for run in 0..20 {
        let mut lane = match run {
            0 => Lane::new(WINDOW),
            _ => disk.after_a_crash(settled),
        };
        let forgotten = disk.bound.saturating_sub(settled.0);
        for request in 0..5 {
            let id = id(run * 5 + request);
            // its node asks for as much as it is given
            let demands = (0..=forgotten + WINDOW.0).rev();
            let base = lane.settled().0 + lane.open().0 + max.0;
            let mut given =
                demands.filter_map(|said| lane.sign(id, max, Some(units(base + said))).ok());
            let Some(ceiling) = given.next() else {
                continue;
            };
            highest = highest.max(ceiling.0);
            disk.write(&lane.cover());
            match request {
                0 => lane.lose(id),
                _ => lane.settle(id, cost).unwrap(),
            }
        }
        settled = lane.settled();
    }
    let loose = highest - settled.0;
    let once = disk.excused + WINDOW.0 + max.0;
    assert!(loose <= once, "{highest} of which {settled} are receipted");
}

/// What was open when a program ended may have been served, and is no reason to sign nothing more.
#[test]
fn what_was_left_open_may_be_said_and_what_explains_it_gives_the_window_back() {
    let mut lane = Lane::new(WINDOW);
    lane.sign(id(1), units(40), None).unwrap();
    lane.lose(id(1));
    let (bound, granted) = lane.rest();
    assert_eq!((bound, granted), (units(40), units(40)));
    let mut lane = Lane::restore(units(0), bound, WINDOW).granting(granted);
    assert_eq!(lane.sign(id(2), units(30), Some(units(70))), Ok(units(70)));
    assert!(lane.sign(id(3), units(30), Some(units(141))).is_err());
    lane.settle(id(2), units(30)).unwrap();
    lane.explain(units(40), units(40));
    assert_eq!(lane.settled(), units(70));
    // all of it is there again
    assert_eq!(
        lane.sign(id(3), units(10), Some(units(120))),
        Ok(units(120))
    );
    assert_eq!(lane.rest(), (units(120), units(40)));
}
