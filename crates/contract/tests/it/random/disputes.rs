//! Demands, answers and proofs, honest or not; and the blobs that answers point at.

use super::*;

impl Play {
    /// Settlements that wait to be paid: the stack, its user, the node, the ticket.
    pub(super) fn tickets(&self) -> Vec<(StackId, u8, NodeId, Ticket)> {
        let leases = self.stacks.iter().flat_map(|&(stack, user)| {
            let leases = self.world.stack(stack).leases.iter();
            leases.map(move |lease| (stack, user, lease))
        });
        let tickets = leases.filter_map(|(stack, user, lease)| match &lease.state {
            LeaseState::Settling(ticket) => Some((stack, user, lease.node, ticket.clone())),
            LeaseState::Open | LeaseState::Closed { .. } => None,
        });
        tickets.collect()
    }

    pub(super) fn operator_of(&self, node: NodeId) -> u8 {
        let (_, operator) = self.nodes.iter().find(|(id, _)| *id == node).unwrap();
        *operator
    }

    pub(super) fn open_dispute(&mut self, step: &Step) {
        let mut tickets = self.tickets();
        let now = TimestampMs(self.world.now);
        tickets.retain(|(_, _, _, ticket)| now < ticket.deadline_ms);
        if tickets.is_empty() {
            return;
        }
        let (stack, user, node, ticket) = &tickets[usize::from(step.picks[0]) % tickets.len()];
        let seq = u64::from(step.picks[1]) % (ticket.count + 2);
        let mut call = self.world.open_call(*stack, *node, seq);
        call.bond.0.0 += u64::from(step.picks[4].is_multiple_of(16));
        // one in four shows the receipt
        if let Some(records) = self.records.get(&(*stack, *node))
            && let Some(record) = records.get((seq as usize).wrapping_sub(1))
            && step.picks[2].is_multiple_of(4)
        {
            let record = EvidenceLeaf::from_bytes(record).unwrap();
            (call.receipt, call.receipt_signature) = (record.receipt, record.receipt_signature);
        }
        let sender = if step.picks[5].is_multiple_of(10) {
            STRANGER
        } else {
            *user
        };
        self.run(sender, call);
    }

    /// An open dispute: the stack, the node, the record's `seq` and the last moment to answer.
    pub(super) fn disputed(&self, step: &Step) -> Option<(StackId, NodeId, u64, u64)> {
        let tickets = self.tickets();
        let open: Vec<_> = tickets
            .iter()
            .flat_map(|(stack, _, node, ticket)| {
                let disputes = ticket.disputes.iter();
                disputes.map(|dispute| (*stack, *node, dispute.seq, dispute.deadline_ms.0))
            })
            .collect();
        let place = usize::from(step.picks[0]).checked_rem(open.len())?;
        Some(open[place])
    }

    /// What is done with one of the latest blobs, honestly or not.
    pub(super) fn on_blob(&mut self, step: &Step) {
        let latest = self.blobs.len().saturating_sub(8);
        let latest = &self.blobs[latest..];
        let Some(place) = usize::from(step.picks[0]).checked_rem(latest.len()) else {
            return;
        };
        let (blob, owner) = latest[place];
        let sender = match step.picks[5] % 10 {
            0 => USER,
            _ => owner,
        };
        match step.what {
            What::CertifyBlob if matches!(self.world.state.get(blob), Some(Object::Blob(_))) => {
                let mut call = self.world.certify_call(blob);
                match step.picks[1] % 12 {
                    0 => call.signature[3] ^= 1,
                    1 => sign_confirmation(&mut call, &[1, 2, 3]),
                    2 => call.message[3] ^= 1,
                    _ => {}
                }
                self.run(sender, call);
            }
            What::ExtendBlob => {
                let epochs = u32::from(step.picks[1]) % 40;
                self.run(sender, extend_blob_call(blob, epochs));
            }
            What::DeleteBlob => self.run(sender, delete_blob_call(blob)),
            _ => {}
        }
    }

    pub(super) fn answer(&mut self, step: &Step) {
        let (Some((stack, node, seq, _)), Some(&(blob, owner))) = (
            self.disputed(step),
            self.blobs
                .get(usize::from(step.picks[1]) % self.blobs.len().max(1)),
        ) else {
            return;
        };
        let records = &self.records[&(stack, node)];
        let mut call = answer_call(stack, node, blob, records, seq);
        // one in eight shows another record
        if step.picks[2].is_multiple_of(8) {
            (call.record, call.proof) = prove(records, 1);
        }
        let sender = match step.picks[5] % 10 {
            0 => USER,
            _ => owner,
        };
        self.run(sender, call);
    }

    pub(super) fn resolve(&mut self, step: &Step) {
        let Some((stack, node, seq, deadline)) = self.disputed(step) else {
            return;
        };
        if step.picks[1].is_multiple_of(2) {
            self.world.now = self.world.now.max(deadline + 1);
        }
        let call = self.world.resolve_call(stack, node, seq);
        self.run(STRANGER, call);
    }

    /// The node of one of the stack's leases, with a receipt that it signed, or that somebody else
    /// made up.
    pub(super) fn some_receipt(
        &self,
        stack: StackId,
        step: &Step,
    ) -> Option<(NodeId, Receipt, u8)> {
        let leases = &self.world.stack(stack).leases;
        let place = usize::from(step.picks[1]).checked_rem(leases.len())?;
        let node = leases[place].node;
        let units = 1 + u64::from(step.picks[2]) % 500;
        let mut receipt = self.world.receipt(stack, node, 1 + units % 3, units);
        receipt.usage.output = units;
        let signer = match step.picks[3] % 3 {
            0 => STRANGER,
            _ => self.operator_of(node),
        };
        Some((node, receipt, signer))
    }

    pub(super) fn equivocate(&mut self, stack: StackId, step: &Step) {
        let Some((node, one, signer)) = self.some_receipt(stack, step) else {
            return;
        };
        let mut other = one.clone();
        if step.picks[4].is_multiple_of(2) {
            other.response_hash.0[0] ^= 1;
        }
        let (one, other) = (sign(one, signer), sign(other, signer));
        let call = self.world.equivocation_call(stack, node, one, other);
        self.run(STRANGER, call);
    }

    pub(super) fn over_claim(&mut self, stack: StackId, step: &Step) {
        let Some((node, mut receipt, signer)) = self.some_receipt(stack, step) else {
            return;
        };
        if step.picks[4].is_multiple_of(2) {
            receipt.units.0 += 1;
        }
        let receipt = sign(receipt, signer);
        let call = self
            .world
            .over_claim_call(stack, node, receipt, Default::default());
        self.run(STRANGER, call);
    }

    pub(super) fn forged(&mut self, step: &Step) {
        let mut tickets = self.tickets();
        tickets.retain(|(_, _, _, ticket)| ticket.count > 0);
        if tickets.is_empty() {
            return;
        }
        let (stack, _, node, ticket) = &tickets[usize::from(step.picks[0]) % tickets.len()];
        let seq = 1 + u64::from(step.picks[1]) % ticket.count;
        let records = &self.records[&(*stack, *node)];
        let call = self.world.forged_call(*stack, *node, records, seq);
        self.run(STRANGER, call);
    }
}
