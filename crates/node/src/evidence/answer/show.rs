//! The call that shows a record to whom it must be shown.

use super::{
    AnswerTask, STORE_TIMEOUT, Unanswered,
    duty::{Duty, To},
};
use crate::{evidence::reader::Exchange, journal::PackRow};
use atoma_evidence::pack::{Record, SealContext};
use atoma_types::{
    NodeId,
    chain::{Call, Clock, calls},
    merkle::Proof,
    message::EvidenceLeaf,
};

impl AnswerTask {
    /// What a duty takes to the ledger.
    pub(super) async fn call(&self, duty: &Duty) -> Result<Call, Unanswered> {
        let exchange = self.exchange(duty).await?;
        let settlement = self.log.settlement_of(&exchange).await?;
        let path = settlement.ok_or(Unanswered::NoRecord)?.path;
        let leaf = EvidenceLeaf::new(&exchange.header, &exchange.receipt);
        let pack = self.stored(&exchange).await?;
        match &duty.to {
            To::Owner => Ok(self.link.ledger.answer_demand(
                (duty.stack, self.node),
                duty.unit,
                (&leaf, &path),
                (Some(pack.blob), Vec::new()),
            )),
            To::Examiner { ticket, examiner } => {
                let record = self.log.record_of(&exchange, &pack).await?;
                let wrap = self.wrap(&exchange, &record, *examiner).await?;
                Ok(self.disclose(duty, *ticket, (&leaf, &path), wrap))
            }
            To::Jury {
                ticket,
                challenge,
                jurors,
            } => {
                let record = self.log.record_of(&exchange, &pack).await?;
                let mut wraps = Vec::with_capacity(jurors.len());
                for juror in jurors {
                    wraps.push(self.wrap(&exchange, &record, *juror).await?);
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

    /// The record of a duty.
    async fn exchange(&self, duty: &Duty) -> Result<Exchange, Unanswered> {
        let (stack, unit, range, seq) = (duty.stack, duty.unit, duty.range, duty.seq);
        let found = self.log.reader.ask(move |log| match seq {
            0 => log.by_unit(stack, unit, range),
            seq => log.by_seq(stack, seq),
        });
        found.await?.ok_or(Unanswered::NoRecord)
    }

    /// Its pack, on Walrus.
    async fn stored(&self, exchange: &Exchange) -> Result<PackRow, Unanswered> {
        self.log.flush(exchange.id);
        let pack = self.log.await_stored(exchange.id, STORE_TIMEOUT).await;
        let pack = pack.ok_or(Unanswered::NotStored)?;
        let epoch = self.link.ledger.walrus_epoch().await?;
        if pack.end_epoch > epoch {
            return Ok(pack);
        }
        Ok(self.packs.renew(&pack).await?)
    }

    /// The keys of a record's bodies, wrapped for an attester.
    async fn wrap(
        &self,
        exchange: &Exchange,
        record: &Record,
        attester: NodeId,
    ) -> Result<Vec<u8>, Unanswered> {
        let party = self.link.ledger.node(attester).await?.response_key;
        let receipt = exchange.receipt.message();
        let context = SealContext {
            network: receipt.network,
            stack: receipt.stack,
            node: receipt.node,
        };
        let request = exchange.header.hash();
        Ok(record.wrap_for(&self.response_key, &context, request, &party)?)
    }
}
