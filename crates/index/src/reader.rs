//! Questions to the read model. Any number of readers, beside the writer.

use super::{
    column::{Column, Table},
    error::IndexError,
    rows::{
        ConvictionRow, DayRow, DisputeRow, EventRow, LeaseRow, NodeRow, NodeStanding, OfferRow,
        PriceRow, ProgressRow, SettlementRow, StackRow, StackTerms, TaskRow, TaskTerms,
        TreasuryRow, TreasuryStanding,
    },
    store::{KIND, check_identity, get, read},
};
use atoma_store::Place;
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, StackId, TaskId,
    chain::{Deployment, NodeStatus},
};
use rusqlite::{Connection, params_from_iter, types::Value};
use serde::Serialize;
use std::{fmt, path::Path};

/// A node with what only its object tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeView {
    /// What events tell of it.
    pub row: NodeRow,
    /// From the object; absent until it is read.
    pub standing: Option<NodeStanding>,
}

/// A task with what only its object tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskView {
    /// What events tell of it.
    pub row: TaskRow,
    /// From the object; absent until it is read.
    pub terms: Option<TaskTerms>,
}

/// A stack with what only its object tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackView {
    /// What events tell of it.
    pub row: StackRow,
    /// From the object; absent until it is read.
    pub terms: Option<StackTerms>,
}

/// The whole network in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// How far the read model is.
    pub progress: ProgressRow,
    /// Nodes that ever registered, those that left included.
    pub nodes: u64,
    /// Of them, those that may serve.
    pub active_nodes: u64,
    /// What all nodes stand to lose.
    pub collateral: MicroUsdc,
    /// How many tasks there are.
    pub tasks: u64,
    /// Offers of nodes to tasks.
    pub offers: u64,
    /// Stacks with units that a node has or can get.
    pub open_stacks: u64,
    /// What all open stacks hold, in micro-USDC.
    pub escrow: MicroUsdc,
    /// Claims that wait to be paid.
    pub open_settlements: u64,
    /// Disputes that wait for an answer.
    pub open_disputes: u64,
    /// Claims that were challenged.
    pub challenges: u64,
    /// Sums of all days; its `day` is the first.
    pub sums: DayRow,
    /// What came into the treasury and what went out, from events.
    pub treasury: Option<TreasuryRow>,
    /// What is in the treasury.
    pub treasury_standing: Option<TreasuryStanding>,
}

/// Reads the index's file, while another program may write it. Cheap to clone.
pub struct IndexReader {
    connection: Connection,
}

impl IndexReader {
    /// Opens a file that an [`Indexer`](super::Indexer) has made for this deployment.
    ///
    /// # Errors
    /// If there is no such file, or it is of another deployment or version.
    pub fn open(path: &Path, deployment: &Deployment) -> Result<Self, IndexError> {
        let connection = KIND.open_to_read(&Place::File(path.to_owned()))?;
        let connection = connection.ok_or_else(|| IndexError::Missing {
            path: path.to_owned(),
        })?;
        let reader = Self { connection };
        check_identity(path, &reader.progress()?, deployment)?;
        Ok(reader)
    }

    /// Asks several questions about one moment.
    ///
    /// # Errors
    /// What `ask` answers with, or if the file cannot be read.
    pub fn snapshot<T>(
        &self,
        ask: impl FnOnce(&Self) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        let transaction = self.connection.unchecked_transaction()?;
        let answer = ask(self)?;
        transaction.commit()?;
        Ok(answer)
    }

    /// A number that changes whenever the writer has written.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn version(&self) -> Result<i64, IndexError> {
        let sql = "PRAGMA data_version";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// How far it is.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn progress(&self) -> Result<ProgressRow, IndexError> {
        get(&self.connection, ProgressRow::at(0))?.ok_or(IndexError::Damaged(ProgressRow::NAME))
    }

    /// The whole network in numbers.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn overview(&self) -> Result<Overview, IndexError> {
        let nodes: Vec<NodeRow> = self.list("ORDER BY number", &[])?;
        let active = |node: &&NodeRow| node.status == NodeStatus::Active;
        let days: Vec<DayRow> = self.list("ORDER BY day", &[])?;
        Ok(Overview {
            progress: self.progress()?,
            nodes: nodes.len() as u64,
            active_nodes: nodes.iter().filter(active).count() as u64,
            collateral: nodes.iter().map(|node| node.collateral).sum(),
            tasks: self.number("SELECT count(*) FROM tasks")?,
            offers: self.number("SELECT count(*) FROM offers")?,
            open_stacks: self.number("SELECT count(*) FROM stacks WHERE live_units > 0")?,
            escrow: MicroUsdc(self.number("SELECT coalesce(sum(escrow), 0) FROM stacks")?),
            open_settlements: self
                .number("SELECT count(*) FROM settlements WHERE state = 'open'")?,
            challenges: self
                .number("SELECT count(*) FROM settlements WHERE challenge <> 'none'")?,
            open_disputes: self.number("SELECT count(*) FROM disputes WHERE state = 'open'")?,
            sums: sums(&days),
            treasury: get(&self.connection, TreasuryRow::at(0))?,
            treasury_standing: get(&self.connection, TreasuryStanding::at(0))?,
        })
    }

    /// Nodes by number.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn nodes(&self, most: usize) -> Result<Vec<NodeView>, IndexError> {
        let rows: Vec<NodeRow> = self.list("ORDER BY number LIMIT ?1", &[limit(most)])?;
        rows.into_iter()
            .map(|row| self.with_standing(row))
            .collect()
    }

    /// The node with this id, if it is known.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn node(&self, id: NodeId) -> Result<Option<NodeView>, IndexError> {
        let row = get(&self.connection, NodeRow::at(id))?;
        row.map(|row| self.with_standing(row)).transpose()
    }

    fn with_standing(&self, row: NodeRow) -> Result<NodeView, IndexError> {
        let standing = get(&self.connection, NodeStanding::at(row.node))?;
        Ok(NodeView { row, standing })
    }

    /// Tasks by number.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn tasks(&self, most: usize) -> Result<Vec<TaskView>, IndexError> {
        let rows: Vec<TaskRow> = self.list("ORDER BY number LIMIT ?1", &[limit(most)])?;
        rows.into_iter()
            .map(|row| self.with_task_terms(row))
            .collect()
    }

    /// The task with this id, if it is known.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn task(&self, id: TaskId) -> Result<Option<TaskView>, IndexError> {
        let row = get(&self.connection, TaskRow::at(id))?;
        row.map(|row| self.with_task_terms(row)).transpose()
    }

    fn with_task_terms(&self, row: TaskRow) -> Result<TaskView, IndexError> {
        let terms = get(&self.connection, TaskTerms::at(row.task))?;
        Ok(TaskView { row, terms })
    }

    /// A task's offers, cheapest first.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn offers(&self, task: TaskId) -> Result<Vec<OfferRow>, IndexError> {
        self.list("WHERE task = ?1 ORDER BY price, node", &[task.to_value()])
    }

    /// A node's offers.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn offers_of(&self, node: NodeId) -> Result<Vec<OfferRow>, IndexError> {
        self.list("WHERE node = ?1 ORDER BY task", &[node.to_value()])
    }

    /// A task's latest changes of price, oldest of them first.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn prices(&self, task: TaskId, most: usize) -> Result<Vec<PriceRow>, IndexError> {
        let mut rows: Vec<PriceRow> = self.list(
            "WHERE task = ?1 ORDER BY number DESC LIMIT ?2",
            &[task.to_value(), limit(most)],
        )?;
        rows.reverse();
        Ok(rows)
    }

    /// Stacks, latest first.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn stacks(&self, most: usize) -> Result<Vec<StackView>, IndexError> {
        let rows: Vec<StackRow> = self.list("ORDER BY number DESC LIMIT ?1", &[limit(most)])?;
        rows.into_iter().map(|row| self.with_terms(row)).collect()
    }

    /// The stack with this id, if it is known.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn stack(&self, id: StackId) -> Result<Option<StackView>, IndexError> {
        let row = get(&self.connection, StackRow::at(id))?;
        row.map(|row| self.with_terms(row)).transpose()
    }

    fn with_terms(&self, row: StackRow) -> Result<StackView, IndexError> {
        let terms = get(&self.connection, StackTerms::at(row.stack))?;
        Ok(StackView { row, terms })
    }

    /// A stack's leases, in the stack's order.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn leases(&self, stack: StackId) -> Result<Vec<LeaseRow>, IndexError> {
        self.list("WHERE stack = ?1 ORDER BY place", &[stack.to_value()])
    }

    /// The settlements of a lease, in their order.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn settlements_of(
        &self,
        stack: StackId,
        node: NodeId,
    ) -> Result<Vec<SettlementRow>, IndexError> {
        self.list(
            "WHERE stack = ?1 AND node = ?2 ORDER BY to_seq",
            &[stack.to_value(), node.to_value()],
        )
    }

    /// Settlements, latest first.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn settlements(&self, most: usize) -> Result<Vec<SettlementRow>, IndexError> {
        self.list("ORDER BY number DESC LIMIT ?1", &[limit(most)])
    }

    /// The settlements that were challenged, latest first.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn challenged(&self, most: usize) -> Result<Vec<SettlementRow>, IndexError> {
        self.list(
            "WHERE challenge <> 'none' ORDER BY challenge_event DESC LIMIT ?1",
            &[limit(most)],
        )
    }

    /// The disputes of a lease, in their order.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn disputes_of(&self, stack: StackId, node: NodeId) -> Result<Vec<DisputeRow>, IndexError> {
        self.list(
            "WHERE stack = ?1 AND node = ?2 ORDER BY number",
            &[stack.to_value(), node.to_value()],
        )
    }

    /// Disputes, latest first.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn disputes(&self, most: usize) -> Result<Vec<DisputeRow>, IndexError> {
        self.list("ORDER BY event DESC LIMIT ?1", &[limit(most)])
    }

    /// Convictions, latest first.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn convictions(&self, most: usize) -> Result<Vec<ConvictionRow>, IndexError> {
        self.list("ORDER BY event DESC LIMIT ?1", &[limit(most)])
    }

    /// Days, latest first.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn days(&self, most: usize) -> Result<Vec<DayRow>, IndexError> {
        self.list("ORDER BY day DESC LIMIT ?1", &[limit(most)])
    }

    /// Events, latest first.
    ///
    /// # Errors
    /// If the file cannot be read, or a row is not one of this version.
    pub fn events(&self, most: usize) -> Result<Vec<EventRow>, IndexError> {
        self.list("ORDER BY number DESC LIMIT ?1", &[limit(most)])
    }

    fn list<T: Table>(&self, rest: &str, values: &[Value]) -> Result<Vec<T>, IndexError> {
        let sql = format!("{} {rest}", T::sql().list);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_and_then(params_from_iter(values), read)?;
        rows.collect()
    }

    fn number(&self, sql: &str) -> Result<u64, IndexError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let number: i64 = statement.query_row([], |row| row.get(0))?;
        Ok(number.cast_unsigned())
    }
}

impl fmt::Debug for IndexReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexReader")
    }
}

fn limit(most: usize) -> Value {
    Value::Integer(i64::try_from(most).unwrap_or(i64::MAX))
}

/// All days in one. Statistics: they saturate.
fn sums(days: &[DayRow]) -> DayRow {
    let mut sum = DayRow::new(days.first().map_or(0, |day| day.day));
    let number = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
    let units = |sum: &mut ComputeUnits, more| *sum = sum.saturating_add(more);
    let money = |sum: &mut MicroUsdc, more: MicroUsdc| sum.0 = sum.0.saturating_add(more.0);
    for day in days {
        number(&mut sum.stacks, day.stacks);
        units(&mut sum.units_bought, day.units_bought);
        money(&mut sum.deposited, day.deposited);
        units(&mut sum.units_settled, day.units_settled);
        number(&mut sum.requests, day.requests);
        money(&mut sum.paid, day.paid);
        money(&mut sum.fees, day.fees);
        money(&mut sum.dues, day.dues);
        money(&mut sum.freed, day.freed);
        number(&mut sum.disputes, day.disputes);
        number(&mut sum.convictions, day.convictions);
        money(&mut sum.fined, day.fined);
        money(&mut sum.treasury_paid, day.treasury_paid);
    }
    sum
}
