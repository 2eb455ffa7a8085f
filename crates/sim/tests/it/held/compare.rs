//! All balances and deadlines of both.

use super::both::Both;
use atoma_contract::Object;
use atoma_sim::model;
use atoma_types::chain::{self, HitStage, NodeStatus, SubscriptionState};

#[track_caller]
pub(super) fn all(both: &Both, what: &str) {
    for (ix, &id) in both.nodes.iter().enumerate() {
        let Some(Object::Node(node)) = both.state.get(id.0) else {
            panic!("no node")
        };
        nodes(both, node, &both.model.nodes[ix], what);
    }
    for (ix, &id) in both.tasks.iter().enumerate() {
        let Some(Object::Task(task)) = both.state.get(id.0) else {
            panic!("no task")
        };
        tasks(both, task, &both.model.tasks[ix], what);
    }
    for (ix, &id) in both.stacks.iter().enumerate() {
        let Some(Object::Stack(stack)) = both.state.get(id.0) else {
            panic!("no stack")
        };
        stacks(both, stack, &both.model.stacks[ix], what);
    }
    let Some(Object::Db(db)) = both.state.get(Both::db()) else {
        panic!("no database")
    };
    assert_eq!(db.communal_treasury.0, both.model.treasury, "{what}");
    let book = both.model.book;
    let pool = db.book.pool.map(|pool| pool.0);
    assert_eq!(
        (db.book.epoch, db.book.fees.0, pool),
        (book.day, book.fees, book.pool),
        "{what}"
    );
    assert_eq!(held(both), both.model.held(), "{what}");
}

fn held(both: &Both) -> u128 {
    atoma_contract::invariants::held(&both.state)
}

fn nodes(both: &Both, left: &chain::Node, right: &model::Node, what: &str) {
    let now = atoma_types::TimestampMs(both.now);
    let amounts = [
        (left.collateral.0, right.collateral),
        (left.matured(now).0, right.matured(both.now)),
        (left.at_stake.0, right.at_stake),
        (left.earnings.0, right.earnings),
        (left.pending.fines.0, right.fines),
        (left.pending.until_ms.0, right.fines_until),
        (left.standing.reputation, right.reputation),
        (left.standing.carried.0, right.carried),
        (left.standing.convicted, right.convicted),
    ];
    for (place, (left, right)) in amounts.into_iter().enumerate() {
        assert_eq!(left, right, "{what}: node, {place}");
    }
    let fees = |fees: chain::FeesInEpoch| (fees.epoch, fees.fees.0);
    let of_day = |fees: model::FeesOfDay| (fees.day, fees.fees);
    assert_eq!(fees(left.current), of_day(right.current), "{what}");
    assert_eq!(fees(left.previous), of_day(right.previous), "{what}");
    assert_eq!(fees(left.reported), of_day(right.reported), "{what}");
    let jailed = match left.status {
        NodeStatus::Jailed { until_ms } => until_ms.0,
        _ => 0,
    };
    assert_eq!(jailed, right.jailed_until, "{what}");
}

fn tasks(both: &Both, left: &chain::Task, right: &model::Task, what: &str) {
    assert_eq!(
        (left.fees.0, left.dues.0),
        (right.fees, right.dues),
        "{what}: task"
    );
    for (left, right) in left.subscriptions.iter().zip(&right.subscriptions) {
        assert_eq!(both.node_ix(left.node), right.node, "{what}");
        let promise = |attester: chain::Attester| model::Attester {
            active: attester.active,
            stake: attester.stake.0,
            earned: attester.earned.0,
            duties: attester.duties,
            since: attester.since_ms.0,
        };
        assert_eq!(
            left.attester.map(promise),
            right.attester,
            "{what}: attester"
        );
        assert_eq!(
            (left.matured.0, left.reputation, left.price.0),
            (right.matured, right.reputation, right.price),
            "{what}: offer"
        );
        let active = left.state == SubscriptionState::Active;
        assert_eq!(active, right.active, "{what}");
        assert_eq!(atoma_contract::draw::weight(left), right.weight(), "{what}");
    }
}

fn stacks(both: &Both, left: &chain::Stack, right: &model::Stack, what: &str) {
    assert_eq!(
        (left.escrow.0, left.free.0, left.ungranted.0),
        (right.escrow, right.free, right.ungranted),
        "{what}: stack"
    );
    let candidates: Vec<_> = left.candidates.iter().map(|&id| both.node_ix(id)).collect();
    assert_eq!(candidates, right.candidates, "{what}");
    assert_eq!(left.leases.len(), right.leases.len(), "{what}");
    for (left, right) in left.leases.iter().zip(&right.leases) {
        assert_eq!(both.node_ix(left.node), right.node, "{what}");
        assert_eq!(
            (left.units.0, left.paid_units.0, left.fees.0, left.closed),
            (right.units, right.paid, right.fees, right.closed),
            "{what}: lease"
        );
        assert_eq!(left.tickets.len(), right.tickets.len(), "{what}");
        for (left, right) in left.tickets.iter().zip(&right.tickets) {
            tickets(both, left, right, what);
        }
    }
}

fn tickets(both: &Both, left: &chain::Ticket, right: &model::Ticket, what: &str) {
    assert_eq!(
        (left.from_units.0, left.to_units.0, left.deadline_ms.0),
        (right.from, right.to, right.deadline),
        "{what}: ticket"
    );
    let demands: Vec<_> = left
        .demands
        .iter()
        .map(|demand| (demand.unit.0, demand.deadline_ms.0))
        .collect();
    let model: Vec<_> = right
        .demands
        .iter()
        .map(|demand| (demand.unit, demand.deadline))
        .collect();
    assert_eq!(demands, model, "{what}: demands");
    let challenge = left.challenge.as_ref();
    let brought = right.challenge.as_ref();
    assert_eq!(
        challenge.map(|challenge| (challenge.bond.0, challenge.over)),
        brought.map(|brought| (brought.bond, brought.over)),
        "{what}: challenge"
    );
    assert_eq!(left.exam_bond.0, right.exam_bond, "{what}: accusation");
    let pairs = [
        (left.exam_jury.as_ref(), right.exam_jury.as_ref()),
        (
            challenge.and_then(|challenge| challenge.jury.as_ref()),
            brought.and_then(|brought| brought.jury.as_ref()),
        ),
    ];
    for (left, right) in pairs {
        assert_eq!(left.is_some(), right.is_some(), "{what}: jury");
        let (Some(left), Some(right)) = (left, right) else {
            continue;
        };
        assert_eq!(
            (left.unit.0, left.seq, left.deadline_ms.0, left.reveal_ms.0),
            (right.unit, right.record, right.deadline, right.reveal),
            "{what}: jury"
        );
        let jurors = left
            .jurors
            .iter()
            .map(|juror| both.node_ix(juror.auditor.node));
        assert!(
            jurors.eq(right.seats.iter().map(|seat| seat.juror)),
            "{what}"
        );
    }
    exams(both, left, right, what);
}

fn exams(both: &Both, left: &chain::Ticket, right: &model::Ticket, what: &str) {
    let stage = |stage: HitStage| match stage {
        HitStage::Disclosing => model::Stage::Disclosing,
        HitStage::Examining => model::Stage::Examining,
        HitStage::Accused => model::Stage::Accused,
        HitStage::Passed => model::Stage::Passed,
        HitStage::Cleared => model::Stage::Cleared,
    };
    match (&left.exam, right.exam) {
        (chain::Exam::None, model::Exam::None)
        | (chain::Exam::Undrawn, model::Exam::Undrawn)
        | (chain::Exam::Unexamined, model::Exam::Unexamined) => {}
        (chain::Exam::Drawn { seed }, model::Exam::Drawn { hit, unit }) => {
            assert_eq!(both.model.rules.hits(seed, 0), hit, "{what}");
            let range = (left.from_units, left.to_units);
            assert_eq!(atoma_contract::unit_of(seed, range).0, unit, "{what}");
        }
        (chain::Exam::Hit(left), model::Exam::Hit(right)) => {
            let mapped = model::Hit {
                unit: left.unit.0,
                examiner: both.node_ix(left.examiner.node),
                silent: left.silent.map(|silent| both.node_ix(silent.node)),
                record: left.seq,
                deadline: left.deadline_ms.0,
                stage: stage(left.stage),
            };
            assert_eq!(mapped, right, "{what}: hit");
        }
        (left, right) => panic!("{what}: {left:?}, {right:?}"),
    }
}
