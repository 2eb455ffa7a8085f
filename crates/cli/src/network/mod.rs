//! `atoma network`: networks by name, publishing the package on one, and looking whether all is well.

pub(crate) mod doctor;
mod params;
pub(crate) mod profile;
mod publish;

use crate::{
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::{Context, Result};
use atoma_ledger::{Ledger, LedgerError, TypeTag};
use atoma_types::{
    ObjectId,
    chain::{Deployment, ObjectKind},
};
use clap::{Args, Subcommand};
use profile::{Profile, Profiles};
use serde_json::json;
use url::Url;

#[derive(Debug, Subcommand)]
pub(crate) enum NetworkCommand {
    /// Add a network, or change what is known of one; --ledger names its URL.
    Add(Box<Add>),
    /// Use a network wherever none is named.
    Use {
        /// Its name.
        name: String,
    },
    /// List the networks that are known.
    List,
    /// Show one: URLs, package, database, money.
    Show {
        /// Its name (default: the one in use).
        name: Option<String>,
    },
    /// Publish the package on the network in use; the acting address becomes the administrator.
    Publish {
        /// Do it; without this it is only tried out.
        #[arg(long)]
        yes: bool,
        /// Publish once more, where it is published already.
        #[arg(long)]
        again: bool,
    },
    /// Upgrade the package on the network in use to this program's version.
    Upgrade {
        /// Do it; without this it is only tried out.
        #[arg(long)]
        yes: bool,
    },
    /// Show the parameters of the protocol on the network in use.
    Params,
    /// Set one of them, as the administrator.
    SetParam {
        /// Which.
        name: String,
        /// To what: milliseconds, micro-USDC, thousandths.
        value: u64,
    },
    /// Check the network in use: reachable, the right one, in time, with our package, and money to act.
    Doctor,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name. A known one keeps what isn't given anew.
    name: String,
    /// Where test money comes from.
    #[arg(long, value_name = "URL")]
    faucet: Option<String>,
    /// The `AtomaDb` of a package that is published there.
    #[arg(long, value_name = "OBJECT")]
    db: Option<ObjectId>,
    /// The package's newest version (default: the first).
    #[arg(long, value_name = "OBJECT", requires = "db")]
    package: Option<ObjectId>,
    /// The type of the money, `0x…::usdc::USDC`.
    #[arg(long, value_name = "TYPE")]
    usdc: Option<TypeTag>,
    /// Walrus's `System` there.
    #[arg(long, value_name = "OBJECT")]
    walrus_system: Option<ObjectId>,
    /// A Walrus publisher.
    #[arg(long, value_name = "URL")]
    publisher: Option<Url>,
    /// A Walrus aggregator.
    #[arg(long, value_name = "URL")]
    aggregator: Option<Url>,
    /// How many shards Walrus has there.
    #[arg(long, value_name = "N")]
    shards: Option<u16>,
}

pub(crate) async fn run(
    command: NetworkCommand,
    settings: Settings,
    output: &Output,
) -> Result<()> {
    let mut profiles = Profiles::open(&settings.home)?;
    match command {
        NetworkCommand::Add(add) => {
            let profile = added(&add, &profiles, &settings).await?;
            profiles.put(&add.name, profile.clone())?;
            output.object(summary(&add.name, &profile, &profiles));
        }
        NetworkCommand::Use { name } => {
            profiles.activate(&name)?;
            let profile = profiles.expect(&name)?;
            output.object(summary(&name, &profile, &profiles));
        }
        NetworkCommand::List => {
            let names = profiles.names();
            let rows = names.iter().filter_map(|name| {
                let profile = profiles.get(name)?;
                Some(vec![
                    ("network", json!(name)),
                    ("ledger", json!(profile.ledger)),
                    (
                        "package",
                        json!(profile.deployment.as_ref().map(|d| d.package)),
                    ),
                    ("used", json!(profiles.active() == Some(name))),
                ])
            });
            output.table(rows.collect(), "no networks");
        }
        NetworkCommand::Show { name } => {
            let used = settings.network.as_ref().map(|(name, _)| name.clone());
            let name = name.or(used).context(NONE_NAMED)?;
            let profile = profiles.expect(&name)?;
            output.object(summary(&name, &profile, &profiles));
        }
        NetworkCommand::Publish { yes, again } => {
            publish::publish(&settings, &mut profiles, yes, again, output).await?;
        }
        NetworkCommand::Upgrade { yes } => {
            publish::upgrade(&settings, &mut profiles, yes, output).await?;
        }
        NetworkCommand::Params => params::list(&settings, output).await?,
        NetworkCommand::SetParam { name, value } => {
            params::set(&settings, &name, value, output).await?;
        }
        NetworkCommand::Doctor => doctor::run(&settings, output).await?,
    }
    Ok(())
}

const NONE_NAMED: &str =
    "which network? Name one with --network, or `atoma network use` one for good";

/// What is known of a network after `add`.
async fn added(add: &Add, profiles: &Profiles, settings: &Settings) -> Result<Profile> {
    let mut profile = match (profiles.get(&add.name), &settings.given_ledger) {
        (Some(profile), None) => profile,
        (Some(profile), Some(ledger)) => Profile {
            ledger: ledger.clone(),
            ..profile
        },
        (None, Some(ledger)) => Profile::at(ledger),
        (None, None) => anyhow::bail!("a new network needs its ledger's URL: --ledger"),
    };
    profile.faucet = add.faucet.clone().or(profile.faucet);
    profile.usdc = add.usdc.as_ref().map(ToString::to_string).or(profile.usdc);
    let mut walrus = profile.walrus.take().unwrap_or_default();
    walrus.system = add.walrus_system.or(walrus.system);
    walrus.publisher = add
        .publisher
        .as_ref()
        .map(ToString::to_string)
        .or(walrus.publisher);
    walrus.aggregator = add
        .aggregator
        .as_ref()
        .map(ToString::to_string)
        .or(walrus.aggregator);
    walrus.shards = add.shards.or(walrus.shards);
    profile.walrus = (walrus != profile::Walrus::default()).then_some(walrus);
    if let Some(db) = add.db {
        let ledger = unbound(&profile).await?;
        profile.deployment = Some(deployed(&ledger, &profile, db, add.package).await?);
        profile.rights = None;
    }
    Ok(profile)
}

/// A connection for what needs no package, such as wallets before one is published.
pub(crate) async fn with_or_without_package(settings: &Settings) -> Result<Ledger> {
    let found = settings.connect().await;
    let unpublished = matches!(&found, Err(error) if matches!(
        error.downcast_ref(),
        Some(LedgerError::NoDeployment { .. })
    ));
    if !unpublished {
        return settings.explained(found);
    }
    let profile = match &settings.network {
        Some((_, profile)) => profile.clone(),
        None => Profile::at(&settings.ledger_url),
    };
    Ok(unbound(&profile).await?.with_gas(settings.gas_options()?))
}

/// A connection on which the package isn't looked for.
pub(crate) async fn unbound(profile: &Profile) -> Result<Ledger> {
    let system = profile.walrus.as_ref().and_then(|walrus| walrus.system);
    let (url, faucet) = (&profile.ledger, profile.faucet.clone());
    // a localnet's money and Walrus are known, unless others are meant
    let ledger = match (&profile.usdc, system) {
        (None, None) => match Ledger::unpublished_localnet(url, faucet).await? {
            Some(ledger) => ledger,
            None => described(profile, system).await?,
        },
        _ => described(profile, system).await?,
    };
    if let Some(expected) = profile.expected_network()
        && expected != ledger.network()
    {
        return Err(LedgerError::WrongNetwork {
            found: ledger.network().to_string(),
            expected: expected.to_string(),
        }
        .into());
    }
    Ok(ledger)
}

/// The same by what the profile says of money and Walrus.
async fn described(profile: &Profile, system: Option<ObjectId>) -> Result<Ledger> {
    let usdc = profile.usdc.as_deref().context(
        "the type of the money is not known: `atoma network add NAME --usdc 0x…::usdc::USDC`",
    )?;
    let usdc = usdc.parse().context("the type of the money")?;
    let ledger = Ledger::unbound(&profile.ledger, profile.faucet.clone(), usdc).await?;
    // Walrus first: the package is compiled against it
    let system = system.context(
        "Walrus's system object is not known: `atoma network add NAME --walrus-system 0x…`",
    )?;
    let deployment = Deployment {
        walrus: ledger.walrus_at(system).await?,
        ..ledger.deployment().clone()
    };
    Ok(ledger.with_deployment(deployment))
}

/// Where a package stands, by its database.
async fn deployed(
    ledger: &Ledger,
    profile: &Profile,
    db: ObjectId,
    package: Option<ObjectId>,
) -> Result<Deployment> {
    let tag = ledger.type_of(db).await?;
    let (module, name) = ObjectKind::Db.move_name();
    let tag = tag
        .filter(|tag| (tag.module().as_str(), tag.name().as_str()) == (module, name))
        .with_context(|| format!("{db} is no AtomaDb of the ledger at {}", profile.ledger))?;
    let original_package = *tag.address();
    Ok(Deployment {
        package: package.unwrap_or(original_package),
        original_package,
        db,
        ..ledger.deployment().clone()
    })
}

fn summary(name: &str, profile: &Profile, profiles: &Profiles) -> Facts {
    let deployment = profile.deployment.as_ref();
    let walrus = profile.walrus.clone().unwrap_or_default();
    vec![
        ("network", json!(name)),
        ("used", json!(profiles.active() == Some(name))),
        ("ledger", json!(profile.ledger)),
        ("faucet", json!(profile.faucet)),
        ("chain", json!(profile.expected_network())),
        ("package", json!(deployment.map(|d| d.package))),
        (
            "original_package",
            json!(deployment.map(|d| d.original_package)),
        ),
        ("db", json!(deployment.map(|d| d.db))),
        ("usdc_type", json!(profile.usdc)),
        ("walrus_system", json!(walrus.system)),
        ("walrus_publisher", json!(walrus.publisher)),
        ("walrus_aggregator", json!(walrus.aggregator)),
        ("walrus_shards", json!(walrus.shards)),
        (
            "admin_cap",
            json!(profile.rights.map(|rights| rights.admin_cap)),
        ),
        (
            "upgrade_cap",
            json!(profile.rights.map(|rights| rights.upgrade_cap)),
        ),
    ]
}
