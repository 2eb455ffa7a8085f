//! Reading a record that was shown: what the ledger says of it, its bytes from Walrus, its bodies with the keys that
//! are wrapped for us. And, where a jury sits, whether everyone else was shown the same.

use super::{
    duty::{Claimed, Disclosure, Duty},
    judge::Record,
    step::Summons,
};
use crate::{ledger::LedgerLink, signer::ResponseKeys};
use atoma_evidence::pack::{BodyKeys, PackError, SealContext, Shown, ShownBodies};
use atoma_ledger::ReadError;
use atoma_types::{
    NodeId, PublicKey,
    merkle::Proof,
    message::{EvidenceLeaf, Message, MessageSignature, Receipt, RequestHeader, Signed},
};
use atoma_walrus::client::{ClientError, WalrusClient};
use std::sync::Arc;

/// Reads records that were shown to this node.
#[derive(Debug)]
pub(crate) struct Reader {
    pub node: NodeId,
    pub keys: Arc<ResponseKeys>,
    pub link: Arc<LedgerLink>,
    pub walrus: WalrusClient,
}

/// Why a record can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// Walrus can't be asked.
    #[error(transparent)]
    Walrus(#[from] ClientError),
    /// The transaction that disclosed it doesn't show it.
    #[error("the disclosure's transaction shows no such record")]
    NotInTransaction,
    /// We weren't among those whom it was shown to.
    #[error("nothing was shown to this node")]
    NotShown,
    /// Walrus has no such record where it is said to be.
    #[error("the record isn't where it is said to be")]
    Missing,
    /// It can't be opened, or it isn't what was signed: the node's fault, for all to see.
    #[error("the record is withheld")]
    Withheld(#[source] PackError),
    /// It may be wrapped for a key that was ours and that we don't have: nobody else's fault.
    #[error("a response key that was this node's when it was drawn isn't in its folder")]
    KeyGone(#[source] PackError),
    /// Somebody was shown something else, or what a key opens that isn't theirs any more.
    #[error("node {0} was shown garbage")]
    Garbage(NodeId),
}

impl Reader {
    /// The record of a summons, read and checked against the ledger.
    pub(crate) async fn read(&self, summons: &Summons) -> Result<Record, Unread> {
        let Summons {
            duty,
            claimed,
            disclosure,
            ..
        } = summons;
        let arguments = self
            .link
            .ledger
            .byte_arguments(disclosure.transaction)
            .await?;
        let (leaf, header, receipt) =
            record_in(&arguments, duty, claimed).ok_or(Unread::NotInTransaction)?;
        let mut drawn = claimed.drawn.iter();
        let own = drawn.position(|node| *node == self.node);
        let own = own.and_then(|place| disclosure.shown.get(place));
        let shown = Shown::from_bytes(own.ok_or(Unread::NotShown)?).map_err(Unread::Withheld)?;
        let context = SealContext {
            network: self.link.ledger.network(),
            stack: duty.ticket.stack,
            node: duty.ticket.holder,
        };
        let open = |key: &_| BodyKeys::open(&shown.wrap, key, &context, header.hash());
        let opened = self.keys.first_that(open).map_err(|error| {
            let ours = disclosure.keys_of(self.node).unwrap_or_default();
            match ours.iter().all(|key| self.keys.has(key)) {
                true => Unread::Withheld(error),
                false => Unread::KeyGone(error),
            }
        })?;
        let record = shown.place.fetch(&self.walrus, &leaf).await?;
        let record = record.ok_or(Unread::Missing)?;
        let bodies = ShownBodies::open(&record, &opened, &header, &receipt);
        let bodies = bodies.map_err(Unread::Withheld)?;
        for (node, bytes, keys) in each_shown(summons) {
            let good = match keys {
                Some(keys) => keys.to_vec(),
                None => vec![self.link.ledger.node(node).await?.response_key],
            };
            let mut good = good.iter().map(|key: &PublicKey| {
                let wrap = opened.wrap_for(&context, header.hash(), key)?;
                let place = shown.place.clone();
                Ok::<_, PackError>(Shown { wrap, place }.to_bytes() == bytes)
            });
            if !good.any(|same| same.unwrap_or_default()) {
                return Err(Unread::Garbage(node));
            }
        }
        Ok(Record {
            header,
            receipt,
            bodies,
        })
    }
}

/// To whom, what, and the keys that it may be wrapped for, if events have told.
type ShownTo<'a> = (NodeId, &'a [u8], Option<&'a [PublicKey]>);

/// What was shown to each of a jury, us too, and to the examiner before.
fn each_shown(summons: &Summons) -> Vec<ShownTo<'_>> {
    let claimed = &summons.claimed;
    let mut all = shown_to(&claimed.drawn, &summons.disclosure);
    if let (Some(examiner), Some(examined)) = (&claimed.examiner, &summons.examined) {
        all.extend(shown_to(std::slice::from_ref(examiner), examined));
    }
    all
}

fn shown_to<'a>(nodes: &[NodeId], disclosure: &'a Disclosure) -> Vec<ShownTo<'a>> {
    let shown = nodes.iter().zip(&disclosure.shown);
    shown
        .map(|(node, shown)| (*node, &shown[..], disclosure.keys_of(*node)))
        .collect()
}

/// The record that a transaction shows, with a path that leads to the ticket's last receipt from its place.
fn record_in(
    arguments: &[Vec<u8>],
    duty: &Duty,
    claimed: &Claimed,
) -> Option<(EvidenceLeaf, Signed<RequestHeader>, Signed<Receipt>)> {
    let proofs = arguments.iter();
    let proofs: Vec<_> = proofs
        .filter_map(|bytes| Proof::from_bytes(bytes).ok())
        .collect();
    arguments.iter().find_map(|bytes| {
        let leaf = EvidenceLeaf::from_bytes(bytes).ok()?;
        let header = decode::<RequestHeader>(&leaf.header, &leaf.header_signature)?;
        let receipt = decode::<Receipt>(&leaf.receipt, &leaf.receipt_signature)?;
        let said = receipt.message();
        let ours = (said.stack, said.node, said.seq);
        let leads = proofs
            .iter()
            .any(|proof| claimed.last.place_of(receipt.hash(), proof) == Some(claimed.seq));
        let right = ours == (duty.ticket.stack, duty.ticket.holder, claimed.seq) && leads;
        right.then_some((leaf, header, receipt))
    })
}

fn decode<T: Message>(bytes: &[u8], signature: &[u8]) -> Option<Signed<T>> {
    let signature = MessageSignature::try_from(signature).ok()?;
    Signed::decode(bytes.to_vec(), signature).ok()
}
