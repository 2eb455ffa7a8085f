//! However the events are cut into commits, repeated, interrupted or resumed, the file is what the
//! events in one go make of memory.

mod history;

use crate::{
    apply::{Outcome, Place, Rows, apply},
    column::{Key, Table},
    error::IndexError,
    rows::{
        DisputeRow, DisputeState, LeaseRow, LeaseStanding, NodeRow, OfferRow, PriceRow,
        SettlementRow, SettlementState, StackRow, TaskRow,
    },
    store::{Batch, Existing, Store},
};
use atoma_ledger::{Checkpoint, Cursor, Digest, LedgerEvent};
use atoma_types::{
    Address, ComputeUnits, MicroUsdc, NetworkId,
    chain::{Deployment, Event, NodeStatus, events::*},
};
use history::*;
use proptest::prelude::*;
use rusqlite::types::Value;
use std::collections::BTreeMap;

/// Rows in memory, by table and key.
#[derive(Debug, Default)]
struct Memory(BTreeMap<(&'static str, String), Vec<Value>>);

fn name<T: Table>(key: &Key<T>) -> (&'static str, String) {
    (T::NAME, format!("{:?}", key.0))
}

impl Rows for Memory {
    fn get<T: Table>(&self, key: Key<T>) -> Result<Option<T>, IndexError> {
        let values = self.0.get(&name(&key)).cloned();
        Ok(values.map(|values| T::from_values(values).expect("a row reads back")))
    }

    fn put<T: Table>(&mut self, row: &T) -> Result<(), IndexError> {
        self.0.insert(name(&row.key()), row.values());
        Ok(())
    }

    fn remove<T: Table>(&mut self, key: Key<T>) -> Result<(), IndexError> {
        self.0.remove(&name(&key));
        Ok(())
    }
}

impl Memory {
    fn of(events: &[Event]) -> Self {
        let mut rows = Self::default();
        for (number, event) in (1..).zip(events) {
            rows.take(number, event).expect("it follows");
        }
        rows
    }

    fn take(&mut self, number: u64, event: &Event) -> Result<Outcome, IndexError> {
        let place = Place {
            number,
            transaction: digest(number),
            index: 0,
            checkpoint: number,
            at: time(number),
        };
        apply(self, deployment().db, &place, event)
    }

    fn row<T: Table>(&self, key: Key<T>) -> T {
        self.get(key).unwrap().expect("the row is there")
    }
}

fn deployment() -> Deployment {
    Deployment::localnet(NetworkId([4; 32]))
}

fn open(path: &std::path::Path) -> Store {
    Store::open(path, &deployment(), 0, Existing::Keep).unwrap()
}

fn batch(events: &[Event], from: usize, to: usize) -> Batch {
    let number = |place: usize| place as u64 + 1;
    let event = |place: usize| {
        let cursor = Cursor::from_bytes(&number(place).to_be_bytes()).unwrap();
        let event = LedgerEvent {
            cursor,
            transaction: digest(number(place)),
            checkpoint: number(place),
            index: 0,
            event: events[place].clone(),
        };
        (event, time(number(place)))
    };
    Batch {
        events: (from..to).map(event).collect(),
        cursor: Cursor::from_bytes(&(to as u64).to_be_bytes()).unwrap(),
        covered: Some(to as u64),
        checkpoint: Some(Checkpoint {
            number: to as u64,
            digest: digest(to as u64),
            time: time(to as u64),
        }),
    }
}

/// Every row that follows from events.
fn dump(store: &mut Store) -> BTreeMap<(&'static str, String), Vec<Value>> {
    let mut all = store.dump().unwrap();
    all.retain(|(table, _), _| *table != "progress");
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_replay_or_crash_makes_the_same_rows(
        choices in prop::collection::vec(any::<(u8, u8, u8)>(), 0..40),
        cuts in prop::collection::vec((1..9_usize, 0..5_usize, any::<u8>()), 1..30),
    ) {
        let events = history(&choices);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite");
        let mut store = open(&path);
        let mut done = 0;
        let mut cuts = cuts.iter().cycle();
        while done < events.len() {
            let &(length, back, trouble) = cuts.next().unwrap();
            let to = (done + length).min(events.len());
            // from a place before: what is in it already comes again
            let from = done.saturating_sub(back);
            if trouble % 3 == 0 {
                // a commit that fails at its last event: nothing of it may stay
                let mut poisoned = batch(&events, from, to);
                let mut poison = poisoned.events[0].clone();
                poison.0.transaction = Digest::new([0xff; 32]);
                poison.0.event = Event::from(ToppedUp {
                    stack: stack(0), ungranted: ComputeUnits(0), paid: MicroUsdc(u64::MAX),
                });
                poisoned.events.push(poison);
                let before = dump(&mut store);
                if let Err(error) = store.commit(&poisoned) {
                    prop_assert_eq!(error.code(), "contradiction");
                    prop_assert_eq!(dump(&mut store), before);
                } else {
                    // no stack yet: the poison was a gap, and this file is of another history
                    prop_assume!(false);
                }
            }
            if trouble % 4 == 0 {
                drop(store);
                store = open(&path);
            }
            store.commit(&batch(&events, from, to)).unwrap();
            done = to;
        }
        prop_assert_eq!(dump(&mut store), Memory::of(&events).0);
        let progress = store.progress().unwrap();
        prop_assert_eq!(progress.events, events.len() as u64);
        prop_assert_eq!(progress.gaps, 0);
    }
}

#[test]
fn tickets_of_a_lease_are_paid_one_after_the_other_and_the_rest_is_freed_at_its_end() {
    let mut events = beginning();
    events.extend([
        acquired(0, 100),
        leased(0, 1, 60, 40),
        opened(0, 1, 30, 5),
        opened(0, 1, 40, 7),
        claimed(0, 1, 30, 5, 30),
    ]);
    let mut rows = Memory::of(&events);
    let bought = rows.row(StackRow::at(stack(0)));
    assert_eq!((bought.escrow, bought.paid), (MicroUsdc(70), MicroUsdc(27)));
    assert_eq!((bought.fees, bought.freed), (MicroUsdc(3), MicroUsdc(0)));
    let lease = rows.row(LeaseRow::at(stack(0), node(1)));
    assert_eq!((lease.paid_seq, lease.claimed_seq), (5, 7));
    let second = rows.row(SettlementRow::at(stack(0), node(1), 7));
    assert_eq!((second.from_seq, second.state), (5, SettlementState::Open));
    let released = UnitsReleased {
        stack: stack(0),
        node: node(1),
        units: ComputeUnits(40),
        ungranted: ComputeUnits(60),
    };
    let number = events.len() as u64;
    for (place, event) in (1..).zip([
        released.into(),
        claimed(0, 1, 40, 7, 10),
        closed(0, 1, 40, 0),
    ]) {
        rows.take(number + place, &event).unwrap();
    }
    let bought = rows.row(StackRow::at(stack(0)));
    assert_eq!(
        (bought.escrow, bought.ungranted),
        (MicroUsdc(60), ComputeUnits(60))
    );
    assert_eq!(
        (bought.settled_units, bought.requests),
        (ComputeUnits(40), 7)
    );
    let lease = rows.row(LeaseRow::at(stack(0), node(1)));
    assert_eq!(
        (lease.state, lease.paid),
        (LeaseStanding::Closed, MicroUsdc(36))
    );
    let served = rows.row(NodeRow::at(node(1)));
    assert_eq!((served.earned, served.settled), (MicroUsdc(36), 2));
    let of = rows.row(TaskRow::at(task()));
    assert_eq!(
        (of.fees, of.revenue, of.requests),
        (MicroUsdc(4), MicroUsdc(40), 7)
    );
}

#[test]
fn an_offer_goes_when_its_node_leaves() {
    let mut rows = Memory::of(&beginning());
    let leave = Unsubscribed {
        task: task(),
        node: node(1),
        evicted: false,
    };
    rows.take(50, &leave.into()).unwrap();
    assert_eq!(rows.get(OfferRow::at(task(), node(1))).unwrap(), None);
    assert_eq!(rows.row(PriceRow::at(50)).price, None);
}

#[test]
fn a_conviction_strikes_all_open_tickets_and_ends_their_demands() {
    let mut events = beginning();
    events.extend([acquired(0, 100), leased(0, 0, 100, 0)]);
    events.extend([opened(0, 0, 50, 2), claimed(0, 0, 50, 2, 50)]);
    events.extend([opened(0, 0, 70, 3), opened(0, 0, 90, 5)]);
    events.extend([demanded(0, 0, 60), answered(0, 0, 60)]);
    events.extend([
        demanded(0, 0, 61),
        demanded(0, 0, 80),
        convicted(0, 0, 40, 50),
    ]);
    let rows = Memory::of(&events);
    let state = |number| rows.row(DisputeRow::at(stack(0), node(0), number)).state;
    assert_eq!(
        [state(1), state(2), state(3)],
        [DisputeState::Answered, DisputeState::Won, DisputeState::Won]
    );
    let ticket = |to_seq| rows.row(SettlementRow::at(stack(0), node(0), to_seq)).state;
    assert_eq!(
        [ticket(2), ticket(3), ticket(5)],
        [
            SettlementState::Paid,
            SettlementState::Struck,
            SettlementState::Struck
        ]
    );
    let guilty = rows.row(NodeRow::at(node(0)));
    assert_eq!(
        (guilty.collateral, guilty.fined, guilty.convicted),
        (MicroUsdc(993), MicroUsdc(7), 1)
    );
    let lease = rows.row(LeaseRow::at(stack(0), node(0)));
    assert!(lease.convicted && lease.open_demands.is_empty());
    let bought = rows.row(StackRow::at(stack(0)));
    assert_eq!((bought.escrow, bought.freed), (MicroUsdc(0), MicroUsdc(50)));
}

#[test]
fn what_cannot_follow_is_refused_and_what_is_unknown_is_a_gap() {
    let mut rows = Memory::of(&beginning());
    let gap = rows.take(100, &claimed(9, 0, 10, 1, 10)).unwrap();
    assert_eq!(gap, Outcome::Gap);
    let status = NodeStatusChanged {
        node: node(8),
        status: NodeStatus::Left,
    };
    assert_eq!(rows.take(101, &status.into()).unwrap(), Outcome::Gap);
    rows.take(102, &acquired(0, 100)).unwrap();
    let much = UngrantedRevoked {
        stack: stack(0),
        units: ComputeUnits(101),
        freed: MicroUsdc(101),
        nonce: 1,
    };
    let refused = rows.take(103, &much.into());
    assert_eq!(refused.unwrap_err().code(), "contradiction");
}

#[test]
fn files_of_other_networks_packages_and_schemas_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.sqlite");
    let refused = |deployment: &Deployment| {
        let opened = Store::open(&path, deployment, 0, Existing::Keep);
        opened.unwrap_err().code()
    };
    open(&path)
        .commit(&batch(&beginning(), 0, 3))
        .expect("it is written");
    let network = Deployment::localnet(NetworkId([5; 32]));
    assert_eq!(refused(&network), "other_network");
    let package = Deployment {
        original_package: Address::new([6; 32]),
        ..deployment()
    };
    assert_eq!(refused(&package), "other_package");

    let held = open(&path);
    assert_eq!(refused(&deployment()), "in_use");
    drop(held);
    let file = rusqlite::Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 9_999).unwrap();
    assert_eq!(refused(&deployment()), "newer_schema");
    // an older one is read from the ledger again
    file.pragma_update(None, "user_version", 0).unwrap();
    assert_eq!(open(&path).progress().unwrap().events, 0);
    // and so is any, when asked
    let mut store = Store::open(&path, &network, 7, Existing::Rebuild).unwrap();
    assert_eq!(store.progress().unwrap().since, 7);
}
