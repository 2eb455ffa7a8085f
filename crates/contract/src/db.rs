//! The package's database, `AtomaDb`: who may set its parameters, and to what.

use crate::{Owner, Rule, Txn, ensure, limits::EPOCH_MS};
use atoma_types::{
    ObjectId, TimestampMs,
    chain::{
        AbortCode, AtomaDb, Params,
        calls::{SetDevelopment, SetParam},
        events::{DevelopmentSet, ParamSet},
    },
};

/// Sets one parameter. Only its owner can pass the `AdminCap`, and only values that the rules can
/// work with are taken.
pub(crate) fn set_param(txn: &mut Txn<'_>, call: &SetParam) -> Rule {
    let mut db = administered(txn, call.db.id(), call.cap.id())?;
    let (floor, cap) = Params::bounds(&call.name).ok_or(AbortCode::UnknownParam)?;
    ensure(call.value <= cap, AbortCode::ParamTooLarge)?;
    ensure(
        call.value >= floor || db.development,
        AbortCode::ParamTooSmall,
    )?;
    ensure(
        db.params.set(&call.name, call.value),
        AbortCode::UnknownParam,
    )?;
    ensure(
        db.development || db.params.fit(),
        AbortCode::ParamsContradict,
    )?;
    txn.put_db(db);
    txn.emit(ParamSet {
        name: call.name.clone(),
        value: call.value,
    });
    Ok(())
}

/// Takes the floors away, before anybody could have relied on them.
pub(crate) fn set_development(txn: &mut Txn<'_>, call: &SetDevelopment) -> Rule {
    let mut db = administered(txn, call.db.id(), call.cap.id())?;
    ensure(db.nodes.size == 0 && db.tasks.size == 0, AbortCode::InUse)?;
    db.development = true;
    txn.put_db(db);
    txn.emit(DevelopmentSet { development: true });
    Ok(())
}

/// The database, if the sender holds its `AdminCap`.
pub(crate) fn administered(txn: &Txn<'_>, db: ObjectId, cap: ObjectId) -> Rule<AtomaDb> {
    let db = txn.db(db)?;
    let (cap, owner) = txn.admin_cap(cap)?;
    ensure(owner == Owner::Address(txn.sender()), AbortCode::NotAdmin)?;
    ensure(cap.db == db.id, AbortCode::WrongDatabase)?;
    Ok(db)
}

/// New business stops while the administrator has paused it. Exits never ask.
pub(crate) fn ensure_open(db: &AtomaDb) -> Rule {
    ensure(db.params.paused == 0, AbortCode::Paused)
}

/// The treasury's epoch of a moment.
pub(crate) fn epoch(now: TimestampMs) -> u64 {
    now.0 / EPOCH_MS
}

/// Whether the second half of the moment's epoch has begun.
pub(crate) fn second_half(now: TimestampMs) -> bool {
    now.0 % EPOCH_MS >= EPOCH_MS / 2
}
