//! Reading a record that was shown: what the ledger says of it, its bytes from Walrus, its bodies with the keys that
//! are wrapped for us. And, where a jury sits, whether everyone else was shown the same.

use super::{
    duty::{Claimed, Duty},
    judge::Record,
    step::Summons,
};
use crate::ledger::LedgerLink;
use atoma_evidence::pack::{BodyKeys, PackError, SealContext, Shown, ShownBodies};
use atoma_keys::SigningKey;
use atoma_ledger::LedgerError;
use atoma_types::{
    NodeId, PublicKey,
    merkle::Proof,
    message::{EvidenceLeaf, Message, MessageSignature, Receipt, RequestHeader, Signed},
};
use atoma_walrus::client::{ClientError, WalrusClient};
use std::{collections::BTreeMap, sync::Arc};

/// Reads records that were shown to this node.
#[derive(Debug)]
pub(crate) struct Reader {
    pub node: NodeId,
    pub key: Arc<SigningKey>,
    pub link: Arc<LedgerLink>,
    pub walrus: WalrusClient,
}

/// Why a record can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// The ledger can't be asked.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
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
    /// Somebody else was shown something else.
    #[error("node {0} was shown garbage")]
    Garbage(NodeId),
}

/// The keys that attesters have or had.
pub(crate) type Keys = BTreeMap<NodeId, Vec<PublicKey>>;

impl Reader {
    /// The record of a summons, read and checked against the ledger; `keys` are those that events have told.
    pub(crate) async fn read(&self, summons: &Summons, keys: &Keys) -> Result<Record, Unread> {
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
        let opened = BodyKeys::open(&shown.wrap, &self.key, &context, header.hash());
        let opened = opened.map_err(Unread::Withheld)?;
        let record = shown.place.fetch(&self.walrus, &leaf).await?;
        let record = record.ok_or(Unread::Missing)?;
        let bodies = ShownBodies::open(&record, &opened, &header, &receipt);
        let bodies = bodies.map_err(Unread::Withheld)?;
        let others = others(summons);
        for (node, bytes) in others {
            let mut known = keys.get(&node).cloned().unwrap_or_default();
            known.push(self.link.ledger.node(node).await?.response_key);
            let mut good = known.iter().map(|key| {
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

/// What was shown to the others: to each of a jury, and to the examiner before.
fn others(summons: &Summons) -> Vec<(NodeId, Vec<u8>)> {
    let claimed = &summons.claimed;
    let jury = claimed.drawn.iter().zip(&summons.disclosure.shown);
    let examined = summons.examined.as_ref().map(|examined| &examined.shown);
    let examined = claimed.examiner.iter().zip(examined.into_iter().flatten());
    jury.chain(examined)
        .map(|(node, shown)| (*node, shown.clone()))
        .collect()
}

/// The record that a transaction shows, with a path that leads to the ticket's root at its place.
fn record_in(
    arguments: &[Vec<u8>],
    duty: &Duty,
    claimed: &Claimed,
) -> Option<(EvidenceLeaf, Signed<RequestHeader>, Signed<Receipt>)> {
    let place = claimed.seq.checked_sub(claimed.from_seq)?.checked_sub(1)?;
    let proofs = arguments.iter();
    let proofs: Vec<_> = proofs
        .filter_map(|bytes| Proof::from_bytes(bytes).ok())
        .filter(|proof| proof.index == place)
        .collect();
    arguments.iter().find_map(|bytes| {
        let leaf = EvidenceLeaf::from_bytes(bytes).ok()?;
        let header = decode::<RequestHeader>(&leaf.header, &leaf.header_signature)?;
        let receipt = decode::<Receipt>(&leaf.receipt, &leaf.receipt_signature)?;
        let said = receipt.message();
        let ours = (said.stack, said.node, said.seq);
        let hash = leaf.hash();
        let leads = proofs
            .iter()
            .any(|proof| proof.root(hash) == Some(claimed.root));
        let right = ours == (duty.ticket.stack, duty.ticket.holder, claimed.seq) && leads;
        right.then_some((leaf, header, receipt))
    })
}

fn decode<T: Message>(bytes: &[u8], signature: &[u8]) -> Option<Signed<T>> {
    let signature = MessageSignature::try_from(signature).ok()?;
    Signed::decode(bytes.to_vec(), signature).ok()
}
