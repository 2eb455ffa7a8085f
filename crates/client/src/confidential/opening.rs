//! An answer that came through a gateway, as it is opened.

use super::{Attested, SealedAnswer};
use crate::ClientError;
use atoma_evidence::receipt::ReceiptError;
use atoma_http::client::Pieces;
use atoma_keys::Verifier;
use atoma_types::{
    Address, NodeId,
    hash::Hash32,
    message::{Receipt, Signed},
};
use bytes::Bytes;
use futures::{Stream, stream};
use http::StatusCode;
use std::sync::Arc;

/// An answer that is being opened.
pub(super) struct Opening {
    answer: SealedAnswer,
    pieces: Pieces,
    /// Who may answer.
    attested: Vec<Arc<Attested>>,
    over: bool,
}

impl Opening {
    pub(super) fn new(attested: Vec<Arc<Attested>>, answer: SealedAnswer, pieces: Pieces) -> Self {
        Self {
            answer,
            pieces,
            attested,
            over: false,
        }
    }

    /// What it says first; nothing if it ends without a word.
    pub(super) async fn first_words(&mut self) -> Result<Bytes, ClientError> {
        let mut first = Bytes::new();
        while first.is_empty() && !self.over {
            first = self.next().await?;
        }
        Ok(first)
    }

    /// What it refused with, if it is a refusal.
    pub(super) fn refusal(&self) -> Option<(StatusCode, Bytes)> {
        self.answer.refusal()
    }

    /// What comes after the first words. An error is the last of it.
    pub(super) fn rest(self) -> impl Stream<Item = Result<Bytes, ClientError>> + Send + 'static {
        stream::unfold(self, |mut opening| async move {
            loop {
                if opening.over {
                    return None;
                }
                match opening.next().await {
                    Ok(bytes) if bytes.is_empty() => {}
                    Ok(bytes) => return Some((Ok(bytes), opening)),
                    Err(error) => {
                        opening.over = true;
                        return Some((Err(error), opening));
                    }
                }
            }
        })
    }

    /// The next bytes, which may be none.
    async fn next(&mut self) -> Result<Bytes, ClientError> {
        let node = self.node();
        let came = self.pieces.next().await;
        let came = came.map_err(|source| ClientError::Broken { node, source })?;
        let Some(bytes) = came else {
            self.over = true;
            self.answer.end(node)?;
            return Ok(Bytes::new());
        };
        let fed = self.answer.feed(&bytes);
        let mut pieces = fed.map_err(|source| ClientError::Sealed { node, source })?;
        if let Some((receipt, covered)) = pieces.receipt {
            let node = self.node();
            let checked = self.check(node, &receipt, covered);
            checked.map_err(|reason| ClientError::Receipt { node, reason })?;
            pieces.text.extend_from_slice(&self.answer.verified());
        }
        Ok(pieces.text.freeze())
    }

    /// Who answers, as far as it is known.
    fn node(&self) -> NodeId {
        self.answer.node().unwrap_or_else(|| first(&self.attested))
    }

    /// A receipt of the guest that answered, over these very bytes. What it says of units is between gateway and node.
    fn check(&self, node: NodeId, receipt: &str, covered: Hash32) -> Result<(), ReceiptError> {
        let receipt = Signed::<Receipt>::from_text(receipt)?;
        let guest = self.attested.iter().find(|one| one.verdict.node == node);
        let key = guest.ok_or(ReceiptError::Signature)?.receipt_key;
        let verifier = Verifier::new(&key).map_err(|_| ReceiptError::Signature)?;
        receipt
            .verify(&verifier)
            .map_err(|_| ReceiptError::Signature)?;
        if receipt.message().response_hash != covered {
            return Err(ReceiptError::ResponseHash);
        }
        Ok(())
    }
}

/// Who is named where nothing says yet who answers.
pub(super) fn first(attested: &[Arc<Attested>]) -> NodeId {
    let first = attested.first().map(|one| one.verdict.node);
    first.unwrap_or(NodeId(Address::ZERO))
}
