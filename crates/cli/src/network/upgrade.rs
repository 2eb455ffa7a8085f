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
    chain::{AbortCode, Deployment, ObjectKind},
};
use serde_json::json;

/// The version of the rules that everything is born with.
const FIRST_RULES: u64 = 1;

/// The package as it stands on a network, and this program's.
struct Standing {
    name: String,
    profile: Profile,
    /// Of whoever holds the right to upgrade.
    key: SigningKey,
    deployment: Deployment,
    ledger: Ledger,
    package: CompiledPackage,
    cap: UpgradeCap,
    /// The ledger has this program's version.
    current: bool,
}

impl Standing {
    async fn of(settings: &Settings) -> Result<Self> {
        let (name, profile) = settings.named_network()?;
        let deployment = profile
            .deployment
            .clone()
            .with_context(|| format!("nothing is published on {name}: `atoma network publish`"))?;
        let key = settings.key()?;
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
        let owner = key.public_key().address();
        let cap = right(&ledger, owner, deployment.original_package).await?;
        let published = ledger.published(cap.package).await?;
        let published =
            published.with_context(|| format!("there is no package {}", cap.package))?;
        let current = published.is_ours(ledger.surroundings())? == Some(true);
        Ok(Self {
            name: name.to_owned(),
            profile: profile.clone(),
            key,
            deployment,
            ledger,
            package,
            cap,
            current,
        })
    }

    /// Makes this program's version the ledger's, and says under which id it stands.
    async fn upgrade(&self, output: &Output) -> Result<ObjectId> {
        if self.current {
            return Ok(self.cap.package);
        }
        let progress = output.progress("upgrading");
        let done = self
            .ledger
            .upgrade(&self.key, &self.package, &self.cap)
            .await;
        progress.finish_and_clear();
        Ok(done?)
    }
}

pub(super) async fn upgrade(
    settings: &Settings,
    profiles: &mut Profiles,
    yes: bool,
    output: &Output,
) -> Result<()> {
    let standing = Standing::of(settings).await?;
    let Standing {
        name,
        key,
        ledger,
        package,
        cap,
        current,
        ..
    } = &standing;
    if !current {
        let owner = key.public_key().address();
        let gas = ledger.preview_upgrade(owner, package, cap).await?;
        tell_preview(name, owner, gas, package, output);
    }
    if !yes {
        output.say(if *current {
            "the ledger has this program's version: there is nothing to upgrade"
        } else {
            "nothing was upgraded: repeat it with --yes"
        });
        if !current || cap.package == standing.deployment.package {
            return Ok(());
        }
    }
    let newest = standing.upgrade(output).await?;
    let deployment = Deployment {
        package: newest,
        ..standing.deployment.clone()
    };
    let ledger = ledger.bind(deployment.clone())?;
    let profile = Profile {
        deployment: Some(deployment),
        ..standing.profile.clone()
    };
    profiles.put(name, profile)?;
    // written down first: taking objects over can be repeated
    let taken = if yes {
        take_over(&ledger, key, output).await?
    } else {
        0
    };
    output.object(vec![
        ("network", json!(name)),
        (
            "state",
            json!(if *current { "current" } else { "upgraded" }),
        ),
        ("package", json!(newest)),
        ("version", json!(ledger.upgrade_cap(cap.id).await?.version)),
        ("taken_over", json!(taken)),
    ]);
    Ok(())
}

/// Announces the rules' newest version, if it is newer than the database's; once its notice is over brings the database,
/// and after it nodes and tasks, over, and says how many were of an older one. Stacks are brought over by who uses them.
async fn take_over(ledger: &Ledger, key: &SigningKey, output: &Output) -> Result<usize> {
    let owner = key.public_key().address();
    let admin = ledger.admin_cap(owner).await?.with_context(|| {
        format!(
            "{owner} has no AdminCap: its holder must run `atoma network upgrade --yes` as well"
        )
    })?;
    let mut db = 0;
    if ledger.announce_version(key, admin.id).await? {
        db = match ledger.migrate_db(key).await {
            Ok(taken) => usize::from(taken),
            Err(e) if e.abort_code() == Some(AbortCode::NoticeNotOver.code()) => {
                output.say(
                    "the new version is announced: a week after that repeat `atoma network upgrade --yes`. Until then \
                     all go on with the old one",
                );
                return Ok(0);
            }
            Err(error) => return Err(error.into()),
        };
    }
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
