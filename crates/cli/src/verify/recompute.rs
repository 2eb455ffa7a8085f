//! `--recompute`: the model runs again, here, and must give the answer that was given.

use crate::{model, recompute::work};
use anyhow::{Context, Result};
use atoma_audit::{Examined, Finding, Unable, Work, examine};
use atoma_client::evidence::{Gap, Gathered, Item};
use atoma_engine::{EmbeddedOptions, Engine};
use atoma_runtime::WithCauses;
use clap::Args;
use std::sync::Arc;

/// Whether, and with which model, answers are computed again.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Recompute {
    /// Compute the answer again on this machine, and hold text, scores, counts and end against it. This is
    /// possible where the model runs in the node itself, whose arithmetic gives the same bits everywhere.
    #[arg(long)]
    recompute: bool,
    /// The model that computes it: a Hugging Face folder or a hub's name (default: the built-in one).
    #[arg(long, value_name = "FOLDER|NAME", requires = "recompute")]
    model: Option<String>,
    /// Tokens that the model holds, where its task says fewer than the model can.
    #[arg(long, value_name = "TOKENS", requires = "recompute")]
    context: Option<usize>,
}

impl Recompute {
    /// The engine that repeats answers, if that is asked for.
    pub(super) async fn engine(&self) -> Result<Option<Arc<dyn Engine>>> {
        if !self.recompute {
            return Ok(None);
        }
        let options = EmbeddedOptions {
            context: self.context,
            ..EmbeddedOptions::default()
        };
        let engine = model::load_to_judge(self.model.as_deref(), options).await;
        Ok(Some(engine.context("cannot compute the answer again")?))
    }
}

/// Computes one answer again, and says what was found.
pub(super) async fn recompute(gathered: &Gathered, engine: &dyn Engine) -> Item<String> {
    let work = work(gathered)?;
    match examine(engine, &work).await {
        Ok(examined) => tell(&work, &examined).map_err(|gap| what_next(gap, gathered)),
        Err(unable) => Err(Gap::Absent(why(&unable))),
    }
}

fn tell(work: &Work, examined: &Examined) -> Item<String> {
    let receipt = work.exchange.receipt().message();
    match examined.finding {
        Finding::Honest => {
            let scores = match receipt.output_fingerprint {
                Some(_) => "the same scores, ",
                None => "",
            };
            let tokens = receipt.usage.output;
            Ok(format!(
                "the model gives this answer: {scores}{tokens} tokens"
            ))
        }
        wrong => Err(Gap::Broken(wrong.to_string())),
    }
}

/// What to do about a wrong answer: where attesters judge, they may be asked.
fn what_next(gap: Gap, gathered: &Gathered) -> Gap {
    let task = gathered.task.as_ref();
    match gap {
        Gap::Broken(wrong) if task.is_ok_and(|task| task.security_level.samples()) => Gap::Broken(
            format!("{wrong}: `atoma dispute challenge` has a jury look, until its ticket is paid"),
        ),
        other => other,
    }
}

/// Why nothing can be said, and what to do about it.
fn why(unable: &Unable) -> String {
    let said = WithCauses(unable).to_string();
    match unable {
        Unable::OtherModel { .. } => format!("{said}: name its folder with --model"),
        _ => said,
    }
}
