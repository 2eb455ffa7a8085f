//! Examinations, juries, challenges; and versions.

use super::codes::{Scene, met};
use crate::world::*;
use atoma_types::{
    chain::{AbortCode::*, Verdict, calls},
    hash::Hash32,
};

fn sampled() -> (World, Chain) {
    let mut w = World::new();
    let task = w.sampling_task(atoma_types::Rule::Exact, 10);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, USDC);
    (w, chain)
}

pub(crate) fn scenes() {
    examinations();
    juries();
    plain();
    versions();
}

fn examinations() {
    let (w, chain) = sampled();
    let (stack, node, seq) = (chain.stack, chain.node, chain.seq);
    let mut s = Scene::new(w);
    let mut small = Chain::new(stack, node, USER, OPERATOR);
    small.serve(&s.w, 99_999);
    s.case(TicketTooSmall, OPERATOR, small.settle_call());
    s.play();
    s.w.settle(&chain);
    s.case(NotDrawn, STRANGER, s.w.examine_call(stack, node, seq));
    s.case(NotDisclosing, OPERATOR, disclose_call(&chain, 5));
    s.case(
        NotExamining,
        STRANGER,
        verdict_call(stack, node, seq, false),
    );
    s.case(
        JuryNotCalled,
        STRANGER,
        s.w.jury_call(stack, node, seq, false),
    );
    s.case(NoJury, STRANGER, s.w.decide_call(stack, node, seq, false));
    s.play();
    let mut missed = Scene::new(s.w.clone());
    missed.w.draw(&chain, false);
    missed.case(Missed, STRANGER, missed.w.examine_call(stack, node, seq));
    missed.case(NotUndrawn, STRANGER, draw_call(stack, node, seq));
    missed.play();
    s.w.draw(&chain, true);
    let (unit, examiner) = s.w.examine(&chain);
    s.case(NotLeaseOwner, STRANGER, disclose_call(&chain, unit));
    s.case(
        WrapsInvalid,
        OPERATOR,
        calls::Disclose {
            wrap: vec![0; 257],
            ..disclose_call(&chain, unit)
        },
    );
    s.play();
    s.w.ok(OPERATOR, disclose_call(&chain, unit));
    let ok = verdict_call(stack, node, seq, false);
    s.case(NotAuditor, STRANGER, ok.clone());
    s.case(
        VerdictTimeNotOver,
        STRANGER,
        s.w.examine_call(stack, node, seq),
    );
    s.play();
    s.w.now += 12 * HOUR + 1;
    s.case(VerdictTooLate, examiner, ok);
    s.play();
    s.w.now += DAY;
    s.case(ExamOpen, STRANGER, s.w.claim_call(stack, node));
    s.play();
}

fn juries() {
    let (mut w, chain) = sampled();
    let (stack, node, seq) = (chain.stack, chain.node, chain.seq);
    w.settle(&chain);
    w.draw(&chain, false);
    let mut s = Scene::new(w);
    let good = s.w.challenge_call(stack, node, 5);
    let mut cheap = good.clone();
    cheap.bond.0.0 -= 1;
    s.case(WrongBond, USER, cheap);
    s.play();
    s.w.ok(USER, good.clone());
    s.case(AlreadyChallenged, USER, good);
    s.play();
    let mut late = Scene::new(s.w.clone());
    late.w.now += DAY + 1;
    late.case(ChallengeOpen, STRANGER, late.w.claim_call(stack, node));
    late.play();
    let mut early = Scene::new(s.w.clone());
    let call = early.w.jury_call(stack, node, seq, true);
    early.w.ok(STRANGER, call.clone());
    early.case(JurySits, STRANGER, call);
    early.case(
        WrapsInvalid,
        OPERATOR,
        disclose_jury_call(&chain, 5, 6, true),
    );
    early.play();
    let members = s.w.seated(&chain, true);
    let (juror, party) = members[0];
    let commit = s.w.commit_call(&chain, true, juror, &BAD);
    s.case(NotAuditor, STRANGER, commit.clone());
    s.case(
        VerdictTimeNotOver,
        STRANGER,
        s.w.decide_call(stack, node, seq, true),
    );
    s.play();
    s.w.ok(party, commit.clone());
    s.case(NotCommitting, party, commit);
    s.case(NotRevealing, party, reveal_call(&chain, true, juror, &BAD));
    s.play();
    s.w.now += 12 * HOUR + 1;
    s.case(
        WrongReveal,
        party,
        reveal_call(&chain, true, juror, &Verdict::OK),
    );
    let digest = Hash32([1; 32]);
    let none_is_wrong = Verdict { kind: 0, digest };
    s.case(
        VerdictInvalid,
        party,
        reveal_call(&chain, true, juror, &none_is_wrong),
    );
    s.play();
}

/// What isn't sampled isn't examined.
fn plain() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, USDC);
    w.settle(&chain);
    let mut s = Scene::new(w);
    s.case(
        NotSampling,
        STRANGER,
        draw_call(chain.stack, node, chain.seq),
    );
    s.play();
}

fn versions() {
    let (mut w, chain) = sampled();
    w.edit_node(chain.node, |node| node.version = 2);
    let call = withdraw_node_call(chain.node, OPERATOR);
    assert_eq!(w.run(OPERATOR, call).unwrap_err(), WrongVersion);
    met(WrongVersion);
}
