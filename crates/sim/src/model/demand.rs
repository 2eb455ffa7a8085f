//! Demands for records.

use super::{
    Demand, Done, Ledger, Ms, TicketId,
    convict::{Charge, Winners},
    ensure,
};
use atoma_contract::limits::MAX_DEMANDS;
use atoma_types::chain::AbortCode;

impl Ledger {
    /// The stack's owner demands the record of a unit, for the fee.
    ///
    /// # Errors
    /// If it is too late, or there are too many.
    pub fn demand(&mut self, now: Ms, id: TicketId, unit: u64) -> Done {
        let params = &self.rules.params;
        let (fee, deadline) = (
            params.demand_fee,
            now.saturating_add(params.answer_window_ms),
        );
        let ticket = self.ticket_mut(id)?;
        let claims = ticket.from <= unit && unit < ticket.to;
        ensure(claims, AbortCode::UnitNotSettled)?;
        ensure(now <= ticket.deadline, AbortCode::WindowOver)?;
        let open = ticket.demands.iter().any(|demand| demand.unit == unit);
        ensure(!open, AbortCode::AlreadyDemanded)?;
        ensure(ticket.demands.len() < MAX_DEMANDS, AbortCode::DemandsFull)?;
        ticket.demands.push(Demand { unit, deadline });
        self.stacks[id.stack].staked += fee;
        Ok(())
    }

    /// The node shows a proper record.
    ///
    /// # Errors
    /// If nobody asked, or it is too late.
    pub fn answer(&mut self, now: Ms, id: TicketId, unit: u64) -> Done {
        let fee = self.rules.params.demand_fee;
        let ticket = self.ticket_mut(id)?;
        let mut demands = ticket.demands.iter();
        let place = demands
            .position(|demand| demand.unit == unit)
            .ok_or(AbortCode::NoSuchDemand)?;
        ensure(
            now <= ticket.demands[place].deadline,
            AbortCode::AnswerTooLate,
        )?;
        ticket.demands.remove(place);
        let stack = &mut self.stacks[id.stack];
        stack.staked -= fee;
        stack.lease_mut(id.node)?.fees += fee;
        Ok(())
    }

    /// Convicts a node that didn't.
    ///
    /// # Errors
    /// If it still may.
    pub fn silence(&mut self, now: Ms, id: TicketId, unit: u64) -> Done {
        let mut demands = self.ticket(id)?.demands.iter();
        let demand = demands
            .find(|demand| demand.unit == unit)
            .ok_or(AbortCode::NoSuchDemand)?;
        ensure(now > demand.deadline, AbortCode::AnswerTimeNotOver)?;
        self.convict(now, self.case(id), Charge::Silence, &Winners::default())
    }
}
