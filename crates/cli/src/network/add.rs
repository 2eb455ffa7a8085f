//! `atoma network add`: what is told of a network, kept under a name.

use crate::{
    profiles::{self, Profile, Profiles, Walrus},
    settings::Settings,
    values::web_url,
};
use anyhow::{Context, Result};
use atoma_ledger::{Connection, TypeTag};
use atoma_types::{
    ObjectId,
    chain::{Deployment, ObjectKind},
};
use clap::Args;
use url::Url;

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name. A known one keeps what isn't given anew.
    pub(super) name: String,
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
    #[arg(long, value_name = "URL", value_parser = web_url)]
    publisher: Option<Url>,
    /// A Walrus aggregator.
    #[arg(long, value_name = "URL", value_parser = web_url)]
    aggregator: Option<Url>,
    /// How many shards Walrus has there.
    #[arg(long, value_name = "N")]
    shards: Option<u16>,
}

impl Add {
    /// What is known of the network with what was told.
    pub(super) async fn profile(
        &self,
        profiles: &Profiles,
        settings: &Settings,
    ) -> Result<Profile> {
        let mut profile = match (profiles.get(&self.name), &settings.given_ledger) {
            (Some(profile), None) => profile,
            (Some(profile), Some(ledger)) => Profile {
                ledger: ledger.clone(),
                ..profile
            },
            (None, Some(ledger)) => Profile::at(ledger),
            (None, None) => anyhow::bail!("a new network needs its ledger's URL: --ledger"),
        };
        profile.faucet = self.faucet.clone().or(profile.faucet);
        profile.usdc = self.usdc.as_ref().map(ToString::to_string).or(profile.usdc);
        let mut walrus = profile.walrus.take().unwrap_or_default();
        walrus.system = self.walrus_system.or(walrus.system);
        walrus.publisher = self
            .publisher
            .as_ref()
            .map(ToString::to_string)
            .or(walrus.publisher);
        walrus.aggregator = self
            .aggregator
            .as_ref()
            .map(ToString::to_string)
            .or(walrus.aggregator);
        walrus.shards = self.shards.or(walrus.shards);
        profile.walrus = (walrus != Walrus::default()).then_some(walrus);
        if let Some(db) = self.db {
            let connection = profiles::connection(&profile).await?;
            profile.deployment = Some(deployed(&connection, &profile, db, self.package).await?);
            profile.rights = None;
        }
        Ok(profile)
    }
}

/// Where a package stands, by its database.
async fn deployed(
    connection: &Connection,
    profile: &Profile,
    db: ObjectId,
    package: Option<ObjectId>,
) -> Result<Deployment> {
    let tag = connection.type_of(db).await?;
    let (module, name) = ObjectKind::Db.move_name();
    let tag = tag
        .filter(|tag| (tag.module().as_str(), tag.name().as_str()) == (module, name))
        .with_context(|| format!("{db} is no AtomaDb of the ledger at {}", profile.ledger))?;
    let original_package = *tag.address();
    let package = package.unwrap_or(original_package);
    Ok(connection
        .surroundings()
        .with_package(original_package, package, db))
}
