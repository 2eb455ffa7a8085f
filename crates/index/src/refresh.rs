//! What events don't tell is read from the objects: terms that never change, and standings of which
//! the latest is wanted. Which objects are due is written with the events, and struck out with the
//! answer, so reading one again, or after a crash, leaves the same rows.

use super::{
    apply::Rows,
    error::IndexError,
    rows::{NodeStanding, ObjectName, StackTerms, StaleRow, TaskTerms, TreasuryStanding},
};
use atoma_ledger::Ledger;
use atoma_types::{
    NodeId, StackId, TaskId,
    chain::{AtomaDb, Node, Stack, Task},
};

/// Objects read at once: as many as full nodes give in one answer.
pub(crate) const MOST: usize = 50;

/// What the objects say.
#[derive(Debug, Default)]
pub(crate) struct Read {
    nodes: Vec<Node>,
    tasks: Vec<Task>,
    stacks: Vec<Stack>,
    db: Option<AtomaDb>,
}

impl Read {
    /// Asks the ledger. Objects that it doesn't have are left out.
    pub(crate) async fn from(ledger: &Ledger, stale: &[StaleRow]) -> Result<Self, IndexError> {
        let of = |kind| {
            let chosen = stale.iter().filter(move |row| row.kind == kind);
            chosen.map(|row| row.id)
        };
        let nodes: Vec<NodeId> = of(ObjectName::Node).map(NodeId).collect();
        let tasks: Vec<TaskId> = of(ObjectName::Task).map(TaskId).collect();
        let stacks: Vec<StackId> = of(ObjectName::Stack).map(StackId).collect();
        let wants_db = of(ObjectName::Db).next().is_some();
        Ok(Self {
            nodes: ledger.nodes(&nodes).await?,
            tasks: ledger.tasks(&tasks).await?,
            stacks: ledger.stacks(&stacks).await?,
            db: if wants_db {
                Some(ledger.db().await?)
            } else {
                None
            },
        })
    }

    pub(crate) fn write(self, rows: &mut impl Rows) -> Result<(), IndexError> {
        for node in self.nodes {
            rows.put(&NodeStanding {
                node: node.id,
                reputation: node.standing.reputation,
                at_stake: node.at_stake,
                earnings: node.earnings,
                pending_fines: node.pending.fines,
            })?;
        }
        for task in self.tasks {
            rows.put(&TaskTerms {
                task: task.id,
                weights: task.weights,
                engine: task.engine,
                min_reputation: task.min_reputation,
                min_collateral: task.min_collateral,
                allow_list: task.allow_list,
            })?;
        }
        for stack in self.stacks {
            rows.put(&StackTerms {
                stack: stack.id,
                fine_multiple: stack.terms.fine_multiple,
                fee_permille: stack.terms.fee_permille,
                created_at_ms: stack.created_at_ms,
                dispute_window_ms: stack.terms.dispute_window_ms,
                answer_window_ms: stack.terms.answer_window_ms,
                demand_fee: stack.terms.demand_fee,
                sampled: stack.terms.sampling.is_some(),
                free: stack.free,
            })?;
        }
        if let Some(db) = self.db {
            rows.put(&TreasuryStanding {
                id: 0,
                balance: db.communal_treasury,
                epoch: db.book.epoch,
            })?;
        }
        Ok(())
    }
}
