//! Reading a record that was shown: what the ledger says of it, its bytes from Walrus, its bodies with the keys that
//! are wrapped for us. And, where a jury sits, whether everyone else was shown the same.
//!
//! That Walrus has it is never found out by asking Walrus, which may answer some and not others: the ledger says whether
//! it was certified when it was shown. What was is asked for until the time is over, and never withheld.

use super::{
    duty::{Claimed, Disclosure, Duty},
    judge::Record,
    step::Summons,
};
use crate::{ledger::LedgerLink, signer::ResponseKeys};
use atoma_audit::Exchange;
use atoma_evidence::pack::{
    BodyKeys, PackError, SealContext, Shown, ShownAt, ShownBodies, Uncertified,
};
use atoma_ledger::{Digest, Ledger, ReadError};
use atoma_types::{
    BlobId, NodeId, PublicKey, TimestampMs,
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
    /// Whoever told of the disclosure made it up: the ledger takes no such record.
    #[error("the record that is said to have been disclosed isn't one")]
    NoRecord,
    /// We weren't among those whom it was shown to.
    #[error("nothing was shown to this node")]
    NotShown,
    /// It wasn't kept for us when it was shown, whatever Walrus has by now.
    #[error("the record's pack can't be counted on")]
    Uncertified(#[source] Uncertified),
    /// The ledger has no such transaction, though it reaches back that far.
    #[error("the ledger has no transaction {0}, which is said to have certified the record's pack")]
    NoTransaction(Digest),
    /// The transaction may be one that the ledger that is asked here has forgotten.
    #[error("the ledger's history here is too short to know transaction {0}")]
    Forgotten(Digest),
    /// Something else lies where the record is said to be.
    #[error("the record isn't where it is said to be")]
    NotThere,
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
        let (leaf, exchange) = record_in(disclosure, duty, claimed).ok_or(Unread::NoRecord)?;
        let header = exchange.header();
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
            let told_all = !disclosure.had_too_many_keys(self.node);
            match told_all && ours.iter().all(|key| self.keys.has(key)) {
                true => Unread::Withheld(error),
                false => Unread::KeyGone(error),
            }
        })?;
        for (transaction, certified_by) in certifications(summons, &shown) {
            let kept = Kept {
                blob: shown.place.blob,
                since: claimed.bought,
                shown_by: transaction,
                certified_by,
            };
            kept.check(&self.link.ledger).await?;
        }
        let record = shown.place.fetch(&self.walrus, &leaf).await?;
        let record = record.ok_or(Unread::NotThere)?;
        let bodies = ShownBodies::open(&record, &opened, header, exchange.receipt());
        let bodies = bodies.map_err(Unread::Withheld)?;
        for (node, certified_by, bytes, keys) in each_shown(summons, &shown) {
            let good = match keys {
                Some(keys) => keys.to_vec(),
                None => vec![self.link.ledger.node(node).await?.response_key],
            };
            let mut good = good.iter().map(|key: &PublicKey| {
                let wrap = opened.wrap_for(&context, header.hash(), key)?;
                let right = Shown {
                    wrap,
                    place: shown.place.clone(),
                    certified_by,
                };
                Ok::<_, PackError>(right.to_bytes() == bytes)
            });
            if !good.any(|same| same.unwrap_or_default()) {
                return Err(Unread::Garbage(node));
            }
        }
        Ok(Record { exchange, bodies })
    }
}

/// A blob that is said to have been kept for those who look.
struct Kept {
    blob: BlobId,
    /// It can't have been certified before this.
    since: TimestampMs,
    /// The transaction that disclosed it.
    shown_by: Digest,
    /// What is said to have certified it.
    certified_by: Digest,
}

impl Kept {
    /// Whether the ledger says that it was: all who look hear the same.
    async fn check(&self, ledger: &Ledger) -> Result<(), Unread> {
        let shown_by = ledger.sealed(self.shown_by).await?;
        let shown = shown_by.ok_or(Unread::Forgotten(self.shown_by))?;
        let Some(by) = ledger.sealed(self.certified_by).await? else {
            return Err(match ledger.reaches_back_to(self.since).await? {
                true => Unread::NoTransaction(self.certified_by),
                false => Unread::Forgotten(self.certified_by),
            });
        };
        let at = ShownAt {
            checkpoint: shown.checkpoint,
            epoch: epoch_in(ledger, shown.checkpoint).await?,
        };
        at.check(self.blob, &by).map_err(Unread::Uncertified)
    }
}

/// Walrus's epoch when a checkpoint was made, if it can be known: what was shown is looked at before two epochs have
/// ended.
async fn epoch_in(ledger: &Ledger, checkpoint: u64) -> Result<Option<u32>, ReadError> {
    let Some(now) = ledger.current_walrus_epoch().await? else {
        return Ok(None);
    };
    let shown = ledger.checkpoint(checkpoint).await?.time;
    let before = u32::from(shown < now.began);
    Ok(Some(now.number.saturating_sub(before)))
}

/// What is said to have certified the pack, for each time that it was shown.
fn certifications(summons: &Summons, ours: &Shown) -> Vec<(Digest, Digest)> {
    let mut all = vec![(summons.disclosure.transaction, ours.certified_by)];
    if let Some((examined, shown)) = shown_to_examiner(summons) {
        all.push((examined.transaction, shown.certified_by));
    }
    all
}

/// What its examiner was shown before, where its jury sits; nothing if that is no place at all.
fn shown_to_examiner(summons: &Summons) -> Option<(&Disclosure, Shown)> {
    let examined = summons.examined.as_ref()?;
    summons.claimed.examiner?;
    let shown = Shown::from_bytes(examined.shown.first()?).ok()?;
    Some((examined, shown))
}

/// To whom, what is to be in it, what, and the keys that it may be wrapped for, if events have told.
type ShownTo<'a> = (NodeId, Digest, &'a [u8], Option<&'a [PublicKey]>);

/// What was shown to each of a jury, us too, and to the examiner before, to whom another certificate of the same pack
/// may have been shown.
fn each_shown<'a>(summons: &'a Summons, ours: &Shown) -> Vec<ShownTo<'a>> {
    let claimed = &summons.claimed;
    let mut all = shown_to(&claimed.drawn, ours.certified_by, &summons.disclosure);
    if let (Some(examiner), Some(examined)) = (&claimed.examiner, &summons.examined) {
        let theirs = shown_to_examiner(summons).map(|(_, shown)| shown.certified_by);
        let certified_by = theirs.unwrap_or(ours.certified_by);
        let examiner = std::slice::from_ref(examiner);
        all.extend(shown_to(examiner, certified_by, examined));
    }
    all
}

fn shown_to<'a>(
    nodes: &[NodeId],
    certified_by: Digest,
    disclosure: &'a Disclosure,
) -> Vec<ShownTo<'a>> {
    let shown = nodes.iter().zip(&disclosure.shown);
    shown
        // it harms itself alone, and what it was shown may be wrapped for a key that isn't kept
        .filter(|(node, _)| !disclosure.had_too_many_keys(**node))
        .map(|(node, shown)| {
            let keys = disclosure.keys_of(*node);
            (*node, certified_by, &shown[..], keys)
        })
        .collect()
}

/// The record that was disclosed. The ledger has held it against the ticket; signatures are checked once more, since
/// an endpoint may lie and a jury's word is final.
fn record_in(
    disclosure: &Disclosure,
    duty: &Duty,
    claimed: &Claimed,
) -> Option<(EvidenceLeaf, Exchange)> {
    let leaf = EvidenceLeaf::from_bytes(&disclosure.record).ok()?;
    let header = decode::<RequestHeader>(&leaf.header, &leaf.header_signature)?;
    let receipt = decode::<Receipt>(&leaf.receipt, &leaf.receipt_signature)?;
    let said = receipt.message();
    if (said.stack, said.node, said.seq) != (duty.ticket.stack, duty.ticket.holder, claimed.seq) {
        return None;
    }
    let exchange = Exchange::checked(header, receipt, &claimed.signers).ok()?;
    Some((leaf, exchange))
}

fn decode<T: Message>(bytes: &[u8], signature: &[u8]) -> Option<Signed<T>> {
    let signature = MessageSignature::try_from(signature).ok()?;
    Signed::decode(bytes.to_vec(), signature).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::duty::{Seat, TicketId};
    use atoma_audit::Signers;
    use atoma_keys::SigningKey;
    use atoma_types::{
        Address, TaskId, UnitWeights,
        message::{Signed, sample},
    };

    #[test]
    fn what_was_shown_to_who_had_too_many_keys_is_held_to_none_of_them() {
        let [restless, calm] = [8, 9].map(|n| NodeId(Address::new([n; 32])));
        let keys = |count| (1..=count).map(|key| PublicKey([key; 32])).collect();
        let disclosure = |count| Disclosure {
            transaction: Digest::new([4; 32]),
            record: Vec::new(),
            shown: vec![vec![1], vec![2]],
            drawn: vec![(restless, keys(count)), (calm, keys(1))],
        };
        for (count, looked_at) in [(8, &[restless, calm][..]), (9, &[calm][..])] {
            let disclosure = disclosure(count);
            let shown = shown_to(&[restless, calm], Digest::new([5; 32]), &disclosure);
            let looked: Vec<_> = shown.iter().map(|(node, ..)| *node).collect();
            assert_eq!(looked, looked_at, "{count} keys");
        }
    }

    #[test]
    fn a_record_that_nobody_signed_or_that_is_another_is_none() {
        let user = SigningKey::from_seed(&[1; 32]);
        let node = SigningKey::from_seed(&[2; 32]);
        let nobody = SigningKey::from_seed(&[3; 32]);
        let header = Signed::new(sample::header(), &user);
        let receipt = Signed::new(sample::receipt(header.hash()), &node);
        let said = receipt.message().clone();
        let duty = Duty {
            ticket: TicketId {
                stack: said.stack,
                holder: said.node,
                to_seq: said.seq,
            },
            seat: Seat::Examiner,
        };
        let claimed = Claimed {
            task: TaskId(Address::new([5; 32])),
            engine: said.engine,
            weights: UnitWeights::TEXT,
            signers: Signers {
                request: user.public_key(),
                receipt: node.public_key(),
            },
            bought: TimestampMs(0),
            seq: said.seq,
            drawn: Vec::new(),
            examiner: None,
        };
        let shown = |leaf: EvidenceLeaf| Disclosure {
            transaction: Digest::new([4; 32]),
            record: leaf.to_bytes(),
            shown: Vec::new(),
            drawn: Vec::new(),
        };
        let disclosed = shown(EvidenceLeaf::new(&header, &receipt));
        let (_, found) = record_in(&disclosed, &duty, &claimed).unwrap();
        assert_eq!(found.header().hash(), said.request_hash);
        let forged = Signed::new(sample::header(), &nobody);
        let forged = shown(EvidenceLeaf::new(&forged, &receipt));
        assert!(record_in(&forged, &duty, &claimed).is_none());
        let next = Claimed {
            seq: said.seq + 1,
            ..claimed.clone()
        };
        assert!(record_in(&disclosed, &duty, &next).is_none());
        let others = Claimed {
            signers: Signers {
                receipt: nobody.public_key(),
                ..claimed.signers
            },
            ..claimed
        };
        assert!(record_in(&disclosed, &duty, &others).is_none());
    }
}
