//! Records as a node makes them: sealed for the stack's user and the node, or open by the user's
//! wish.

use super::{
    body::Body,
    error::PackError,
    record::Record,
    salted::SaltedBody,
    seal::{SealContext, Sealer},
};
use atoma_runtime::SharedRandom;
use atoma_types::{
    NetworkId, NodeId, PublicKey, StackId,
    message::{CommitmentKind, Receipt, RequestHeader, Signed},
};
use std::collections::{HashMap, hash_map::Entry};

/// Makes the records of one pack. A stack's content key is drawn once for all its records in it.
#[derive(Debug)]
pub struct Recorder {
    network: NetworkId,
    node: NodeId,
    response_key: PublicKey,
    /// Draws the content keys.
    random: SharedRandom,
    sealers: HashMap<StackId, Sealer>,
}

/// One answered request, as a recorder takes it.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The request header, as the user signed it.
    pub header: &'a Signed<RequestHeader>,
    /// The request's receipt, as the node signed it.
    pub receipt: &'a Signed<Receipt>,
    /// The stack's request key: with the node it may read what is sealed.
    pub request_key: PublicKey,
    /// The bodies are for everyone to read.
    pub open: bool,
    /// The request's body with its salt, plain.
    pub request: &'a SaltedBody,
    /// The answer's body with its salt, plain.
    pub answer: &'a SaltedBody,
}

impl Recorder {
    /// For the packs of a node, whose response key is a party of every seal.
    #[must_use]
    pub fn new(
        network: NetworkId,
        node: NodeId,
        response_key: PublicKey,
        random: SharedRandom,
    ) -> Self {
        Self {
            network,
            node,
            response_key,
            random,
            sealers: HashMap::new(),
        }
    }

    /// Makes the record.
    ///
    /// # Errors
    /// If a body is too long, or can't be sealed for one of the keys.
    pub fn record(&mut self, recorded: &Recorded<'_>) -> Result<Record, PackError> {
        let [request, answer] =
            [recorded.request, recorded.answer].map(|body| body.as_bytes().clone());
        let (request, answer) = if recorded.open {
            (Body::open(request)?, Body::open(answer)?)
        } else {
            let sealer = self.sealer(recorded)?;
            let id = recorded.header.hash();
            (
                sealer.seal(id, CommitmentKind::Request, request)?,
                sealer.seal(id, CommitmentKind::Answer, answer)?,
            )
        };
        let (header, receipt) = (recorded.header, recorded.receipt);
        Ok(Record::exchange(header, receipt, request, answer))
    }

    fn sealer(&mut self, recorded: &Recorded<'_>) -> Result<&Sealer, PackError> {
        let stack = recorded.receipt.message().stack;
        match self.sealers.entry(stack) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let context = SealContext {
                    network: self.network,
                    stack,
                    node: self.node,
                };
                let parties = [recorded.request_key, self.response_key];
                Ok(entry.insert(Sealer::new(&context, &parties, &*self.random)?))
            }
        }
    }
}
