//! Each kind of dispute as signed transactions, to money in the right accounts.

use atoma_ledger::LedgerError;
use atoma_network::{
    COLLATERAL,
    testing::{HOUR, PARTS, Trial, UNITS},
};
use atoma_types::{
    ComputeUnits,
    chain::{AbortCode, NodeStatus, events},
    message::Signed,
};

#[tokio::test]
async fn who_shows_nothing_loses() {
    let trial = Trial::start().await;
    trial.settle().await;
    trial.open(2).await;
    trial.advance(HOUR).await;
    let early = trial.claim().await.unwrap_err();
    assert_eq!(early.abort_code(), Some(AbortCode::DisputeOpen.code()));
    trial.advance(1).await;
    // anyone may end it: here the node's own operator
    let operator = &trial.operator;
    let stack = trial.stack().await;
    let call = trial.world.ledger.resolve_dispute(&stack, trial.node, 2);
    trial.run(operator, call).await.unwrap();
    let part = COLLATERAL.0 / 20;
    trial
        .assert_gained([0, UNITS + part, part], COLLATERAL.0 - 2 * part)
        .await;
}

#[tokio::test]
async fn who_shows_the_record_keeps_all_and_has_the_bond() {
    let trial = Trial::start().await;
    trial.settle().await;
    trial.open(2).await;
    let blob = trial.blob().await;
    let answer = |seq| {
        let (record, proof) = trial.prove(seq);
        let ledger = &trial.world.ledger;
        ledger.answer_dispute(trial.stack, trial.node, blob, &record, &proof)
    };
    // another record is no answer
    let wrong = trial.run(&trial.operator, answer(3)).await.unwrap_err();
    assert_eq!(wrong.abort_code(), Some(AbortCode::NoSuchDispute.code()));
    // nor is the right one by somebody who doesn't own the blob
    let stranger = trial.world.party().await;
    let foreign = trial.run(&stranger, answer(2)).await.unwrap_err();
    assert!(matches!(foreign, LedgerError::Rejected(_)), "{foreign}");
    let ledger = &trial.world.ledger;
    let given = [(blob, stranger.public_key().address())];
    let given = ledger.execute_and_give(&trial.operator, vec![answer(2)], &given);
    given.await.unwrap();
    let blobs = ledger.blobs(&[blob, trial.node.0]).await.unwrap();
    assert_eq!(blobs.len(), 1);
    assert_eq!(blobs[0].owner, Some(stranger.public_key().address()));
    trial.advance(HOUR).await;
    trial.claim().await.unwrap();
    let bond = trial.stack().await.dispute_bond.0;
    let (sum, fee) = (PARTS.iter().sum::<u64>(), 35);
    let [operator, user, treasury] = trial.money().await;
    assert_eq!(operator, trial.before[0] + bond + sum - fee);
    assert_eq!(user, trial.before[1] + UNITS - sum - bond);
    assert_eq!(treasury, 0);
    let node = trial.world.ledger.node(trial.node).await.unwrap();
    assert_eq!(
        (node.collateral, node.status),
        (COLLATERAL, NodeStatus::Active)
    );
    trial.world.audit();
}

#[tokio::test]
async fn two_receipts_with_one_seq_convict() {
    let trial = Trial::start().await;
    trial.settle().await;
    let honest = &trial.records[1].1;
    let (_, other) = trial.record(2, 501, 1_501, trial.records[0].1.hash());
    let stranger = trial.world.party().await;
    let (stack, ledger) = (trial.stack().await, &trial.world.ledger);
    let proof = |second| ledger.prove_equivocation(&stack, honest, second);
    let innocent = trial.run(&stranger, proof(&trial.records[2].1)).await;
    let innocent = innocent.unwrap_err();
    assert_eq!(innocent.abort_code(), Some(AbortCode::ReceiptsAgree.code()));
    let convicted = trial.run(&stranger, proof(&other)).await.unwrap();
    trial
        .assert_fraud(&convicted, events::Charge::Equivocation)
        .await;
}

#[tokio::test]
async fn a_charge_above_the_order_convicts() {
    let trial = Trial::start().await;
    let (header, honest) = &trial.records[1];
    let mut receipt = honest.message().clone();
    receipt.usage.output = 502;
    receipt.units = ComputeUnits(502);
    let dear = Signed::new(receipt, &trial.operator);
    let (stack, ledger) = (trial.stack().await, &trial.world.ledger);
    let proof = |receipt| ledger.prove_over_claim(&stack, receipt, Some(header));
    let innocent = trial.run(&trial.user, proof(honest)).await.unwrap_err();
    assert_eq!(innocent.abort_code(), Some(AbortCode::ChargeAllowed.code()));
    let convicted = trial.run(&trial.user, proof(&dear)).await.unwrap();
    trial
        .assert_fraud(&convicted, events::Charge::OverClaim)
        .await;
}

#[tokio::test]
async fn a_forged_order_among_the_records_convicts() {
    let mut trial = Trial::start().await;
    // the node made up an order: nobody but itself signed it
    let mut order = trial.records[1].0.message().clone();
    order.max_units = ComputeUnits(500);
    let order = Signed::new(order, &trial.operator);
    let mut receipt = trial.records[1].1.message().clone();
    receipt.request_hash = order.hash();
    trial.records[1] = (order, Signed::new(receipt, &trial.operator));
    trial.settle().await;
    let (stack, ledger) = (trial.stack().await, &trial.world.ledger);
    let proof = |seq| {
        let (record, proof) = trial.prove(seq);
        ledger.prove_forged_request(&stack, trial.node, record.to_bytes(), &proof)
    };
    let innocent = trial.run(&trial.user, proof(1)).await.unwrap_err();
    assert_eq!(innocent.abort_code(), Some(AbortCode::RecordGenuine.code()));
    let convicted = trial.run(&trial.user, proof(2)).await.unwrap();
    trial
        .assert_fraud(&convicted, events::Charge::ForgedRequest)
        .await;
}
