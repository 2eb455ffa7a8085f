//! However the events are cut into commits, repeated, interrupted or resumed, the file is what the
//! events in one go make of memory.

mod history;

use crate::{
    apply::{Outcome, Place, Rows, apply},
    column::{Key, Table},
    error::IndexError,
    rows::{
        DayRow, DisputeRow, DisputeState, LeaseRow, LeaseStanding, NodeRow, OfferRow, PriceRow,
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
                    stack: stack(0), total_units: ComputeUnits(0), paid: MicroUsdc(0),
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
fn a_paid_claim_moves_money_units_and_counts() {
    let mut events = beginning();
    events.extend([
        acquired(0, 100),
        leased(0, 1, 60),
        opened(0, 1, 40),
        claimed(0, 1, 40, 20),
    ]);
    let rows = Memory::of(&events);
    let bought = rows.row(StackRow::at(stack(0)));
    assert_eq!((bought.escrow, bought.paid), (MicroUsdc(40), MicroUsdc(36)));
    assert_eq!(
        (bought.fees, bought.refunded),
        (MicroUsdc(4), MicroUsdc(20))
    );
    assert_eq!(bought.closed_units, ComputeUnits(60));
    assert_eq!(bought.settled_units, ComputeUnits(40));
    let lease = rows.row(LeaseRow::at(stack(0), node(1)));
    assert_eq!(
        (lease.state, lease.paid),
        (LeaseStanding::Closed, MicroUsdc(36))
    );
    let claim = rows.row(SettlementRow::at(stack(0), node(1)));
    assert_eq!(claim.state, SettlementState::Paid);
    let offer = rows.row(OfferRow::at(task(), node(1)));
    assert_eq!((offer.leased, offer.open_leases), (ComputeUnits(0), 0));
    let served = rows.row(NodeRow::at(node(1)));
    assert_eq!((served.earned, served.settled), (MicroUsdc(36), 1));
    let of = rows.row(TaskRow::at(task()));
    assert_eq!(
        (of.fees, of.revenue, of.requests),
        (MicroUsdc(4), MicroUsdc(40), 5)
    );
    // four events a day: the claim is event 11
    let day = rows.row(DayRow::at(2));
    assert_eq!((day.paid, day.requests), (MicroUsdc(36), 5));
}

#[test]
fn a_leaving_node_goes_with_its_last_lease() {
    let mut events = beginning();
    let leave = Unsubscribed {
        task: task(),
        node: node(1),
    };
    events.extend([acquired(0, 100), leased(0, 1, 60), leave.clone().into()]);
    let mut rows = Memory::of(&events);
    assert!(rows.row(OfferRow::at(task(), node(1))).leaving);
    let number = events.len() as u64;
    assert_eq!(rows.row(PriceRow::at(number)).price, None);
    rows.take(number + 1, &opened(0, 1, 10)).unwrap();
    rows.take(number + 2, &claimed(0, 1, 10, 50)).unwrap();
    assert_eq!(rows.get(OfferRow::at(task(), node(1))).unwrap(), None);
    // without a lease it goes at once
    let leave = Unsubscribed {
        node: node(2),
        ..leave
    };
    rows.take(number + 3, &leave.into()).unwrap();
    assert_eq!(rows.get(OfferRow::at(task(), node(2))).unwrap(), None);
}

#[test]
fn a_conviction_strikes_the_claim_and_ends_its_disputes() {
    let mut events = beginning();
    events.extend([acquired(0, 100), leased(0, 0, 100), opened(0, 0, 90)]);
    events.extend([disputed(0, 0, 1), answered(0, 0, 1)]);
    events.extend([disputed(0, 0, 1), disputed(0, 0, 2), convicted(0, 0, 100)]);
    let rows = Memory::of(&events);
    let state = |number| rows.row(DisputeRow::at(stack(0), node(0), number)).state;
    assert_eq!(
        [state(1), state(2), state(3)],
        [DisputeState::Answered, DisputeState::Won, DisputeState::Won]
    );
    let claim = rows.row(SettlementRow::at(stack(0), node(0)));
    assert_eq!(claim.state, SettlementState::Struck);
    assert!(claim.open_disputes.is_empty());
    let guilty = rows.row(NodeRow::at(node(0)));
    assert_eq!(
        (guilty.collateral, guilty.slashed),
        (MicroUsdc(993), MicroUsdc(7))
    );
    assert_eq!((guilty.failed, guilty.bonds), (1, MicroUsdc(10)));
    assert!(rows.row(LeaseRow::at(stack(0), node(0))).convicted);
}

#[test]
fn what_cannot_follow_is_refused_and_what_is_unknown_is_a_gap() {
    let mut rows = Memory::of(&beginning());
    let gap = rows.take(100, &claimed(9, 0, 10, 0)).unwrap();
    assert_eq!(gap, Outcome::Gap);
    let status = NodeStatusChanged {
        node: node(8),
        status: NodeStatus::Left,
    };
    assert_eq!(rows.take(101, &status.into()).unwrap(), Outcome::Gap);
    rows.take(102, &acquired(0, 100)).unwrap();
    let early = rows.take(103, &StackClosed { stack: stack(0) }.into());
    assert_eq!(early.unwrap_err().code(), "contradiction");
    let much = UngrantedRevoked {
        stack: stack(0),
        units: ComputeUnits(1),
        refunded: MicroUsdc(101),
    };
    assert!(rows.take(104, &much.into()).is_err());
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
