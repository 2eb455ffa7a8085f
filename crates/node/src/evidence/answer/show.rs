//! The call that shows a record to whom it must be shown.

use super::{
    AnswerTask, STORE_TIMEOUT, Unanswered,
    duty::{Duty, To},
};
use crate::{
    evidence::{read_back::Known, reader::Exchange},
    journal::PackRow,
};
use atoma_evidence::pack::{BodyKeys, Place, Record, SealContext, Shown, TicketKey};
use atoma_ledger::Digest;
use atoma_runtime::WithCauses;
use atoma_types::{
    BlobId, NodeId,
    chain::{Call, Clock, calls},
    hash::Hash32,
    merkle::Proof,
    message::EvidenceLeaf,
};

/// A record, and what proves it.
struct Proved {
    leaf: EvidenceLeaf,
    /// From its receipt to the ticket's last one.
    path: Proof,
    /// The blob of its pack.
    pack: BlobId,
    stands: Stands,
}

/// Where the bodies are.
enum Stands {
    /// In a pack that the log knows.
    Logged(Box<(Exchange, PackRow)>),
    /// Here: it was read back from Walrus.
    Read(Box<(Record, Place)>),
}

impl AnswerTask {
    /// What a duty takes to the ledger.
    pub(super) async fn call(&self, duty: &Duty) -> Result<Call, Unanswered> {
        let proved = match self.logged(duty).await? {
            Some(proved) => proved,
            None => self.on_walrus(duty).await?,
        };
        let (leaf, path) = (&proved.leaf, &proved.path);
        match &duty.to {
            To::Owner => Ok(self.link.ledger.answer_demand(
                (duty.stack, self.node),
                duty.unit,
                (leaf, path),
                (Some(proved.pack), Vec::new()),
            )),
            To::Examiner { ticket, examiner } => {
                let showing = self.showing(duty, &proved.stands).await?;
                let shown = self.shown_to(&showing, *examiner).await?;
                Ok(self.disclose(duty, *ticket, (leaf, path), shown))
            }
            To::Jury {
                ticket,
                challenge,
                jurors,
            } => {
                let showing = self.showing(duty, &proved.stands).await?;
                let mut wraps = Vec::with_capacity(jurors.len());
                for juror in jurors {
                    wraps.push(self.shown_to(&showing, *juror).await?);
                }
                let call = calls::DiscloseToJury {
                    stack: duty.stack.into(),
                    holder: self.node,
                    ticket: *ticket,
                    challenge: *challenge,
                    record: leaf.to_bytes(),
                    proof: path.to_bytes(),
                    wraps,
                    clock: Clock,
                };
                Ok(call.into())
            }
        }
    }

    fn disclose(
        &self,
        duty: &Duty,
        ticket: u64,
        (leaf, path): (&EvidenceLeaf, &Proof),
        wrap: Vec<u8>,
    ) -> Call {
        calls::Disclose {
            stack: duty.stack.into(),
            holder: self.node,
            ticket,
            record: leaf.to_bytes(),
            proof: path.to_bytes(),
            wrap,
            clock: Clock,
        }
        .into()
    }

    /// The record of a duty as the node's own log has it; `None` if the log isn't the one that the ticket was
    /// settled from.
    async fn logged(&self, duty: &Duty) -> Result<Option<Proved>, Unanswered> {
        let (stack, unit, seq) = (duty.stack, duty.unit, duty.seq);
        let range = (duty.ticket.from_seq, duty.ticket.last.seq);
        let found = self.log.reader.ask(move |log| match seq {
            0 => log.by_unit(stack, unit, range),
            seq => log.by_seq(stack, seq),
        });
        let Some(exchange) = found.await? else {
            return Ok(None);
        };
        let settlement = self.log.settlement_of(&exchange).await?;
        let Some(settled) = settlement.filter(|settled| settled.last == duty.ticket.last) else {
            return Ok(None);
        };
        let pack = self.stored(&exchange).await?;
        Ok(Some(Proved {
            leaf: EvidenceLeaf::new(&exchange.header, &exchange.receipt),
            path: settled.path,
            pack: pack.blob,
            stands: Stands::Logged(Box::new((exchange, pack))),
        }))
    }

    /// The record of a duty as Walrus has it.
    async fn on_walrus(&self, duty: &Duty) -> Result<Proved, Unanswered> {
        let blob = duty.ticket.packs.ok_or(Unanswered::NoRecord)?;
        let key = TicketKey {
            stack: duty.stack,
            node: self.node,
            last: duty.ticket.last,
        };
        let known = self.read_back.record(key, blob, |found| match duty.seq {
            0 => found.records.seq_of(duty.unit),
            seq => Some(seq),
        });
        match known.await? {
            Known::Reading => Err(Unanswered::Reading),
            Known::Lacking => Err(Unanswered::NoRecord),
            Known::Record {
                record,
                path,
                place,
            } => Ok(Proved {
                leaf: record.evidence_leaf()?.ok_or(Unanswered::NoRecord)?,
                path,
                pack: place.blob,
                stands: Stands::Read(Box::new((*record, place))),
            }),
        }
    }

    async fn record(&self, stands: &Stands) -> Result<(Record, Place), Unanswered> {
        match stands {
            Stands::Logged(logged) => {
                let (record, range) = self.log.record_of(&logged.0, &logged.1).await?;
                let blob = logged.1.blob;
                Ok((record, Place { blob, range }))
            }
            Stands::Read(read) => Ok(read.as_ref().clone()),
        }
    }

    /// Its pack, on Walrus, for longer if that has ended.
    async fn stored(&self, exchange: &Exchange) -> Result<PackRow, Unanswered> {
        self.log.flush(exchange.id);
        let pack = self.log.await_stored(exchange.id, STORE_TIMEOUT).await;
        let pack = pack.ok_or(Unanswered::NotStored)?;
        let epoch = match self.link.ledger.walrus_epoch().await {
            Ok(epoch) => epoch,
            // the ledger asks for the record, and doesn't look at the blob
            Err(error) => {
                tracing::warn!(error = %WithCauses(&error), "the epoch of Walrus can't be read");
                return Ok(pack);
            }
        };
        if pack.end_epoch > epoch {
            return Ok(pack);
        }
        Ok(self.packs.renew(&pack).await?)
    }

    /// What a record's attesters are shown.
    async fn showing(&self, duty: &Duty, stands: &Stands) -> Result<Showing, Unanswered> {
        let (record, place) = self.record(stands).await?;
        let context = SealContext {
            network: self.link.ledger.network(),
            stack: duty.stack,
            node: self.node,
        };
        let request = record.signed_request()?.hash();
        // a lease keeps the key that it began with
        let keys = |key: &_| BodyKeys::of(&record, key, &context, request);
        let keys = self.response_keys.first_that(keys)?;
        let pack = match stands {
            Stands::Logged(logged) => Some(&logged.1),
            Stands::Read(_) => None,
        };
        Ok(Showing {
            keys,
            context,
            request,
            certified_by: self.certified_by(place.blob, pack).await?,
            place,
        })
    }

    /// What one of them is shown.
    async fn shown_to(&self, showing: &Showing, attester: NodeId) -> Result<Vec<u8>, Unanswered> {
        let party = self.link.ledger.node(attester).await?.response_key;
        let (context, request) = (&showing.context, showing.request);
        let shown = Shown {
            wrap: showing.keys.wrap_for(context, request, &party)?,
            place: showing.place.clone(),
            certified_by: showing.certified_by,
        };
        Ok(shown.to_bytes())
    }
}

/// A record as it is shown: the keys of its bodies, where it lies, and what shows that it does.
struct Showing {
    keys: BodyKeys,
    context: SealContext,
    /// Hash of the request's header.
    request: Hash32,
    place: Place,
    certified_by: Digest,
}
