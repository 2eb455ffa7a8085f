//! How the tries at one node ended, and what is believed of it.
//!
//! A node is a stranger: anyone can register one that finds fault with every request. So its word about a body ends no
//! request as long as another owner's node can be asked. Whose word another node's answer disproves has failed; a body
//! that is at fault indeed costs its sender a round trip more, and no node anything.

use crate::{
    pool::Attempt,
    reply::{Reply, WholeReply},
    router::Outcome,
};
use atoma_client::{ClientError, WholeAnswer};
use atoma_runtime::WithCauses;
use atoma_types::{Address, refusal::Refusal};

/// How the tries at one node ended.
#[expect(
    clippy::large_enum_variant,
    reason = "returned once and taken apart at once"
)]
pub(crate) enum AtNode {
    /// This is the user's.
    Answered(Reply),
    /// Another node, please; true if this one was only busy.
    Next { busy: bool },
    /// No other node can help.
    Refused(Refusal),
}

/// Nodes of one owner that found fault with a request; nobody has confirmed it yet.
#[derive(Default)]
pub(crate) struct Faulted {
    /// What the first of them said.
    first: Option<(Address, WholeReply)>,
    /// How these went is known once others have answered.
    attempts: Vec<Attempt>,
}

impl Faulted {
    /// A node of this owner finds fault. Two owners' word is the user's: what the first of them said, and neither is blamed.
    pub(crate) fn by(&mut self, attempt: Attempt, owner: Address, said: WholeAnswer) -> AtNode {
        self.attempts.push(attempt);
        match &self.first {
            None => self.first = Some((owner, said.into())),
            Some((first, _)) if *first == owner => {}
            Some(_) => {
                if let Some(reply) = self.reply() {
                    return AtNode::Answered(reply);
                }
            }
        }
        AtNode::Next { busy: false }
    }

    /// Another node has answered the request.
    pub(crate) fn disproved(&mut self) {
        for attempt in &mut self.attempts {
            let node = attempt.node();
            tracing::warn!(%node, "a node found fault with a request that another has answered");
            attempt.went(Outcome::Failed);
        }
        self.attempts.clear();
    }

    /// What the first said, once nobody says otherwise; nobody is blamed any more.
    pub(crate) fn reply(&mut self) -> Option<Reply> {
        self.attempts.clear();
        self.first.take().map(|(_, said)| Reply::Whole(said))
    }
}

/// The answer ended before its first byte, or without a receipt.
pub(crate) fn broke_off(mut attempt: Attempt, error: Option<&ClientError>) -> AtNode {
    let node = attempt.node();
    match error {
        Some(error) => {
            tracing::warn!(error = %WithCauses(error), %node, "an answer broke off");
        }
        None => tracing::warn!(%node, "an answer ended before its time"),
    }
    attempt.went(Outcome::Failed);
    AtNode::Next { busy: false }
}
