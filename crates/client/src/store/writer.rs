//! The writer: receipts gather, for nobody waits for them; what somebody waits for is written at once,
//! with everything that came before it.

use super::{
    bonds::{self, Bond, Wrong},
    distrusts::{self, Distrust},
    lanes::{self, Left, NotGiven, Wanted},
    rows::{KeptLane, LaneKey, Row, Stray, insert, insert_stray, insert_unclear},
};
use atoma_store::{Gather, OnFailure, Policy, Reply, Slot, Writer};
use atoma_types::{NodeId, RequestId, StackId};
use rusqlite::{Transaction, params};
use std::{path::PathBuf, time::Duration, vec::Drain};

/// How entries become commits.
pub(super) const POLICY: Policy = Policy {
    max_batch: 4_096,
    // a receipt belongs to a request, and requests wait for the disk whenever their lane's bound rises
    capacity: usize::MAX,
    // receipts come with every request, and a commit costs far more than a row in it; what a crash
    // takes the node still has
    gather: Gather::Lazily {
        pause: Duration::from_millis(50),
    },
    on_failure: OnFailure::Close,
};

/// What is written.
pub(crate) enum Op {
    Receipt(Box<Row>),
    /// A receipt that was shown for another request.
    Stray(Box<Stray>),
    /// Gives this program a lane.
    Claim(Box<Claim>),
    /// Writes down what a crash would leave of a lane.
    Bound {
        key: LaneKey,
        slot: u16,
        left: Left,
        done: Reply,
    },
    /// This program ends: what the next one begins a lane with.
    End {
        key: LaneKey,
        slot: u16,
        bound: u64,
        granted: u64,
    },
    Stack(StackId, Reply),
    Forget(StackId),
    /// A node has refused a request of this stack.
    Refused(StackId, RequestId),
    /// An answer of a lease never came.
    Lost((StackId, NodeId), RequestId),
    /// A request of a lease may cost so many units: nobody waits for its receipt any more.
    Unclear((StackId, NodeId), RequestId, u64),
    Distrust(Distrust),
    Wrong(Wrong, Option<Reply>),
    /// Keeps a bond, or forgets one that was not staked after all.
    Bond {
        bond: Bond,
        staked: bool,
        done: Reply,
    },
    Flush(Reply),
}

pub(crate) struct Claim {
    pub(super) lease: (StackId, NodeId),
    pub(super) slot: u16,
    pub(super) wanted: Wanted,
    /// Once it is written.
    pub(super) given: Option<Result<KeptLane, NotGiven>>,
    pub(super) done: Reply<Result<KeptLane, NotGiven>>,
}

pub(crate) struct ClientWriter {
    /// Where the slots are; absent in memory.
    folder: Option<PathBuf>,
    /// Slots of dead programs whose lanes this batch takes over.
    inherited: Vec<Slot>,
}

impl ClientWriter {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            inherited: Vec::new(),
        }
    }

    fn claim(&mut self, to: &Transaction<'_>, claim: &mut Claim) -> rusqlite::Result<()> {
        let Claim {
            lease,
            slot,
            wanted,
            ..
        } = claim;
        let given = lanes::claim(to, *lease, *slot, wanted, self.folder.as_deref())?;
        claim.given = Some(given.map(|(lane, dead)| {
            self.inherited.extend(dead);
            lane
        }));
        Ok(())
    }
}

impl Writer for ClientWriter {
    type Op = Op;
    type Error = rusqlite::Error;

    fn write(&mut self, to: &Transaction<'_>, batch: &mut [Op]) -> rusqlite::Result<()> {
        for op in batch {
            match op {
                Op::Receipt(row) => insert(to, row)?,
                Op::Stray(stray) => insert_stray(to, stray)?,
                Op::Claim(claim) => self.claim(to, claim)?,
                Op::Bound {
                    key, slot, left, ..
                } => lanes::raise(to, *key, *slot, *left)?,
                Op::End {
                    key,
                    slot,
                    bound,
                    granted,
                } => lanes::end(to, *key, *slot, (*bound, *granted))?,
                Op::Stack(stack, _) => {
                    to.prepare_cached("INSERT OR IGNORE INTO stacks (stack) VALUES (?1)")?
                        .execute([stack.0.as_bytes()])?;
                }
                Op::Forget(stack) => {
                    to.prepare_cached("UPDATE stacks SET closed = 1 WHERE stack = ?1")?
                        .execute([stack.0.as_bytes()])?;
                    lanes::forget(to, *stack)?;
                    // nothing can be claimed of it any more
                    to.prepare_cached("DELETE FROM refused WHERE stack = ?1")?
                        .execute([stack.0.as_bytes()])?;
                    to.prepare_cached("DELETE FROM lost WHERE stack = ?1")?
                        .execute([stack.0.as_bytes()])?;
                    to.prepare_cached("DELETE FROM unclear WHERE stack = ?1")?
                        .execute([stack.0.as_bytes()])?;
                }
                Op::Refused(stack, request) => {
                    to.prepare_cached(
                        "INSERT OR IGNORE INTO refused (request, stack) VALUES (?1, ?2)",
                    )?
                    .execute(params![request.0, stack.0.as_bytes()])?;
                    to.prepare_cached("DELETE FROM lost WHERE request = ?1 AND stack = ?2")?
                        .execute(params![request.0, stack.0.as_bytes()])?;
                    to.prepare_cached("DELETE FROM unclear WHERE request = ?1 AND stack = ?2")?
                        .execute(params![request.0, stack.0.as_bytes()])?;
                }
                Op::Lost((stack, node), request) => {
                    to.prepare_cached(
                        "INSERT OR IGNORE INTO lost (request, stack, node) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![
                        request.0,
                        stack.0.as_bytes(),
                        node.0.as_bytes()
                    ])?;
                }
                Op::Unclear(lease, request, most) => insert_unclear(to, *lease, *request, *most)?,
                Op::Distrust(distrust) => distrusts::insert(to, distrust)?,
                Op::Wrong(wrong, _) => bonds::insert_wrong(to, wrong)?,
                Op::Bond { bond, staked, .. } => match staked {
                    true => bonds::put_bond(to, bond)?,
                    false => bonds::drop_bond(to, bond)?,
                },
                Op::Flush(_) => {}
            }
        }
        Ok(())
    }

    fn committed(&mut self, batch: Drain<'_, Op>) {
        // from now on the file says whose the lanes are
        self.inherited.clear();
        for op in batch {
            match op {
                Op::Claim(claim) => {
                    if let Some(given) = claim.given {
                        claim.done.send(given);
                    }
                }
                Op::Bound { done, .. }
                | Op::Stack(_, done)
                | Op::Wrong(_, Some(done))
                | Op::Bond { done, .. }
                | Op::Flush(done) => done.send(()),
                Op::Receipt(_)
                | Op::Stray(_)
                | Op::End { .. }
                | Op::Forget(_)
                | Op::Refused(..)
                | Op::Lost(..)
                | Op::Unclear(..)
                | Op::Distrust(_)
                | Op::Wrong(_, None) => {}
            }
        }
    }
}
