//! `--check`: some of one's own answers are computed again before they are paid, drawn by chance, so that a node can't
//! know which. What is found wrong may be challenged.

use super::work;
use crate::{
    model, output::Output, settings::Settings, sources::Has, values::Rate, walrus::WalrusReading,
};
use anyhow::{Context, Result};
use atoma_audit::Finding;
use atoma_client::{
    KeptReceipt,
    evidence::{Gap, Given, Sources, gather},
    watch::{AnswerCheck, Checked},
};
use atoma_engine::{EmbeddedOptions, Engine};
use atoma_keys::SigningKey;
use atoma_runtime::{Random, SystemRandom, WithCauses};
use atoma_types::{RequestId, hash::Hash32};
use clap::Args;
use futures::future::BoxFuture;
use serde::Deserialize;
use std::sync::Arc;

/// Which answers are computed again, and with which model: by flags.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SampleArgs {
    /// Compute some of the answers again before they are paid, drawn by chance: 0.01 is one in a hundred. It needs the
    /// records that nodes have on Walrus, and a model whose arithmetic gives the same bits everywhere.
    #[arg(long, value_name = "RATE")]
    check: Option<Rate>,
    /// The model that computes them: a Hugging Face folder or a hub's name (default: the built-in one).
    #[arg(long, value_name = "FOLDER|NAME", requires = "check")]
    model: Option<String>,
    /// Tokens that the model holds, where its task says fewer than the model can.
    #[arg(long, value_name = "TOKENS", requires = "check")]
    context: Option<usize>,
}

/// Which answers are computed again, and with which model: a section of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SampleConfig {
    /// Which share of the answers is computed again before it is paid, drawn by chance: 0.01 is one in a hundred.
    rate: Rate,
    /// The model that computes them: a Hugging Face folder or a hub's name; the built-in one if absent.
    #[serde(default)]
    model: Option<String>,
    /// Tokens that the model holds, where its task says fewer than the model can.
    #[serde(default)]
    context: Option<usize>,
}

impl SampleArgs {
    /// What the flags say, else what the file does.
    pub(crate) fn or(self, file: Option<SampleConfig>) -> Self {
        match (self.check, file) {
            (None, Some(file)) => Self {
                check: Some(file.rate),
                model: file.model,
                context: file.context,
            },
            _ => self,
        }
    }

    /// Whether any answer is computed again.
    pub(crate) fn checks(&self) -> bool {
        self.check.is_some()
    }

    /// Who checks, if that is asked for. Records are opened with these keys.
    pub(crate) async fn start(
        &self,
        settings: &Settings,
        keys: Vec<SigningKey>,
        output: &Output,
    ) -> Result<Option<Arc<dyn AnswerCheck>>> {
        let Some(rate) = self.check else {
            return Ok(None);
        };
        let progress = output.progress("loading the model that computes answers again");
        let options = EmbeddedOptions {
            context: self.context,
            ..EmbeddedOptions::default()
        };
        let engine = model::load_to_judge(self.model.as_deref(), options).await;
        progress.finish_and_clear();
        let engine = engine.context("answers cannot be computed again")?;
        let has = Has {
            receipts: Err("the watcher names them".into()),
            keys,
        };
        let sources = has.online(settings, &WalrusReading::default()).await;
        let mut secret = [0; 32];
        SystemRandom.fill(&mut secret);
        Ok(Some(Arc::new(Sample {
            rate,
            secret,
            sources,
            engine,
        })))
    }
}

/// A share of all answers, which nobody else can know.
struct Sample {
    rate: Rate,
    secret: [u8; 32],
    sources: Sources,
    engine: Arc<dyn Engine>,
}

impl Sample {
    fn has(&self, request: RequestId) -> bool {
        let drawn = Hash32::of_parts(&[&self.secret, &request.0]);
        let [a, b, c, d, e, f, g, h, ..] = drawn.0;
        self.rate
            .takes(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }

    async fn look(&self, kept: &KeptReceipt) -> Checked {
        match self.examine(kept).await {
            Ok(Finding::Honest) => Checked::Fine,
            Ok(wrong) => {
                let (stack, node, seq) = (kept.stack, kept.node, kept.seq);
                tracing::warn!(%stack, %node, seq, %wrong, "an answer isn't the model's");
                Checked::Wrong(wrong.to_string())
            }
            Err(why) => {
                tracing::debug!(request = %kept.request_id, why, "an answer can't be computed again now");
                Checked::Unknown
            }
        }
    }

    /// What is found, or why nothing can be said.
    async fn examine(&self, kept: &KeptReceipt) -> Result<Finding, String> {
        let given = Given {
            header: kept.signed_header().ok(),
            receipt: kept.signed().ok(),
            ..Given::default()
        };
        let gathered = gather(&given, &self.sources).await;
        let gathered = gathered.map_err(|error| error.to_string())?;
        let one = gathered.first().ok_or("nothing is known of it")?;
        let work = work(one).map_err(|gap| match gap {
            Gap::Absent(reason) | Gap::Broken(reason) => reason,
        })?;
        let examined = atoma_audit::examine(&*self.engine, &work).await;
        let examined = examined.map_err(|unable| WithCauses(&unable).to_string())?;
        Ok(examined.finding)
    }
}

impl AnswerCheck for Sample {
    fn check<'a>(&'a self, receipt: &'a KeptReceipt) -> BoxFuture<'a, Checked> {
        Box::pin(async move {
            match self.has(receipt.request_id) {
                true => self.look(receipt).await,
                false => Checked::Fine,
            }
        })
    }
}
