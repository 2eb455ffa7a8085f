//! Examinations, juries and challenges.

use super::{Rows, Step};
use crate::{
    error::IndexError,
    rows::{AuditState, SettlementRow},
};
use atoma_types::{
    NodeId, StackId,
    chain::events::{
        Challenged, Disclosed, ExaminerDrawn, JuryDecided, Outcome, TicketDrawn, Unexamined,
        VerdictGiven,
    },
};

type Applied = Result<(), IndexError>;

impl<R: Rows> Step<'_, R> {
    pub(super) fn ticket_drawn(&mut self, e: &TicketDrawn) -> Applied {
        if e.hit {
            return Ok(());
        }
        self.exam((e.stack, e.node, e.ticket), AuditState::Missed)
    }

    pub(super) fn examiner_drawn(&mut self, e: &ExaminerDrawn) -> Applied {
        self.change(SettlementRow::at(e.stack, e.node, e.ticket), |ticket| {
            ticket.exam = AuditState::Disclosing;
            ticket.examiner = Some(e.examiner);
            Ok(())
        })
    }

    pub(super) fn unexamined(&mut self, e: &Unexamined) -> Applied {
        self.exam((e.stack, e.node, e.ticket), AuditState::Unexamined)
    }

    pub(super) fn disclosed(&mut self, e: &Disclosed) -> Applied {
        self.exam((e.stack, e.node, e.ticket), AuditState::Examining)
    }

    pub(super) fn verdict_given(&mut self, e: &VerdictGiven) -> Applied {
        let found = if e.bad {
            AuditState::Accused
        } else {
            AuditState::Passed
        };
        self.exam((e.stack, e.node, e.ticket), found)
    }

    pub(super) fn challenged(&mut self, e: &Challenged) -> Applied {
        let (number, at) = (self.place.number, self.place.at);
        self.change(SettlementRow::at(e.stack, e.node, e.ticket), |ticket| {
            ticket.challenge = AuditState::Accused;
            ticket.challenge_event = Some(number);
            ticket.challenged_ms = Some(at);
            Ok(())
        })
    }

    pub(super) fn jury_decided(&mut self, e: &JuryDecided) -> Applied {
        let found = match e.outcome {
            Outcome::Guilty => AuditState::Guilty,
            Outcome::Acquitted => AuditState::Acquitted,
            Outcome::Hung => AuditState::Hung,
            Outcome::Dissolved => AuditState::Dissolved,
        };
        let ticket = (e.stack, e.node, e.ticket);
        if e.challenge {
            self.challenge(ticket, found)
        } else {
            self.exam(ticket, found)
        }
    }

    fn exam(&mut self, (stack, node, ticket): (StackId, NodeId, u64), to: AuditState) -> Applied {
        self.change(SettlementRow::at(stack, node, ticket), |ticket| {
            ticket.exam = to;
            Ok(())
        })
    }

    fn challenge(
        &mut self,
        (stack, node, ticket): (StackId, NodeId, u64),
        to: AuditState,
    ) -> Applied {
        self.change(SettlementRow::at(stack, node, ticket), |ticket| {
            ticket.challenge = to;
            Ok(())
        })
    }
}
