//! Disputes about settlements, by hand: nodes answer by themselves.

mod disputable;
mod list;
mod show;
mod told;

pub(crate) use disputable::NotDisputable;

use crate::{
    client::client_folder,
    named::Named,
    output::{Output, usdc},
    settings::Settings,
    values::Usdc,
};
use anyhow::{Context, Result, bail, ensure};
use atoma_client::{
    Receipts,
    dispute::{Claimed, Dispute, History, SettledRecord, bond_of},
};
use atoma_ledger::Ledger;
use atoma_types::{
    BlobId, ComputeUnits, Rule,
    message::{Receipt, Signed},
};
use clap::{Args, Subcommand};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

#[derive(Debug, Subcommand)]
pub(crate) enum DisputeCommand {
    /// Demand, for a fee, to see the record of a unit that a node settled; silence loses.
    Demand(Which),
    /// Stake a bond on that an answer is wrong: a jury of attesters decides (examined tasks).
    Challenge {
        #[command(flatten)]
        which: Which,
        /// The most to stake, in USDC; what is asked follows from the ticket's value (default: that).
        #[arg(long, value_name = "USDC")]
        bond: Option<Usdc>,
    },
    /// List the demands and challenges about stacks of this data folder, and how they ended.
    List {
        /// The stacks' ids or beginnings of them, or models' names; without any, all open ones of this data folder.
        stacks: Vec<Named>,
        /// Those about closed stacks as well.
        #[arg(long)]
        all: bool,
    },
    /// Show a record that is demanded of a node.
    Answer {
        /// The stack's id or a beginning of it, or a model's name if it has one open stack.
        stack: Named,
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The unit that is demanded.
        unit: u64,
        /// JSON file: {"record": base64, "proof": base64}.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
        /// The blob that holds the bodies.
        #[arg(long, value_name = "BLOB", required_unless_present = "bodies")]
        blob: Option<BlobId>,
        /// File with the sealed bodies, where they are not stored.
        #[arg(long, value_name = "FILE", conflicts_with = "blob")]
        bodies: Option<PathBuf>,
    },
    /// Show the tickets of a stack, and what was brought against them.
    Show {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
    },
    /// Convict a node that didn't answer a demand in time.
    Silence {
        /// The stack's id or a beginning of it, or a model's name if it has one open stack.
        stack: Named,
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The unit that is demanded.
        unit: u64,
    },
    /// Convict a node by two receipts for one request.
    Equivocation {
        /// A receipt as `atoma receipt show` prints it (base64).
        first: String,
        /// Another one of the same request.
        second: String,
    },
}

/// Which unit it is about.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The request of a receipt on this machine: its last unit.
    #[arg(conflicts_with_all = ["receipt", "stack", "node", "unit"])]
    pub(crate) request: Option<Named>,
    /// A receipt from elsewhere, as `atoma receipt show` prints it (base64): its last unit.
    #[arg(long, value_name = "BASE64", conflicts_with_all = ["stack", "node", "unit"])]
    pub(crate) receipt: Option<String>,
    /// Without a receipt: the stack.
    #[arg(long, requires = "node")]
    pub(crate) stack: Option<Named>,
    /// The node that settled.
    #[arg(long, requires = "unit")]
    pub(crate) node: Option<Named>,
    /// Which unit, counted over the whole lease from 0.
    #[arg(long, requires = "stack")]
    pub(crate) unit: Option<u64>,
}

pub(crate) async fn run(
    command: DisputeCommand,
    settings: Settings,
    output: &Output,
) -> Result<()> {
    let ledger = settings.ledger().await?;
    let folder = client_folder(&settings);
    let step = match command {
        DisputeCommand::Show { stack } => {
            let receipts = Receipts::open(&folder)?;
            let stack = stack.known_stack(&ledger, &folder).await?;
            return show::show(&ledger, stack, &receipts, output).await;
        }
        DisputeCommand::List { stacks, all } => {
            let mut named = BTreeSet::new();
            for stack in stacks {
                named.insert(stack.known_stack(&ledger, &folder).await?);
            }
            if named.is_empty() {
                named = list::remembered(ledger.network(), &folder, all)?;
            }
            return list::list(&ledger, named, output).await;
        }
        DisputeCommand::Demand(which) => {
            let claimed = which.claimed(&settings, &ledger).await?;
            let receipts = Receipts::open(&folder)?;
            ensure_demand(&ledger, &claimed, &receipts, output).await?;
            Dispute::Demand(claimed)
        }
        DisputeCommand::Challenge { which, bond } => {
            let claimed = which.claimed(&settings, &ledger).await?;
            ensure_bond(&ledger, &claimed, bond, output).await?;
            Dispute::Challenge(claimed)
        }
        DisputeCommand::Answer {
            stack,
            node,
            unit,
            evidence,
            blob,
            bodies,
        } => Dispute::Answer {
            claimed: Claimed {
                stack: stack.only_known_stack(&ledger, &folder).await?,
                node: node.node(&ledger).await?,
                unit: ComputeUnits(unit),
            },
            record: read(&evidence)?,
            blob,
            bodies: match bodies {
                Some(path) => std::fs::read(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?,
                None => Vec::new(),
            },
        },
        DisputeCommand::Silence { stack, node, unit } => Dispute::Silence(Claimed {
            stack: stack.only_known_stack(&ledger, &folder).await?,
            node: node.node(&ledger).await?,
            unit: ComputeUnits(unit),
        }),
        DisputeCommand::Equivocation { first, second } => Dispute::Equivocation {
            first: Signed::from_text(&first).context("the first receipt")?,
            second: Signed::from_text(&second).context("the second receipt")?,
        },
    };
    let outcome = step.submit(&ledger, &settings.key()?).await?;
    output.object(told::told(&outcome));
    Ok(())
}

impl Which {
    /// The unit: of a kept receipt, of another, or any.
    async fn claimed(self, settings: &Settings, ledger: &Ledger) -> Result<Claimed> {
        if let Some(request) = self.request {
            let receipts = Receipts::open(&client_folder(settings))?;
            let request = request.request(&receipts)?;
            let claimed = receipts.claimed(request)?;
            return claimed.with_context(|| {
                format!("no receipt of request {request} on this machine charges anything")
            });
        }
        if let Some(text) = self.receipt {
            let receipt: Signed<Receipt> = Signed::from_text(&text).context("the receipt")?;
            return Claimed::of(receipt.message()).context("the receipt charges nothing");
        }
        let (Some(stack), Some(node), Some(unit)) = (self.stack, self.node, self.unit) else {
            bail!(
                "name the request of a receipt on this machine, or a --receipt, or --stack, --node and --unit"
            );
        };
        Ok(Claimed {
            stack: stack
                .only_known_stack(ledger, &client_folder(settings))
                .await?,
            node: node.node(ledger).await?,
            unit: ComputeUnits(unit),
        })
    }
}

/// Says what a demand costs before it is made, and stops where nothing can be demanded.
async fn ensure_demand(
    ledger: &Ledger,
    claimed: &Claimed,
    receipts: &Receipts,
    output: &Output,
) -> Result<()> {
    let stack = ledger.stack(claimed.stack).await?;
    disputable::check_demand(&stack, claimed)?;
    let progress = output.progress("looking whether its record was shown before");
    let history = History::of(ledger, claimed.stack).await;
    progress.finish_and_clear();
    let history = history?;
    let record = record_of(receipts, claimed)?;
    if let Some(shown) = disputable::shown_before(&history, claimed, record) {
        return Err(shown.into());
    }
    if !history.complete {
        output
            .note("the ledger's history is long: whether the record was shown before isn't known");
    }
    output.note(format!(
        "a demand costs {} USDC: the node's if it shows the record, yours again if it doesn't",
        usdc(stack.terms.demand_fee.0)
    ));
    Ok(())
}

/// The number of the record that a unit is in, by the receipts kept here.
fn record_of(receipts: &Receipts, claimed: &Claimed) -> Result<Option<u64>> {
    let kept = receipts.list(Some(claimed.stack))?;
    let of_lease = kept
        .iter()
        .filter(|kept| kept.node == claimed.node && kept.fault.is_none());
    for kept in of_lease {
        let end = kept.signed()?.message().cumulative_units;
        let units = end.saturating_sub(kept.units)..end;
        if units.contains(&claimed.unit) {
            return Ok(Some(kept.seq));
        }
    }
    Ok(None)
}

/// Says what a challenge stakes before it does, and stops where that is too much.
async fn ensure_bond(
    ledger: &Ledger,
    claimed: &Claimed,
    most: Option<Usdc>,
    output: &Output,
) -> Result<()> {
    let stack = ledger.stack(claimed.stack).await?;
    disputable::check(&stack, claimed)?;
    let bond = bond_of(&stack, claimed)?;
    if let Some(Usdc(most)) = most {
        ensure!(
            bond <= most,
            "the bond is {} USDC, you would stake {} USDC at most",
            usdc(bond.0),
            usdc(most.0)
        );
    }
    if stack.engine.rule == Rule::Tolerant {
        output.note(
            "honest answers differ a little on this task: the ledger draws which record of the ticket the jury sees",
        );
    }
    Ok(())
}

fn read(path: &Path) -> Result<SettledRecord> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    SettledRecord::from_json(&text).with_context(|| format!("{} is no evidence", path.display()))
}
