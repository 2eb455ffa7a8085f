//! Purchases, grants, leases.

use super::{codes::Scene, market::weak_key};
use crate::world::*;
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NetworkId, NodeId, ObjectId, Price, StackId, TimestampMs,
    chain::{AbortCode::*, Clock, LOCALNET_DB, Payment, calls},
};

pub(crate) fn scenes() {
    purchases();
    grants();
    changes();
}

fn purchases() {
    let mut w = World::new();
    let task = w.create_task();
    w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let sampling = w.sampling_task(atoma_types::Rule::Exact, 8);
    let mut s = Scene::new(w);
    let good = s.w.acquire_call(task, 1_000, PRICE, 0);
    let with = |units, price, nodes| s.w.acquire_call(task, units, price, nodes);
    let cases = [
        (UnitsInvalid, with(0, PRICE, 0)),
        (UnitsInvalid, with((1 << 50) + 1, PRICE, 0)),
        (NodeCountInvalid, with(1_000, PRICE, 17)),
        (MaxPriceInvalid, with(1_000, 0, 0)),
        (MaxPriceInvalid, with(1_000, 10_000_001, 0)),
        (EscrowZero, with(1, 999_999, 0)),
        (NobodyEligible, with(1_000, PRICE - 1, 0)),
        (TooFewEligible, with(1_000, PRICE, 2)),
        (NoExaminers, s.w.acquire_call(sampling, 1_000, PRICE, 0)),
    ];
    for (code, call) in cases {
        s.case(code, USER, call);
    }
    s.case(
        RequestKeyInvalid,
        USER,
        calls::AcquireStack {
            request_key: weak_key(),
            ..good
        },
    );
    s.case(
        LifetimeInvalid,
        USER,
        calls::AcquireStack {
            lifetime_ms: DurationMs(HOUR - 1),
            ..good
        },
    );
    s.case(
        WrongPayment,
        USER,
        calls::AcquireStack {
            payment: Payment(MicroUsdc(999)),
            ..good
        },
    );
    s.play();
    // more than there can be
    let mut dear = new_task();
    dear.price_ceiling = Price(u64::MAX);
    let dear = s.w.create_task_from(dear);
    let call = s.w.acquire_call(dear, 1 << 50, u64::MAX, 0);
    s.case(EscrowOverflow, USER, call);
    s.play();
}

fn grants() {
    let mut w = World::new();
    let task = w.create_task();
    let other_task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let other = w.serve(OPERATOR + 1, task, PRICE, 1_000 * USDC);
    let stack = w.buy(task, USDC);
    let mut s = Scene::new(w);
    let grant = s.w.grant_of(stack, node, 1_000);
    let mut wrong = Vec::new();
    for (code, change) in [
        (
            GrantWrongNetwork,
            &(|g: &mut atoma_types::message::Grant| g.network = NetworkId([1; 32]))
                as &dyn Fn(&mut atoma_types::message::Grant),
        ),
        (GrantExpired, &|g| g.expires_at_ms = TimestampMs(1)),
        (GrantRevoked, &|g| g.nonce = 1),
        (PriceAboveMax, &|g| g.max_price = Price(PRICE - 1)),
        (GrantNotHigher, &|g| g.cumulative_units = ComputeUnits(0)),
        (LeasesExceedStack, &|g| {
            g.cumulative_units = ComputeUnits(USDC + 1);
        }),
    ] {
        let mut changed = grant.clone();
        change(&mut changed);
        wrong.push((code, s.w.lease_call_of(&changed, USER)));
    }
    let good = s.w.lease_call_of(&grant, USER);
    wrong.push((GrantBadSignature, s.w.lease_call_of(&grant, STRANGER)));
    wrong.push((
        GrantInvalid,
        calls::Lease {
            grant: vec![1, 2, 3],
            ..good.clone()
        },
    ));
    let mut changed = grant.clone();
    changed.stack = StackId(ObjectId::new([1; 32]));
    let elsewhere = signed_grant(&changed);
    wrong.push((
        GrantWrongStack,
        calls::Lease {
            grant: elsewhere.0,
            signature: elsewhere.1,
            ..good
        },
    ));
    changed = grant;
    changed.node = NodeId(ObjectId::new([1; 32]));
    let elsewhere = signed_grant(&changed);
    wrong.push((
        GrantWrongNode,
        calls::Lease {
            grant: elsewhere.0,
            signature: elsewhere.1,
            ..good
        },
    ));
    wrong.push((
        WrongTask,
        calls::Lease {
            task: other_task.into(),
            ..good.clone()
        },
    ));
    for (code, call) in wrong {
        s.case(code, OPERATOR, call);
    }
    s.play();
    // drawn stacks take the drawn alone
    let call = s.w.acquire_call(task, 1_000, PRICE, 1);
    let drawn = bought(&s.w.ok(USER, call));
    let candidate = s.w.stack(drawn).candidates[0];
    let (outsider, party) = if candidate == node {
        (other, OPERATOR + 1)
    } else {
        (node, OPERATOR)
    };
    let call = s.w.lease_call(drawn, outsider, 1_000);
    s.case(NotCandidate, party, call);
    s.play();
    // as many leases as there can be
    s.w.grant(OPERATOR + 1, stack, other, 1);
    s.w.edit(stack, |object| match object {
        atoma_contract::Object::Stack(stack) => {
            let mut one = stack.leases[0].clone();
            one.closed = true;
            stack.leases.resize(32, one);
        }
        _ => panic!("not a stack"),
    });
    let call = s.w.lease_call(stack, node, 1_000);
    s.case(LeasesFull, OPERATOR, call);
    s.play();
    s.w.now += DAY;
    s.case(StackExpired, OPERATOR, good);
    s.play();
}

fn signed_grant(grant: &atoma_types::message::Grant) -> (Vec<u8>, Vec<u8>) {
    let signed = atoma_types::message::Signed::new(grant.clone(), &key(USER));
    (signed.bytes().to_vec(), signed.signature().to_bytes())
}

fn changes() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 100 * USDC);
    let stack = w.buy(task, 20 * USDC);
    let mut s = Scene::new(w);
    s.case(StackNotExpired, STRANGER, revoke_call(stack));
    s.case(NotStackOwner, STRANGER, begin_close_call(stack));
    s.case(NothingToWithdraw, USER, withdraw_stack_call(stack, USER));
    s.case(NoSuchLease, OPERATOR, release_call(stack, node, 0));
    let call = s.w.top_up_call(stack, 0);
    s.case(UnitsInvalid, USER, call);
    let mut call = s.w.top_up_call(stack, 5);
    call.payment.0.0 += 1;
    s.case(WrongPayment, USER, call);
    let extend = |by_ms| calls::Extend {
        db: LOCALNET_DB.into(),
        stack: stack.into(),
        by_ms: DurationMs(by_ms),
        clock: Clock,
    };
    s.case(ExtensionInvalid, USER, extend(0));
    s.case(ExtensionInvalid, USER, extend(90 * DAY));
    let call = s.w.lease_call(stack, node, 10 * USDC + 1);
    s.case(CollateralBusy, OPERATOR, call);
    s.play();
    s.w.grant(OPERATOR, stack, node, 10 * USDC);
    s.case(
        ReleaseInvalid,
        OPERATOR,
        release_call(stack, node, 10 * USDC),
    );
    s.case(DeadlineNotPassed, STRANGER, expire_call(stack, node));
    s.play();
    s.w.ok(USER, revoke_call(stack));
    s.w.ok(OPERATOR, release_call(stack, node, 0));
    s.w.ok(USER, begin_close_call(stack));
    s.w.ok(STRANGER, expire_call(stack, node));
    s.case(LeaseClosed, STRANGER, expire_call(stack, node));
    s.play();
}
