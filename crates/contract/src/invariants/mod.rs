//! What must hold after every transaction, whatever anyone called. Tests check it after each random
//! call; localnet may as a debug check.

mod index;
mod money;
mod nodes;
mod stacks;
mod tasks;
mod violation;

pub use money::{Flow, held};
pub use violation::Violation;

use crate::{State, limits::MAX_EPOCHS_AHEAD};
use atoma_types::chain::{AtomaDb, Blob, Table, WalrusSystem};
use index::Index;
use std::collections::BTreeSet;
use violation::must;

/// Checks every object and how they fit together.
///
/// # Errors
/// The first rule that does not hold.
pub fn check(state: &State) -> Result<(), Violation> {
    let index = Index::new(state);
    for stack in &index.stacks {
        stacks::check(stack)?;
        must(
            index.tasks.contains_key(&stack.task),
            &stack.id,
            "a stack has its task",
        )?;
    }
    for task in index.tasks.values() {
        tasks::check(&index, task)?;
    }
    for node in index.nodes.values() {
        nodes::check(&index, node)?;
    }
    for blob in &index.blobs {
        must(
            index.walrus.is_some_and(|system| fits(blob, system)),
            &blob.id,
            "a blob's epochs follow each other",
        )?;
    }
    for db in &index.dbs {
        check_book(&index, db)?;
        check_tables(&index, db)?;
    }
    Ok(())
}

/// A blob is registered, then certified before its storage ends, and kept no longer than may be.
fn fits(blob: &Blob, system: &WalrusSystem) -> bool {
    let storage = &blob.storage;
    let certified = blob.certified_epoch;
    storage.start_epoch == blob.registered_epoch
        && blob.registered_epoch <= system.epoch
        && certified.is_none_or(|epoch| (blob.registered_epoch..storage.end_epoch).contains(&epoch))
        && certified.is_none_or(|epoch| epoch <= system.epoch)
        && storage.end_epoch > storage.start_epoch
        && storage.end_epoch.saturating_sub(system.epoch) <= MAX_EPOCHS_AHEAD
}

/// The treasury can pay all that is reported.
fn check_book(index: &Index<'_>, db: &AtomaDb) -> Result<(), Violation> {
    let unpaid: u128 = index
        .nodes
        .values()
        .filter(|node| node.reported.epoch == db.book.epoch)
        .map(|node| u128::from(node.reported.fees.0))
        .sum();
    let all = u128::from(db.book.fees.0);
    must(unpaid <= all, &db.id, "reports are within their sum")?;
    let pool = db.book.pool.unwrap_or_default();
    let owed = u128::from(pool.0) * unpaid / all.max(1);
    must(
        owed <= u128::from(db.communal_treasury.0),
        &db.id,
        "the treasury holds what it owes",
    )
}

fn check_tables(index: &Index<'_>, db: &AtomaDb) -> Result<(), Violation> {
    let live = index.tasks.values().filter(|task| !task.is_deprecated());
    let models: BTreeSet<_> = live.map(|task| &task.model_name).collect();
    let sized = |table: &Table, size: usize| {
        let entries = index.entries.get(&table.id).copied().unwrap_or_default();
        must(
            table.size == entries && entries == size as u64,
            &table.id,
            "a table holds what it should",
        )
    };
    sized(&db.nodes, index.nodes.len())?;
    sized(&db.tasks, index.tasks.len())?;
    sized(&db.models, models.len())
}
