//! Connecting to a network's ledger, whether or not the package stands there.

use super::Profile;
use anyhow::{Context, Result};
use atoma_ledger::{Ledger, LedgerError};
use atoma_types::{ObjectId, chain::Deployment};

/// A connection on which the package isn't looked for: for publishing it, and for wallets before it is
/// published.
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
    held_to(profile, ledger)
}

/// The ledger, if it is the one that the profile means.
pub(crate) fn held_to(profile: &Profile, ledger: Ledger) -> Result<Ledger> {
    match profile.expected_network() {
        Some(expected) if expected != ledger.network() => Err(LedgerError::WrongNetwork {
            found: ledger.network().to_string(),
            expected: expected.to_string(),
        }
        .into()),
        _ => Ok(ledger),
    }
}

/// A connection by what the profile says of money and Walrus.
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
