//! The sections of the explorer: which rows each has, and which facts its list shows.

use super::rows::{
    OVERVIEW, Row, challenged_row, conviction, dispute, event, node, overview, settlement, stack,
    task,
};
use atoma_index::{IndexError, IndexReader};
use clap::ValueEnum;

/// Rows that a section shows: the latest of them where there are more.
pub(crate) const MOST_ROWS: usize = 10_000;

/// A tab of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// The whole network in numbers.
    Overview,
    /// The nodes, with collateral, reputation and earnings.
    Nodes,
    /// Tasks and prices.
    Tasks,
    /// Stacks, latest first.
    Stacks,
    /// Settlements, latest first.
    Settlements,
    /// Disputes and convictions, latest first.
    Disputes,
    /// Events, latest first.
    Events,
}

impl Section {
    pub(crate) const ALL: [Self; 7] = [
        Self::Overview,
        Self::Nodes,
        Self::Tasks,
        Self::Stacks,
        Self::Settlements,
        Self::Disputes,
        Self::Events,
    ];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Nodes => "Nodes",
            Self::Tasks => "Tasks & prices",
            Self::Stacks => "Stacks",
            Self::Settlements => "Settlements",
            Self::Disputes => "Disputes",
            Self::Events => "Events",
        }
    }

    /// The columns of its list: what fits 80 characters. The detail has everything.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Overview => OVERVIEW,
            Self::Nodes => &[
                "number",
                "node",
                "status",
                "collateral_micro_usdc",
                "reputation",
                "earned_micro_usdc",
            ],
            Self::Tasks => &[
                "number",
                "model",
                "offers",
                "cheapest_micro_usdc_per_million_units",
                "stacks",
                "revenue_micro_usdc",
            ],
            Self::Stacks => &[
                "stack",
                "state",
                "units",
                "settled",
                "deposited_micro_usdc",
                "paid_micro_usdc",
            ],
            Self::Settlements => &[
                "stack",
                "node",
                "state",
                "units",
                "requests",
                "paid_micro_usdc",
            ],
            Self::Disputes => &["stack", "node", "kind", "state", "unit", "at_ms"],
            Self::Events => &["number", "at_ms", "event", "about"],
        }
    }

    /// The rows of a section, at most `most`.
    pub(crate) fn rows(self, reader: &IndexReader, most: usize) -> Result<Vec<Row>, IndexError> {
        Ok(match self {
            Self::Overview => vec![overview(&reader.overview()?)],
            Self::Nodes => reader.nodes(most)?.into_iter().map(node).collect(),
            Self::Tasks => {
                let tasks = reader.tasks(most)?.into_iter();
                tasks
                    .map(|view| task(reader, view))
                    .collect::<Result<_, _>>()?
            }
            Self::Stacks => reader.stacks(most)?.into_iter().map(stack).collect(),
            Self::Settlements => reader.settlements(most)?.iter().map(settlement).collect(),
            Self::Disputes => {
                let mut rows: Vec<(u64, Row)> = Vec::new();
                rows.extend(
                    reader
                        .disputes(most)?
                        .iter()
                        .map(|row| (row.event, dispute(row))),
                );
                let challenged = reader.challenged(most)?;
                rows.extend(challenged.iter().map(|row| {
                    (
                        row.challenge_event.unwrap_or(row.number),
                        challenged_row(row),
                    )
                }));
                let verdicts = reader.convictions(most)?;
                rows.extend(verdicts.iter().map(|row| (row.event, conviction(row))));
                rows.sort_by_key(|(event, _)| std::cmp::Reverse(*event));
                rows.into_iter().map(|(_, row)| row).collect()
            }
            Self::Events => reader.events(most)?.into_iter().map(event).collect(),
        })
    }
}
