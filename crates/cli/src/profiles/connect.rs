//! Connecting to a network's ledger, whether or not the package stands there.

use super::Profile;
use anyhow::{Context, Result};
use atoma_ledger::{Connection, ConnectionConfig, WrongNetwork};
use atoma_runtime::Runtime;
use atoma_types::{NetworkId, ObjectId};

/// A connection on which the package isn't looked for: for publishing it, and for wallets before it is
/// published.
pub(crate) async fn connection(profile: &Profile) -> Result<Connection> {
    let system = profile.walrus.as_ref().and_then(|walrus| walrus.system);
    let config = ConnectionConfig {
        url: profile.ledger.clone(),
        faucet: profile.faucet.clone(),
        runtime: Runtime::default(),
    };
    // a localnet's money and Walrus are known, unless others are meant
    let localnet = match (&profile.usdc, system) {
        (None, None) => Connection::open_localnet(config.clone()).await?,
        _ => None,
    };
    let connection = match localnet {
        Some(connection) => connection,
        None => described(config, profile, system).await?,
    };
    held_to(profile, connection.network())?;
    Ok(connection)
}

/// Refuses a network other than the one that the profile means.
pub(crate) fn held_to(profile: &Profile, found: NetworkId) -> Result<()> {
    match profile.expected_network() {
        Some(expected) if expected != found => Err(WrongNetwork { found, expected }.into()),
        _ => Ok(()),
    }
}

/// A connection by what the profile says of money and Walrus; the package is compiled against both.
async fn described(
    config: ConnectionConfig,
    profile: &Profile,
    system: Option<ObjectId>,
) -> Result<Connection> {
    let usdc = profile.usdc.as_deref().context(
        "the type of the money is not known: `atoma network add NAME --usdc 0x…::usdc::USDC`",
    )?;
    let usdc = usdc.parse().context("the type of the money")?;
    let system = system.context(
        "Walrus's system object is not known: `atoma network add NAME --walrus-system 0x…`",
    )?;
    Ok(Connection::open(config, usdc, system).await?)
}
