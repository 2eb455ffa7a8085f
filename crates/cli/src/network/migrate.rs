//! `atoma network migrate`: objects of an old version of the package over to the newest. Anyone may once the database
//! is over, and loses nothing by it: what a stack was bought under stays in the stack.

use crate::{output::Output, settings::Settings};
use anyhow::{Context, Result};
use atoma_ledger::Ledger;
use atoma_types::{ObjectId, chain::ObjectKind};
use serde_json::json;

/// Those that have a version and can be taken over by anyone.
const KINDS: [ObjectKind; 3] = [ObjectKind::Node, ObjectKind::Task, ObjectKind::Stack];

pub(super) async fn migrate(
    settings: &Settings,
    objects: &[ObjectId],
    output: &Output,
) -> Result<()> {
    let ledger = settings.ledger().await?;
    let mut known = Vec::new();
    for &object in objects {
        known.push((kind(&ledger, object).await?, object));
    }
    let taken = ledger.migrate_objects(&settings.key()?, &known).await?;
    output.object(vec![
        ("taken_over", json!(taken)),
        ("already_current", json!(known.len() - taken)),
    ]);
    Ok(())
}

async fn kind(ledger: &Ledger, object: ObjectId) -> Result<ObjectKind> {
    let found = ledger.type_of(object).await?;
    let found = found.with_context(|| format!("there is no object {object}"))?;
    let mut kinds = KINDS.into_iter();
    let kind = kinds.find(|kind| ledger.deployment().type_of(*kind) == found);
    kind.with_context(|| {
        format!("{object} is a {found}, neither node, task nor stack of this network")
    })
}
