//! Memory for the bodies of requests under way. How many requests there are is limited, and how long a body
//! may be; both together would be gigabytes. So only the beginning of each body is free, which is all of nearly
//! every one, and what is longer shares one room: long bodies wait for no one and are refused when it is full,
//! and short ones never are. A party has at most a quarter of it, so that none fills it alone.

use parking_lot::Mutex;
use std::{collections::HashMap, mem, sync::Arc};

/// Bytes of each body that take nothing of the room: longer than nearly all prompts.
pub const FREE_BODY_BYTES: usize = 64 << 10;
/// The room's grain: so much is taken at once.
const GRAIN: usize = 4 << 10;
/// One party has at most this part of the room: four must work together to fill it.
const SHARE: usize = 4;

/// The room that long bodies share.
#[derive(Clone, Debug)]
pub struct BodyRoom(Arc<Mutex<Taken>>);

/// Who has how many grains of the room. Parties that have none are not in it.
#[derive(Debug)]
struct Taken {
    free: usize,
    share: usize,
    parties: HashMap<Arc<[u8]>, usize>,
}

/// What one body takes of it, until dropped.
#[derive(Debug)]
pub struct HeldRoom {
    place: Option<(BodyRoom, Arc<[u8]>)>,
    bytes: usize,
    grains: usize,
}

/// Long bodies have all of the room, or those of this party its share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomFull {
    /// All have too many.
    #[error("too many long bodies at once; try again")]
    All,
    /// This party has too many.
    #[error("too many long bodies of yours at once; try again when one is answered")]
    Share,
}

impl BodyRoom {
    /// A room of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let grains = bytes / GRAIN;
        Self(Arc::new(Mutex::new(Taken {
            free: grains,
            share: grains / SHARE,
            parties: HashMap::new(),
        })))
    }

    /// For one body of this party, of which nothing is here yet. Whoever can have many names for nothing is to
    /// be named by what costs something: an account, a key.
    #[must_use]
    pub fn enter(&self, party: impl AsRef<[u8]>) -> HeldRoom {
        HeldRoom {
            place: Some((self.clone(), party.as_ref().into())),
            bytes: 0,
            grains: 0,
        }
    }
}

impl Taken {
    fn take(&mut self, party: &Arc<[u8]>, grains: usize) -> Result<(), RoomFull> {
        let had = self.parties.get(party).copied().unwrap_or(0);
        // no more than `share` is ever there, so that nothing overflows
        if grains > self.share - had {
            return Err(RoomFull::Share);
        }
        self.free = self.free.checked_sub(grains).ok_or(RoomFull::All)?;
        self.parties.insert(Arc::clone(party), had + grains);
        Ok(())
    }

    fn give_back(&mut self, party: &Arc<[u8]>, grains: usize) {
        self.free += grains;
        if let Some(had) = self.parties.get_mut(party) {
            *had -= grains;
            if *had == 0 {
                self.parties.remove(party);
            }
        }
    }
}

impl HeldRoom {
    /// Of a body that takes nothing of any room.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            place: None,
            bytes: 0,
            grains: 0,
        }
    }

    /// So many more bytes of the body are here.
    ///
    /// # Errors
    /// If the room is full, or the party's share of it.
    pub(super) fn grow(&mut self, more: usize) -> Result<(), RoomFull> {
        self.bytes = self.bytes.saturating_add(more);
        let Some((BodyRoom(room), party)) = &self.place else {
            return Ok(());
        };
        let needed = self.bytes.saturating_sub(FREE_BODY_BYTES).div_ceil(GRAIN);
        let missing = needed.saturating_sub(self.grains);
        if missing > 0 {
            room.lock().take(party, missing)?;
            self.grains = needed;
        }
        Ok(())
    }

    /// What was here of the body is thrown away.
    pub(super) fn clear(&mut self) {
        self.bytes = 0;
        let grains = mem::take(&mut self.grains);
        if let Some((BodyRoom(room), party)) = &self.place
            && grains > 0
        {
            room.lock().give_back(party, grains);
        }
    }
}

impl Drop for HeldRoom {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(room: &BodyRoom, party: &str, bytes: usize) -> (Result<(), RoomFull>, HeldRoom) {
        let mut held = room.enter(party);
        let pieces = bytes / 1_000;
        let grown = (0..pieces).try_for_each(|_| held.grow(1_000));
        (grown, held)
    }

    #[test]
    fn long_bodies_share_the_room_and_short_ones_take_none() {
        let room = BodyRoom::new(4 << 20);
        let parties = ["ann", "bob", "cem", "dia"];
        let held: Vec<_> = parties.iter().map(|p| long(&room, p, 1_100_000)).collect();
        assert!(held.iter().all(|(fits, _)| fits.is_ok()));
        assert_eq!(long(&room, "eve", 300_000).0, Err(RoomFull::All));
        assert!(
            long(&room, "eve", FREE_BODY_BYTES).0.is_ok(),
            "a short body needs none"
        );
        drop(held);
        assert!(long(&room, "eve", 1_000_000).0.is_ok());
        assert!(HeldRoom::unlimited().grow(usize::MAX).is_ok());
    }

    #[test]
    fn a_party_has_a_quarter_of_the_room_and_gets_it_back() {
        let room = BodyRoom::new(4 << 20);
        let held = [(); 2].map(|()| long(&room, "ann", 550_000));
        assert!(held.iter().all(|(fits, _)| fits.is_ok()));
        assert_eq!(long(&room, "ann", 300_000).0, Err(RoomFull::Share));
        assert!(
            long(&room, "bob", 1_000_000).0.is_ok(),
            "others have theirs"
        );
        drop(held);
        assert!(long(&room, "ann", 1_000_000).0.is_ok());
        assert!(room.0.lock().parties.is_empty(), "nobody is remembered");
        let mut endless = room.enter("ann");
        assert_eq!(endless.grow(usize::MAX), Err(RoomFull::Share));
    }

    #[test]
    fn what_is_thrown_away_takes_no_room() {
        let room = BodyRoom::new(4 << 20);
        let (_, mut held) = long(&room, "ann", 1_000_000);
        held.clear();
        assert!(long(&room, "ann", 1_000_000).0.is_ok());
        assert_eq!(room.0.lock().free, (4 << 20) / GRAIN);
    }
}
