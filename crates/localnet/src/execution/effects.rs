//! Turns what a program did into new object versions and effects, gas included.

use super::{
    Malformed, Outcome, Refusal,
    balance_changes::balance_changes,
    gas,
    inputs::Checked,
    program::{CoinKey, Failure, Ran},
    publish,
    resolved::Resolved,
};
use crate::{
    balances::Moves,
    objects::{self, Draft, SUI},
    rules,
    state::{Delta, State},
};
use atoma_contract::Changes;
use atoma_types::{Address, ObjectId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use sui_sdk_types::{
    ChangedObject, Digest, Event, ExecutionError, ExecutionStatus, GasCostSummary, IdOperation,
    Identifier, MovePackage, Object, ObjectIn, ObjectOut, Owner, Transaction, TransactionEffects,
    TransactionEffectsV2, TransactionEvents, UnchangedConsensusKind, UnchangedConsensusObject,
};

/// Objects to write and to delete, before they have versions.
#[derive(Debug, Default)]
struct Writes {
    written: BTreeMap<ObjectId, Draft>,
    deleted: BTreeSet<ObjectId>,
    package: Option<MovePackage>,
}

/// Makes the outcome of a program that ran or failed.
pub(super) fn conclude(
    state: &State,
    transaction: &Transaction,
    checked: &Checked<'_>,
    digest: Digest,
    result: Result<Ran, Failure>,
) -> Result<Outcome, Refusal> {
    let touched = Touched::of(checked);
    let result = match result {
        Ok(ran) => {
            let (changes, moves) = (ran.changes.clone(), ran.moves.clone());
            let writes = writes(state, checked, &touched, digest, ran)?;
            Ok((writes, Some(changes), moves))
        }
        Err(failure) => Err(failure),
    };
    let price = transaction.gas_payment.price;
    let computation = gas::computation(checked.program.commands.len(), price);
    let budget = transaction.gas_payment.budget;
    let done = result.and_then(|(writes, changes, moves)| {
        let (stored, released) = storage(state, &touched, &writes);
        let summary = gas::summary(computation, stored, released);
        if gas::charge(&summary) > i128::from(budget) {
            return Err(Box::new((ExecutionError::InsufficientGas, None)));
        }
        Ok(Done {
            status: ExecutionStatus::Success,
            writes,
            summary,
            changes,
            moves,
        })
    });
    let done = match done {
        Ok(done) => done,
        Err(failure) => {
            let (error, command) = *failure;
            let writes = bumps(checked, &touched)?;
            let (stored, released) = storage(state, &touched, &writes);
            Done {
                status: ExecutionStatus::Failure { error, command },
                writes,
                // nothing grows, so all of it comes back: the charge is the computation, which every
                // budget covers
                summary: GasCostSummary::new(computation, stored, released, 0),
                changes: None,
                moves: Moves::default(),
            }
        }
    };
    finish(state, transaction, checked, digest, &touched, done)
}

/// What came of a program, before gas is charged.
struct Done {
    status: ExecutionStatus,
    writes: Writes,
    summary: GasCostSummary,
    changes: Option<Changes>,
    moves: Moves,
}

/// The objects that a transaction names.
struct Touched {
    /// Those it may change, by id.
    mutable: BTreeMap<ObjectId, Arc<Object>>,
    /// Shared ones that it only reads.
    read: Vec<Arc<Object>>,
    /// The version that everything it writes gets.
    lamport: u64,
}

impl Touched {
    fn of(checked: &Checked<'_>) -> Self {
        let mut mutable = BTreeMap::new();
        let mut read = Vec::new();
        let mut latest = 0;
        for input in &checked.inputs {
            let (object, changes) = match input {
                Resolved::Pure(_) | Resolved::Withdrawal { .. } => continue,
                Resolved::Immutable(object) => {
                    latest = latest.max(object.version());
                    continue;
                }
                Resolved::Owned(object) => (object, true),
                Resolved::Shared { object, mutable } => (object, *mutable),
            };
            latest = latest.max(object.version());
            if changes {
                mutable.insert(object.object_id(), Arc::clone(object));
            } else {
                read.push(Arc::clone(object));
            }
        }
        for object in &checked.gas {
            latest = latest.max(object.version());
            mutable.insert(object.object_id(), Arc::clone(object));
        }
        Self {
            mutable,
            read,
            lamport: latest + 1,
        }
    }
}

fn invariant() -> Refusal {
    Refusal::Malformed(Malformed::Unwritable)
}

/// Everything named is written again in its new version, changed or not.
fn bumps(checked: &Checked<'_>, touched: &Touched) -> Result<Writes, Refusal> {
    let mut writes = Writes::default();
    for (id, object) in &touched.mutable {
        let draft = Draft::of(object).ok_or_else(invariant)?;
        writes.written.insert(*id, draft);
    }
    // the gas coins are smashed even if the program failed
    for object in checked.gas.iter().skip(1) {
        writes.written.remove(&object.object_id());
        writes.deleted.insert(object.object_id());
    }
    Ok(writes)
}

/// What a program that succeeded writes.
fn writes(
    state: &State,
    checked: &Checked<'_>,
    touched: &Touched,
    digest: Digest,
    ran: Ran,
) -> Result<Writes, Refusal> {
    let mut writes = bumps(checked, touched)?;
    for id in ran.spent {
        writes.written.remove(&id);
        writes.deleted.insert(id);
    }
    for (id, to) in ran.given {
        writes.written.get_mut(&id).ok_or_else(invariant)?.owner = Owner::Address(to);
    }
    if let Some(publication) = ran.publication {
        let (cap, draft) = publication.upgrade_cap().ok_or_else(invariant)?;
        writes.written.insert(cap, draft);
        writes.package = Some(publication.package);
    }
    let Changes {
        written,
        deleted,
        payouts,
        created,
        ..
    } = ran.changes;
    for (id, (held, owner)) in written {
        let mut draft = rules::draft(state.deployment(), &held, owner, touched.lamport);
        // an object that was shared before keeps its first version
        if let Some(Owner::Shared(initial)) = state.object(&id).map(|object| *object.owner()) {
            draft.owner = Owner::Shared(initial);
        }
        writes.written.insert(id, draft);
    }
    for id in deleted {
        writes.written.remove(&id);
        writes.deleted.insert(id);
    }
    let mut fresh = Fresh { digest, created };
    for (key, coin) in ran.coins {
        let owner = coin.owner.ok_or_else(invariant)?;
        let id = match key {
            CoinKey::Existing(id) => id,
            CoinKey::New(_) => fresh.id(),
        };
        let draft = Draft::coin(id, coin.coin_type, coin.balance, owner);
        writes.written.insert(id, draft);
    }
    let usdc = &state.deployment().usdc;
    for payout in payouts {
        let id = fresh.id();
        let draft = Draft::coin(id, usdc.clone(), payout.amount.0, payout.to);
        writes.written.insert(id, draft);
    }
    Ok(writes)
}

/// Ids of new objects, which follow from the transaction and how many it has made.
struct Fresh {
    digest: Digest,
    created: u64,
}

impl Fresh {
    fn id(&mut self) -> ObjectId {
        let id = Address::derive_id(self.digest, self.created);
        self.created += 1;
        id
    }
}

/// What written objects hold for storage, and what rewritten and deleted ones held.
fn storage(state: &State, touched: &Touched, writes: &Writes) -> (u64, u64) {
    let package = writes.package.as_ref().map_or(0, objects::package_bytes);
    let stored = writes
        .written
        .values()
        .fold(gas::storage(package), |sum, draft| {
            sum.saturating_add(gas::storage(draft.stored_bytes()))
        });
    let released = writes
        .written
        .keys()
        .chain(&writes.deleted)
        .filter_map(|id| touched.mutable.get(id).or_else(|| state.object(id)))
        .fold(0u64, |sum, object| {
            sum.saturating_add(object.storage_rebate())
        });
    (stored, released)
}

/// The objects as they were before the transaction: those it may change, and those it wrote or deleted.
fn before(state: &State, touched: &Touched, writes: &Writes) -> BTreeMap<ObjectId, Arc<Object>> {
    let mut old = touched.mutable.clone();
    for id in writes.written.keys().chain(&writes.deleted) {
        if let Some(object) = state.object(id) {
            old.entry(*id).or_insert_with(|| Arc::clone(object));
        }
    }
    old
}

/// Charges the gas, gives everything its version and writes the effects.
fn finish(
    state: &State,
    transaction: &Transaction,
    checked: &Checked<'_>,
    digest: Digest,
    touched: &Touched,
    done: Done,
) -> Result<Outcome, Refusal> {
    let Done {
        status,
        mut writes,
        summary,
        changes,
        mut moves,
    } = done;
    let gas_id = checked.gas.first().map(|coin| coin.object_id());
    let succeeded = matches!(status, ExecutionStatus::Success);
    let payer = transaction.gas_payment.owner;
    match gas_id {
        Some(id) => charge(&mut writes, id, checked, transaction, &summary, succeeded)?,
        None => moves.add(payer, SUI.clone(), -gas::charge(&summary)),
    }
    let old = before(state, touched, &writes);
    // what was both made and consumed inside leaves no trace
    writes.deleted.retain(|id| old.contains_key(id));
    let mut deleted: Vec<ObjectId> = writes.deleted.iter().copied().collect();
    let Trace {
        mut changed,
        types,
        mut written,
    } = trace(writes, &old, touched.lamport, digest)?;
    let balance_changes = balance_changes(&old, &written, &deleted, &moves);
    let settled = moves
        .settle(|id| state.object(id), touched.lamport, digest)
        .ok_or_else(invariant)?;
    changed.extend(settled.changed);
    changed.sort_by_key(|change| change.object_id);
    written.extend(settled.written);
    deleted.extend(settled.deleted);
    let told = changes.as_ref();
    let told = told.map(|changes| events(state, transaction.sender, changes));
    let events = told.transpose()?.flatten();
    let mut ids = changed.iter().map(|change| Some(change.object_id));
    let gas_index = ids.position(|id| id == gas_id);
    let effects = TransactionEffects::V2(Box::new(TransactionEffectsV2 {
        status,
        epoch: 0,
        gas_used: summary,
        transaction_digest: digest,
        gas_object_index: gas_index.and_then(|index| u32::try_from(index).ok()),
        events_digest: events.as_ref().map(TransactionEvents::digest),
        dependencies: dependencies(touched),
        lamport_version: touched.lamport,
        changed_objects: changed,
        unchanged_consensus_objects: unchanged(&touched.read),
        auxiliary_data_digest: None,
    }));
    Ok(Outcome {
        effects,
        events,
        balance_changes,
        types,
        delta: Delta {
            digest,
            written,
            deleted,
            changes,
        },
    })
}

/// What is left of the writes: as effects tell it, and as it is stored.
struct Trace {
    changed: Vec<ChangedObject>,
    types: Vec<(ObjectId, String)>,
    written: Vec<Arc<Object>>,
}

fn trace(
    writes: Writes,
    old: &BTreeMap<ObjectId, Arc<Object>>,
    lamport: u64,
    digest: Digest,
) -> Result<Trace, Refusal> {
    let (mut changed, mut types) = (Vec::new(), Vec::new());
    let mut written = Vec::with_capacity(writes.written.len());
    for (id, draft) in writes.written {
        let rebate = gas::storage(draft.stored_bytes());
        let object = draft.seal(lamport, digest, rebate).ok_or_else(invariant)?;
        let before = old.get(&id);
        types.push((id, objects::type_name(&object)));
        changed.push(ChangedObject {
            object_id: id,
            input_state: before.map_or(ObjectIn::NotExist, |object| state_in(object)),
            output_state: ObjectOut::ObjectWrite {
                digest: object.digest(),
                owner: *object.owner(),
            },
            id_operation: match before {
                Some(_) => IdOperation::None,
                None => IdOperation::Created,
            },
        });
        written.push(object);
    }
    if let Some(package) = writes.package {
        let object = publish::seal(package, digest);
        types.push((object.object_id(), objects::type_name(&object)));
        changed.push(publish::change(&object));
        written.push(object);
    }
    for id in writes.deleted {
        let before = &old[&id];
        types.push((id, objects::type_name(before)));
        changed.push(ChangedObject {
            object_id: id,
            input_state: state_in(before),
            output_state: ObjectOut::NotExist,
            id_operation: IdOperation::Deleted,
        });
    }
    types.sort();
    Ok(Trace {
        changed,
        types,
        written,
    })
}

/// The transactions that wrote what this one read or changed.
fn dependencies(touched: &Touched) -> Vec<Digest> {
    let objects = touched.mutable.values().chain(&touched.read);
    let digests = objects.map(|object| object.previous_transaction());
    let digests: BTreeSet<Digest> = digests.filter(|digest| *digest != Digest::ZERO).collect();
    digests.into_iter().collect()
}

/// Takes the charge out of the gas coin, which the program saw without the budget.
fn charge(
    writes: &mut Writes,
    gas_id: ObjectId,
    checked: &Checked<'_>,
    transaction: &Transaction,
    summary: &GasCostSummary,
    succeeded: bool,
) -> Result<(), Refusal> {
    let draft = writes.written.get_mut(&gas_id).ok_or_else(invariant)?;
    let before = if succeeded {
        let balance = draft.contents.get(32..40).and_then(|b| b.try_into().ok());
        let seen = u64::from_le_bytes(balance.ok_or_else(invariant)?);
        i128::from(seen) + i128::from(transaction.gas_payment.budget)
    } else {
        i128::from(checked.gas_balance)
    };
    let after = u64::try_from(before - gas::charge(summary)).map_err(|_| invariant())?;
    draft.contents = objects::coin_contents(gas_id, after);
    Ok(())
}

fn state_in(object: &Object) -> ObjectIn {
    ObjectIn::Exist {
        version: object.version(),
        digest: object.digest(),
        owner: *object.owner(),
    }
}

fn unchanged(read: &[Arc<Object>]) -> Vec<UnchangedConsensusObject> {
    read.iter()
        .map(|object| UnchangedConsensusObject {
            object_id: object.object_id(),
            kind: UnchangedConsensusKind::ReadOnlyRoot {
                version: object.version(),
                digest: object.digest(),
            },
        })
        .collect()
}

/// What the contract told; `None` where it told nothing.
fn events(
    state: &State,
    sender: Address,
    changes: &Changes,
) -> Result<Option<TransactionEvents>, Refusal> {
    if changes.events.is_empty() {
        return Ok(None);
    }
    let deployment = state.deployment();
    let events = changes.events.iter().map(|event| {
        Ok(Event {
            package_id: deployment.address_of(event.package()),
            module: Identifier::new(event.module()).map_err(|_| invariant())?,
            sender,
            type_: deployment.event_type(event),
            contents: event.to_bytes(),
        })
    });
    let events = events.collect::<Result<_, Refusal>>()?;
    Ok(Some(TransactionEvents(events)))
}

/// The coin that pays in simulations that name no gas.
pub(crate) fn mock_gas(owner: Address) -> Option<Arc<Object>> {
    // far from the largest number, so that splits and refunds stay within it
    const BALANCE: u64 = 1_000_000_000_000_000_000;
    let id = Address::new([0xff; 32]);
    Draft::coin(id, SUI.clone(), BALANCE, owner).seal(1, Digest::ZERO, 0)
}
