//! A purchase, and the draw of who may serve it.

use crate::{
    Rule, Txn, db, draw, ensure,
    limits::{MAX_CANDIDATES, MAX_UNITS, MIN_POOL_FEES},
};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId,
    chain::{
        AbortCode, AtomaDb, Params, SamplingTerms, Stack, Task, Terms, VERSION,
        calls::AcquireStack, events::StackAcquired,
    },
};

/// Buys a stack. Draws candidates if it is told to; a draw binds nobody.
pub(crate) fn acquire(txn: &mut Txn<'_>, call: &AcquireStack) -> Rule {
    let db = txn.db(call.db.id())?;
    db::ensure_open(&db)?;
    let task = txn.task(call.task.id())?;
    ensure(!task.is_deprecated(), AbortCode::TaskDeprecated)?;
    ensure(call.nodes <= MAX_CANDIDATES, AbortCode::NodeCountInvalid)?;
    let units = call.total_units;
    ensure((1..=MAX_UNITS).contains(&units.0), AbortCode::UnitsInvalid)?;
    ensure(
        call.max_price.0 > 0 && call.max_price <= task.price_ceiling,
        AbortCode::MaxPriceInvalid,
    )?;
    ensure(
        call.request_key.decode().is_ok(),
        AbortCode::RequestKeyInvalid,
    )?;
    let lives = db.params.min_lifetime_ms..=db.params.max_lifetime_ms;
    ensure(
        lives.contains(&call.lifetime_ms.0),
        AbortCode::LifetimeInvalid,
    )?;
    let escrow = call
        .max_price
        .cost(units)
        .ok_or(AbortCode::EscrowOverflow)?;
    ensure(escrow > MicroUsdc::ZERO, AbortCode::EscrowZero)?;
    ensure(call.payment.0 == escrow, AbortCode::WrongPayment)?;
    let terms = terms(&db.params, &task);
    if let Some(sampling) = &terms.sampling {
        ensure_examined(txn, &db, &task, sampling)?;
    }
    let candidates = draw_candidates(txn, &task, call)?;

    txn.take(escrow)?;
    let stack = Stack {
        id: txn.new_stack_id(),
        version: VERSION,
        owner: txn.sender(),
        watcher: None,
        task: task.id,
        weights: task.weights,
        engine: task.engine,
        request_key: call.request_key,
        max_price: call.max_price,
        terms,
        ungranted: units,
        nonce: 0,
        candidates,
        leases: Vec::new(),
        escrow,
        free: MicroUsdc::ZERO,
        created_at_ms: txn.now(),
        expires_at_ms: txn.now().saturating_add(call.lifetime_ms),
    };
    announce(txn, &stack, units);
    txn.put_stack(stack);
    Ok(())
}

/// What is agreed on: the parameters of this moment.
fn terms(params: &Params, task: &Task) -> Terms {
    let sampling = task.security_level.samples().then_some(SamplingTerms {
        sample_permille: params.sample_permille,
        due: MicroUsdc(params.due),
        attest_fee: MicroUsdc(params.attest_fee),
        verdict_window_ms: DurationMs(params.verdict_window_ms),
        jury_size: params.jury_size,
        jury_quorum: params.jury_quorum,
        examiner_fine: MicroUsdc(params.examiner_fine),
        juror_fine: MicroUsdc(params.juror_fine),
        challenge_bond: MicroUsdc(params.challenge_bond),
        challenge_bond_permille: params.challenge_bond_permille,
    });
    Terms {
        fine_multiple: params.fine_multiple,
        fee_permille: params.protocol_fee_permille,
        dispute_window_ms: DurationMs(params.dispute_window_ms),
        answer_window_ms: DurationMs(params.answer_window_ms),
        settle_grace_ms: DurationMs(params.settle_grace_ms),
        demand_fee: MicroUsdc(params.demand_fee),
        jail_ms: DurationMs(params.jail_ms),
        slash_delay_ms: DurationMs(params.slash_delay_ms),
        sampling,
    }
}

/// What is sold as examined is examined: attesters of others are there, and money for them.
fn ensure_examined(txn: &Txn<'_>, db: &AtomaDb, task: &Task, sampling: &SamplingTerms) -> Rule {
    let (buyer, now) = (txn.sender(), txn.now());
    let there = task
        .subscriptions
        .iter()
        .filter(|subscription| draw::attests(subscription, now, sampling.examiner_fine, &[buyer]))
        .count() as u64;
    let pool = sampling.attest_fee.0.saturating_mul(MIN_POOL_FEES);
    ensure(
        there >= db.params.min_attesters && task.dues.0 >= pool,
        AbortCode::NoExaminers,
    )
}

fn draw_candidates(txn: &Txn<'_>, task: &Task, call: &AcquireStack) -> Rule<Vec<NodeId>> {
    let fits = |place: &usize| {
        draw::eligible(task, &task.subscriptions[*place], call.max_price, txn.now())
    };
    let weights: Vec<Option<u128>> = (0..task.subscriptions.len())
        .map(|place| fits(&place).then(|| draw::weight(&task.subscriptions[place])))
        .collect();
    let someone = weights.iter().any(Option::is_some);
    ensure(someone, AbortCode::NobodyEligible)?;
    let weights = weights.into_iter().map(Option::unwrap_or_default).collect();
    let drawn = draw::draw(txn.seed(), weights, usize::from(call.nodes))
        .ok_or(AbortCode::TooFewEligible)?;
    Ok(drawn
        .into_iter()
        .map(|place| task.subscriptions[place].node)
        .collect())
}

fn announce(txn: &mut Txn<'_>, stack: &Stack, total_units: ComputeUnits) {
    txn.emit(StackAcquired {
        stack: stack.id,
        owner: stack.owner,
        task: stack.task,
        request_key: stack.request_key,
        total_units,
        max_price: stack.max_price,
        escrow: stack.escrow,
        candidates: stack.candidates.clone(),
        expires_at_ms: stack.expires_at_ms,
        settle_grace_ms: stack.terms.settle_grace_ms,
    });
}
