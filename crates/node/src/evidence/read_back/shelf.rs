//! Which tickets are being read and which were, within a bound. Pure, but for the task that it holds.

use atoma_types::StackId;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};
use tokio_util::task::AbortOnDropHandle;

/// Records of all tickets together, each of some 80 bytes: 170 MB. A ticket that has more by itself is read alone.
const MOST_RECORDS: u64 = 1 << 21;

/// A ticket, by its lease and its last receipt.
pub(crate) type TicketName = (StackId, u64);

/// What a reading task leaves: nothing if there is nothing to be found.
pub(super) type Slot<F> = Arc<OnceLock<Option<F>>>;

/// Tickets by their names.
#[derive(Debug)]
pub(super) struct Shelf<F> {
    tickets: BTreeMap<TicketName, Ticket<F>>,
    wanted: BTreeSet<TicketName>,
}

#[derive(Debug)]
struct Ticket<F> {
    records: u64,
    slot: Slot<F>,
    _task: AbortOnDropHandle<()>,
}

/// How far a ticket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State<F> {
    /// It is being read, or there is no room yet.
    Waiting,
    /// It was read, with what was found.
    Done(Option<F>),
}

impl<F> Default for Shelf<F> {
    fn default() -> Self {
        Self {
            tickets: BTreeMap::new(),
            wanted: BTreeSet::new(),
        }
    }
}

impl<F: Clone> Shelf<F> {
    /// Reading goes on for these alone; what was read stays while there is room.
    pub(super) fn want(&mut self, wanted: BTreeSet<TicketName>) {
        self.tickets
            .retain(|name, ticket| wanted.contains(name) || ticket.slot.get().is_some());
        self.wanted = wanted;
    }

    /// How far a ticket of so many records is; has it begun if there is room.
    pub(super) fn get(
        &mut self,
        name: TicketName,
        records: u64,
        begin: impl FnOnce(Slot<F>) -> AbortOnDropHandle<()>,
    ) -> State<F> {
        if let Some(ticket) = self.tickets.get(&name) {
            return ticket
                .slot
                .get()
                .cloned()
                .map_or(State::Waiting, State::Done);
        }
        self.make_room(records);
        if self.has_room(records) {
            let slot = Slot::default();
            let ticket = Ticket {
                records,
                slot: Arc::clone(&slot),
                _task: begin(slot),
            };
            self.tickets.insert(name, ticket);
        }
        State::Waiting
    }

    fn has_room(&self, records: u64) -> bool {
        let held: u64 = self.tickets.values().map(|ticket| ticket.records).sum();
        self.tickets.is_empty() || held.saturating_add(records) <= MOST_RECORDS
    }

    /// Lets go of what nobody wants any more.
    fn make_room(&mut self, records: u64) {
        while !self.has_room(records) {
            let mut names = self.tickets.keys().copied();
            let Some(name) = names.find(|name| !self.wanted.contains(name)) else {
                return;
            };
            self.tickets.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;
    use std::future::pending;

    fn name(id: u8) -> TicketName {
        (StackId(Address::new([id; 32])), 9)
    }

    /// Asks for a ticket; whether that began to read it, and how far it is.
    fn ask(shelf: &mut Shelf<u8>, id: u8, records: u64, slots: &mut Vec<Slot<u8>>) -> State<u8> {
        shelf.get(name(id), records, |slot| {
            slots.push(slot);
            AbortOnDropHandle::new(tokio::spawn(pending()))
        })
    }

    #[tokio::test]
    async fn a_ticket_is_read_once_and_stays_while_there_is_room() {
        let (mut shelf, mut slots) = (Shelf::default(), Vec::new());
        shelf.want([name(1)].into());
        for _ in 0..3 {
            assert_eq!(ask(&mut shelf, 1, 100, &mut slots), State::Waiting);
        }
        assert_eq!(slots.len(), 1, "many demands, one read");
        slots[0].set(Some(7)).unwrap();
        assert_eq!(ask(&mut shelf, 1, 100, &mut slots), State::Done(Some(7)));
        // it was answered, and is asked for again
        shelf.want(BTreeSet::new());
        assert_eq!(ask(&mut shelf, 1, 100, &mut slots), State::Done(Some(7)));
        // what is unfinished and not wanted any more is given up
        shelf.want([name(2)].into());
        ask(&mut shelf, 2, 100, &mut slots);
        shelf.want(BTreeSet::new());
        ask(&mut shelf, 2, 100, &mut slots);
        assert_eq!(slots.len(), 3);
    }

    #[tokio::test]
    async fn all_together_have_no_more_records_than_there_is_room_for() {
        let (mut shelf, mut slots) = (Shelf::default(), Vec::new());
        shelf.want([name(1), name(2), name(3)].into());
        ask(&mut shelf, 1, 2 * MOST_RECORDS, &mut slots);
        assert_eq!(slots.len(), 1, "one too large for all of it is read alone");
        ask(&mut shelf, 2, 1, &mut slots);
        assert_eq!(slots.len(), 1, "others wait for it");
        slots[0].set(Some(7)).unwrap();
        ask(&mut shelf, 2, 1, &mut slots);
        assert_eq!(slots.len(), 1, "until nothing of it is wanted");
        shelf.want([name(2), name(3)].into());
        ask(&mut shelf, 2, MOST_RECORDS - 1, &mut slots);
        ask(&mut shelf, 3, 1, &mut slots);
        assert_eq!(slots.len(), 3);
        ask(&mut shelf, 4, 1, &mut slots);
        assert_eq!(slots.len(), 3);
    }
}
