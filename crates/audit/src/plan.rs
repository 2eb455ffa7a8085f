//! What needs no model: everything that follows from header, receipt, bodies and the task's words.

use crate::{
    Body, Finding, Reason, Work,
    asked::{Asked, ServableRequest, Shape},
    told::Told,
};
use atoma_engine::{EngineError, ModelInfo};
use atoma_types::{
    Rule,
    hash::Hash32,
    message::{CommitmentKind, Endpoint, Receipt},
};

/// What is to be done next.
#[derive(Debug)]
pub enum Plan {
    /// Nothing: the finding stands.
    Found(Finding),
    /// The model must run.
    Compute(Box<Rerun>),
}

/// What the model is asked, and what its answer is held against.
#[derive(Debug)]
pub struct Rerun {
    servable: ServableRequest,
    told: Told,
}

/// Why this engine can't tell whether an answer is the model's. It says nothing about the answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unable {
    /// The class promises numbers that are close, not bits.
    #[error("answers of the tolerant class can't be checked yet")]
    Tolerant,
    /// The class promises bits, or the record is none of text: its sums say nothing.
    #[error("only text of the tolerant class is judged by sums")]
    NotTolerant,
    /// The engine at hand is of another class.
    #[error("the answer is model {asked}'s; this engine is {here}, or computes in another way")]
    OtherModel {
        /// The task's model.
        asked: Hash32,
        /// The model at hand.
        here: Hash32,
    },
    /// The engine at hand has failed.
    #[error("the engine can't compute the answer again")]
    Engine(#[from] EngineError),
}

/// Reads a record: what can be said without the model is said, in the order of the reasons' codes; else it says what
/// the model must compute.
///
/// # Errors
/// If an engine of this model can't tell.
pub fn plan(work: &Work, model: &ModelInfo) -> Result<Plan, Unable> {
    let promised = work.task.engine;
    if promised.rule != Rule::Exact {
        return Err(Unable::Tolerant);
    }
    let here = Hash32(model.revision);
    if promised.model != here || promised.numerics != model.numerics {
        let asked = promised.model;
        return Err(Unable::OtherModel { asked, here });
    }
    Ok(match read(work, model) {
        Ok(rerun) => Plan::Compute(Box::new(rerun)),
        Err(finding) => Plan::Found(finding),
    })
}

pub(crate) fn read(work: &Work, model: &ModelInfo) -> Result<Rerun, Finding> {
    let [request, answer] = shown(work).ok_or(Finding::Withheld)?;
    let (header, receipt) = (work.header(), work.receipt());
    let is_text = header.endpoint != Endpoint::Embeddings;
    let must = |holds: bool, reason| {
        if holds {
            Ok(())
        } else {
            Err(Finding::Guilty(reason))
        }
    };

    must(work.task.engine.allows(&receipt.engine), Reason::Class)?;
    must(is_fair(work), Reason::Units)?;
    must(is_served(receipt, is_text), Reason::NotServed)?;
    let servable = ServableRequest::read(
        work.exchange.header(),
        &request.bytes,
        work.task.model.as_deref(),
        model,
    );
    let mut servable = servable.ok_or(Finding::Guilty(Reason::Request))?;
    let told = Told::read(servable.shape, &answer.bytes);
    let told = told.ok_or(Finding::Guilty(Reason::Form))?;
    must(told.fits(&receipt.usage), Reason::Told)?;
    must(
        within(&servable, &told, receipt.usage.output),
        Reason::Limit,
    )?;

    if let Asked::Text(request) = &mut servable.asked {
        // a model that is asked for text gives one token at least
        let tokens = u32::try_from(receipt.usage.output.max(1));
        request.max_tokens = tokens.map_err(|_| Finding::Guilty(Reason::Limit))?;
        request.most_tokens = request.max_tokens;
    }
    Ok(Rerun { servable, told })
}

/// The bodies, if they are those that were signed.
fn shown(work: &Work) -> Option<&[Body; 2]> {
    let bodies = work.bodies.as_ref()?;
    let [request, answer] = bodies;
    let same = request.commitment(CommitmentKind::Request) == work.header().body_hash
        && answer.commitment(CommitmentKind::Answer) == work.receipt().response_hash;
    same.then_some(bodies)
}

/// No more is charged than usage and request allow.
fn is_fair(work: &Work) -> bool {
    let receipt = work.receipt();
    let weights = work.task.weights.as_ref();
    let due = weights.map(|weights| weights.units(&receipt.usage));
    let is_due = due.is_none_or(|due| due.is_some_and(|due| receipt.units <= due));
    is_due && receipt.units <= work.header().max_units
}

fn is_served(receipt: &Receipt, is_text: bool) -> bool {
    let usage = receipt.usage;
    usage.image_steps == 0 && usage.audio_seconds == 0 && (is_text || usage.output == 0)
}

/// No more than the request allows; and where that is a number, who ends at the limit has reached it.
fn within(servable: &ServableRequest, told: &Told, output: u64) -> bool {
    let Some(most) = servable.most else {
        return true;
    };
    let at_limit = told.finish.as_deref() == Some("length");
    output <= most && (!at_limit || output == most)
}

impl Rerun {
    pub(crate) fn asked(&self) -> &Asked {
        &self.servable.asked
    }

    pub(crate) fn shape(&self) -> Shape {
        self.servable.shape
    }

    /// The answer's words, which the model must give.
    pub(crate) fn said(&self) -> &str {
        self.told.text()
    }

    pub(crate) fn told(&self) -> &Told {
        &self.told
    }
}
