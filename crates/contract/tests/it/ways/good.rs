//! What no other test does for the tape: the plain ways of functions that are refused elsewhere, and refusals in worlds
//! that nobody changed behind the rules' back.

use crate::{attacks::Tale, world::*};
use atoma_types::{
    DurationMs, SecurityLevel, TimestampMs,
    chain::{AbortCode, Call, Clock, LOCALNET_DB, calls},
    hash::Hash32,
};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "a_node_moves_attests_and_turns_its_keys",
        a_node_moves_attests_and_turns_its_keys,
    ),
    ("a_stack_grows_and_is_watched", a_stack_grows_and_is_watched),
    ("fees_go_round", fees_go_round),
    (
        "a_network_that_is_paused_does_nothing_new",
        a_network_that_is_paused_does_nothing_new,
    ),
    (
        "thirty_two_leases_are_as_many_as_a_stack_holds",
        thirty_two_leases_are_as_many_as_a_stack_holds,
    ),
    (
        "strangers_may_nothing_that_is_an_owner_s",
        strangers_may_nothing_that_is_an_owner_s,
    ),
    (
        "another_task_or_another_node_has_no_part_in_a_stack",
        another_task_or_another_node_has_no_part_in_a_stack,
    ),
];

#[test]
fn a_node_moves_attests_and_turns_its_keys() {
    let mut w = World::new();
    let mut new = new_task();
    new.security = SecurityLevel::ConfidentialCompute;
    let task = w.create_task_from(new);
    let node = w.register(OPERATOR, 1_000 * USDC);
    w.ok(
        OPERATOR,
        calls::SetNodeUrl {
            node: node.into(),
            url: "https://node.example/".to_owned(),
        },
    );
    w.ok(
        OPERATOR,
        calls::SetNodeKeys {
            node: node.into(),
            response_key: key(STRANGER).public_key(),
            sealing_key: Some(atoma_types::SealingKey([4; 32])),
        },
    );
    let release = Hash32([6; 32]);
    w.ok(
        ADMIN,
        calls::AnnounceRelease {
            db: LOCALNET_DB.into(),
            task: task.into(),
            release,
            clock: Clock,
        },
    );
    w.ok(
        OPERATOR,
        calls::AttestNode {
            node: node.into(),
            kind: 2,
            release,
            evidence: atoma_types::BlobId([5; 32]),
            expires_at_ms: TimestampMs(w.now + 10 * DAY),
        },
    );
    w.ok(OPERATOR, subscribe_call(task, node, PRICE));
    assert_eq!(w.subscription(task, node).attested_until_ms.0, 0);
    w.now += DAY;
    w.ok(STRANGER, sync_call(task, node));
    assert_eq!(
        w.subscription(task, node).attested_until_ms.0,
        w.now + 9 * DAY
    );
    let call = w.acquire_call(task, 1_000, PRICE, 1);
    let stack = bought(&w.ok(USER, call));
    w.grant(OPERATOR, stack, node, 1_000);
    w.ok(
        ADMIN,
        calls::WithdrawRelease {
            task: task.into(),
            release,
        },
    );
    let other = w.acquire_call(task, 1_000, PRICE, 0);
    w.ok(STRANGER, sync_call(task, node));
    w.refused(USER, other, AbortCode::NobodyEligible);
}

#[test]
fn a_stack_grows_and_is_watched() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let stack = w.buy(task, 1_000);
    w.grant(OPERATOR, stack, node, 400);
    let call = w.top_up_call(stack, 500);
    w.ok(USER, call);
    let extend = |by| calls::Extend {
        db: LOCALNET_DB.into(),
        stack: stack.into(),
        by_ms: DurationMs(by),
        clock: Clock,
    };
    w.ok(USER, extend(DAY));
    w.ok(USER, extend(88 * DAY));
    w.refused(USER, extend(1), AbortCode::ExtensionInvalid);
    for watcher in [Some(address(WATCHER)), None] {
        let stack = stack.into();
        w.ok(USER, calls::SetWatcher { stack, watcher });
    }
    w.now += 90 * DAY;
    w.refused(USER, extend(DAY), AbortCode::StackExpired);
    let lease = w.lease_call(stack, node, 500);
    w.refused(OPERATOR, lease, AbortCode::StackExpired);
}

#[test]
fn fees_go_round() {
    let mut w = World::new();
    let task = w.sampling_task(atoma_types::Rule::Exact, 10);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    w.now = (w.now / DAY + 1) * DAY;
    let mut chain = w.leased(OPERATOR, task, node, 50 * USDC);
    chain.serve(&w, 50 * USDC);
    w.settle(&chain);
    let (_, examiner) = w.examined(&chain, false);
    w.now += DAY + 1;
    let call = w.claim_call(chain.stack, node);
    w.ok(STRANGER, call);
    let owner = address(examiner);
    let subscriptions = &w.task(task).subscriptions;
    let examiner_node = subscriptions
        .iter()
        .find(|s| s.owner == owner)
        .unwrap()
        .node;
    let collect = calls::CollectAttesterFees {
        task: task.into(),
        node: examiner_node.into(),
    };
    w.ok(STRANGER, collect.clone());
    w.refused(STRANGER, collect, AbortCode::NoFees);
    w.ok(STRANGER, collect_call(task));
    w.now = (w.now / DAY + 1) * DAY;
    w.ok(STRANGER, report_call(node));
    w.now += DAY / 2;
    w.ok(STRANGER, pay_call(node));
    assert_eq!(w.db().communal_treasury.0, 450_000);
    w.ok(OPERATOR, withdraw_node_call(node, OPERATOR));
    w.ok(USER, begin_close_call(chain.stack));
    w.now += 100 * DAY;
    // a share of a pool that is fixed, and of a report that no one made
    w.refused(STRANGER, pay_call(node), AbortCode::NoShare);
}

#[test]
fn a_network_that_is_paused_does_nothing_new() {
    let mut w = World::new();
    let task = w.sampling_task(atoma_types::Rule::Exact, 9);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let stack = w.buy(task, 1_000);
    let call = w.set_param_call("paused", 1);
    w.ok(ADMIN, call);
    let attest = attester_call(&w, task, node);
    let acquire = w.acquire_call(task, 1_000, PRICE, 0);
    let lease = w.lease_call(stack, node, 10);
    let calls: [(u8, Call); 6] = [
        (OPERATOR, register_call(OPERATOR, 100 * USDC).into()),
        (ADMIN, new_task().call(LOCALNET_DB)),
        (OPERATOR, subscribe_call(task, node, PRICE).into()),
        (OPERATOR, attest.into()),
        (USER, acquire.into()),
        (OPERATOR, lease.into()),
    ];
    for (party, call) in calls {
        w.refused(party, call, AbortCode::Paused);
    }
    // what is sold goes on
    let call = w.top_up_call(stack, 500);
    w.ok(USER, call);
    w.ok(USER, begin_close_call(stack));
    w.ok(USER, withdraw_stack_call(stack, USER));
}

#[test]
fn thirty_two_leases_are_as_many_as_a_stack_holds() {
    let mut w = World::new();
    let mut new = new_task();
    new.min_reputation = 101;
    let strict = w.create_task_from(new);
    let task = w.create_task();
    let first = w.register(99, 100 * USDC);
    w.refused(
        99,
        subscribe_call(strict, first, PRICE),
        AbortCode::ReputationBelowTask,
    );
    w.ok(99, subscribe_call(task, first, PRICE));
    let stack = w.buy(task, 1_000);
    for party in 100..133 {
        let node = w.register(party, 100 * USDC);
        w.ok(party, subscribe_call(task, node, PRICE));
        let call = w.lease_call(stack, node, 10);
        if party < 132 {
            w.ok(party, call);
        } else {
            w.refused(party, call, AbortCode::LeasesFull);
        }
    }
}

/// Somebody else's node, task, stack and lease.
#[test]
fn strangers_may_nothing_that_is_an_owner_s() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let other = w.register(STRANGER, 100 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 1_000);
    chain.serve(&w, 500);
    let (stack, settle) = (chain.stack, chain.settle_call());
    let lease = w.lease_call(stack, node, 1_000);
    let release = Hash32([6; 32]);
    let of_node: [Call; 13] = [
        calls::SetNodeUrl {
            node: node.into(),
            url: "http://a".to_owned(),
        }
        .into(),
        calls::SetNodeKeys {
            node: node.into(),
            response_key: key(STRANGER).public_key(),
            sealing_key: None,
        }
        .into(),
        calls::AttestNode {
            node: node.into(),
            kind: 1,
            release,
            evidence: atoma_types::BlobId([1; 32]),
            expires_at_ms: TimestampMs(1),
        }
        .into(),
        collateral_call(node, 1).into(),
        unbond_call(node).into(),
        leave_call(node).into(),
        subscribe_call(task, node, PRICE).into(),
        evict_call(task, node, other, PRICE).into(),
        unsubscribe_call(task, node).into(),
        attester_call(&w, task, node).into(),
        calls::ResignAttester {
            task: task.into(),
            node: node.into(),
        }
        .into(),
        lease.into(),
        release_call(stack, node, 600).into(),
    ];
    for call in of_node {
        w.refused(STRANGER, call, AbortCode::NotNodeOwner);
    }
    let of_task: [Call; 2] = [
        calls::AnnounceRelease {
            db: LOCALNET_DB.into(),
            task: task.into(),
            release,
            clock: Clock,
        }
        .into(),
        calls::WithdrawRelease {
            task: task.into(),
            release,
        }
        .into(),
    ];
    for call in of_task {
        w.refused(STRANGER, call, AbortCode::NotTaskOwner);
    }
    let top_up = w.top_up_call(stack, 1);
    let of_stack: [Call; 3] = [
        top_up.into(),
        calls::Extend {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            by_ms: DurationMs(1),
            clock: Clock,
        }
        .into(),
        calls::SetWatcher {
            stack: stack.into(),
            watcher: None,
        }
        .into(),
    ];
    for call in of_stack {
        w.refused(STRANGER, call, AbortCode::NotStackOwner);
    }
    w.refused(STRANGER, settle, AbortCode::NotLeaseOwner);
}

/// Objects that don't belong together.
#[test]
fn another_task_or_another_node_has_no_part_in_a_stack() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let foreign = w.create_task();
    let other = w.register(OPERATOR, 100 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 1_000);
    chain.serve(&w, 500);
    w.settle(&chain);
    let stack = chain.stack;
    let (receipt, signature) = chain.last_receipt();
    let twice = (receipt, signature);
    let wrong_task = |call: &mut Call| match call {
        Call::Lease(call) => call.task = foreign.into(),
        Call::TopUp(call) => call.task = foreign.into(),
        Call::Claim(call) => call.task = foreign.into(),
        Call::ProveSilence(call) => call.task = foreign.into(),
        Call::ProveEquivocation(call) => call.task = foreign.into(),
        Call::ProveUndisclosed(call) => call.task = foreign.into(),
        Call::DrawExaminer(call) => call.task = foreign.into(),
        Call::DrawJury(call) => call.task = foreign.into(),
        Call::DecideJury(call) => call.task = foreign.into(),
        other => panic!("{other:?}"),
    };
    let calls: [(u8, Call); 9] = [
        (OPERATOR, w.lease_call(stack, node, 1_000).into()),
        (USER, w.top_up_call(stack, 1).into()),
        (STRANGER, w.claim_call(stack, node).into()),
        (STRANGER, w.silence_call(stack, node, 5).into()),
        (
            STRANGER,
            w.equivocation_call(stack, node, twice.clone(), twice.clone())
                .into(),
        ),
        (STRANGER, w.undisclosed_call(stack, node).into()),
        (STRANGER, w.examine_call(stack, node, 1).into()),
        (STRANGER, w.jury_call(stack, node, 1, true).into()),
        (STRANGER, w.decide_call(stack, node, 1, true).into()),
    ];
    for (party, mut call) in calls {
        wrong_task(&mut call);
        w.refused(party, call, AbortCode::WrongTask);
    }
    let settle = calls::Settle {
        holder: other,
        ..chain.settle_call()
    };
    let answer = calls::AnswerDemand {
        holder: other,
        ..answer_call(&chain, 5)
    };
    let calls: [(u8, Call); 8] = [
        (OPERATOR, settle.into()),
        (STRANGER, w.claim_call(stack, other).into()),
        (STRANGER, expire_call(stack, other).into()),
        (USER, w.demand_call(stack, other, 5).into()),
        (STRANGER, answer.into()),
        (STRANGER, w.silence_call(stack, other, 5).into()),
        (
            STRANGER,
            w.equivocation_call(stack, other, twice.clone(), twice)
                .into(),
        ),
        (STRANGER, w.undisclosed_call(stack, other).into()),
    ];
    for (party, call) in calls {
        w.refused(party, call, AbortCode::NoSuchLease);
    }
    let ended = w.claim_call(stack, node);
    w.now += DAY + 1;
    w.ok(STRANGER, ended.clone());
    w.refused(STRANGER, ended, AbortCode::NoTicket);
}
