//! Attacks that these rules themselves fell to, found when they were attacked a second time.

use super::{Tale, examiners::sampled};
use crate::world::*;
use atoma_types::{
    TaskId,
    chain::{AbortCode, Event, calls, events::Outcome},
};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "an_empty_pool_saves_nobody_from_an_examiner",
        an_empty_pool_saves_nobody_from_an_examiner,
    ),
    (
        "accomplices_that_resign_dissolve_no_jury",
        accomplices_that_resign_dissolve_no_jury,
    ),
    (
        "no_fine_of_jurors_is_above_what_attesters_deposit",
        no_fine_of_jurors_is_above_what_attesters_deposit,
    ),
];

/// Seen: a node that was hit claimed 26 dimes of its own that had been examined, 0.10 out of the pool and 0.025 into it each, and called
/// for its examiner in the same transaction: nobody could be paid, so nobody looked, and a ticket of any size was paid unexamined.
#[test]
fn an_empty_pool_saves_nobody_from_an_examiner() {
    let (mut w, task, chain) = sampled(10);
    let node = chain.node;
    let mut dimes: Vec<_> = (0..27)
        .map(|_| w.leased(OPERATOR, task, node, 100_000))
        .collect();
    for dime in &mut dimes {
        dime.serve(&w, 100_000);
        w.settle(dime);
        w.examined(dime, false);
    }
    w.settle(&chain);
    w.draw(&chain, true);
    w.now += DAY + 1;
    for dime in &dimes {
        let call = w.claim_call(dime.stack, node);
        w.ok(OPERATOR, call);
    }
    assert_eq!(w.task(task).dues.0, 0, "nothing is left of two USDC");
    let (unit, examiner) = w.examine(&chain);
    w.ok(OPERATOR, disclose_call(&chain, unit));
    let ok = verdict_call(chain.stack, node, chain.seq, false);
    w.ok(examiner, ok);
    // who works then has what the pool holds when the ticket ends, its own due at least
    let earned = fees_of(&w, task, examiner);
    let call = w.claim_call(chain.stack, node);
    w.ok(STRANGER, call);
    assert_eq!(fees_of(&w, task, examiner), earned + 25_000);
}

fn fees_of(w: &World, task: TaskId, party: u8) -> u64 {
    let mut offers = w.task(task).subscriptions.iter();
    let offer = offers.find(|offer| offer.owner == address(party));
    offer.unwrap().attester.unwrap().earned.0
}

/// Seen: of nine attesters, as many as a sale asks for, an accused node had two resign, whatever their weight, and called for the jury in the same
/// transaction: seven others weren't there, so it was dissolved, and the node paid.
#[test]
fn accomplices_that_resign_dissolve_no_jury() {
    let (mut w, task, chain) = sampled(9);
    w.settle(&chain);
    let (_, accuser) = w.examined(&chain, true);
    let mut others = (ATTESTERS..ATTESTERS + 9).filter(|&party| party != accuser);
    let resigned: Vec<_> = others.by_ref().take(2).collect();
    for &accomplice in &resigned {
        resign(&mut w, task, accomplice);
    }
    let mut few = w.clone();
    let members = w.seated(&chain, false);
    assert_eq!(members.len(), 6);
    let changes = w.vote(&chain, false, &members, &[Some(BAD); 6]);
    assert_eq!(convictions(&changes)[0].2, 10 * USDC);

    // less than a quorum convicts nobody, so that none is drawn
    for accomplice in others.take(2) {
        resign(&mut few, task, accomplice);
    }
    let call = few.jury_call(chain.stack, chain.node, chain.seq, false);
    let changes = few.ok(STRANGER, call);
    let [Event::JuryDecided(decided)] = &changes.events[..] else {
        panic!("{:?}", changes.events);
    };
    assert_eq!(decided.outcome, Outcome::Dissolved);
}

fn resign(w: &mut World, task: TaskId, party: u8) {
    let mut offers = w.task(task).subscriptions.iter();
    let offer = offers.find(|offer| offer.owner == address(party)).unwrap();
    let call = calls::ResignAttester {
        task: task.into(),
        node: offer.node.into(),
    };
    w.ok(party, call);
}

/// Seen: a juror's fine above the deposit was within all bounds. Stacks were sold as examined, for attesters were there who could be fined as
/// examiners, and none of them could be drawn for a jury: every accusation was dissolved.
#[test]
fn no_fine_of_jurors_is_above_what_attesters_deposit() {
    let mut w = World::new();
    let call = w.set_param_call("juror_fine", 8 * USDC + 1);
    w.refused(ADMIN, call, AbortCode::ParamsContradict);
    // nor above what makes one an examiner, who is counted at the sale
    let call = w.set_param_call("juror_fine", 2 * USDC + 1);
    w.refused(ADMIN, call, AbortCode::ParamsContradict);
    let call = w.set_param_call("juror_fine", 2 * USDC);
    w.ok(ADMIN, call);
    let call = w.set_param_call("examiner_fine", 2 * USDC - 1);
    w.refused(ADMIN, call, AbortCode::ParamsContradict);
}
