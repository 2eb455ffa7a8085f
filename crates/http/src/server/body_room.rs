//! Memory for the bodies of requests under way. How many requests there are is limited, and how long a body
//! may be; both together would be gigabytes. So only the beginning of each body is free, which is all of nearly
//! every one, and what is longer shares one room: long bodies wait for no one and are refused when it is full,
//! and short ones never are.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of each body that take nothing of the room: longer than nearly all prompts.
pub const FREE_BODY_BYTES: usize = 64 << 10;
/// The room's grain: a permit's worth.
const GRAIN: usize = 4 << 10;

/// The room that long bodies share.
#[derive(Clone, Debug)]
pub struct BodyRoom(Arc<Semaphore>);

/// What one body takes of it, until dropped.
#[derive(Debug)]
pub struct HeldRoom {
    room: Option<BodyRoom>,
    bytes: usize,
    held: Option<OwnedSemaphorePermit>,
}

/// Long bodies have all of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many long bodies at once; try again")]
pub struct RoomFull;

impl BodyRoom {
    /// A room of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes / GRAIN)))
    }

    /// For one body, of which nothing is here yet.
    #[must_use]
    pub fn enter(&self) -> HeldRoom {
        HeldRoom {
            room: Some(self.clone()),
            bytes: 0,
            held: None,
        }
    }
}

impl HeldRoom {
    /// Of a body that takes nothing of any room.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            room: None,
            bytes: 0,
            held: None,
        }
    }

    /// So many more bytes of the body are here.
    ///
    /// # Errors
    /// If the room is full.
    pub(super) fn grow(&mut self, more: usize) -> Result<(), RoomFull> {
        self.bytes = self.bytes.saturating_add(more);
        let Some(BodyRoom(room)) = &self.room else {
            return Ok(());
        };
        let taken = self
            .held
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let needed = self.bytes.saturating_sub(FREE_BODY_BYTES).div_ceil(GRAIN);
        // a body's length is far below 2^32 grains
        let missing = u32::try_from(needed.saturating_sub(taken)).unwrap_or(u32::MAX);
        if missing == 0 {
            return Ok(());
        }
        let permit = Arc::clone(room).try_acquire_many_owned(missing);
        let permit = permit.map_err(|_| RoomFull)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_bodies_share_the_room_and_short_ones_take_none() {
        let room = BodyRoom::new(1 << 20);
        let long = |bytes: usize| {
            let mut held = room.enter();
            let pieces = bytes / 1_000;
            let grown = (0..pieces).try_for_each(|_| held.grow(1_000));
            (grown.is_ok(), held)
        };
        let held: Vec<_> = (0..2).map(|_| long(500_000)).collect();
        assert!(held.iter().all(|(fits, _)| *fits));
        assert!(!long(500_000).0, "the room is full");
        assert!(long(FREE_BODY_BYTES).0, "and a short body needs none");
        drop(held);
        assert!(long(1_000_000).0);
        assert!(HeldRoom::unlimited().grow(usize::MAX).is_ok());
    }
}
