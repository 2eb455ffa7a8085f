//! Releases that nodes of a confidential task may attest. They are public for a while before they are
//! good, and withdrawn at once.

use crate::{Rule, Txn, ensure, limits::MAX_RELEASES};
use atoma_types::{
    DurationMs,
    chain::{
        AbortCode, Release,
        calls::{AnnounceRelease, WithdrawRelease},
        events::{ReleaseAnnounced, ReleaseWithdrawn},
    },
};

/// The owner announces one.
pub(crate) fn release(txn: &mut Txn<'_>, call: &AnnounceRelease) -> Rule {
    let db = txn.db(call.db.id())?;
    let mut task = txn.own_task(call.task.id())?;
    ensure(
        task.security_level.confidential(),
        AbortCode::NotConfidential,
    )?;
    let mut known = task.releases.iter();
    ensure(
        known.all(|release| release.digest != call.release),
        AbortCode::ReleasedAlready,
    )?;
    ensure(task.releases.len() < MAX_RELEASES, AbortCode::ReleasesFull)?;
    let delay = DurationMs(db.params.release_delay_ms);
    let release = Release {
        digest: call.release,
        from_ms: txn.now().saturating_add(delay),
    };
    task.releases.push(release);
    txn.emit(ReleaseAnnounced {
        task: task.id,
        release: release.digest,
        from_ms: release.from_ms,
    });
    txn.put_task(task);
    Ok(())
}

/// The owner withdraws one. No further lease rests on it.
pub(crate) fn withdraw_release(txn: &mut Txn<'_>, call: &WithdrawRelease) -> Rule {
    let mut task = txn.own_task(call.task.id())?;
    let before = task.releases.len();
    task.releases
        .retain(|release| release.digest != call.release);
    ensure(task.releases.len() < before, AbortCode::NoSuchRelease)?;
    txn.emit(ReleaseWithdrawn {
        task: task.id,
        release: call.release,
    });
    txn.put_task(task);
    Ok(())
}
