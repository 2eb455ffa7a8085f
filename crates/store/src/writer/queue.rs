//! The operations that wait, and what the writer waits for.

use super::policy::{Gather, Policy};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// The queue. Senders wake the writer only for what it waits for: lazy operations let it sleep.
pub(super) struct Queue<Op> {
    policy: Policy,
    state: Mutex<State<Op>>,
    bell: Condvar,
}

struct State<Op> {
    ops: Vec<Op>,
    /// Somebody waits for one of them.
    awaited: bool,
    closed: bool,
    /// The writer sleeps until there are so many, or the store is closed.
    wake_at: usize,
    /// Or until somebody waits.
    wake_for_awaited: bool,
}

/// Why an operation isn't taken.
pub(super) enum Refused {
    Closed,
    Full,
}

/// What the writer is to do.
pub(super) enum Next {
    /// Write the batch.
    Batch,
    /// Nothing any more.
    End,
}

impl<Op> Queue<Op> {
    pub(super) fn new(policy: Policy) -> Self {
        let state = State {
            ops: Vec::new(),
            awaited: false,
            closed: false,
            wake_at: usize::MAX,
            wake_for_awaited: false,
        };
        Self {
            policy,
            state: Mutex::new(state),
            bell: Condvar::new(),
        }
    }

    pub(super) fn push(&self, op: Op, awaited: bool) -> Result<(), Refused> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.ops.len() >= self.policy.capacity {
            return Err(Refused::Full);
        }
        state.ops.push(op);
        state.awaited |= awaited;
        let wake = state.ops.len() >= state.wake_at || (awaited && state.wake_for_awaited);
        drop(state);
        if wake {
            self.bell.notify_one();
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.bell.notify_one();
    }

    /// Closes the queue and drops what is in it.
    pub(super) fn abandon(&self) {
        let ops = {
            let mut state = self.state.lock();
            state.closed = true;
            std::mem::take(&mut state.ops)
        };
        // outside of the lock: dropping tells those who wait
        drop(ops);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    pub(super) fn has_work(&self) -> bool {
        !self.state.lock().ops.is_empty()
    }

    /// Waits for the next batch. `before` is the size of the last one; a batch is empty when
    /// `patience` is over.
    pub(super) fn next(
        &self,
        before: usize,
        patience: Option<Duration>,
        batch: &mut Vec<Op>,
    ) -> Next {
        let mut state = self.state.lock();
        let nothing = |state: &mut State<Op>| state.ops.is_empty() && !state.closed;
        state.wake_at = 1;
        match patience {
            None => self.bell.wait_while(&mut state, nothing),
            Some(patience) => {
                self.bell.wait_while_for(&mut state, nothing, patience);
            }
        }
        if state.ops.is_empty() && state.closed {
            return Next::End;
        }
        if !state.ops.is_empty() {
            self.gather(before, &mut state);
        }
        state.wake_at = usize::MAX;
        self.take_from(&mut state, batch);
        Next::Batch
    }

    /// Waits for what the policy says is worth it.
    fn gather(&self, before: usize, state: &mut MutexGuard<'_, State<Op>>) {
        let max = self.policy.max_batch;
        state.wake_at = max;
        match self.policy.gather {
            Gather::Siblings { least, pause } if before >= least => {
                let more = |state: &mut State<Op>| state.ops.len() < max && !state.closed;
                self.bell.wait_while_for(state, more, pause);
            }
            Gather::Lazily { pause } => {
                state.wake_for_awaited = true;
                let more = |state: &mut State<Op>| {
                    !state.awaited && state.ops.len() < max && !state.closed
                };
                self.bell.wait_while_for(state, more, pause);
                state.wake_for_awaited = false;
            }
            Gather::Nothing | Gather::Siblings { .. } => {}
        }
    }

    /// Takes what there is, at most a batch. False if there is nothing.
    pub(super) fn take(&self, batch: &mut Vec<Op>) -> bool {
        self.take_from(&mut self.state.lock(), batch);
        !batch.is_empty()
    }

    fn take_from(&self, state: &mut State<Op>, batch: &mut Vec<Op>) {
        debug_assert!(batch.is_empty(), "the last batch is written");
        if state.ops.len() <= self.policy.max_batch {
            // the allocations change places
            std::mem::swap(&mut state.ops, batch);
            state.awaited = false;
        } else {
            // somebody may wait for the rest: it isn't lazy any more
            let rest = state.ops.split_off(self.policy.max_batch);
            *batch = std::mem::replace(&mut state.ops, rest);
        }
    }

    /// Rests, or until the store is closed. False if it is.
    pub(super) fn rest(&self, pause: Duration) -> bool {
        let mut state = self.state.lock();
        let open = |state: &mut State<Op>| !state.closed;
        self.bell.wait_while_for(&mut state, open, pause);
        !state.closed
    }
}
