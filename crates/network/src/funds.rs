//! Test money for the parties of a network on one machine.

use crate::{
    NetworkError,
    progress::{Observer, Step},
};
use atoma_ledger::Ledger;
use atoma_types::{Address, MicroUsdc};
use tokio::time::Instant;

/// Collateral of each node.
pub const COLLATERAL: MicroUsdc = MicroUsdc(100_000_000);
/// Test money for each party: collateral and plenty to spend.
pub const POCKET_MONEY: MicroUsdc = MicroUsdc(1_000_000_000);

/// Gives gas and this much USDC to a party, unless it has as much.
///
/// # Errors
/// If the ledger's faucet doesn't give.
pub async fn fund(
    ledger: &Ledger,
    who: &'static str,
    address: Address,
    amount: MicroUsdc,
    observer: &dyn Observer,
) -> Result<(), NetworkError> {
    let started = Instant::now();
    if ledger.usdc(address).await? >= amount {
        return Ok(());
    }
    ledger.faucet(address).await?;
    ledger.mint_usdc(address, amount).await?;
    let balance = ledger.usdc(address).await?;
    observer.step(
        &Step::Funded {
            who,
            address,
            balance,
        },
        started.elapsed(),
    );
    Ok(())
}
