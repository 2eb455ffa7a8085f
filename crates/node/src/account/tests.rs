//! The account against a naive model that keeps lists and recomputes every sum.

use super::{commit::Committed, *};
use crate::limits::MAX_LANES;
use atoma_keys::SigningKey;
use atoma_types::{
    Address, EngineClass, NetworkId, NodeId, Numerics, RequestId, Rule, StackId, TaskId, Usage,
    history::History,
    message::{Domain, Draft, Endpoint, Origin, RequestHeader, RequestTimes},
};
use proptest::prelude::*;

const NOW: TimestampMs = TimestampMs(1_000);

pub(crate) fn request(id: u8, lane: u16, ceiling: u64) -> SignedRequest {
    let header = RequestHeader {
        domain: Domain::default(),
        network: NetworkId([1; 32]),
        stack: StackId(Address::new([2; 32])),
        node: NodeId(Address::new([3; 32])),
        task: TaskId(Address::new([4; 32])),
        request_id: RequestId([id; 16]),
        endpoint: Endpoint::ChatCompletions,
        body_hash: Hash32::ZERO,
        lane,
        ceiling: ComputeUnits(ceiling),
        max_units: ComputeUnits(u64::MAX),
        issued_at_ms: NOW,
        expires_at_ms: TimestampMs(2_000),
        origin: Origin::Own,
    };
    Arc::new(Signed::new(header, &SigningKey::from_seed(&[1; 32])))
}

pub(crate) fn receipt(request: &SignedRequest, link: Link, units: u64) -> Draft<Receipt> {
    let message = Receipt {
        domain: Domain::default(),
        network: NetworkId([1; 32]),
        stack: StackId(Address::new([2; 32])),
        node: NodeId(Address::new([3; 32])),
        seq: link.seq,
        request_id: request.message().request_id,
        request_hash: request.hash(),
        response_hash: Hash32::ZERO,
        usage: Usage::default(),
        units: ComputeUnits(units),
        cumulative_units: link.cumulative_units,
        times: RequestTimes {
            started_ms: NOW,
            first_token_ms: NOW,
            finished_ms: NOW,
        },
        engine: EngineClass {
            model: Hash32::ZERO,
            numerics: Numerics::DetF32V1,
            rule: Rule::Exact,
        },
        output_fingerprint: None,
        previous: link.previous,
        base: link.base,
        history: link.history,
    };
    Draft::new(message)
}

/// Signs what was committed and gives it back to the account.
fn sign(account: &mut Account, committed: Committed) -> Arc<Signed<Receipt>> {
    let receipt = Arc::new(committed.receipt.sign(&SigningKey::from_seed(&[9; 32])));
    account.signed(receipt.clone());
    receipt
}

/// The claim of all that is signed.
fn claim(account: &Account) -> Option<Claim> {
    account.claim(account.last_signed()?)
}

pub(crate) fn account(units: u64) -> Account {
    let expires_at = TimestampMs(10_000);
    Account::new(
        Terms {
            units: ComputeUnits(units),
            expires_at,
            closing: false,
        },
        NOW,
    )
}

fn units(n: u64) -> ComputeUnits {
    ComputeUnits(n)
}

#[derive(Clone, Debug)]
enum Step {
    Reserve {
        id: u8,
        lane: u16,
        ceiling: u64,
        least: u64,
        wanted: u64,
    },
    Grow {
        which: usize,
        by: u64,
    },
    Commit {
        which: usize,
        permille: u64,
    },
    Release {
        which: usize,
    },
    TopUp {
        by: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let reserve = (any::<u8>(), 0u16..3, 0u64..120, 0u64..30, 0u64..30);
    prop_oneof![
        4 => reserve.prop_map(|(id, lane, ceiling, least, more)| Step::Reserve {
            id, lane, ceiling, least, wanted: least + more,
        }),
        2 => (any::<usize>(), 0u64..40).prop_map(|(which, by)| Step::Grow { which, by }),
        3 => (any::<usize>(), 0u64..=1_000).prop_map(|(which, permille)| Step::Commit {
            which, permille,
        }),
        2 => any::<usize>().prop_map(|which| Step::Release { which }),
        1 => (0u64..20).prop_map(|by| Step::TopUp { by }),
    ]
}

/// Lists only; every sum is recomputed.
#[derive(Default)]
struct Model {
    units: u64,
    ids: Vec<u8>,
    ceilings: Vec<(u16, u64)>,
    running: Vec<(u16, Reservation, SignedRequest)>,
    paid: Vec<(u16, u64)>,
}

impl Model {
    fn ceiling(&self, lane: u16) -> u64 {
        let of_lane = self.ceilings.iter().filter(|c| c.0 == lane);
        of_lane.map(|c| c.1).max().unwrap_or(0)
    }
    fn lane_used(&self, lane: u16) -> u64 {
        let paid: u64 = self.paid.iter().filter(|p| p.0 == lane).map(|p| p.1).sum();
        let held = self.running.iter().filter(|r| r.0 == lane);
        paid + held.map(|r| r.1.units().0).sum::<u64>()
    }
    fn used(&self) -> u64 {
        (0..3).map(|lane| self.lane_used(lane)).sum()
    }
}

proptest! {
    #[test]
    fn any_interleaving_agrees_with_the_model(steps in prop::collection::vec(step(), 1..60)) {
        let mut account = account(100);
        let mut model = Model { units: 100, ..Model::default() };
        for step in steps {
            match step {
                Step::Reserve { id, lane, ceiling, least, wanted } => {
                    let room = (model.units - model.used())
                        .min(model.ceiling(lane).max(ceiling).saturating_sub(model.lane_used(lane)));
                    let fits = room >= least && !model.ids.contains(&id);
                    let request = request(id, lane, ceiling);
                    let got = account.reserve(&request, units(least), units(wanted), NOW);
                    prop_assert_eq!(got.is_ok(), fits, "{:?}", got);
                    if let Ok(reservation) = got {
                        prop_assert_eq!(reservation.units().0, wanted.min(room));
                        model.ids.push(id);
                        model.ceilings.push((lane, ceiling));
                        model.running.push((lane, reservation, request));
                    }
                }
                Step::Grow { which, by } if !model.running.is_empty() => {
                    let at = which % model.running.len();
                    let lane = model.running[at].0;
                    let room = (model.units - model.used())
                        .min(model.ceiling(lane) - model.lane_used(lane));
                    let before = model.running[at].1.units().0;
                    let now = account.grow(&mut model.running[at].1, units(by));
                    prop_assert_eq!(now.0, before + by.min(room));
                }
                Step::Commit { which, permille } if !model.running.is_empty() => {
                    let (lane, held, request) = model.running.swap_remove(which % model.running.len());
                    let actual = held.units().0 * permille / 1_000;
                    let done = account.commit(held, units(actual), NOW, |link| receipt(&request, link, actual));
                    model.paid.push((lane, actual));
                    let done = done.unwrap();
                    prop_assert_eq!(done.receipt.message().seq, model.paid.len() as u64);
                    let lane_paid: u64 =
                        model.paid.iter().filter(|p| p.0 == lane).map(|p| p.1).sum();
                    prop_assert_eq!(done.lane_committed.0, lane_paid);
                    prop_assert_eq!(account.signed, done.receipt.message().seq - 1);
                    sign(&mut account, done);
                }
                Step::Release { which } if !model.running.is_empty() => {
                    let (_, held, _) = model.running.swap_remove(which % model.running.len());
                    account.release(held);
                }
                Step::TopUp { by } => {
                    model.units += by;
                    let terms = Terms { units: units(model.units), ..account.brief().terms };
                    account.update_terms(terms);
                }
                _ => {}
            }
            let summary = account.summary();
            let paid: u64 = model.paid.iter().map(|p| p.1).sum();
            prop_assert_eq!(summary.committed.0, paid);
            prop_assert_eq!(summary.committed.0 + summary.reserved.0, model.used());
            prop_assert!(model.used() <= model.units);
            let covered: u64 = summary.lanes.iter().map(|lane| lane.1.0).sum();
            if let Some(claim) = claim(&account) {
                prop_assert!(claim.to_units.0 <= covered);
                prop_assert_eq!(claim.to_units.0, paid);
            }
            prop_assert!(account.adds_up());
        }
        for (_, held, _) in model.running.drain(..) {
            account.release(held);
        }
        prop_assert_eq!(account.brief().reserved, ComputeUnits::ZERO);
    }
}

#[test]
fn a_refusal_changes_nothing() {
    let mut account = account(100);
    let held = account
        .reserve(&request(1, 0, 50), units(50), units(50), NOW)
        .unwrap();
    let before = account.summary();
    let try_reserve = |account: &mut Account, request: &SignedRequest, least: u64| {
        account
            .reserve(request, units(least), units(least), NOW)
            .unwrap_err()
    };
    assert_eq!(
        try_reserve(&mut account, &request(1, 0, 90), 1),
        Denied::Replayed
    );
    let denied = try_reserve(&mut account, &request(2, 0, 60), 20);
    assert_eq!(denied, Denied::CeilingTooLow { needed: 70 });
    let denied = try_reserve(&mut account, &request(3, 1, 90), 51);
    assert_eq!(
        denied,
        Denied::LeaseExhausted {
            left: 50,
            wanted: 51
        }
    );
    assert_eq!(account.summary(), before);
    // the refused id is still free, and the ceiling that was named fits
    let second = account
        .reserve(&request(2, 0, 70), units(20), units(20), NOW)
        .unwrap();
    account.release(held);
    account.release(second);
}

#[test]
fn lanes_and_time_are_limited() {
    let mut account = account(1_000);
    for lane in 0..MAX_LANES {
        let lane = u16::try_from(lane).unwrap();
        let id = u8::try_from(lane).unwrap();
        let held = account
            .reserve(&request(id, lane, 1), units(1), units(1), NOW)
            .unwrap();
        account.release(held);
    }
    let one_more = account.reserve(&request(200, 999, 1), units(1), units(1), NOW);
    assert_eq!(one_more, Err(Denied::TooManyLanes));
    let late = account.reserve(&request(201, 0, 1), units(1), units(1), TimestampMs(10_000));
    assert_eq!(late, Err(Denied::Expired));
    account.update_terms(Terms {
        units: units(1),
        expires_at: TimestampMs(5_000),
        closing: true,
    });
    let closing = account.reserve(&request(201, 0, 1), units(1), units(1), NOW);
    assert_eq!(closing, Err(Denied::Expired));
    assert_eq!(
        account.brief().terms.units,
        units(1_000),
        "units never fall"
    );
}

#[test]
fn a_settled_lease_takes_no_more() {
    let mut account = account(100);
    let of_first = request(1, 0, 100);
    let mut first = account
        .reserve(&of_first, units(10), units(10), NOW)
        .unwrap();
    let second = account
        .reserve(&request(2, 0, 100), units(10), units(10), NOW)
        .unwrap();
    account.advance(Phase::Settling);
    let refused = account.reserve(&request(3, 0, 100), units(1), units(1), NOW);
    assert_eq!(refused, Err(Denied::Settling));
    assert_eq!(
        account.grow(&mut first, units(5)),
        units(10),
        "streams end soon"
    );
    let committed = account
        .commit(first, units(10), NOW, |link| receipt(&of_first, link, 10))
        .unwrap();
    account.freeze();
    sign(&mut account, committed);
    assert_eq!(claim(&account).unwrap().to_units, units(10));
    account.advance(Phase::Open);
    let late = account.commit(second, units(10), NOW, |link| receipt(&of_first, link, 10));
    assert_eq!(late.unwrap_err(), CommitError::TooLate);
    assert_eq!(claim(&account).unwrap().to_units, units(10));
    assert_eq!(account.brief().reserved, ComputeUnits::ZERO);
}

#[test]
fn a_restored_account_continues_the_chain() {
    let mut before = account(100);
    let mut done = Vec::new();
    for id in 1..=5u8 {
        let request = request(id, u16::from(id % 2), 90);
        let held = before.reserve(&request, units(7), units(9), NOW);
        let committed = before.commit(held.unwrap(), units(7), NOW, |link| {
            receipt(&request, link, 7)
        });
        let committed = committed.unwrap();
        let receipt = sign(&mut before, committed.clone());
        done.push((request, committed, receipt));
    }
    let mut again = account(100);
    for (request, committed, receipt) in &done {
        let lane = RestoredLane {
            committed: committed.lane_committed,
            voucher: committed.voucher.clone(),
        };
        again.restore_lane(lane);
        assert!(again.restore_receipt(request, (**receipt).clone()));
        assert!(
            !again.restore_receipt(request, (**receipt).clone()),
            "never twice"
        );
    }
    assert!(again.adds_up());
    let (was, is) = (claim(&before).unwrap(), claim(&again).unwrap());
    assert_eq!((was.to_units, was.to_seq), (is.to_units, is.to_seq));
    assert_eq!(was.last, is.last);
}

/// Serves a request of 7 units in lane 0 with this ceiling.
fn serve(account: &mut Account, id: u8, ceiling: u64) -> Arc<Signed<Receipt>> {
    let request = request(id, 0, ceiling);
    let held = account.reserve(&request, units(7), units(7), NOW).unwrap();
    let committed = account.commit(held, units(7), NOW, |link| receipt(&request, link, 7));
    sign(account, committed.unwrap())
}

fn position(receipt: &Signed<Receipt>) -> Position {
    Position {
        seq: receipt.message().seq,
        units: receipt.message().cumulative_units,
        hash: receipt.hash(),
    }
}

#[test]
fn claims_follow_each_other_and_each_is_over_what_is_new() {
    let mut account = account(100);
    serve(&mut account, 1, 100);
    let second = serve(&mut account, 2, 100);
    let first_claim = claim(&account).unwrap();
    assert_eq!((first_claim.from_seq, first_claim.to_seq), (0, 2));
    // while it is on its way the lease goes on
    let third = serve(&mut account, 3, 100);
    assert!(account.note_claimed(position(&second)));
    let next = claim(&account).unwrap();
    assert_eq!(
        (next.from_seq, next.to_seq, next.to_units),
        (2, 3, units(21))
    );
    assert!(account.claim(second).is_none(), "it is claimed already");
    assert!(account.note_claimed(position(&third)));
    assert!(
        account.note_claimed(first_position()),
        "an older word changes nothing"
    );
    assert_eq!(account.brief().claimed.seq, 3);
    assert!(claim(&account).is_none(), "nothing is new");
}

#[test]
fn each_receipt_names_those_since_the_last_claim_that_was_heard_of() {
    let mut account = account(1_000);
    let mut served = Vec::new();
    let mut serve = |account: &mut Account| {
        let id = served.len() as u8 + 1;
        let receipt = serve(account, id, 1_000);
        let named = receipt.message();
        let before = &served[named.base as usize..];
        let hashes = before
            .iter()
            .map(|receipt: &Arc<Signed<Receipt>>| receipt.hash());
        let mut history = History::after(named.base);
        hashes.for_each(|hash| history.push(hash));
        assert_eq!(
            (history.seq(), history.root()),
            (named.seq - 1, named.history)
        );
        served.push(receipt.clone());
        receipt
    };
    for _ in 0..5 {
        assert_eq!(serve(&mut account).message().base, 0);
    }
    let fifth = account.last_signed().unwrap();
    // the claim up to the fifth is under way
    for _ in 0..3 {
        assert_eq!(serve(&mut account).message().base, 0);
    }
    assert!(account.note_claimed(position(&fifth)));
    for _ in 0..4 {
        assert_eq!(serve(&mut account).message().base, 5);
    }
    let last = account.last_signed().unwrap();
    assert!(account.note_claimed(position(&last)));
    let next = serve(&mut account);
    assert_eq!(
        (next.message().base, next.message().history),
        (12, Hash32::ZERO)
    );

    // read back they are the same, whatever the ledger is known to have claimed
    let mut again = self::account(1_000);
    for (id, receipt) in (1..).zip(&served) {
        assert!(again.restore_receipt(&request(id, 0, 1_000), (**receipt).clone()));
    }
    let claimed = again.brief().claimed;
    assert_eq!(claimed.seq, 0);
    assert!(
        again.note_claimed(position(&fifth)),
        "an older word of the ledger"
    );
    let mut other = served[5].message().clone();
    other.history = Hash32([1; 32]);
    let other = Signed::new(other, &SigningKey::from_seed(&[9; 32]));
    let mut broken = self::account(1_000);
    for (id, receipt) in (1..6).zip(&served) {
        assert!(broken.restore_receipt(&request(id, 0, 1_000), (**receipt).clone()));
    }
    assert!(!broken.restore_receipt(&request(6, 0, 1_000), other));
}

fn first_position() -> Position {
    Position {
        seq: 1,
        units: units(7),
        hash: Hash32::ZERO,
    }
}

#[test]
fn a_node_without_its_journal_goes_on_from_the_ledger_and_never_beyond_what_it_was_signed() {
    let mut account = account(100);
    let claimed = Position {
        seq: 4,
        units: units(28),
        hash: Hash32([7; 32]),
    };
    assert!(!account.note_claimed(claimed), "nothing here goes so far");
    account.rebase(claimed);
    // of which lanes paid nothing is known, so the new header must cover all of it
    let low = account.reserve(&request(1, 0, 34), units(7), units(7), NOW);
    assert_eq!(low, Err(Denied::CeilingTooLow { needed: 35 }));
    let next = serve(&mut account, 2, 35);
    assert_eq!(next.message().seq, 5);
    assert_eq!(next.message().previous, Hash32([7; 32]));
    let named = (next.message().base, next.message().history);
    assert_eq!(named, (4, Hash32::ZERO), "it knows none before");
    let claim = claim(&account).unwrap();
    assert_eq!(
        (claim.from_seq, claim.to_seq, claim.to_units),
        (4, 5, units(35))
    );
    assert!(account.adds_up());
    assert!(account.note_claimed(position(&next)));
}
