//! A row of a section: its facts by name, the same in the terminal, in tables and in JSON.

use super::cell::Cell;
use crate::{
    audit::{challenge, examination},
    output::{date, usdc, utc},
};
use atoma_index::{
    ConvictionRow, DisputeRow, EventRow, IndexError, IndexReader, NodeView, OfferRow, Overview,
    SettlementRow, StackView, TaskView,
};
use atoma_types::{
    ComputeUnits, NodeId, Price, StackId, TaskId,
    chain::{Charge, NodeStatus},
};

/// What a row is about, for what is related to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Nothing,
    Node(NodeId),
    Task(TaskId),
    Stack(StackId),
    Lease(StackId, NodeId),
}

/// A row: its facts by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) about: About,
    pub(crate) cells: Vec<(&'static str, Cell)>,
}

impl Row {
    pub(crate) fn get(&self, name: &str) -> Option<&Cell> {
        let mut cells = self.cells.iter();
        cells
            .find(|(known, _)| *known == name)
            .map(|(_, cell)| cell)
    }
}

pub(super) const OVERVIEW: &[&str] = &[
    "checkpoint",
    "events",
    "nodes",
    "active_nodes",
    "collateral_micro_usdc",
    "tasks",
    "offers",
    "stacks",
    "open_stacks",
    "units_bought",
    "units_settled",
    "requests",
    "deposited_micro_usdc",
    "paid_to_nodes_micro_usdc",
    "fees_micro_usdc",
    "dues_micro_usdc",
    "freed_micro_usdc",
    "in_escrow_micro_usdc",
    "treasury_micro_usdc",
    "treasury_paid_micro_usdc",
    "open_settlements",
    "demands",
    "open_demands",
    "challenges",
    "convictions",
    "fined_micro_usdc",
];

pub(super) fn overview(view: &Overview) -> Row {
    let sums = &view.sums;
    Row {
        about: About::Nothing,
        cells: vec![
            ("checkpoint", Cell::maybe(view.progress.checkpoint)),
            ("sealed_at_ms", view.progress.checkpoint_ms.into()),
            ("events", view.progress.events.into()),
            ("gaps", view.progress.gaps.into()),
            ("nodes", view.nodes.into()),
            ("active_nodes", view.active_nodes.into()),
            ("collateral_micro_usdc", view.collateral.into()),
            ("tasks", view.tasks.into()),
            ("offers", view.offers.into()),
            ("stacks", sums.stacks.into()),
            ("open_stacks", view.open_stacks.into()),
            ("units_bought", sums.units_bought.into()),
            ("units_settled", sums.units_settled.into()),
            ("requests", sums.requests.into()),
            ("deposited_micro_usdc", sums.deposited.into()),
            ("paid_to_nodes_micro_usdc", sums.paid.into()),
            ("fees_micro_usdc", sums.fees.into()),
            ("dues_micro_usdc", sums.dues.into()),
            ("freed_micro_usdc", sums.freed.into()),
            ("in_escrow_micro_usdc", view.escrow.into()),
            (
                "treasury_micro_usdc",
                Cell::maybe(view.treasury_standing.as_ref().map(|t| t.balance)),
            ),
            ("treasury_paid_micro_usdc", sums.treasury_paid.into()),
            ("open_settlements", view.open_settlements.into()),
            ("demands", sums.disputes.into()),
            ("open_demands", view.open_disputes.into()),
            ("challenges", view.challenges.into()),
            ("convictions", sums.convictions.into()),
            ("fined_micro_usdc", sums.fined.into()),
        ],
    }
}

pub(super) fn node(view: NodeView) -> Row {
    let (row, standing) = (view.row, view.standing);
    let status = match row.status {
        NodeStatus::Active => "active".to_owned(),
        NodeStatus::Jailed { until_ms } => format!("jailed to {}", utc(until_ms.0)),
        NodeStatus::Unbonding { until_ms } => {
            format!("leaving at {}", utc(until_ms.0))
        }
        NodeStatus::Left => "left".to_owned(),
    };
    Row {
        about: About::Node(row.node),
        cells: vec![
            ("number", row.number.into()),
            ("node", Cell::id(row.node)),
            ("status", Cell::Text(status)),
            ("collateral_micro_usdc", row.collateral.into()),
            (
                "reputation",
                Cell::maybe(standing.as_ref().map(|s| s.reputation)),
            ),
            ("earned_micro_usdc", row.earned.into()),
            ("owner", Cell::id(row.owner)),
            ("url", Cell::Text(row.url)),
            ("response_key", Cell::id(row.response_key)),
            (
                "at_stake_micro_usdc",
                Cell::maybe(standing.as_ref().map(|s| s.at_stake)),
            ),
            (
                "credit_micro_usdc",
                Cell::maybe(standing.as_ref().map(|s| s.earnings)),
            ),
            (
                "pending_fines_micro_usdc",
                Cell::maybe(standing.as_ref().map(|s| s.pending_fines)),
            ),
            ("paid_tickets", row.settled.into()),
            ("convictions", row.convicted.into()),
            ("from_treasury_micro_usdc", row.from_treasury.into()),
            ("withdrawn_micro_usdc", row.withdrawn.into()),
            ("fined_micro_usdc", row.fined.into()),
            ("pardoned_micro_usdc", row.pardoned.into()),
            ("joined_at_ms", row.joined_ms.into()),
        ],
    }
}

/// A task's offers by nodes that take leases now: not by those that are jailed or leaving.
fn available(reader: &IndexReader, task: TaskId) -> Result<Vec<OfferRow>, IndexError> {
    let mut offers = Vec::new();
    for offer in reader.offers(task)? {
        let node = reader.node(offer.node)?;
        if node.is_some_and(|node| node.row.status == NodeStatus::Active) {
            offers.push(offer);
        }
    }
    Ok(offers)
}

pub(super) fn task(reader: &IndexReader, view: TaskView) -> Result<Row, IndexError> {
    let (row, terms) = (view.row, view.terms);
    let offers = available(reader, row.task)?;
    let prices = offers.iter().map(|o| o.price);
    let price = |price: Price| Cell::Price(price.0);
    Ok(Row {
        about: About::Task(row.task),
        cells: vec![
            ("number", row.number.into()),
            ("model", Cell::Text(row.model_name)),
            ("offers", (offers.len() as u64).into()),
            (
                "cheapest_micro_usdc_per_million_units",
                prices.min().map_or(Cell::None, price),
            ),
            ("stacks", row.stacks.into()),
            ("revenue_micro_usdc", row.revenue.into()),
            ("task", Cell::id(row.task)),
            ("owner", Cell::id(row.owner)),
            ("role", Cell::text_of(row.role)),
            ("security", Cell::text_of(row.security_level)),
            (
                "price_ceiling_micro_usdc_per_million_units",
                price(row.price_ceiling),
            ),
            ("deprecated", row.deprecated.into()),
            ("units_bought", row.units_bought.into()),
            ("units_settled", row.units_settled.into()),
            ("requests", row.requests.into()),
            ("fees_micro_usdc", row.fees.into()),
            (
                "min_reputation",
                Cell::maybe(terms.as_ref().map(|t| t.min_reputation)),
            ),
            (
                "min_collateral_micro_usdc",
                Cell::maybe(terms.as_ref().map(|t| t.min_collateral)),
            ),
            ("created_at_ms", row.created_ms.into()),
        ],
    })
}

pub(super) fn stack(view: StackView) -> Row {
    let (row, terms) = (view.row, view.terms);
    let state = match (row.live_units == ComputeUnits::ZERO, row.closing) {
        (true, _) => "closed",
        (false, true) => "closing",
        (false, false) => "open",
    };
    Row {
        about: About::Stack(row.stack),
        cells: vec![
            ("stack", Cell::id(row.stack)),
            ("state", Cell::text_of(state)),
            ("units", row.live_units.into()),
            ("settled", row.settled_units.into()),
            ("deposited_micro_usdc", row.deposited.into()),
            ("paid_micro_usdc", row.paid.into()),
            ("fees_micro_usdc", row.fees.into()),
            ("dues_micro_usdc", row.dues.into()),
            ("freed_micro_usdc", row.freed.into()),
            ("withdrawn_micro_usdc", row.withdrawn.into()),
            (
                "credit_micro_usdc",
                Cell::maybe(terms.as_ref().map(|t| t.free)),
            ),
            ("in_escrow_micro_usdc", row.escrow.into()),
            ("ungranted", row.ungranted.into()),
            ("requests", row.requests.into()),
            ("owner", Cell::id(row.owner)),
            ("task", Cell::id(row.task)),
            (
                "max_price_micro_usdc_per_million_units",
                row.max_price.into(),
            ),
            ("candidates", (row.candidates.len() as u64).into()),
            ("watcher", row.watcher.map_or(Cell::None, Cell::id)),
            ("leases", row.leases.into()),
            ("expires_at_ms", row.expires_at_ms.into()),
            ("bought_at_ms", row.bought_ms.into()),
        ],
    }
}

pub(super) fn settlement(row: &SettlementRow) -> Row {
    Row {
        about: About::Lease(row.stack, row.node),
        cells: vec![
            ("stack", Cell::id(row.stack)),
            ("node", Cell::id(row.node)),
            ("state", Cell::text_of(row.state.as_str())),
            ("units", row.to_units.saturating_sub(row.from_units).into()),
            ("requests", row.to_seq.saturating_sub(row.from_seq).into()),
            ("value_micro_usdc", row.value.into()),
            ("paid_micro_usdc", row.paid.into()),
            ("fee_micro_usdc", row.fee.into()),
            ("due_micro_usdc", row.due.into()),
            ("last_receipt", row.to_seq.into()),
            ("examination", Cell::text_of(examination(row))),
            ("examiner", row.examiner.map_or(Cell::None, Cell::id)),
            ("challenge", Cell::text_of(challenge(row))),
            ("last_hash", Cell::id(row.last)),
            ("history", Cell::id(row.history)),
            ("manifest", row.manifest_blob.map_or(Cell::None, Cell::id)),
            ("payable_at_ms", row.deadline_ms.into()),
            ("opened_at_ms", row.opened_ms.into()),
            ("ended_at_ms", Cell::maybe(row.ended_ms)),
        ],
    }
}

pub(super) fn dispute(row: &DisputeRow) -> Row {
    Row {
        about: About::Lease(row.stack, row.node),
        cells: vec![
            ("stack", Cell::id(row.stack)),
            ("node", Cell::id(row.node)),
            ("kind", Cell::text_of("demand")),
            ("state", Cell::text_of(row.state.as_str())),
            ("unit", row.unit.into()),
            ("at_ms", row.opened_ms.into()),
            ("record", Cell::maybe(row.seq)),
            ("blob", row.blob.map_or(Cell::None, Cell::id)),
            ("answer_until_ms", row.deadline_ms.into()),
            ("ended_at_ms", Cell::maybe(row.ended_ms)),
        ],
    }
}

/// A challenge of a claim.
pub(super) fn challenged_row(row: &SettlementRow) -> Row {
    Row {
        about: About::Lease(row.stack, row.node),
        cells: vec![
            ("stack", Cell::id(row.stack)),
            ("node", Cell::id(row.node)),
            ("kind", Cell::text_of("challenge")),
            ("state", Cell::text_of(challenge(row))),
            ("unit", Cell::None),
            ("at_ms", Cell::maybe(row.challenged_ms)),
            ("record", row.to_seq.into()),
            ("ended_at_ms", Cell::maybe(row.ended_ms)),
        ],
    }
}

/// Of what a node was convicted, in a word.
fn guilty_of(charge: Charge) -> &'static str {
    match charge {
        Charge::Silence => "guilty: silence",
        Charge::Equivocation => "guilty: equivocation",
        Charge::Undisclosed => "guilty: undisclosed",
        Charge::Examined => "guilty: examination",
        Charge::Challenged => "guilty: challenge",
    }
}

pub(super) fn conviction(row: &ConvictionRow) -> Row {
    Row {
        about: About::Lease(row.stack, row.node),
        cells: vec![
            ("stack", Cell::id(row.stack)),
            ("node", Cell::id(row.node)),
            ("kind", Cell::text_of("verdict")),
            ("state", Cell::text_of(guilty_of(row.charge))),
            ("at_ms", row.at_ms.into()),
            ("claimed_micro_usdc", row.value.into()),
            ("fine_micro_usdc", row.fine.into()),
            ("to_jurors_micro_usdc", row.jurors.into()),
            ("freed_micro_usdc", row.freed.into()),
        ],
    }
}

pub(super) fn event(row: EventRow) -> Row {
    let body: serde_json::Value = serde_json::from_str(&row.body).unwrap_or_default();
    let id = |name: &str| body.get(name).and_then(|id| id.as_str()).map(str::to_owned);
    let (stack, node, task) = (id("stack"), id("node"), id("task"));
    let about = match (&stack, &node, &task) {
        (Some(stack), _, _) => stack.parse().map(About::Stack).ok(),
        (_, Some(node), _) => node.parse().map(About::Node).ok(),
        (_, _, Some(task)) => task.parse().map(About::Task).ok(),
        _ => None,
    };
    Row {
        about: about.unwrap_or(About::Nothing),
        cells: vec![
            ("number", row.number.into()),
            ("at_ms", row.at_ms.into()),
            ("event", Cell::Text(format!("{}::{}", row.module, row.name))),
            (
                "about",
                stack.or(node).or(task).map_or(Cell::None, Cell::Id),
            ),
            ("checkpoint", row.checkpoint.into()),
            (
                "transaction",
                Cell::id(atoma_ledger::Digest::new(row.digest)),
            ),
            ("fields", Cell::Text(row.body)),
        ],
    }
}

/// A day as text, for the overview's list of days.
pub(super) fn day(day: &atoma_index::DayRow) -> String {
    let (year, month, day_of_month) = date(day.day);
    format!(
        "{year:04}-{month:02}-{day_of_month:02}  {} stacks, {} in, {} to nodes, {} back, {} requests",
        day.stacks,
        usdc(day.deposited.0),
        usdc(day.paid.0),
        usdc(day.freed.0),
        day.requests,
    )
}
