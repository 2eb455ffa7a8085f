//! The call that shows a record to whom it must be shown.

use super::{
    AnswerTask, STORE_TIMEOUT, Unanswered,
    duty::{Duty, To},
};
use crate::{
    evidence::{read_back::Known, reader::Exchange},
    journal::PackRow,
};
use atoma_evidence::pack::{Record, SealContext, TicketKey};
use atoma_runtime::WithCauses;
use atoma_types::{
    BlobId, NodeId,
    chain::{Call, Clock, calls},
    merkle::Proof,
    message::EvidenceLeaf,
};

/// A record, and what proves it.
struct Shown {
    leaf: EvidenceLeaf,
    /// From the leaf to the ticket's root.
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
    Read(Box<Record>),
}

impl AnswerTask {
    /// What a duty takes to the ledger.
    pub(super) async fn call(&self, duty: &Duty) -> Result<Call, Unanswered> {
        let shown = match self.logged(duty).await? {
            Some(shown) => shown,
            None => self.on_walrus(duty).await?,
        };
        let (leaf, path) = (&shown.leaf, &shown.path);
        match &duty.to {
            To::Owner => Ok(self.link.ledger.answer_demand(
                (duty.stack, self.node),
                duty.unit,
                (leaf, path),
                (Some(shown.pack), Vec::new()),
            )),
            To::Examiner { ticket, examiner } => {
                let record = self.record(&shown.stands).await?;
                let wrap = self.wrap(duty, &record, *examiner).await?;
                Ok(self.disclose(duty, *ticket, (leaf, path), wrap))
            }
            To::Jury {
                ticket,
                challenge,
                jurors,
            } => {
                let record = self.record(&shown.stands).await?;
                let mut wraps = Vec::with_capacity(jurors.len());
                for juror in jurors {
                    wraps.push(self.wrap(duty, &record, *juror).await?);
                }
                let call = calls::DiscloseToJury {
                    stack: duty.stack.into(),
                    holder: self.node,
                    ticket: *ticket,
                    challenge: *challenge,
                    record: leaf.to_bytes(),
                    proof: path.to_bytes(),
                    wraps,
                    // what opens a wrap is secret: a jury makes the examiner's again from what it can read
                    opening: Vec::new(),
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
    async fn logged(&self, duty: &Duty) -> Result<Option<Shown>, Unanswered> {
        let (stack, unit, range, seq) = (duty.stack, duty.unit, duty.ticket.range, duty.seq);
        let found = self.log.reader.ask(move |log| match seq {
            0 => log.by_unit(stack, unit, range),
            seq => log.by_seq(stack, seq),
        });
        let Some(exchange) = found.await? else {
            return Ok(None);
        };
        let settlement = self.log.settlement_of(&exchange).await?;
        let Some(settled) = settlement.filter(|settled| settled.root == duty.ticket.root) else {
            return Ok(None);
        };
        let pack = self.stored(&exchange).await?;
        Ok(Some(Shown {
            leaf: EvidenceLeaf::new(&exchange.header, &exchange.receipt),
            path: settled.path,
            pack: pack.blob,
            stands: Stands::Logged(Box::new((exchange, pack))),
        }))
    }

    /// The record of a duty as Walrus has it.
    async fn on_walrus(&self, duty: &Duty) -> Result<Shown, Unanswered> {
        let blob = duty.ticket.packs.ok_or(Unanswered::NoRecord)?;
        let key = TicketKey {
            stack: duty.stack,
            node: self.node,
            range: duty.ticket.range,
            root: duty.ticket.root,
        };
        let known = self.read_back.record(key, blob, |found| match duty.seq {
            0 => found.records.seq_of(duty.unit),
            seq => Some(seq),
        });
        match known.await? {
            Known::Reading => Err(Unanswered::Reading),
            Known::Lacking => Err(Unanswered::NoRecord),
            Known::Record { record, path, pack } => Ok(Shown {
                leaf: record.evidence_leaf()?.ok_or(Unanswered::NoRecord)?,
                path,
                pack,
                stands: Stands::Read(record),
            }),
        }
    }

    async fn record(&self, stands: &Stands) -> Result<Record, Unanswered> {
        match stands {
            Stands::Logged(logged) => Ok(self.log.record_of(&logged.0, &logged.1).await?),
            Stands::Read(record) => Ok(Record::clone(record)),
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

    /// The keys of a record's bodies, wrapped for an attester.
    async fn wrap(
        &self,
        duty: &Duty,
        record: &Record,
        attester: NodeId,
    ) -> Result<Vec<u8>, Unanswered> {
        let party = self.link.ledger.node(attester).await?.response_key;
        let context = SealContext {
            network: self.link.ledger.network(),
            stack: duty.stack,
            node: self.node,
        };
        let request = record.signed_request()?.hash();
        Ok(record.wrap_for(&self.response_key, &context, request, &party)?)
    }
}
