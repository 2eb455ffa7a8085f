//! What belongs to a row: a task's offers and prices over time, a node's offers, a stack's leases and
//! what became of them.

use super::{
    cell::Cell,
    rows::{self, About},
    sections::Section,
};
use crate::output::{usdc, utc};
use atoma_index::{IndexError, IndexReader, LeaseStanding, PriceRow};
use atoma_types::{NodeId, Price, StackId, TaskId};
use std::collections::BTreeMap;

/// Changes of price that a sparkline is drawn of: as many as a wide terminal has columns.
const MOST_PRICES: usize = 400;
/// Days of the overview.
const MOST_DAYS: usize = 60;

/// What is shown below a row's facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Related {
    pub(crate) lines: Vec<String>,
    /// The task's lowest price after each change, in micro-USDC; oldest first.
    pub(crate) prices: Vec<u64>,
}

pub(crate) fn related(
    reader: &IndexReader,
    section: Section,
    about: About,
) -> Result<Related, IndexError> {
    let mut found = Related::default();
    match about {
        About::Nothing if section == Section::Overview => {
            let days = reader.days(MOST_DAYS)?;
            found.lines = days.iter().map(rows::day).collect();
        }
        About::Nothing => {}
        About::Node(node) => found.lines = of_node(reader, node)?,
        About::Task(task) => {
            found.lines = of_task(reader, task)?;
            found.prices = lowest(&reader.prices(task, MOST_PRICES)?);
        }
        About::Stack(stack) => found.lines = of_stack(reader, stack)?,
        About::Lease(stack, node) => found.lines = of_lease(reader, stack, node)?,
    }
    Ok(found)
}

fn of_node(reader: &IndexReader, node: NodeId) -> Result<Vec<String>, IndexError> {
    let offers = reader.offers_of(node)?.into_iter();
    offers
        .map(|offer| {
            let task = reader.task(offer.task)?;
            let model = task.map_or_else(|| "?".to_owned(), |task| task.row.model_name);
            Ok(format!(
                "offers {model} at {} since {}",
                usdc(offer.price.0),
                utc(offer.since_ms.0),
            ))
        })
        .collect()
}

fn of_task(reader: &IndexReader, task: TaskId) -> Result<Vec<String>, IndexError> {
    let offers = reader.offers(task)?;
    Ok(offers
        .iter()
        .map(|offer| {
            format!(
                "{}  node {} since {}",
                usdc(offer.price.0),
                short(offer.node),
                utc(offer.since_ms.0),
            )
        })
        .collect())
}

fn of_stack(reader: &IndexReader, stack: StackId) -> Result<Vec<String>, IndexError> {
    let mut lines = Vec::new();
    for lease in reader.leases(stack)? {
        let state = match lease.state {
            LeaseStanding::Open => "open",
            LeaseStanding::Closed => "closed",
        };
        let paid = format!(
            "{} paid for {} units",
            usdc(lease.paid.0),
            lease.paid_units.0
        );
        lines.push(format!(
            "lease of {}: {} units at {}, {state}, {paid}{}",
            short(lease.node),
            lease.units.0,
            usdc(lease.price.0),
            if lease.convicted { ", convicted" } else { "" },
        ));
        lines.extend(of_lease(reader, stack, lease.node)?);
    }
    Ok(lines)
}

fn of_lease(reader: &IndexReader, stack: StackId, node: NodeId) -> Result<Vec<String>, IndexError> {
    let mut lines = Vec::new();
    for claim in reader.settlements_of(stack, node)? {
        lines.push(format!(
            "claim of {} units, {} requests: {}, payable from {}",
            claim.to_units.saturating_sub(claim.from_units).0,
            claim.to_seq.saturating_sub(claim.from_seq),
            claim.state.as_str(),
            utc(claim.deadline_ms.0)
        ));
    }
    for dispute in reader.disputes_of(stack, node)? {
        lines.push(format!(
            "demand for unit {}: {}, answer until {}",
            dispute.unit.0,
            dispute.state.as_str(),
            utc(dispute.deadline_ms.0)
        ));
    }
    Ok(lines)
}

fn short(node: NodeId) -> String {
    Cell::id(node).short()
}

/// The lowest price of all nodes after each change.
fn lowest(changes: &[PriceRow]) -> Vec<u64> {
    let mut asked: BTreeMap<NodeId, Price> = BTreeMap::new();
    let mut lowest = Vec::with_capacity(changes.len());
    for change in changes {
        match change.price {
            Some(price) => asked.insert(change.node, price),
            None => asked.remove(&change.node),
        };
        lowest.push(asked.values().min().map_or(0, |price| price.0));
    }
    lowest
}
