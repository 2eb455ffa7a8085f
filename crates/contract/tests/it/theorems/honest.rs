//! Parties that follow the protocol, those that follow another, and the clock between them.

use super::play::{LIARS, Play, Player};
use crate::world::*;
use atoma_types::{
    NodeId, StackId,
    chain::{Call, Exam, HitStage, Jury, Ticket, Verdict},
};

/// The longest that an honest node is away: less than the answer window of 24 hours.
const LONGEST_ABSENCE: u64 = 22 * HOUR;

impl Play {
    /// Lets time pass. Whoever is honest and there does its duties; whoever was away does them when it is back.
    pub(super) fn wait(&mut self, time: u64) {
        let end = self.w.now + time;
        for place in 0..self.players.len() {
            if self.players[place].back <= self.w.now && self.chance(8) {
                self.players[place].back = self.w.now + HOUR + self.below(LONGEST_ABSENCE - HOUR);
            }
        }
        loop {
            self.honest_duties();
            let returns = self.players.iter().map(|player| player.back);
            let next = returns
                .filter(|&back| back > self.w.now && back < end)
                .min();
            // deadlines of attesters are shorter than the longest wait
            let next = next.unwrap_or(end).min(self.w.now + 5 * HOUR);
            if self.w.now >= end {
                break;
            }
            self.w.now = next.min(end);
        }
        self.honest_duties();
    }

    pub(super) fn honest_duties(&mut self) {
        for player in self.players.clone() {
            if player.honest && player.back <= self.w.now {
                self.node_duties(player, 100);
                self.settle_honestly(player);
            }
        }
        if !self.prey.idle_attesters {
            self.attester_duties();
        }
    }

    /// Of nodes that aren't: some duties, sometimes.
    pub(super) fn hostile_duties(&mut self) {
        for player in self.players.clone() {
            if !player.honest {
                self.node_duties(player, 35);
            }
        }
    }

    /// An honest node settles when it may lose something otherwise, and keeps a ticket for the end.
    fn settle_honestly(&mut self, player: Player) {
        let keys: Vec<_> = self.accounts.keys().copied().collect();
        for key in keys.into_iter().filter(|key| key.1 == player.node) {
            let lease = self.w.lease_of(key.0, key.1);
            let tickets = lease.tickets.len();
            let ends = self.w.now >= self.w.stack(key.0).expires_at_ms.0;
            let now = ends || (tickets == 0 && self.chance(20));
            if now && !self.w.lease_of(key.0, key.1).closed {
                self.settle(key, player.operator);
            }
        }
    }

    /// Answers and discloses what it can.
    fn node_duties(&mut self, player: Player, percent: u64) {
        for (stack, node, to_seq) in self.open_tickets() {
            if node != player.node || !self.chance(percent) {
                continue;
            }
            for call in self.due_of_node(stack, node, to_seq) {
                let done = self.try_call(player.operator, call);
                assert!(
                    done || !player.honest,
                    "bounded harm: an honest node can do its duties"
                );
            }
        }
    }

    fn due_of_node(&self, stack: StackId, node: NodeId, to_seq: u64) -> Vec<Call> {
        let account = &self.accounts[&(stack, node)];
        let chain = &account.settled[&to_seq];
        let ticket = self.ticket(stack, node, to_seq);
        let mut calls: Vec<Call> = Vec::new();
        for demand in &ticket.demands {
            calls.push(answer_call(chain, demand.unit.0).into());
        }
        if let Exam::Hit(hit) = &ticket.exam
            && hit.stage == HitStage::Disclosing
        {
            calls.push(disclose_call(chain, hit.unit.0).into());
        }
        for (jury, challenge) in juries(ticket) {
            if jury.seq == 0 {
                let size = jury.jurors.len();
                calls.push(disclose_jury_call(chain, jury.unit.0, size, challenge).into());
            }
        }
        calls
    }

    pub(super) fn ticket(&self, stack: StackId, node: NodeId, to_seq: u64) -> &Ticket {
        let mut tickets = self.w.lease_of(stack, node).tickets.iter();
        tickets.find(|ticket| ticket.to_seq == to_seq).unwrap()
    }

    /// Attesters: all but a fifth say what is so, as soon as they may.
    pub(super) fn attester_duties(&mut self) {
        for (stack, node, to_seq) in self.open_tickets() {
            for (party, call) in self.due_of_attesters(stack, node, to_seq) {
                self.try_call(party, call);
            }
        }
    }

    fn due_of_attesters(&mut self, stack: StackId, node: NodeId, to_seq: u64) -> Vec<(u8, Call)> {
        let chain = self.accounts[&(stack, node)].settled[&to_seq].clone();
        let ticket = self.ticket(stack, node, to_seq).clone();
        let mut calls: Vec<(u8, Call)> = Vec::new();
        if let Exam::Hit(hit) = &ticket.exam
            && hit.stage == HitStage::Examining
        {
            let party = self.w.party(hit.examiner.owner);
            if let Some(verdict) = self.opinion(party, stack, node, hit.seq) {
                let call = verdict_call(stack, node, to_seq, verdict.is_bad());
                calls.push((party, call.into()));
            }
        }
        for (jury, challenge) in juries(&ticket) {
            for juror in jury.jurors.iter().filter(|_| jury.seq != 0) {
                let party = self.w.party(juror.auditor.owner);
                let Some(verdict) = self.opinion(party, stack, node, jury.seq) else {
                    continue;
                };
                let id = juror.auditor.node;
                let call: Call = if juror.commitment.is_none() {
                    self.w.commit_call(&chain, challenge, id, &verdict).into()
                } else {
                    reveal_call(&chain, challenge, id, &verdict).into()
                };
                calls.push((party, call));
            }
        }
        calls
    }

    /// What an attester says of a record, if it says anything. A liar says the same each time it is asked about one.
    fn opinion(&self, party: u8, stack: StackId, node: NodeId, seq: u64) -> Option<Verdict> {
        let wrong = self.accounts[&(stack, node)].wrong.contains(&seq);
        let truth = if wrong { BAD } else { Verdict::OK };
        if party >= ATTESTERS + LIARS {
            return Some(truth);
        }
        match seq % 3 {
            0 => None,
            _ if wrong => Some(Verdict::OK),
            _ => Some(BAD),
        }
    }
}

/// The juries that sit over a ticket.
pub(super) fn juries(ticket: &Ticket) -> Vec<(Jury, bool)> {
    let challenge = ticket.challenge.as_ref();
    let challenge = challenge.and_then(|challenge| challenge.jury.clone());
    let of_exam = ticket.exam_jury.clone().map(|jury| (jury, false));
    of_exam
        .into_iter()
        .chain(challenge.map(|jury| (jury, true)))
        .collect()
}
