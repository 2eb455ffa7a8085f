//! `atoma network upgrade`: the package to this program's version, and what stands on the ledger with it.
//! Nothing is submitted without `--yes`, and everything can be repeated.

use super::publish::tell_preview;
use crate::{
    output::Output,
    profiles::{self, Profile, Profiles},
    settings::Settings,
};
use anyhow::{Context, Result, bail};
use atoma_keys::SigningKey;
use atoma_ledger::{CompiledPackage, Ledger, UpgradeCap};
use atoma_types::{
    Address, ObjectId,
    chain::{Deployment, ObjectKind},
};
use serde_json::json;

/// The version of the rules that everything is born with.
const FIRST_RULES: u64 = 1;

pub(super) async fn upgrade(
    settings: &Settings,
    profiles: &mut Profiles,
    yes: bool,
    output: &Output,
) -> Result<()> {
    let (name, profile) = settings.named_network()?;
    let deployment = profile
        .deployment
        .clone()
        .with_context(|| format!("nothing is published on {name}: `atoma network publish`"))?;
    let key = settings.key()?;
    let owner = key.public_key().address();
    let connection = profiles::connection(profile)
        .await?
        .with_gas(settings.gas_options()?);
    // Walrus may have been upgraded meanwhile
    let deployment = Deployment {
        walrus: connection.surroundings().walrus.clone(),
        ..deployment
    };
    let ledger = connection.bind(deployment.clone())?;
    let package = CompiledPackage::for_network(ledger.surroundings())?;
    let cap = right(&ledger, owner, deployment.original_package).await?;
    let standing = ledger.published(cap.package).await?;
    let standing = standing.with_context(|| format!("there is no package {}", cap.package))?;
    let current = standing.is_ours(ledger.surroundings())? == Some(true);
    if !current {
        let gas = ledger.preview_upgrade(owner, &package, &cap).await?;
        tell_preview(name, owner, gas, &package, output);
    }
    if !yes {
        output.say(if current {
            "the ledger has this program's version: there is nothing to upgrade"
        } else {
            "nothing was upgraded: repeat it with --yes"
        });
        if !current || cap.package == deployment.package {
            return Ok(());
        }
    }
    let newest = if current {
        cap.package
    } else {
        let progress = output.progress("upgrading");
        let done = ledger.upgrade(&key, &package, &cap).await;
        progress.finish_and_clear();
        done?
    };
    let deployment = Deployment {
        package: newest,
        ..deployment
    };
    let ledger = ledger.bind(deployment.clone())?;
    profiles.put(
        name,
        Profile {
            deployment: Some(deployment),
            ..profile.clone()
        },
    )?;
    // written down first: taking objects over can be repeated
    let taken = if yes {
        take_over(&ledger, &key).await?
    } else {
        0
    };
    output.object(vec![
        ("network", json!(name)),
        ("state", json!(if current { "current" } else { "upgraded" })),
        ("package", json!(newest)),
        ("version", json!(ledger.upgrade_cap(cap.id).await?.version)),
        ("taken_over", json!(taken)),
    ]);
    Ok(())
}

/// Brings the database, and after it nodes and tasks, to the rules' newest version; says how many were of an
/// older one. Stacks are brought over by who uses them.
async fn take_over(ledger: &Ledger, key: &SigningKey) -> Result<usize> {
    let owner = key.public_key().address();
    let admin = ledger.admin_cap(owner).await?.with_context(|| {
        format!(
            "{owner} has no AdminCap: its holder must run `atoma network upgrade --yes` as well"
        )
    })?;
    let db = usize::from(ledger.migrate_db(key, admin.id).await?);
    if ledger.db().await?.version == FIRST_RULES {
        return Ok(db);
    }
    let nodes = ledger.all_nodes().await?;
    let tasks = ledger.all_tasks().await?;
    let nodes = nodes.iter().map(|node| (ObjectKind::Node, node.id.0));
    let tasks = tasks.iter().map(|task| (ObjectKind::Task, task.id.0));
    let objects: Vec<_> = nodes.chain(tasks).collect();
    Ok(db + ledger.migrate_objects(key, &objects).await?)
}

/// The address's right to upgrade the package.
async fn right(ledger: &Ledger, owner: Address, original: ObjectId) -> Result<UpgradeCap> {
    for cap in ledger.upgrade_caps(owner).await? {
        let package = ledger.published(cap.package).await?;
        if package.is_some_and(|package| package.original == original) {
            return Ok(cap);
        }
    }
    bail!("{owner} has no right to upgrade the package {original}: its UpgradeCap is elsewhere")
}
