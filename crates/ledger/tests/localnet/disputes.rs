//! Demands and proofs as signed transactions, to money in the right accounts.

use atoma_network::{
    COLLATERAL,
    testing::{DAY, PARTS, Trial, UNITS},
};
use atoma_types::{
    BlobId, ComputeUnits, MicroUsdc,
    chain::{AbortCode, NodeStatus, calls, events},
};

#[tokio::test]
async fn who_shows_nothing_is_convicted_and_pays_ten_times_what_it_claimed() {
    let trial = Trial::start().await;
    trial.settle().await;
    trial.demand(2).await;
    trial.advance(DAY).await;
    let early = trial.claim().await.unwrap_err();
    assert_eq!(early.abort_code(), Some(AbortCode::DemandOpen.code()));
    trial.advance(1).await;
    // anyone may end it
    let stranger = trial.world.party().await;
    let (stack, unit) = (trial.stack().await, trial.unit(2));
    let call = trial.world.ledger.prove_silence(&stack, trial.node, unit);
    let convicted = trial.run(&stranger, call).await.unwrap();
    trial
        .assert_convicted(&convicted, events::Charge::Silence)
        .await;
    // the escrow and the fee are the owner's, and nothing of the collateral
    let fee = stack.terms.demand_fee.0;
    assert_eq!(trial.stack().await.free, MicroUsdc(UNITS + fee));
    let withdraw = calls::WithdrawFree {
        stack: trial.stack.into(),
        to: trial.user.public_key().address(),
    };
    trial.run(&trial.user, withdraw).await.unwrap();
    let [_, user, _] = trial.money().await;
    assert_eq!(user, trial.before[1] + UNITS);
    trial.world.audit();
}

#[tokio::test]
async fn who_shows_the_record_keeps_all_and_has_the_fee() {
    let trial = Trial::start().await;
    trial.settle().await;
    trial.demand(2).await;
    let answer = |seq, unit| {
        let (record, proof) = trial.prove(seq);
        let ledger = &trial.world.ledger;
        let lease = (trial.stack, trial.node);
        let blob = Some(BlobId([7; 32]));
        ledger.answer_demand(lease, unit, (&record, &proof), (blob, Vec::new()))
    };
    let unit = trial.unit(2);
    // another record is no answer
    let wrong = trial.run(&trial.operator, answer(3, unit)).await;
    let wrong = wrong.unwrap_err().abort_code();
    assert_eq!(wrong, Some(AbortCode::RecordWrongUnit.code()));
    let undemanded = trial.run(&trial.operator, answer(3, trial.unit(3))).await;
    let undemanded = undemanded.unwrap_err().abort_code();
    assert_eq!(undemanded, Some(AbortCode::NoSuchDemand.code()));
    // the right one may come from anybody
    let stranger = trial.world.party().await;
    trial.run(&stranger, answer(2, unit)).await.unwrap();
    trial.advance(DAY + 1).await;
    trial.claim().await.unwrap();
    let stack = trial.stack().await;
    let (sum, fee) = (PARTS.iter().sum::<u64>(), 35);
    let node = trial.world.ledger.node(trial.node).await.unwrap();
    assert_eq!(node.earnings.0, sum - fee + stack.terms.demand_fee.0);
    assert_eq!(
        (node.collateral, node.status),
        (COLLATERAL, NodeStatus::Active)
    );
    assert_eq!(stack.escrow.0, UNITS - sum);
    trial.world.audit();
}

#[tokio::test]
async fn two_receipts_for_one_request_convict() {
    let trial = Trial::start().await;
    trial.settle().await;
    let (header, honest) = &trial.records[1];
    let mut dear = honest.message().clone();
    dear.units = ComputeUnits(dear.units.0 + 1);
    assert_eq!(dear.request_hash, header.hash());
    let other = atoma_types::message::Signed::new(dear, &trial.operator);
    let stranger = trial.world.party().await;
    let (stack, ledger) = (trial.stack().await, &trial.world.ledger);
    let proof = |second| ledger.prove_equivocation(&stack, honest, second);
    let innocent = trial.run(&stranger, proof(&trial.records[2].1)).await;
    let innocent = innocent.unwrap_err();
    assert_eq!(innocent.abort_code(), Some(AbortCode::ReceiptsAgree.code()));
    let convicted = trial.run(&stranger, proof(&other)).await.unwrap();
    trial
        .assert_convicted(&convicted, events::Charge::Equivocation)
        .await;
}
