//! Arguments that no call of ours has, and sums that no purchase reaches: what the package refuses of what strangers
//! can send it. The codes are those that `ways` leaves out.

use crate::{attacks::Tale, world::*};
use atoma_types::{
    SecurityLevel,
    chain::{AbortCode, Call, CallArg, calls},
    hash::Hash32,
};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    ("keys_and_releases", keys_and_releases),
    ("tasks_of_no_kind", tasks_of_no_kind),
    ("stacks", stacks),
    ("blobs", blobs),
    ("verdicts", verdicts),
    ("more_money_than_there_can_be", more_money_than_there_can_be),
];

/// A call with one argument's bytes changed, which must be refused so.
#[track_caller]
fn refused(w: &World, sender: u8, call: impl Into<Call>, arg: &str, bytes: &[u8], code: AbortCode) {
    let call = call.into();
    let mut names = call.function().args.iter();
    let place = names.position(|(name, _)| *name == arg).unwrap();
    let mut args = call.args();
    args[place] = CallArg::Pure(bytes.to_vec());
    let mut w = w.clone();
    assert_eq!(w.run_raw(sender, call.function(), &args).err(), Some(code));
}

/// So many bytes with their length.
fn bytes(count: usize) -> Vec<u8> {
    bcs::to_bytes(&vec![7u8; count]).unwrap()
}

#[test]
fn keys_and_releases() {
    let mut w = World::new();
    let mut task = new_task();
    task.security = SecurityLevel::ConfidentialCompute;
    let task = w.create_task_from(task);
    let register = register_call(OPERATOR, 100 * USDC);
    let (key, sealing) = (AbortCode::ResponseKeyInvalid, AbortCode::SealingKeyInvalid);
    refused(
        &w,
        OPERATOR,
        register.clone(),
        "response_key",
        &bytes(31),
        key,
    );
    refused(&w, OPERATOR, register, "sealing_key", &bytes(31), sealing);
    let node = w.register(OPERATOR, 100 * USDC);
    let keys = calls::SetNodeKeys {
        node: node.into(),
        response_key: w.node(node).response_key,
        sealing_key: None,
    };
    refused(&w, OPERATOR, keys.clone(), "response_key", &bytes(33), key);
    refused(&w, OPERATOR, keys, "sealing_key", &bytes(33), sealing);
    let attest = calls::AttestNode {
        node: node.into(),
        kind: 1,
        release: Hash32::ZERO,
        evidence: atoma_types::BlobId([1; 32]),
        expires_at_ms: atoma_types::TimestampMs(1),
    };
    let code = AbortCode::ReleaseDigestInvalid;
    refused(&w, OPERATOR, attest, "release", &bytes(31), code);
    let release = calls::AnnounceRelease {
        db: atoma_types::chain::LOCALNET_DB.into(),
        task: task.into(),
        release: Hash32::ZERO,
        clock: atoma_types::chain::Clock,
    };
    refused(&w, ADMIN, release.clone(), "release", &bytes(0), code);
    w.ok(ADMIN, release);
    let withdraw = calls::WithdrawRelease {
        task: task.into(),
        release: Hash32::ZERO,
    };
    refused(&w, ADMIN, withdraw, "release", &bytes(33), code);
}

#[test]
fn tasks_of_no_kind() {
    let w = World::new();
    let call = new_task().call(atoma_types::chain::LOCALNET_DB);
    let four = bcs::to_bytes(&vec![1u64; 4]).unwrap();
    for (arg, bytes, code) in [
        ("role", vec![8], AbortCode::RoleUnknown),
        ("security_level", vec![4], AbortCode::SecurityLevelUnknown),
        ("weights", four, AbortCode::WeightsInvalid),
        ("model", bytes(31), AbortCode::ModelHashInvalid),
        ("numerics", vec![3], AbortCode::NumericsUnknown),
        ("rule", vec![2], AbortCode::RuleUnknown),
    ] {
        refused(&w, ADMIN, call.clone(), arg, &bytes, code);
    }
}

#[test]
fn stacks() {
    let mut w = World::new();
    let task = w.create_task();
    w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let call = w.acquire_call(task, USDC, PRICE, 1);
    let code = AbortCode::RequestKeyInvalid;
    refused(&w, USER, call, "request_key", &bytes(31), code);
}

#[test]
fn blobs() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, USDC);
    chain.serve(&w, 1_000);
    let settle = chain.settle_call();
    let blob = AbortCode::ManifestInvalid;
    refused(&w, OPERATOR, settle, "manifest_blob", &bytes(31), blob);
    w.settle(&chain);
    let demand = w.demand_call(chain.stack, node, 5);
    w.ok(USER, demand);
    let answer = answer_call(&chain, 5);
    refused(&w, OPERATOR, answer, "blob", &bytes(33), blob);
}

#[test]
fn verdicts() {
    let mut w = World::new();
    let task = w.sampling_task(atoma_types::Rule::Exact, 10);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, USDC);
    w.settle(&chain);
    w.draw(&chain, true);
    let (unit, examiner) = w.examine(&chain);
    w.ok(OPERATOR, disclose_call(&chain, unit));
    let (stack, seq, code) = (chain.stack, chain.seq, AbortCode::DigestInvalid);
    w.ok(examiner, verdict_call(stack, node, seq, true));
    let seated = w.seated(&chain, false);
    let (juror, party) = seated[0];
    let commit = w.commit_call(&chain, false, juror, &BAD);
    refused(&w, party, commit.clone(), "commitment", &bytes(31), code);
    w.ok(party, commit);
    w.now = w.sitting(&chain, false).deadline_ms.0 + 1;
    let reveal = reveal_call(&chain, false, juror, &BAD);
    refused(&w, party, reveal.clone(), "digest", &bytes(31), code);
    refused(&w, party, reveal, "salt", &bytes(33), code);
}

#[test]
fn more_money_than_there_can_be() {
    let mut w = World::new();
    let node = w.register(OPERATOR, 100 * USDC);
    let most = u64::MAX - 100 * USDC;
    let too_much = collateral_call(node, most + 1);
    w.refused(OPERATOR, too_much, AbortCode::AmountOverflow);
    w.ok(OPERATOR, collateral_call(node, most));
}
