//! What only a network's administrator may do, beside its parameters.

use crate::{call::call_and_tell, output::Output, settings::Settings};
use anyhow::{Context, Result, ensure};
use atoma_ledger::Ledger;
use atoma_types::{
    MicroUsdc, NodeId,
    chain::{AdminCap, Clock, calls},
};

/// Takes the floors of the parameters away. There is no way back.
pub(super) async fn set_development(settings: &Settings, yes: bool, output: &Output) -> Result<()> {
    ensure!(
        yes,
        "on a network for development nothing is worth anything, for good: repeat it with --yes"
    );
    let ledger = settings.ledger().await?;
    let call = calls::SetDevelopment {
        cap: right(&ledger, settings).await?.id.into(),
        db: ledger.deployment().db.into(),
    };
    call_and_tell(&ledger, settings, call, output).await
}

/// Returns fines that wait to a node's collateral.
pub(super) async fn pardon(
    settings: &Settings,
    node: NodeId,
    amount: Option<MicroUsdc>,
    output: &Output,
) -> Result<()> {
    let ledger = settings.ledger().await?;
    let amount = match amount {
        Some(amount) => amount,
        None => ledger.node(node).await?.pending.fines,
    };
    let call = calls::Pardon {
        cap: right(&ledger, settings).await?.id.into(),
        db: ledger.deployment().db.into(),
        node: node.into(),
        amount,
        clock: Clock,
    };
    call_and_tell(&ledger, settings, call, output).await
}

/// The administrator's right, which the acting address must own.
pub(super) async fn right(ledger: &Ledger, settings: &Settings) -> Result<AdminCap> {
    let owner = settings.key()?.public_key().address();
    ledger.admin_cap(owner).await?.with_context(|| {
        format!("{owner} is not the administrator: it holds no AdminCap of this database")
    })
}
