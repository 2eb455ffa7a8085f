//! What to do about a node's open tickets, from what the ledger says and what receipts are held. Pure.
//!
//! ```text
//! two receipts for one request, in whatever was kept or shown ──> Equivocation: it convicts, and costs nothing
//! a demand or a disclosure is overdue ───────────────────────────> Overdue: it convicts, and costs nothing
//! the last receipt is the kept one, and so is what else is
//! known of the ticket's records ─────────────────────────────────> nothing: it binds all before it
//! the records are others than the kept ones ─────────────────────> Demand, at most two at once, in units by lot
//! a receipt never came, and its node doesn't show it: at once where
//! it says so, else once half of the window is over ──────────────> Demand, four at once, in units by lot; where only such
//!                                                                  receipts are lacking whose hashes are known, two at
//!                                                                  once, in units of theirs
//! another receipt is kept in the last one's place, or more is
//! claimed than receipts and lost answers explain ────────────────> Demand, at most two at once, in units that no
//!                                                                  receipt that was shown covers
//! ```
//!
//! The ledger shows the last receipt with the settlement, and a record with each answer. A chain that its user
//! doesn't hold has other receipts for the user's requests than those that the user holds, or several for one: the
//! first record shown of it proves the one, the second the other. A last receipt may bind other records than the kept ones,
//! good ones at places that its node can guess to be asked for: so they are drawn. Where receipts never came, nobody can compute
//! which records the last one binds: a node that won't show them may have bound copies of one record, two of which convict it.
//! A node that lost its journal makes another chain in
//! good faith, of new requests alone; it answers, gets the fees, and nothing more comes of it.

use super::twice::pair;
use crate::dispute::Claimed;
use atoma_ledger::{Due, due_of_lease};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, TimestampMs,
    chain::{Lease, Stack, Ticket},
    message::{Receipt, Signed},
};

/// Demands that wait for an answer at once, in a ticket: two records tell what there is to tell of most chains, and
/// a node may take a day for each.
pub const DEMANDS_AT_ONCE: usize = 2;
/// Fees that are paid for the demands of one stack. Fees of answered demands don't come back, and an honest node may
/// have another chain than is held here.
pub const MAX_FEES: u32 = 4;
/// Units that are drawn at once where it isn't known which records are claimed: as many as fees are paid. A node may answer
/// just when the window ends, and two copies must be among those that it shows.
pub const LOTS: usize = MAX_FEES as usize;

/// How a watcher decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchPolicy {
    /// What a lease may have served without a receipt that is kept here: answers were lost.
    pub lost: ComputeUnits,
    /// All requests of the stack are made from this data folder, so that what isn't kept here was never received. Where
    /// others use the stack, too, only contradictions count.
    pub complete: bool,
    /// Fees that may be paid for a stack's demands.
    pub max_fees: u32,
    /// Bonds of challenges that may stand or not have come back to this wallet, of all stacks of the data folder
    /// together; with none, nothing is challenged.
    pub max_bonds: MicroUsdc,
}

/// What is known of one node's receipts about a ticket.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Those kept under the number of the ticket's last one; two where the node signed two.
    pub last: Vec<Signed<Receipt>>,
    /// Those kept under the next number.
    pub next: Vec<Signed<Receipt>>,
    /// The highest one kept with a smaller number than the last.
    pub before: Option<Signed<Receipt>>,
    /// What the ledger has shown of the lease, in settlements and answers.
    pub shown: Vec<Signed<Receipt>>,
    /// Those kept for the requests of what was shown; and two kept ones for one request, if there are any of the lease.
    pub same_requests: Vec<Signed<Receipt>>,
    /// Whether the ticket's records are others than the kept receipts: its history isn't theirs, or one was shown that
    /// isn't.
    pub other_records: bool,
    /// The receipt without which it can't be computed whether the ticket's history is that of the kept receipts.
    pub missing: Option<Missing>,
    /// Records of which only the hashes are known.
    pub unseen: Option<Unseen>,
    /// Numbers that the node can't know: by them units of other records are chosen.
    pub lots: [u64; LOTS],
}

/// A receipt that never came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The number that it would have in its lease.
    pub seq: u64,
    /// Its node was asked for it, and has answered without it.
    pub denied: bool,
}

/// Receipts that never came, each alone, so that the next one tells its hash. They may be copies of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The number of the first.
    pub seq: u64,
    /// Its node was asked for them, and has answered without one.
    pub denied: bool,
    /// What each charges for: the first unit, and the one after the last.
    pub units: Vec<(ComputeUnits, ComputeUnits)>,
}

/// Why a claim isn't believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The node gave another receipt than the one that it settles on, or settles other records than it gave.
    AnotherChain,
    /// So many units are claimed that neither receipts nor lost answers explain.
    Unexplained(ComputeUnits),
    /// The receipt of this number never came, and its node doesn't show it: so it isn't known which records are claimed.
    Unproven(u64),
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Have the node convicted by these two receipts for one request.
    Equivocation(Box<[Signed<Receipt>; 2]>),
    /// Make this call: the node is late, and is convicted by it.
    Overdue(Due),
    /// Demand the record of this unit.
    Demand(Claimed, Doubt),
}

/// What to do about a node's lease now: what is known of each of its open tickets comes in their order, and `fees`
/// were paid for demands of the stack before.
#[must_use]
pub fn decide(
    stack: &Stack,
    lease: &Lease,
    held: &[Held],
    policy: &WatchPolicy,
    fees: u32,
    now: TimestampMs,
) -> Vec<Act> {
    if lease.closed || lease.tickets.is_empty() {
        return Vec::new();
    }
    let kept_or_shown = |held: &Held| pair(held.shown.iter().chain(&held.same_requests));
    if let Some(pair) = held.iter().find_map(kept_or_shown) {
        return vec![Act::Equivocation(Box::new(pair))];
    }
    let overdue = due_of_lease(stack, lease, now).into_iter();
    if let Some(due) = overdue.into_iter().find(|due| due.convicts) {
        return vec![Act::Overdue(due)];
    }
    let mut acts = Vec::new();
    let mut left = policy.max_fees.saturating_sub(fees);
    for (ticket, held) in lease.tickets.iter().zip(held) {
        if now > ticket.deadline_ms {
            continue;
        }
        let Some(doubt) = doubt(ticket, held, policy, now) else {
            continue;
        };
        let open = ticket.demands.len();
        let at_once = match doubt {
            Doubt::Unproven(_) if held.missing.is_some() => LOTS,
            // each that is a copy convicts
            Doubt::Unproven(_) | Doubt::AnotherChain | Doubt::Unexplained(_) => DEMANDS_AT_ONCE,
        };
        let room = at_once.saturating_sub(open).min(left as usize);
        for unit in units(ticket, held, doubt, room) {
            let claimed = Claimed {
                stack: stack.id,
                node: lease.node,
                unit,
            };
            acts.push(Act::Demand(claimed, doubt));
            left = left.saturating_sub(1);
        }
    }
    acts
}

/// Whether a ticket is doubtful by what is held.
pub(super) fn doubt(
    ticket: &Ticket,
    held: &Held,
    policy: &WatchPolicy,
    now: TimestampMs,
) -> Option<Doubt> {
    if held.other_records {
        return Some(Doubt::AnotherChain);
    }
    contradicted(ticket, held, policy).or_else(|| unproven(ticket, held, policy, now))
}

/// Whether a receipt stays missing. A node that can't be asked may be away, and has half of the window for it; where others use
/// the stack, too, and nothing is kept, nothing follows from it.
fn unproven(ticket: &Ticket, held: &Held, policy: &WatchPolicy, now: TimestampMs) -> Option<Doubt> {
    let unseen = held.unseen.as_ref();
    let (seq, denied) = match held.missing {
        Some(missing) => (missing.seq, missing.denied),
        None => unseen.map(|unseen| (unseen.seq, unseen.denied))?,
    };
    let window = ticket.deadline_ms.since(ticket.opened_at_ms);
    let half = ticket.opened_at_ms.saturating_add(DurationMs(window.0 / 2));
    let late = policy.complete && now > half;
    (denied || late).then_some(Doubt::Unproven(seq))
}

fn contradicted(ticket: &Ticket, held: &Held, policy: &WatchPolicy) -> Option<Doubt> {
    if ends_in_kept(ticket, held) {
        return None;
    }
    let before = held.before.as_ref().map(Signed::message);
    let too_much = before.is_some_and(|kept| kept.cumulative_units > ticket.to_units);
    if !held.last.is_empty() || !held.next.is_empty() || too_much {
        return Some(Doubt::AnotherChain);
    }
    let known = before.map_or(ComputeUnits::ZERO, |kept| kept.cumulative_units);
    let unexplained = ticket.to_units.saturating_sub(known.max(ticket.from_units));
    (policy.complete && unexplained > policy.lost).then_some(Doubt::Unexplained(unexplained))
}

/// Whether the last receipt of a ticket is kept here, or the one after it, which names it. So the ticket is over the
/// kept chain, for each receipt names those before it.
pub(super) fn ends_in_kept(ticket: &Ticket, held: &Held) -> bool {
    let mut next = held.next.iter();
    held.last.iter().any(|kept| kept.hash() == ticket.last)
        || next.any(|kept| kept.message().previous == ticket.last)
}

/// The units to demand, at most so many: by lot where other records than the kept ones are claimed, or may be; else the last one of the kept receipt that isn't settled, the first one that
/// nothing kept explains, then the middle of what is widest open.
fn units(ticket: &Ticket, held: &Held, doubt: Doubt, count: usize) -> Vec<ComputeUnits> {
    let by_lot = held.other_records || matches!(doubt, Doubt::Unproven(_));
    let kept = held
        .last
        .first()
        .and_then(|kept| Claimed::of(kept.message()));
    let before = held
        .before
        .as_ref()
        .map(|kept| kept.message().cumulative_units);
    let wanted = [kept.map(|claimed| claimed.unit), before];
    let mut wanted = wanted.into_iter().flatten();
    let mut asked: Vec<ComputeUnits> = ticket.demands.iter().map(|demand| demand.unit).collect();
    let mut found = Vec::new();
    while found.len() < count {
        let mut open = open_ranges(ticket, held, &asked);
        if let (Doubt::Unproven(_), None, Some(unseen)) = (doubt, held.missing, &held.unseen) {
            open = within(&open, &unseen.units);
        }
        let is_open = |unit: &ComputeUnits| open.iter().any(|(from, to)| from <= unit && unit < to);
        let lot = held.lots.get(found.len()).filter(|_| by_lot);
        let drawn = lot.and_then(|lot| drawn(&open, *lot));
        let unit = drawn.or_else(|| wanted.find(is_open)).or_else(|| {
            let widest = open.iter().max_by_key(|(from, to)| to.0 - from.0)?;
            Some(ComputeUnits(widest.0.0 + (widest.1.0 - widest.0.0) / 2))
        });
        let Some(unit) = unit else {
            break;
        };
        asked.push(unit);
        found.push(unit);
    }
    found
}

/// What two lists of ranges have in common; those of the second don't overlap.
fn within(
    open: &[(ComputeUnits, ComputeUnits)],
    of: &[(ComputeUnits, ComputeUnits)],
) -> Vec<(ComputeUnits, ComputeUnits)> {
    let common = of.iter().flat_map(|(from, to)| {
        let open = open.iter();
        open.map(move |(begin, end)| (*begin.max(from), *end.min(to)))
    });
    common.filter(|(from, to)| from < to).collect()
}

/// The unit that a lot falls on, each of these as likely as the others.
fn drawn(open: &[(ComputeUnits, ComputeUnits)], lot: u64) -> Option<ComputeUnits> {
    let sizes = open.iter().map(|(from, to)| to.0 - from.0);
    let mut place = lot.checked_rem(sizes.sum())?;
    for (from, to) in open {
        let size = to.0 - from.0;
        match place.checked_sub(size) {
            Some(beyond) => place = beyond,
            None => return Some(ComputeUnits(from.0 + place)),
        }
    }
    None
}

/// The units of a ticket that neither a shown receipt covers nor a demand is open about, as ranges.
fn open_ranges(
    ticket: &Ticket,
    held: &Held,
    asked: &[ComputeUnits],
) -> Vec<(ComputeUnits, ComputeUnits)> {
    let shown = held.shown.iter().map(|shown| {
        let receipt = shown.message();
        let end = receipt.cumulative_units;
        (end.saturating_sub(receipt.units), end)
    });
    let asked = asked
        .iter()
        .map(|&unit| (unit, unit.saturating_add(ComputeUnits(1))));
    let mut closed: Vec<_> = shown.chain(asked).collect();
    closed.sort_unstable();
    let mut open = Vec::new();
    let mut from = ticket.from_units;
    for (begin, end) in closed {
        if from < begin.min(ticket.to_units) {
            open.push((from, begin.min(ticket.to_units)));
        }
        from = from.max(end);
    }
    if from < ticket.to_units {
        open.push((from, ticket.to_units));
    }
    open
}

#[cfg(test)]
#[path = "decide_test.rs"]
pub(super) mod tests;
