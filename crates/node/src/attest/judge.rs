//! Whether a record is what the model gives: the node's own engine computes it again.

use super::duty::{Claimed, Duty};
use atoma_audit::{Ballot, Body, Exchange, Finding, Promised, Unable, Work, examine};
use atoma_engine::Engine;
use atoma_evidence::pack::{SaltedBody, ShownBodies};
use atoma_types::{TimestampMs, chain::Verdict, hash::Hash32};

/// The record can't be read by whom it was shown to: its digest is zeros, so that those who can't read find what those
/// find who can.
pub(crate) const WITHHELD: Verdict = Verdict {
    kind: Finding::WITHHELD,
    digest: Hash32::ZERO,
};

/// What came of looking at a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    /// This is what is there.
    Found(Verdict),
    /// The ledger has no transaction that the node names; from this moment on that is a finding. Until then the endpoint
    /// that was asked may be behind another one.
    Unheard { last_call: TimestampMs },
    /// It took until the duty's deadline.
    TooLong,
    /// Nothing can be said for now.
    Unknown,
}

/// A record that was shown, opened.
#[derive(Debug)]
pub(crate) struct Record {
    pub exchange: Exchange,
    pub bodies: ShownBodies,
}

/// What is wrong with a record, if anything; `model` is the name that its task gives it.
///
/// # Errors
/// If the engine can't tell.
pub(super) async fn judge(
    engine: &dyn Engine,
    model: &str,
    (duty, claimed): (&Duty, &Claimed),
    record: Record,
) -> Result<Verdict, Unable> {
    let ShownBodies { request, answer } = record.bodies;
    let work = Work {
        exchange: record.exchange,
        task: Promised {
            model: Some(model.to_owned()),
            engine: claimed.engine,
            weights: Some(claimed.weights),
        },
        bodies: Some([body(&request), body(&answer)]),
    };
    let ballot = Ballot {
        stack: duty.ticket.stack,
        node: duty.ticket.holder,
        ticket: duty.ticket.to_seq,
        challenge: duty.seat.is_of_challenge(),
    };
    let examined = examine(engine, &work).await?;
    Ok(atoma_audit::verdict(&ballot, &work, &examined))
}

fn body(body: &SaltedBody) -> Body {
    Body {
        salt: body.salt(),
        bytes: body.body(),
    }
}
