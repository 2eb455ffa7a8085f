//! The package's database, `AtomaDb`: who may set its parameters, and to what.

use crate::{
    Owner, Rule, Txn, ensure,
    limits::{MIN_ANSWER_WINDOW, MIN_EPOCH},
};
use atoma_types::{
    TimestampMs,
    chain::{AbortCode, AtomaDb, Params, calls::SetParam, events::ParamSet},
};

/// Sets one parameter. Only its owner can pass the `AdminCap`, and only values that the rules can
/// work with are taken.
pub(crate) fn set_param(txn: &mut Txn<'_>, call: &SetParam) -> Rule {
    let mut db = txn.db(call.db.id())?;
    let (cap, owner) = txn.admin_cap(call.cap.id())?;
    ensure(owner == Owner::Address(txn.sender()), AbortCode::NotAdmin)?;
    ensure(cap.db == db.id, AbortCode::WrongDatabase)?;
    let limit = Params::limit(&call.name).ok_or(AbortCode::UnknownParam)?;
    ensure(call.value <= limit, AbortCode::ParamTooLarge)?;
    ensure(call.value >= least(&call.name), AbortCode::ParamTooSmall)?;
    ensure(
        db.params.set(&call.name, call.value),
        AbortCode::UnknownParam,
    )?;
    ensure(
        db.params.min_lifetime_ms <= db.params.max_lifetime_ms,
        AbortCode::ParamsContradict,
    )?;
    txn.put_db(db);
    txn.emit(ParamSet {
        name: call.name.clone(),
        value: call.value,
    });
    Ok(())
}

/// The smallest value of a parameter: times are divided by the epoch's length, weights multiply the
/// cap, a stack that lives no time can't be used, and an answer takes some.
fn least(name: &str) -> u64 {
    match name {
        "epoch_ms" => MIN_EPOCH.0,
        "answer_window_ms" => MIN_ANSWER_WINDOW.0,
        "collateral_cap" | "max_lifetime_ms" => 1,
        _ => 0,
    }
}

/// New business stops while the administrator has paused it. Exits never ask.
pub(crate) fn ensure_open(db: &AtomaDb) -> Rule {
    ensure(db.params.paused == 0, AbortCode::Paused)
}

/// The epoch of a moment, and whether its second half has begun.
pub(crate) fn epoch_at(db: &AtomaDb, now: TimestampMs) -> (u64, bool) {
    // genesis may have been given any parameters; set_param keeps to the minimum
    let length = db.params.epoch_ms.max(MIN_EPOCH.0);
    (now.0 / length, now.0 % length >= length / 2)
}
