//! `atoma network`: networks by name, publishing the package on one, and looking whether all is well.

mod add;
mod admin;
mod doctor;
mod migrate;
mod params;
mod publish;
mod upgrade;

use crate::{
    named::Named,
    output::{Facts, Output},
    profiles::{Profile, Profiles},
    settings::Settings,
    values::{Usdc, some_usdc},
};
use add::Add;
use anyhow::Result;
use atoma_types::ObjectId;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum NetworkCommand {
    /// Add a network, or change what is known of one; --ledger names its URL.
    Add(Box<Add>),
    /// Use a network wherever none is named.
    Use {
        /// Its name, as `atoma network list` shows it.
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
        /// Its name, as `atoma network params` shows it.
        name: String,
        /// To what: milliseconds, micro-USDC, thousandths.
        value: u64,
    },
    /// Make a network one for development, as its administrator: parameters have no floors. Only while nobody has
    /// registered, and for good.
    SetDevelopment {
        /// Confirm: it can't be undone.
        #[arg(long)]
        yes: bool,
    },
    /// Return a node's fines to its collateral, as the administrator, while they can be pardoned.
    Pardon {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// How much, in USDC (default: all that waits).
        #[arg(value_parser = some_usdc)]
        amount: Option<Usdc>,
    },
    /// Take nodes, tasks and stacks of an older version of the package over to the newest. Anyone may once the notice of
    /// the new version is over: an object of before an upgrade is settled and closed after it.
    Migrate {
        /// Their whole ids.
        #[arg(required = true)]
        objects: Vec<ObjectId>,
    },
    /// Check the network in use: reachable, the right one, in time, with our package, and money to act.
    Doctor,
}

pub(crate) async fn run(
    command: NetworkCommand,
    settings: Settings,
    output: &Output,
) -> Result<()> {
    let mut profiles = Profiles::open(&settings.home)?;
    match command {
        NetworkCommand::Add(add) => {
            let profile = add.profile(&profiles, &settings).await?;
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
            let name = match name {
                Some(name) => name,
                None => settings.named_network()?.0.to_owned(),
            };
            let profile = profiles.expect(&name)?;
            output.object(summary(&name, &profile, &profiles));
        }
        NetworkCommand::Publish { yes, again } => {
            publish::publish(&settings, &mut profiles, yes, again, output).await?;
        }
        NetworkCommand::Upgrade { yes } => {
            upgrade::upgrade(&settings, &mut profiles, yes, output).await?;
        }
        NetworkCommand::Params => params::list(&settings, output).await?,
        NetworkCommand::SetParam { name, value } => {
            params::set(&settings, &name, value, output).await?;
        }
        NetworkCommand::SetDevelopment { yes } => {
            admin::set_development(&settings, yes, output).await?;
        }
        NetworkCommand::Pardon { node, amount } => {
            let node = node.node(&settings.ledger().await?).await?;
            admin::pardon(&settings, node, amount.map(|usdc| usdc.0), output).await?;
        }
        NetworkCommand::Migrate { objects } => {
            migrate::migrate(&settings, &objects, output).await?;
        }
        NetworkCommand::Doctor => doctor::run(&settings, output).await?,
    }
    Ok(())
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
