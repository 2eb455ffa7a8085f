//! The client's memory over restarts: receipts, bounds of signed ceilings, stacks. A data folder has
//! a folder for each network (a network that was wiped and started anew is another one), and in it
//! one SQLite file; without a data folder the same in memory.
//!
//! What a crash would leave of a lane is durable before a header is sent that makes it more, so that after any number of
//! crashes no node can speak of more than was signed once. A bound moves in steps, and what is granted changes where an answer
//! is lost, so that few requests wait for the disk: see [`Cover`].
//!
//! # Several programs at once
//!
//! Any number of programs use the folder. Receipts and stacks are rows like others: SQLite lets one
//! program write at a time and the others wait. Lanes are not. A lane's counters (what is open, the
//! highest ceiling signed) live in the memory of the program that signs in it. Two that signed in one
//! lane would each leave out what the other has open, so the node would refuse ceilings that are
//! too low, or rightly claim what one of them can't explain; and what one of them left open when it
//! crashed would be gone from a bound that the other had raised for itself. So a lane is one
//! program's at a time:
//!
//! * A program takes a **slot**: the lowest number whose lock no other program holds. The system
//!   gives the lock back when the program ends, by `kill -9` too.
//! * A lane's row names its slot, and only the program that has the slot signs in the lane and raises
//!   its bound. Rows are made in transactions, of which there is one at a time, so no two programs
//!   are given the same lane; lanes that the node has seen from elsewhere are left alone.
//! * A program that ends well writes down what is left of its lanes: see [`Lane::rest`](crate::lane::Lane::rest).
//! * When a program has died, the next that takes its slot has its lanes, and restores them from
//!   their receipts and bounds as after any restart: [`Lane::restore`](crate::lane::Lane::restore).
//! * A request that names a lane takes it over from a slot that nobody holds, with that slot's lock in
//!   hand until the change is durable; if the slot is held, the request is refused.
//!
//! So there are never more lanes than programs that ran at once, and no bound is lost. What others
//! spend of a lease isn't seen until their receipts are read; the node refuses what is too much.

mod bonds;
mod distrusts;
mod kept;
mod kind;
mod lanes;
mod networks;
mod rows;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use bonds::{Bond, Wrong};
pub(crate) use distrusts::Distrust;
pub(crate) use kept::Kept;
pub(crate) use networks::all_kept;
pub(crate) use rows::{KeptLane, LaneKey, Row, Stray, Suspect};

use crate::{ClientError, lane::Cover};
use atoma_runtime::{Threads, WithCauses};
use atoma_store::{FolderLock, Place, Slot, WriterThread};
use atoma_types::{ComputeUnits, NetworkId, NodeId, RequestId, StackId};
use kind::{KIND, folder_of};
use lanes::{Left, NotGiven, Wanted};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};
use writer::{Claim, ClientWriter, Op, POLICY};

/// Programs that may share a folder at once: a node takes so many lanes of one lease.
const MAX_SLOTS: u16 = 62;

/// The handle of those who write.
pub(crate) type Writes = atoma_store::Store<ClientWriter>;

/// What this program knows to be on the disk of a lane.
#[derive(Debug, Default)]
struct Covered {
    bound: u64,
    /// At least so much is written as granted, whatever of it is still on its way.
    granted: u64,
    /// What was sent last to be written as granted, and of which state of the lane.
    last: (u64, u64),
    /// How often something was sent.
    sent: u64,
}

impl Covered {
    /// What is to be written before a header is sent, unless it is there.
    fn lacks(&mut self, cover: &Cover) -> Option<Left> {
        if cover.ceiling.0 <= self.bound && cover.granted.0 <= self.granted {
            return None;
        }
        let (granted, state) = self.last;
        let granted = match cover.state >= state {
            true => cover.granted.0,
            // a later header is on its way, and what it says holds, too
            false => cover.granted.0.max(granted),
        };
        self.last = (granted, state.max(cover.state));
        self.granted = self.granted.min(granted);
        Some(Left {
            bound: match cover.ceiling.0 <= self.bound {
                true => self.bound,
                false => cover.ceiling.saturating_add(cover.step).0,
            },
            excused: cover.open.saturating_add(cover.step).0,
            granted,
        })
    }
}

/// The store. Dropping it waits until what is queued is written: some milliseconds.
pub(crate) struct Store {
    writes: Writes,
    thread: Option<WriterThread>,
    kept: Arc<Kept>,
    /// Absent in memory, which is nobody else's.
    folder: Option<PathBuf>,
    /// Taken by the first that needs a lane.
    slot: Mutex<Option<Slot>>,
    covered: Mutex<HashMap<LaneKey, Covered>>,
}

impl Store {
    /// Opens a network's store under the data folder, or one in memory.
    pub(crate) fn open(
        root: Option<&Path>,
        network: NetworkId,
        threads: Threads,
    ) -> Result<Self, ClientError> {
        let folder = root.map(|root| folder_of(root, network));
        let (db, place) = match &folder {
            Some(folder) => {
                // one at a time: the tables may have to be made
                let _opening = FolderLock::wait(folder)?;
                let place = KIND.in_folder(folder)?;
                (KIND.open(&place)?, place)
            }
            None => {
                let place = Place::memory();
                (KIND.open(&place)?, place)
            }
        };
        let writer = ClientWriter::new(folder.clone());
        let (writes, thread) = Writes::start(KIND.name, db, writer, POLICY, threads)?;
        Ok(Self {
            writes,
            thread: Some(thread),
            kept: Arc::new(Kept::new(&place)),
            folder,
            slot: Mutex::default(),
            covered: Mutex::default(),
        })
    }

    /// What is on the disk.
    pub(crate) fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }

    /// For those who only wait until something is on the disk.
    pub(crate) fn writes(&self) -> &Writes {
        &self.writes
    }

    /// Keeps a receipt; never waits, never forgets.
    pub(crate) fn keep(&self, row: Row) {
        if let Err(error) = self.writes.send_lazily(Op::Receipt(Box::new(row))) {
            tracing::error!(error = %WithCauses(&error), "a receipt was lost");
        }
    }

    /// Keeps a receipt beside the first one for its request, if there is one and this is another; never waits. What came
    /// before it is there when that is looked at.
    pub(crate) fn keep_stray(&self, stray: Stray) {
        if let Err(error) = self.writes.send_lazily(Op::Stray(Box::new(stray))) {
            tracing::error!(error = %WithCauses(&error), "a second receipt was lost");
        }
    }

    /// Remembers that a node isn't trusted; never waits.
    pub(crate) fn keep_distrust(&self, distrust: &Distrust) {
        if let Err(error) = self.writes.send(Op::Distrust(distrust.clone())) {
            tracing::error!(error = %WithCauses(&error), "a distrusted node will be forgotten");
        }
    }

    /// Remembers that a node has refused a request; never waits.
    pub(crate) fn keep_refused(&self, stack: StackId, request: RequestId) {
        if let Err(error) = self.writes.send_lazily(Op::Refused(stack, request)) {
            tracing::error!(error = %WithCauses(&error), "a refusal was lost");
        }
    }

    /// Remembers that an answer never came; never waits.
    pub(crate) fn keep_lost(&self, lease: (StackId, NodeId), request: RequestId) {
        if let Err(error) = self.writes.send_lazily(Op::Lost(lease, request)) {
            tracing::error!(error = %WithCauses(&error), "a lost answer will be forgotten");
        }
    }

    /// Remembers what a request may cost at most whose receipt nobody waits for; never waits.
    pub(crate) fn keep_unclear(
        &self,
        lease: (StackId, NodeId),
        request: RequestId,
        most: ComputeUnits,
    ) {
        let op = Op::Unclear(lease, request, most.0);
        if let Err(error) = self.writes.send_lazily(op) {
            tracing::error!(error = %WithCauses(&error), "what a request may cost will be forgotten");
        }
    }

    /// Remembers an answer that is wrong; never waits.
    pub(crate) fn keep_wrong(&self, wrong: Wrong) {
        if let Err(error) = self.writes.send(Op::Wrong(wrong, None)) {
            tracing::error!(error = %WithCauses(&error), "a wrong answer will be forgotten");
        }
    }

    /// The lanes of a lease that this program has, as they were before the restart.
    pub(crate) fn lanes(&self, stack: StackId, node: NodeId) -> Result<Vec<KeptLane>, ClientError> {
        Ok(self.kept.lanes(stack, node, self.slot()?)?)
    }

    /// A lane for requests that name none. `used` are those that the node knows.
    pub(crate) async fn claim_own(
        &self,
        stack: StackId,
        node: NodeId,
        used: Vec<u16>,
    ) -> Result<KeptLane, ClientError> {
        self.claim((stack, node), Wanted::Own { used }).await
    }

    /// The lane that a request names.
    pub(crate) async fn claim_named(&self, key: LaneKey) -> Result<KeptLane, ClientError> {
        self.claim((key.stack, key.node), Wanted::Named(key.lane))
            .await
    }

    async fn claim(
        &self,
        lease: (StackId, NodeId),
        wanted: Wanted,
    ) -> Result<KeptLane, ClientError> {
        let slot = self.slot()?;
        let (done, ack) = self.writes.ack();
        // the ack says what became of it
        let _ = self.writes.send(Op::Claim(Box::new(Claim {
            lease,
            slot,
            wanted,
            given: None,
            done,
        })));
        ack.durable().await?.map_err(|refused| match refused {
            NotGiven::InUse(lane) => ClientError::LaneInUse { lane },
            NotGiven::None => ClientError::Overflow,
            NotGiven::Folder(error) => error.into(),
        })
    }

    /// Makes sure that a crash leaves no less of a lane than is so before a header is sent: see [`Cover`].
    pub(crate) async fn cover(&self, key: LaneKey, cover: Cover) -> Result<(), ClientError> {
        let slot = self.slot()?;
        let (ack, left, number) = {
            let mut all = self.covered.lock();
            let known = all.entry(key).or_default();
            let Some(left) = known.lacks(&cover) else {
                return Ok(());
            };
            known.sent += 1;
            // under the lock, so that the last that is sent is the last that is written
            let (done, ack) = self.writes.ack();
            let _ = self.writes.send(Op::Bound {
                key,
                slot,
                left,
                done,
            });
            (ack, left, known.sent)
        };
        ack.durable().await?;
        if let Some(known) = self.covered.lock().get_mut(&key) {
            known.bound = known.bound.max(left.bound);
            if known.sent == number {
                known.granted = left.granted;
            }
        }
        Ok(())
    }

    /// Writes down what the next program begins a lane with, when this one ends; never waits.
    pub(crate) fn end_lane(&self, key: LaneKey, (bound, granted): (ComputeUnits, ComputeUnits)) {
        let slot = self.slot.lock().as_ref().map(Slot::number);
        // one in memory has no next, and in one that nothing was signed in nothing has changed
        let (Some(slot), true) = (slot, self.covered.lock().contains_key(&key)) else {
            return;
        };
        let _ = self.writes.send(Op::End {
            key,
            slot,
            bound: bound.0,
            granted: granted.0,
        });
    }

    /// Remembers a stack.
    pub(crate) async fn add_stack(&self, stack: StackId) -> Result<(), ClientError> {
        let (done, ack) = self.writes.ack();
        let _ = self.writes.send(Op::Stack(stack, done));
        Ok(ack.durable().await?)
    }

    /// Forgets a stack that is closed. Its receipts stay.
    pub(crate) fn forget_stack(&self, stack: StackId) {
        self.covered.lock().retain(|key, _| key.stack != stack);
        if let Err(error) = self.writes.send(Op::Forget(stack)) {
            tracing::error!(error = %WithCauses(&error), "a closed stack stays in the client's store");
        }
    }

    /// Waits until everything queued so far is durable.
    #[cfg(test)]
    pub(crate) async fn flush(&self) -> Result<(), ClientError> {
        flush(&self.writes).await
    }

    /// This program's slot.
    fn slot(&self) -> Result<u16, ClientError> {
        let Some(folder) = &self.folder else {
            return Ok(0);
        };
        let mut slot = self.slot.lock();
        let number = match &*slot {
            Some(slot) => slot.number(),
            None => slot.insert(Slot::take(folder, MAX_SLOTS)?).number(),
        };
        Ok(number)
    }
}

/// Waits until everything that was queued is durable.
pub(crate) async fn flush(writes: &Writes) -> Result<(), ClientError> {
    let (done, ack) = writes.ack();
    let _ = writes.send(Op::Flush(done));
    Ok(ack.durable().await?)
}

/// Remembers an answer that is wrong.
pub(crate) async fn keep_wrong(writes: &Writes, wrong: Wrong) -> Result<(), ClientError> {
    let (done, ack) = writes.ack();
    let _ = writes.send(Op::Wrong(wrong, Some(done)));
    Ok(ack.durable().await?)
}

/// Keeps a bond; or forgets it, where it was not staked after all.
pub(crate) async fn keep_bond(
    writes: &Writes,
    bond: Bond,
    staked: bool,
) -> Result<(), ClientError> {
    let (done, ack) = writes.ack();
    let _ = writes.send(Op::Bond { bond, staked, done });
    Ok(ack.durable().await?)
}

impl Drop for Store {
    fn drop(&mut self) {
        self.writes.close();
        // before the slot is given back: its lanes are read by the next
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
