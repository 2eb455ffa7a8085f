//! `atoma verify`: everything about a request, checked without trusting whoever served it.

mod audited;
mod given;
mod recompute;
mod tell;

pub(crate) use tell::{ONLY_WIDE, rows};

use crate::{
    client::client_folder,
    output::Output,
    recompute::is_sealed,
    settings::Settings,
    sources::{Has, opening},
    walrus::WalrusReading,
};
use anyhow::{Result, ensure};
use atoma_client::{
    Receipts,
    evidence::{Gathered, Given, KeptReceipts, Report, Sources, check, gather},
};
use atoma_types::{RequestId, message::Salt};
use atoma_walrus::ObjectId;
use audited::Histories;
use clap::Args;
use recompute::{Recompute, recompute};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The id of a request whose receipt this machine keeps, or a beginning of it; a receipt (base64); the id of a pack's
    /// blob; or a file: a receipt, a node's proof (JSON), a pack. Several add up.
    #[arg(value_name = "REQUEST|RECEIPT|FILE|BLOB_ID")]
    what: Vec<String>,
    /// Use files and this machine only: no ledger, no Walrus, no node.
    #[arg(long)]
    offline: bool,
    /// Of a pack: the records of this request.
    #[arg(long, value_name = "ID")]
    request: Option<RequestId>,
    /// Of a pack: the records whose receipts have this number in their lease.
    #[arg(long, value_name = "N")]
    seq: Option<u64>,
    /// The blob's object on the ledger (default: the one that the node names).
    #[arg(long)]
    object: Option<ObjectId>,
    /// The request's body as it was sent, where the record's can't be read.
    #[arg(long, value_name = "FILE")]
    request_body: Option<PathBuf>,
    /// The answer's body as it came; of a stream, all before the receipt's line.
    #[arg(long, value_name = "FILE")]
    answer_body: Option<PathBuf>,
    /// The request's salt (base64), as the gateway gave it in `atoma-salt`: with the bodies it shows that the
    /// signed hashes are theirs. Of what was signed on this machine, or can be opened here, it is known.
    #[arg(long, value_name = "SALT")]
    salt: Option<Salt>,
    /// Print request and answer.
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    recompute: Recompute,
    #[command(flatten)]
    walrus: WalrusReading,
}

pub(crate) async fn run(verify: Verify, settings: Settings, output: &Output) -> Result<()> {
    ensure!(
        !verify.what.is_empty(),
        "name what is verified: a request's id (`atoma receipt list` shows yours), a receipt, a file or a blob's id"
    );
    let given = verify.given(&settings)?;
    let sources = verify.sources(&settings).await?;
    let progress = output.progress("gathering the evidence");
    let gathered = gather(&given, &sources).await;
    progress.finish_and_clear();
    let mut gathered = gathered?;
    gathered.iter().try_for_each(of_this_network)?;
    if let Some(engine) = verify.recompute.engine().await? {
        let progress = output.progress("computing the answer again");
        for one in &mut gathered {
            one.recomputed = Some(recompute(one, &*engine).await);
        }
        progress.finish_and_clear();
    }
    let reports: Vec<Report> = gathered.iter().map(check).collect();
    let (mut audited, mut convicted) = (Histories::default(), 0usize);
    match &reports[..] {
        [report] => {
            let progress = output.progress("reading what was found about its ticket");
            let audited = audited.of(report, &sources).await;
            progress.finish_and_clear();
            let sealed = gathered.first().is_some_and(is_sealed);
            convicted += usize::from(audited.convicted.is_some());
            tell::one(report, sealed, audited, output);
        }
        many => {
            let mut all = Vec::new();
            for report in many {
                all.push(audited.of(report, &sources).await);
            }
            convicted += all.iter().filter(|one| one.convicted.is_some()).count();
            tell::many(many, &all, output);
        }
    }
    if verify.show {
        for (gathered, report) in gathered.iter().zip(&reports) {
            tell::show(gathered, report, output);
        }
    }
    let failed: usize = reports.iter().map(|report| report.failed().count()).sum();
    ensure!(failed != 1, "1 check fails");
    ensure!(failed == 0, "{failed} checks fail");
    // signatures and hashes can all be right of an answer that a jury found wrong
    ensure!(
        convicted == 0,
        "the node was convicted over the lease that {} of",
        if reports.len() == 1 {
            "the request is"
        } else {
            "these requests are"
        }
    );
    let skipped: usize = reports.iter().map(|report| report.skipped().count()).sum();
    match skipped {
        0 => Ok(()),
        skipped => Err(Incomplete { skipped }.into()),
    }
}

/// A receipt of another network isn't forged: this one's ledger just knows nothing of it.
fn of_this_network(gathered: &Gathered) -> Result<()> {
    let (Ok(network), Ok(receipt)) = (&gathered.network, &gathered.receipt) else {
        return Ok(());
    };
    let its = receipt.message().network;
    ensure!(
        its == *network,
        "the receipt is of another network ({its}) than the one in use ({network}): name it with --network, or \
         check what can be checked without a ledger by --offline"
    );
    Ok(())
}

/// Nothing fails, and some checks couldn't be made.
#[derive(Debug, thiserror::Error)]
#[error("incomplete: {skipped} {} could not be made", if *.skipped == 1 { "check" } else { "checks" })]
pub(crate) struct Incomplete {
    skipped: usize,
}

impl Incomplete {
    /// How the program ends then: neither as if all were well, nor as if anything failed.
    pub(crate) const STATUS: u8 = 2;
}

impl Verify {
    fn given(&self, settings: &Settings) -> Result<Given> {
        let mut given = Given {
            request: self.request,
            seq: self.seq,
            object: self.object,
            salt: self.salt.clone(),
            ..Given::default()
        };
        for what in &self.what {
            given::take(&mut given, what, &client_folder(settings))?;
        }
        let body = |path: &Option<PathBuf>| path.as_deref().map(given::read).transpose();
        given.request_body = body(&self.request_body)?;
        given.answer_body = body(&self.answer_body)?;
        Ok(given)
    }

    async fn sources(&self, settings: &Settings) -> Result<Sources> {
        let keys = opening(settings.open_keystore()?.keys().iter());
        let receipts = match Receipts::open(&client_folder(settings)) {
            Ok(receipts) if receipts.is_empty() => Err("no receipts are kept here".into()),
            Ok(receipts) => Ok(Box::new(receipts) as Box<dyn KeptReceipts>),
            Err(error) => Err(error.into()),
        };
        let has = Has { receipts, keys };
        Ok(match self.offline {
            true => has.alone(self.walrus.shards(settings)),
            false => has.online(settings, &self.walrus).await,
        })
    }
}
