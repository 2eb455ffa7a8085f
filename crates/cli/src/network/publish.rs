//! Publishing the package and upgrading it. Nothing is submitted without `--yes`, and everything can be
//! repeated: what an earlier try has done is found on the ledger and written down.

use super::{
    NONE_NAMED,
    profile::{Profile, Profiles, Rights},
    unbound,
};
use crate::{output::Output, settings::Settings};
use anyhow::{Context, Result, bail};
use atoma_ledger::{CompiledPackage, Ledger, Publication, UpgradeCap};
use atoma_types::{
    Address, ObjectId, SigningKey,
    chain::{Deployment, ObjectKind},
};
use serde_json::json;

/// The version of the rules that everything is born with.
const FIRST_RULES: u64 = 1;

pub(crate) async fn publish(
    settings: &Settings,
    profiles: &mut Profiles,
    yes: bool,
    again: bool,
    output: &Output,
) -> Result<()> {
    let (name, profile) = settings.network.clone().context(NONE_NAMED)?;
    if let Some(deployment) = profile.deployment.as_ref().filter(|_| !again) {
        output.object(vec![
            ("network", json!(name)),
            ("state", json!("published already")),
            ("package", json!(deployment.package)),
            ("db", json!(deployment.db)),
        ]);
        output.say("`atoma network upgrade` brings it to this program's version; --again publishes another");
        return Ok(());
    }
    let key = settings.key()?;
    let owner = key.public_key().address();
    let ledger = unbound(&profile).await?.with_gas(settings.gas_options()?);
    let package = CompiledPackage::for_network(ledger.deployment())?;
    let found = if again {
        None
    } else {
        ledger.publication_of(owner, &package).await?
    };
    if found.is_none() && Ledger::connect(&profile.ledger).await.is_ok() {
        bail!(
            "the ledger at {} is a localnet that has the package and takes no other: it is born with the package, \
             unless it was started with --unpublished and this is published",
            profile.ledger
        );
    }
    let state = match &found {
        Some(_) => "found",
        None => "published",
    };
    let publication = match found {
        Some(found) => found,
        None => {
            let gas = ledger.preview_publish(owner, &package).await?;
            tell_preview(&name, owner, gas, &package, output);
            if !yes {
                output.say("nothing was published: repeat it with --yes");
                return Ok(());
            }
            let progress = output.progress("publishing");
            let done = ledger.publish(&key, &package).await;
            progress.finish_and_clear();
            done?
        }
    };
    keep(profiles, &name, profile, ledger.deployment(), &publication)?;
    output.object(vec![
        ("network", json!(name)),
        ("state", json!(state)),
        ("transaction", json!(publication.digest.to_string())),
        ("package", json!(publication.package)),
        ("db", json!(publication.db)),
        ("admin_cap", json!(publication.admin_cap)),
        ("upgrade_cap", json!(publication.upgrade_cap)),
    ]);
    output.say("next: `atoma network doctor`");
    Ok(())
}

fn tell_preview(name: &str, owner: Address, gas: u64, package: &CompiledPackage, output: &Output) {
    let bytes: usize = package.modules().iter().map(Vec::len).sum();
    output.object(vec![
        ("network", json!(name)),
        ("state", json!("tried out")),
        ("administrator", json!(owner)),
        ("modules", json!(package.modules().len())),
        ("bytes", json!(bytes)),
        ("gas_mist", json!(gas)),
    ]);
}

fn keep(
    profiles: &mut Profiles,
    name: &str,
    profile: Profile,
    ledger: &Deployment,
    publication: &Publication,
) -> Result<()> {
    let deployment = Deployment {
        package: publication.package,
        original_package: publication.package,
        db: publication.db,
        ..ledger.clone()
    };
    let profile = Profile {
        network: Some(ledger.network),
        deployment: Some(deployment),
        rights: Some(Rights {
            upgrade_cap: publication.upgrade_cap,
            admin_cap: publication.admin_cap,
        }),
        ..profile
    };
    profiles.put(name, profile)
}

pub(crate) async fn upgrade(
    settings: &Settings,
    profiles: &mut Profiles,
    yes: bool,
    output: &Output,
) -> Result<()> {
    let (name, profile) = settings.network.clone().context(NONE_NAMED)?;
    let deployment = profile
        .deployment
        .clone()
        .with_context(|| format!("nothing is published on {name}: `atoma network publish`"))?;
    let key = settings.key()?;
    let owner = key.public_key().address();
    let ledger = unbound(&profile).await?.with_gas(settings.gas_options()?);
    // Walrus may have been upgraded meanwhile
    let deployment = Deployment {
        walrus: ledger.deployment().walrus.clone(),
        ..deployment
    };
    let ledger = ledger.with_deployment(deployment.clone());
    let package = CompiledPackage::for_network(&deployment)?;
    let cap = right(&ledger, owner, deployment.original_package).await?;
    let standing = ledger.published(cap.package).await?;
    let standing = standing.with_context(|| format!("there is no package {}", cap.package))?;
    let current = standing.is_ours(&deployment)? == Some(true);
    if !current {
        let gas = ledger.preview_upgrade(owner, &package, &cap).await?;
        tell_preview(&name, owner, gas, &package, output);
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
    let ledger = ledger.with_deployment(deployment.clone());
    profiles.put(
        &name,
        Profile {
            deployment: Some(deployment),
            ..profile
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
