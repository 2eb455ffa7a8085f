//! How near a play is to the end of a theorem: each the higher, the nearer.

use super::super::{
    honest::juries,
    play::{LeaseAccount, Play},
};
use crate::world::*;
use atoma_contract::Object;
use atoma_types::{
    ComputeUnits, NodeId, TimestampMs,
    chain::{Auditor, Exam, HitStage, Lease, Node, NodeStatus, SubscriptionState, Ticket},
};
use std::collections::BTreeSet;

/// Hours that something has been open which has so long.
fn open_for(play: &Play, until: TimestampMs, window: u64) -> i128 {
    let left = until.0.saturating_sub(play.w.now);
    i128::from(window.saturating_sub(left) / HOUR)
}

fn demands_of<'a>(play: &'a Play, ticket: &'a Ticket) -> impl Iterator<Item = i128> + 'a {
    let demands = ticket.demands.iter();
    demands.map(|demand| 1 + open_for(play, demand.deadline_ms, DAY))
}

/// What a node still has to show, each by how long it has kept it back.
fn owed(play: &Play, ticket: &Ticket) -> i128 {
    let mut sum: i128 = demands_of(play, ticket).sum();
    if let Exam::Hit(hit) = &ticket.exam
        && hit.stage == HitStage::Disclosing
    {
        sum += 1 + open_for(play, hit.deadline_ms, DAY);
    }
    for (jury, _) in juries(ticket) {
        if jury.seq == 0 {
            sum += 1 + open_for(play, jury.deadline_ms, DAY);
        }
    }
    sum
}

fn leases(play: &Play) -> impl Iterator<Item = (&Lease, &LeaseAccount)> {
    play.accounts
        .iter()
        .map(|(&(stack, node), account)| (play.w.lease_of(stack, node), account))
}

/// What hunters of convictions begin with: leases of nodes that aren't honest, what was served on them, what they claim and owe.
fn prospects(play: &Play) -> i128 {
    let honest = |node| play.players.iter().any(|p| p.node == node && p.honest);
    let hostile = leases(play).filter(|(lease, _)| !lease.closed && !honest(lease.node));
    let each = hostile.map(|(lease, account)| {
        let served = i128::from(account.running.sum > lease.claimed_units().0);
        let owes: i128 = lease
            .tickets
            .iter()
            .map(|ticket| 5 + owed(play, ticket))
            .sum();
        1 + 2 * served + owes
    });
    each.sum()
}

/// Theorem 1: claims of records that back nothing, by their age, and most of all those that were asked for.
pub(super) fn unbacked(play: &Play) -> i128 {
    let mut sum = 0;
    for (lease, account) in leases(play) {
        let running = account.running.paid_seq + 1..;
        sum += i128::from(account.improper.range(running).next().is_some());
        for ticket in &lease.tickets {
            let Some(chain) = account.settled.get(&ticket.to_seq) else {
                continue;
            };
            let bad = account.improper.range(ticket.from_seq + 1..=ticket.to_seq);
            for begin in bad.filter_map(|seq| chain.begin_of(*seq)) {
                let asked = account.demanded.contains(&begin);
                let age = open_for(play, ticket.deadline_ms, DAY);
                sum += 5 + age + if asked { 30 + age } else { 0 };
            }
        }
    }
    sum
}

/// Theorem 2: what honest nodes owe and haven't shown, what is closed on them, and what they have lost.
pub(super) fn harm(play: &Play) -> i128 {
    let mut sum = 0;
    for player in play.players.iter().filter(|player| player.honest) {
        let mine = leases(play).filter(|(lease, _)| lease.node == player.node);
        for (lease, account) in mine {
            sum += i128::from(!lease.closed) + 2 * lease.tickets.len() as i128;
            sum += lease
                .tickets
                .iter()
                .map(|ticket| 3 * owed(play, ticket))
                .sum::<i128>();
            let unsettled = account.served - lease.claimed_units().0.min(account.served);
            if unsettled > 0 && lease.tickets.len() == 2 {
                sum += 10;
            }
            if lease.closed && lease.paid_units.0 < account.served {
                sum += 100;
            }
        }
    }
    sum
}

/// Theorem 2: what a node that is away has lost.
pub(super) fn lost(play: &Play) -> i128 {
    let (has, left) = play.account_of(play.prey.node.unwrap());
    let lost = i128::from(play.prey.had.0) - i128::from(has.0);
    // what may still be taken counts a little
    lost + i128::from(left.fines.0) / 1_000
}

/// Theorem 3: what owners have, beside how many fines their nodes pay.
pub(super) fn gained_by_harm(play: &Play) -> i128 {
    let fines = nodes(play).map(|node| i128::from(node.pending.fines.0));
    play.wealth(&play.prey.coalition) - play.prey.wealth
        + fines.sum::<i128>() / 100
        + 100 * prospects(play)
}

fn nodes(play: &Play) -> impl Iterator<Item = &Node> {
    play.players.iter().map(|player| play.w.node(player.node))
}

/// Theorem 4: how far nodes are on their way out, with claims open.
pub(super) fn on_the_way_out(play: &Play) -> i128 {
    let hostile = play.players.iter().filter(|player| !player.honest);
    let far = hostile.map(|player| {
        let node = play.w.node(player.node);
        let stake = i128::from(node.at_stake.0 > 0);
        match node.status {
            NodeStatus::Active | NodeStatus::Jailed { .. } => stake,
            NodeStatus::Unbonding { until_ms } => {
                10 + open_for(play, until_ms, 7 * DAY) + 100 * stake
            }
            NodeStatus::Left => 50,
        }
    });
    far.sum::<i128>() + prospects(play).min(40) / 4
}

/// Theorem 5: two claims on one lease, the second large, and a conviction near.
pub(super) fn two_tickets(play: &Play) -> i128 {
    let mut sum = prospects(play);
    for (lease, _) in leases(play) {
        if let [first, second] = &lease.tickets[..] {
            let value = lease.value(second.from_units, second.to_units).unwrap();
            sum += 100 + i128::from(value.0 / 10_000);
            sum += 10 * (owed(play, first) + owed(play, second));
        }
    }
    sum
}

/// Theorem 5: what a conviction would cost now is what was announced when it was claimed, and all of them are covered.
pub(super) fn check_fines(play: &Play) {
    let mut fines = std::collections::BTreeMap::<NodeId, u64>::new();
    for (&(stack, node), values) in &play.announced {
        let lease = play.w.lease_of(stack, node);
        let claim = lease
            .value(lease.paid_units, lease.claimed_units())
            .unwrap();
        assert_eq!(claim.0, values.iter().sum::<u64>(), "no plea");
        let multiple = play.w.stack(stack).terms.fine_multiple;
        *fines.entry(node).or_default() += multiple * claim.0;
    }
    for (node, fines) in fines {
        assert!(
            fines <= play.w.collateral(node),
            "no plea: a fine isn't covered"
        );
    }
}

/// Theorem 6: what a node has at stake whose owner does nothing.
pub(super) fn bound(play: &Play) -> i128 {
    i128::from(play.w.node(play.prey.node.unwrap()).at_stake.0)
}

/// Theorem 7: copies that say more than their nodes are, and units that such nodes could have.
pub(super) fn stale_copies(play: &Play) -> i128 {
    let now = TimestampMs(play.w.now);
    let fallen = nodes(play).filter(|node| !node.status.takes_leases(now));
    let fallen: BTreeSet<_> = fallen.map(|node| node.id).collect();
    let mut sum = 30 * fallen.len() as i128 + prospects(play).min(40);
    for task in &play.tasks {
        let copies = play.w.task(*task).subscriptions.iter();
        let stale = copies.filter(|copy| fallen.contains(&copy.node));
        sum += 10
            * stale
                .filter(|copy| copy.state == SubscriptionState::Active)
                .count() as i128;
    }
    let open = play.stacks.iter().map(|stack| play.w.stack(*stack));
    let open = open.filter(|stack| stack.ungranted.0 > 0 && stack.expires_at_ms > now);
    sum + open.count().min(8) as i128
}

/// Theorem 8: the largest part of a collateral that is at stake.
pub(super) fn leverage(play: &Play) -> i128 {
    let parts = nodes(play)
        .map(|node| i128::from(node.at_stake.0) * 1_000_000 / i128::from(node.collateral.0.max(1)));
    parts.max().unwrap_or_default()
}

/// Theorem 9: how late the last credit may come if everybody waits as long as they can, hours after the end of its stack.
pub(super) fn lateness(play: &Play) -> i128 {
    let now = play.w.now;
    let mut latest = 0;
    let mut sum = 0;
    for stack in play.stacks.iter().map(|stack| play.w.stack(*stack)) {
        let end = stack.expires_at_ms.0.max(play.ending);
        let longest = if stack.terms.sampling.is_some() {
            120
        } else {
            24
        };
        for lease in stack.open_leases() {
            let mut last = stack.settle_deadline().0;
            let served = ComputeUnits(play.accounts[&(stack.id, lease.node)].running.sum);
            let value = lease
                .value(lease.claimed_units(), served)
                .unwrap_or_default();
            let enough = value >= stack.terms.smallest_ticket();
            let honest = play
                .players
                .iter()
                .any(|p| p.node == lease.node && p.honest);
            if enough && !honest && now <= last && lease.tickets.len() < 2 {
                last += longest * HOUR;
            }
            let tickets = lease.tickets.iter();
            last = last.max(
                tickets
                    .map(|ticket| may_last(ticket, now))
                    .max()
                    .unwrap_or(0),
            );
            let late = last.saturating_sub(end) / HOUR;
            latest = latest.max(late);
            sum += late;
        }
    }
    i128::from(latest * 100_000 + sum)
}

/// When a ticket ends at the latest, as far as it has come.
fn may_last(ticket: &Ticket, now: u64) -> u64 {
    const SILENT: u64 = 36 * HOUR;
    const JURY: u64 = 48 * HOUR;
    let again = |silent: Option<Auditor>| if silent.is_none() { SILENT } else { 0 };
    let exam = match &ticket.exam {
        Exam::Drawn { seed } if !is_hit(&seed.0) => 0,
        Exam::Undrawn | Exam::Drawn { .. } => now + 2 * SILENT + JURY,
        Exam::Hit(hit) => match hit.stage {
            HitStage::Disclosing => hit.deadline_ms.0 + 12 * HOUR + again(hit.silent) + JURY,
            HitStage::Examining => hit.deadline_ms.0 + again(hit.silent) + JURY,
            HitStage::Accused if ticket.exam_jury.is_none() => now + JURY,
            HitStage::Accused | HitStage::Passed | HitStage::Cleared => 0,
        },
        Exam::None | Exam::Unexamined => 0,
    };
    let juries = juries(ticket).into_iter().map(|(jury, _)| match jury.seq {
        0 => jury.deadline_ms.0 + 24 * HOUR,
        _ => jury.reveal_ms.0,
    });
    let demands = ticket.demands.iter().map(|demand| demand.deadline_ms.0);
    let others = juries.chain(demands).chain([exam, ticket.deadline_ms.0]);
    others.max().unwrap_or_default()
}

/// Theorem 10: tickets that nobody examines, and stacks that are open where few could.
pub(super) fn unexamined(play: &Play) -> i128 {
    let mut sum = 200 * i128::from(play.seen.unexamined);
    for task in play.tasks.iter().skip(1) {
        let promises = play.w.task(*task).subscriptions.iter();
        let promises = promises.filter_map(|subscription| subscription.attester);
        let there = promises.filter(|promise| promise.active).count() as i128;
        sum -= 5 * there;
        let open = play.stacks.iter().map(|stack| play.w.stack(*stack));
        let open = open.filter(|stack| stack.task == *task);
        for lease in open.flat_map(|stack| stack.open_leases()) {
            sum += 1 + 2 * lease.tickets.len() as i128;
            sum += lease.tickets.iter().map(unexamined_yet).sum::<i128>();
        }
    }
    sum
}

/// How near a ticket is to being paid unexamined.
fn unexamined_yet(ticket: &Ticket) -> i128 {
    match &ticket.exam {
        Exam::Drawn { seed } if is_hit(&seed.0) => 5,
        Exam::Hit(hit) => 10 + 20 * i128::from(hit.silent.is_some()),
        Exam::None | Exam::Undrawn | Exam::Drawn { .. } | Exam::Unexamined => 0,
    }
}

/// Theorem 11: what the coalition has gained, and what it hopes to have back.
pub(super) fn circled(play: &Play) -> i128 {
    let hopes = nodes(play).filter(|node| play.prey.coalition.contains(&node.owner));
    let hopes = hopes.map(|node| node.current.fees.0 + node.previous.fees.0 + node.reported.fees.0);
    let gained = play.wealth(&play.prey.coalition) - play.prey.wealth;
    gained
        + i128::from(hopes.sum::<u64>())
        + 20_000 * i128::from(play.seen.rebates)
        + 50 * prospects(play).min(40)
}

impl Play {
    /// Remembers when the last stack was over.
    pub(in crate::theorems) fn note_longest(&mut self) {
        let now = TimestampMs(self.w.now);
        for (object, _) in self.w.state.iter() {
            if let Object::Stack(stack) = object
                && !stack.is_over(now)
            {
                let end = stack.expires_at_ms.0.max(self.ending);
                let late = self.w.now.saturating_sub(end) / HOUR;
                self.prey.longest = self.prey.longest.max(late);
            }
        }
        self.seen.longest = self.prey.longest;
    }
}
