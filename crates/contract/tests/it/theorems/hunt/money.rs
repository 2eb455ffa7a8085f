//! What parties have together, in cash and on the ledger.

use super::super::play::Play;
use crate::world::*;
use atoma_contract::{Changes, Object};
use atoma_types::{
    Address,
    chain::{Exam, Node, Stack, Task},
};
use std::collections::BTreeSet;

impl Play {
    /// What a call paid in and out, in the books of whoever it was.
    pub(in crate::theorems) fn count_cash(&mut self, sender: u8, changes: &Changes) {
        *self.cash.entry(address(sender)).or_default() -= i128::from(changes.paid_in.0);
        for payout in &changes.payouts {
            *self.cash.entry(payout.to).or_default() += i128::from(payout.amount.0);
        }
    }

    /// All that these have, of what they had when the play began.
    pub(super) fn wealth(&self, who: &BTreeSet<Address>) -> i128 {
        let cash = self.cash.iter().filter(|(party, _)| who.contains(party));
        let cash: i128 = cash.map(|(_, cash)| *cash).sum();
        let held = self.w.state.iter().map(|(object, _)| match object {
            Object::Node(node) => of_node(node, who),
            Object::Task(task) => of_task(task, who),
            Object::Stack(stack) => of_stack(stack, who),
            _ => 0,
        });
        cash + held.map(i128::from).sum::<i128>()
    }
}

fn of_node(node: &Node, who: &BTreeSet<Address>) -> u64 {
    if who.contains(&node.owner) {
        node.collateral.0 + node.earnings.0
    } else {
        0
    }
}

fn of_task(task: &Task, who: &BTreeSet<Address>) -> u64 {
    let own = task.subscriptions.iter().filter(|s| who.contains(&s.owner));
    own.filter_map(|subscription| subscription.attester)
        .map(|attester| attester.stake.0 + attester.earned.0)
        .sum()
}

fn of_stack(stack: &Stack, who: &BTreeSet<Address>) -> u64 {
    let mut sum = 0;
    let owns = who.contains(&stack.owner);
    if owns {
        sum += stack.escrow.0 + stack.free.0;
    }
    for lease in &stack.leases {
        if who.contains(&lease.owner) {
            sum += lease.fees.0;
        }
        for ticket in &lease.tickets {
            if owns {
                sum += ticket
                    .demands
                    .iter()
                    .map(|demand| demand.fee.0)
                    .sum::<u64>();
                let challenge = ticket.challenge.as_ref();
                let open = challenge.filter(|challenge| !challenge.over);
                sum += open.map_or(0, |challenge| challenge.bond.0);
            }
            if let Exam::Hit(hit) = &ticket.exam
                && who.contains(&hit.examiner.owner)
            {
                sum += ticket.exam_bond.0;
            }
        }
    }
    sum
}
