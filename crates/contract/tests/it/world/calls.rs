//! Calls with everything in them that isn't worth saying.

use super::{HOUR, NETWORK, World, address, chain::signed, key};
use atoma_types::{
    ComputeUnits, DurationMs, EngineClass, MicroUsdc, NodeId, Numerics, Price, Rule, StackId,
    TaskId, TimestampMs,
    chain::{Clock, LOCALNET_DB, NewTask, Payment, Random, Verdict, calls},
    hash::Hash32,
    message::{Domain, Grant},
};

pub(crate) fn register_call(operator: u8, collateral: u64) -> calls::RegisterNode {
    calls::RegisterNode {
        db: LOCALNET_DB.into(),
        collateral: Payment(MicroUsdc(collateral)),
        url: "http://192.0.2.1:8000".to_owned(),
        response_key: key(operator).public_key(),
        sealing_key: None,
        clock: Clock,
    }
}

pub(crate) fn new_task() -> NewTask {
    let engine = EngineClass {
        model: Hash32([7; 32]),
        numerics: Numerics::DetF32V1,
        rule: Rule::Exact,
    };
    NewTask::chat("tiny", engine, Price(10_000_000))
}

pub(crate) fn subscribe_call(task: TaskId, node: NodeId, price: u64) -> calls::Subscribe {
    calls::Subscribe {
        db: LOCALNET_DB.into(),
        task: task.into(),
        node: node.into(),
        price: Price(price),
        clock: Clock,
    }
}

pub(crate) fn evict_call(task: TaskId, node: NodeId, evicted: NodeId, price: u64) -> calls::Evict {
    calls::Evict {
        db: LOCALNET_DB.into(),
        task: task.into(),
        node: node.into(),
        evicted: evicted.into(),
        price: Price(price),
        clock: Clock,
    }
}

pub(crate) fn unsubscribe_call(task: TaskId, node: NodeId) -> calls::Unsubscribe {
    calls::Unsubscribe {
        task: task.into(),
        node: node.into(),
    }
}

pub(crate) fn sync_call(task: TaskId, node: NodeId) -> calls::SyncSubscription {
    calls::SyncSubscription {
        task: task.into(),
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn unbond_call(node: NodeId) -> calls::BeginUnbonding {
    calls::BeginUnbonding {
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn leave_call(node: NodeId) -> calls::LeaveNode {
    calls::LeaveNode {
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn collateral_call(node: NodeId, amount: u64) -> calls::AddCollateral {
    calls::AddCollateral {
        db: LOCALNET_DB.into(),
        node: node.into(),
        collateral: Payment(MicroUsdc(amount)),
        clock: Clock,
    }
}

pub(crate) fn attester_call(w: &World, task: TaskId, node: NodeId) -> calls::EnrollAttester {
    calls::EnrollAttester {
        db: LOCALNET_DB.into(),
        task: task.into(),
        node: node.into(),
        deposit: Payment(MicroUsdc(w.db().params.attest_deposit)),
        clock: Clock,
    }
}

pub(crate) fn fund_call(task: TaskId, amount: u64) -> calls::FundTask {
    calls::FundTask {
        task: task.into(),
        payment: Payment(MicroUsdc(amount)),
    }
}

pub(crate) fn revoke_call(stack: StackId) -> calls::RevokeUngranted {
    calls::RevokeUngranted {
        stack: stack.into(),
        clock: Clock,
    }
}

pub(crate) fn begin_close_call(stack: StackId) -> calls::BeginClose {
    calls::BeginClose {
        stack: stack.into(),
        clock: Clock,
    }
}

pub(crate) fn withdraw_stack_call(stack: StackId, to: u8) -> calls::WithdrawFree {
    calls::WithdrawFree {
        stack: stack.into(),
        to: address(to),
    }
}

pub(crate) fn withdraw_node_call(node: NodeId, to: u8) -> calls::WithdrawEarnings {
    calls::WithdrawEarnings {
        node: node.into(),
        to: address(to),
    }
}

pub(crate) fn release_call(stack: StackId, node: NodeId, units: u64) -> calls::ReleaseUnits {
    calls::ReleaseUnits {
        stack: stack.into(),
        node: node.into(),
        units: ComputeUnits(units),
        clock: Clock,
    }
}

pub(crate) fn expire_call(stack: StackId, node: NodeId) -> calls::ExpireLease {
    calls::ExpireLease {
        stack: stack.into(),
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn forfeit_call(node: NodeId) -> calls::Forfeit {
    calls::Forfeit {
        db: LOCALNET_DB.into(),
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn draw_call(stack: StackId, node: NodeId, ticket: u64) -> calls::DrawTicket {
    calls::DrawTicket {
        stack: stack.into(),
        holder: node,
        ticket,
        random: Random,
    }
}

/// An examiner's fine at the defaults, and its bond.
const EXAMINER_FINE: u64 = 2 * super::USDC;

pub(crate) fn verdict_call(
    stack: StackId,
    node: NodeId,
    ticket: u64,
    bad: bool,
) -> calls::GiveVerdict {
    calls::GiveVerdict {
        stack: stack.into(),
        holder: node,
        ticket,
        bad,
        bond: Payment(MicroUsdc(if bad { EXAMINER_FINE } else { 0 })),
        clock: Clock,
    }
}

pub(crate) fn collect_call(task: TaskId) -> calls::CollectFees {
    calls::CollectFees {
        db: LOCALNET_DB.into(),
        task: task.into(),
        clock: Clock,
    }
}

pub(crate) fn deprecate_call(task: TaskId) -> calls::DeprecateTask {
    calls::DeprecateTask {
        db: LOCALNET_DB.into(),
        task: task.into(),
        clock: Clock,
    }
}

pub(crate) fn report_call(node: NodeId) -> calls::ReportFees {
    calls::ReportFees {
        db: LOCALNET_DB.into(),
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn pay_call(node: NodeId) -> calls::PayTreasury {
    calls::PayTreasury {
        db: LOCALNET_DB.into(),
        node: node.into(),
        clock: Clock,
    }
}

/// What everyone finds who looks at a wrong record.
pub(crate) const BAD: Verdict = Verdict {
    kind: 1,
    digest: Hash32([5; 32]),
};

impl World {
    pub(crate) fn development_call(&self) -> calls::SetDevelopment {
        calls::SetDevelopment {
            db: LOCALNET_DB.into(),
            cap: self.cap().into(),
        }
    }

    pub(crate) fn set_param_call(&self, name: &str, value: u64) -> calls::SetParam {
        calls::SetParam {
            db: LOCALNET_DB.into(),
            cap: self.cap().into(),
            name: name.to_owned(),
            value,
        }
    }

    pub(crate) fn pardon_call(&self, node: NodeId, amount: u64) -> calls::Pardon {
        calls::Pardon {
            db: LOCALNET_DB.into(),
            cap: self.cap().into(),
            node: node.into(),
            amount: MicroUsdc(amount),
            clock: Clock,
        }
    }

    pub(crate) fn acquire_call(
        &self,
        task: TaskId,
        units: u64,
        max_price: u64,
        nodes: u8,
    ) -> calls::AcquireStack {
        let escrow = Price(max_price).cost(ComputeUnits(units));
        calls::AcquireStack {
            db: LOCALNET_DB.into(),
            task: task.into(),
            payment: Payment(escrow.unwrap_or_default()),
            total_units: ComputeUnits(units),
            max_price: Price(max_price),
            nodes,
            request_key: key(super::USER).public_key(),
            lifetime_ms: DurationMs(super::DAY),
            random: Random,
            clock: Clock,
        }
    }

    pub(crate) fn grant_of(&self, stack: StackId, node: NodeId, units: u64) -> Grant {
        Grant {
            domain: Domain::default(),
            network: NETWORK,
            stack,
            node,
            cumulative_units: ComputeUnits(units),
            max_price: self.stack(stack).max_price,
            nonce: self.stack(stack).nonce,
            expires_at_ms: TimestampMs(self.now + HOUR),
        }
    }

    pub(crate) fn lease_call_of(&self, grant: &Grant, signer: u8) -> calls::Lease {
        let signed = signed(grant.clone(), signer);
        calls::Lease {
            db: LOCALNET_DB.into(),
            stack: grant.stack.into(),
            task: self.stack(grant.stack).task.into(),
            node: grant.node.into(),
            grant: signed.bytes().to_vec(),
            signature: signed.signature().to_bytes(),
            clock: Clock,
        }
    }

    pub(crate) fn lease_call(&self, stack: StackId, node: NodeId, units: u64) -> calls::Lease {
        self.lease_call_of(&self.grant_of(stack, node, units), super::USER)
    }

    pub(crate) fn top_up_call(&self, stack: StackId, units: u64) -> calls::TopUp {
        let held = self.stack(stack);
        let live = held.live_units().saturating_add(ComputeUnits(units));
        let needed = held.escrow_for(live).unwrap_or_default();
        calls::TopUp {
            stack: stack.into(),
            task: held.task.into(),
            payment: Payment(needed.checked_sub(held.escrow).unwrap_or_default()),
            units: ComputeUnits(units),
            clock: Clock,
        }
    }

    pub(crate) fn claim_call(&self, stack: StackId, node: NodeId) -> calls::Claim {
        calls::Claim {
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            clock: Clock,
        }
    }

    pub(crate) fn demand_call(
        &self,
        stack: StackId,
        node: NodeId,
        unit: u64,
    ) -> calls::DemandRecord {
        calls::DemandRecord {
            stack: stack.into(),
            holder: node,
            unit: ComputeUnits(unit),
            fee: Payment(self.stack(stack).terms.demand_fee),
            clock: Clock,
        }
    }

    pub(crate) fn silence_call(
        &self,
        stack: StackId,
        node: NodeId,
        unit: u64,
    ) -> calls::ProveSilence {
        calls::ProveSilence {
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            unit: ComputeUnits(unit),
            clock: Clock,
        }
    }

    pub(crate) fn equivocation_call(
        &self,
        stack: StackId,
        node: NodeId,
        first: (Vec<u8>, Vec<u8>),
        second: (Vec<u8>, Vec<u8>),
    ) -> calls::ProveEquivocation {
        calls::ProveEquivocation {
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            first: first.0,
            first_signature: first.1,
            second: second.0,
            second_signature: second.1,
            clock: Clock,
        }
    }

    pub(crate) fn examine_call(
        &self,
        stack: StackId,
        node: NodeId,
        ticket: u64,
    ) -> calls::DrawExaminer {
        calls::DrawExaminer {
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            holder: node,
            ticket,
            random: Random,
            clock: Clock,
        }
    }

    pub(crate) fn jury_call(
        &self,
        stack: StackId,
        node: NodeId,
        ticket: u64,
        challenge: bool,
    ) -> calls::DrawJury {
        calls::DrawJury {
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            holder: node,
            ticket,
            challenge,
            random: Random,
            clock: Clock,
        }
    }

    pub(crate) fn decide_call(
        &self,
        stack: StackId,
        node: NodeId,
        ticket: u64,
        challenge: bool,
    ) -> calls::DecideJury {
        calls::DecideJury {
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            ticket,
            challenge,
            clock: Clock,
        }
    }

    pub(crate) fn undisclosed_call(&self, stack: StackId, node: NodeId) -> calls::ProveUndisclosed {
        calls::ProveUndisclosed {
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            clock: Clock,
        }
    }

    pub(crate) fn challenge_call(
        &self,
        stack: StackId,
        node: NodeId,
        unit: u64,
    ) -> calls::ChallengeTicket {
        let lease = self.lease_of(stack, node);
        let mut tickets = lease.tickets.iter();
        let ticket = tickets.find(|ticket| ticket.claims(ComputeUnits(unit)));
        let ticket = ticket.or(lease.tickets.first()).unwrap();
        let value = lease.value(ticket.from_units, ticket.to_units).unwrap();
        let sampling = self.stack(stack).terms.sampling.as_ref().unwrap();
        calls::ChallengeTicket {
            stack: stack.into(),
            holder: node,
            ticket: ticket.to_seq,
            bond: Payment(sampling.bond(value)),
            unit: ComputeUnits(unit),
            clock: Clock,
        }
    }
}
