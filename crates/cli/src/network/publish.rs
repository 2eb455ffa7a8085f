//! `atoma network publish`: the package onto a ledger. Nothing is submitted without `--yes`, and everything can be
//! repeated: what an earlier try has done is found on the ledger and written down.

use crate::{
    output::Output,
    profiles::{self, Profile, Profiles, Rights},
    settings::Settings,
};
use anyhow::{Result, bail};
use atoma_ledger::{CompiledPackage, Ledger, Publication};
use atoma_types::{Address, chain::Surroundings};
use serde_json::json;

pub(super) async fn publish(
    settings: &Settings,
    profiles: &mut Profiles,
    yes: bool,
    again: bool,
    output: &Output,
) -> Result<()> {
    let (name, profile) = settings.named_network()?;
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
    let connection = profiles::connection(profile)
        .await?
        .with_gas(settings.gas_options()?);
    let package = CompiledPackage::for_network(connection.surroundings())?;
    let found = if again {
        None
    } else {
        connection.publication_of(owner, &package).await?
    };
    if found.is_none() && Ledger::connect(&profile.ledger).await.is_ok() {
        bail!(
            "the ledger at {} is a localnet that has the package and takes no other: it is born with the package, \
             unless it was started with --unpublished and this is published",
            profile.ledger
        );
    }
    let (state, publication) = match found {
        Some(found) => ("found", found),
        None => {
            let gas = connection.preview_publish(owner, &package).await?;
            tell_preview(name, owner, gas, &package, output);
            if !yes {
                output.say("nothing was published: repeat it with --yes");
                return Ok(());
            }
            let progress = output.progress("publishing");
            let done = connection.publish(&key, &package).await;
            progress.finish_and_clear();
            ("published", done?)
        }
    };
    let surroundings = connection.surroundings();
    keep(profiles, name, profile, surroundings, &publication)?;
    tell(name, state, &publication, output);
    Ok(())
}

/// What stands on the ledger now.
fn tell(name: &str, state: &str, publication: &Publication, output: &Output) {
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
}

/// What a publication or an upgrade would take.
pub(super) fn tell_preview(
    name: &str,
    owner: Address,
    gas: u64,
    package: &CompiledPackage,
    output: &Output,
) {
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

/// Writes down where the package stands and what its publisher may do.
fn keep(
    profiles: &mut Profiles,
    name: &str,
    profile: &Profile,
    surroundings: &Surroundings,
    publication: &Publication,
) -> Result<()> {
    let package = publication.package;
    let deployment = surroundings.with_package(package, package, publication.db);
    let profile = Profile {
        network: Some(surroundings.network),
        deployment: Some(deployment),
        rights: Some(Rights {
            upgrade_cap: publication.upgrade_cap,
            admin_cap: publication.admin_cap,
        }),
        ..profile.clone()
    };
    profiles.put(name, profile)
}
