//! `--recompute`: the model runs again, here, and must give the fingerprint that the receipt names.

use crate::model;
use anyhow::{Context, Result};
use atoma_client::evidence::{Gap, Gathered, Item, Recomputed};
use atoma_engine::{EmbeddedOptions, Engine, Event};
use atoma_types::{Numerics, hash::Hash32, message::Receipt};
use clap::Args;
use futures::StreamExt;
use std::sync::Arc;

/// Whether, and with which model, answers are computed again.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Recompute {
    /// Compute the answer again on this machine, and compare its fingerprint with the receipt's. This is
    /// possible where the model runs in the node itself, whose arithmetic gives the same bits everywhere.
    #[arg(long)]
    recompute: bool,
    /// The model that computes it: a Hugging Face folder or a hub's name (default: the built-in one).
    #[arg(long, value_name = "FOLDER|NAME", requires = "recompute")]
    model: Option<String>,
}

impl Recompute {
    /// The engine that repeats answers, if that is asked for.
    pub(super) async fn engine(&self) -> Result<Option<Arc<dyn Engine>>> {
        if !self.recompute {
            return Ok(None);
        }
        let engine = model::load(self.model.as_deref(), EmbeddedOptions::default()).await;
        Ok(Some(engine.context("cannot compute the answer again")?))
    }
}

/// Computes one answer again.
pub(super) async fn recompute(gathered: &Gathered, engine: &dyn Engine) -> Item<Recomputed> {
    let absent = |gap: &Gap| match gap {
        Gap::Absent(reason) | Gap::Broken(reason) => Gap::Absent(reason.clone()),
    };
    let receipt = gathered.receipt.as_ref().map_err(absent)?.message();
    let header = gathered.header.as_ref().map_err(absent)?;
    let body = gathered.request_body.as_ref().map_err(absent)?;
    fits(receipt, engine)?;
    // what the node said no to has no receipt: a refusal now means that it answered what it must not
    let broken = |what: String| Gap::Broken(what);
    let mut request =
        atoma_node::replay(header, &body.body(), engine.info()).map_err(|refusal| {
            broken(format!(
                "the request can't be computed: {}",
                refusal.message
            ))
        })?;
    // it ended there, by itself or by its limit
    let tokens = u32::try_from(receipt.usage.output);
    request.max_tokens = tokens.map_err(|_| broken("more tokens than an answer has".to_owned()))?;
    run(engine, request)
        .await
        .map_err(|error| Gap::Absent(format!("{error:#}")))
}

/// Whether this engine computes what the receipt's did.
fn fits(receipt: &Receipt, engine: &dyn Engine) -> Item<()> {
    let (asked, here) = (receipt.engine, engine.info());
    if asked.numerics == Numerics::Tolerant {
        let why = "its engine's arithmetic can't be repeated bit by bit";
        return Err(Gap::Absent(why.to_owned()));
    }
    if asked.model != Hash32(here.revision) || asked.numerics != here.numerics {
        return Err(Gap::Absent(format!(
            "the receipt names model {} in {}; this is {} {} in {}: name its folder with --model",
            asked.model,
            asked.numerics.as_str(),
            here.id,
            Hash32(here.revision),
            here.numerics.as_str(),
        )));
    }
    Ok(())
}

async fn run(engine: &dyn Engine, request: atoma_engine::GenerateRequest) -> Result<Recomputed> {
    let mut events = engine.generate(request).await?;
    let mut text = String::new();
    while let Some(event) = events.next().await {
        match event? {
            Event::Token(token) => text.push_str(&token.text),
            Event::Done(completion) => {
                return Ok(Recomputed {
                    fingerprint: Hash32(completion.fingerprint),
                    text,
                });
            }
            _ => {}
        }
    }
    anyhow::bail!("the engine ended without an answer")
}
