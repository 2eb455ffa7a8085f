//! Looks at a record of the tolerant class: what of it can be held against the model.

use super::{Seen, Sums};
use crate::{Finding, Unable, Work, asked::Asked, plan};
use atoma_engine::{Engine, GenerateRequest};
use atoma_types::{Rule, hash::Hash32};

/// What a look at one record came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Looked {
    /// No model is needed to see that it isn't as it must be, or that it isn't shown.
    Found(Finding),
    /// Its parts don't fit each other, and servers may have reasons that this engine doesn't know.
    Odd(Odd),
    /// How far its tokens depart.
    Seen(Sums),
}

/// What doesn't fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Odd {
    /// The answer holds no ids of its tokens, or not of all that are charged.
    #[error("the answer has ids of {ids} tokens, and {charged} are charged")]
    Ids {
        /// So many ids.
        ids: u64,
        /// So many charged.
        charged: u64,
    },
    /// The words are others than the tokens'.
    #[error("the answer's words are not those of its tokens")]
    Words,
    /// The prompt has another number of tokens.
    #[error("the prompt has {here} tokens by this tokenizer, and {charged} are charged")]
    Prompt {
        /// So many here.
        here: u64,
        /// So many charged.
        charged: u64,
    },
}

/// Looks at a record by one prefill.
///
/// # Errors
/// If this engine can't tell: it is of another model, it fails, or the record is none of text.
pub async fn look(engine: &dyn Engine, work: &Work) -> Result<Looked, Unable> {
    let (promised, here) = (work.task.engine, Hash32(engine.info().revision));
    if promised.rule != Rule::Tolerant {
        return Err(Unable::NotTolerant);
    }
    if promised.model != here {
        let asked = promised.model;
        return Err(Unable::OtherModel { asked, here });
    }
    let rerun = match plan::read(work, engine.info()) {
        Ok(rerun) => rerun,
        Err(finding) => return Ok(Looked::Found(finding)),
    };
    let (Asked::Text(request), told) = (rerun.asked(), rerun.told()) else {
        return Err(Unable::NotTolerant);
    };
    let ids = &told.token_ids;
    let usage = &work.receipt().usage;
    let (many, charged) = (ids.len() as u64, usage.output);
    if many != charged || ids.is_empty() {
        return Ok(Looked::Odd(Odd::Ids { ids: many, charged }));
    }
    if !told.is_plain() || !says(engine, request, ids, told.text()) {
        return Ok(Looked::Odd(Odd::Words));
    }
    let prompt = engine.tokenize(&request.prompt)?;
    let (here, charged) = (prompt.len() as u64, usage.prompt_tokens());
    if here != charged {
        return Ok(Looked::Odd(Odd::Prompt { here, charged }));
    }
    let reported = told
        .reported()
        .filter(|reported| reported.len() == ids.len());
    let format = request.format.clone();
    let score = engine.score(prompt, ids.clone(), request.sampling(), format);
    let mut sums = Sums::default();
    for (place, token) in score.await?.tokens.iter().enumerate() {
        let reported = reported.as_ref().map(|reported| reported[place]);
        sums.add(&Seen::of(token, reported));
    }
    Ok(Looked::Seen(sums))
}

/// Whether the tokens say this; a stop string may have taken the last words.
fn says(engine: &dyn Engine, request: &GenerateRequest, ids: &[u32], text: &str) -> bool {
    let all = engine.detokenize(ids);
    // tokenizers differ in whether a text's first space is shown
    let rest = [all.as_str(), all.trim_start()]
        .into_iter()
        .find_map(|all| {
            all.strip_prefix(text.trim_start())
                .or(all.strip_prefix(text))
        });
    rest.is_some_and(|rest| {
        rest.is_empty()
            || request
                .stop
                .iter()
                .any(|stop| rest.starts_with(stop.as_str()))
    })
}
