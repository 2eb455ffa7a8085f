//! Events as a ledger could tell them.

use atoma_ledger::Digest;
use atoma_types::{
    Address, BlobId, ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, PublicKey, Role,
    SecurityLevel, StackId, TaskId, TimestampMs,
    chain::{Event, Selection, events::*},
    hash::Hash32,
};

pub(super) const NODES: u8 = 3;
pub(super) const DAY: u64 = 86_400_000;

pub(super) fn digest(number: u64) -> Digest {
    Digest::new(Hash32::of(&number.to_le_bytes()).0)
}

/// Four events a day.
pub(super) fn time(number: u64) -> TimestampMs {
    TimestampMs(number * DAY / 4)
}

pub(super) fn id(kind: u8, number: u8) -> Address {
    let mut bytes = [0; 32];
    bytes[0] = kind;
    bytes[31] = number;
    Address::new(bytes)
}
pub(super) fn node(number: u8) -> NodeId {
    NodeId(id(1, number))
}
pub(super) fn stack(number: u8) -> StackId {
    StackId(id(3, number))
}
pub(super) const OWNER: Address = Address::TWO;
pub(super) const KEY: PublicKey = PublicKey([7; 32]);
pub(super) fn task() -> TaskId {
    TaskId(id(2, 0))
}
pub(super) const SOME_TIME: TimestampMs = TimestampMs(9);

/// Nodes with offers to a task.
pub(super) fn beginning() -> Vec<Event> {
    let mut events: Vec<Event> = vec![
        TaskCreated {
            task: task(),
            number: 0,
            owner: OWNER,
            role: Role::ChatCompletion,
            model_name: "model".to_owned(),
            security_level: SecurityLevel::None,
            price_ceiling: Price(1_000_000),
        }
        .into(),
    ];
    for number in 0..NODES {
        events.push(
            NodeRegistered {
                node: node(number),
                number: number.into(),
                owner: OWNER,
                collateral: MicroUsdc(1_000),
                url: "http://node.example".to_owned(),
                response_key: KEY,
            }
            .into(),
        );
        events.push(subscribed(number, 1_000_000));
    }
    events
}

pub(super) fn subscribed(number: u8, price: u64) -> Event {
    Subscribed {
        task: task(),
        node: node(number),
        price: Price(price),
        capacity: ComputeUnits(1_000),
    }
    .into()
}

pub(super) fn acquired(number: u8, units: u64) -> Event {
    StackAcquired {
        stack: stack(number),
        owner: OWNER,
        task: task(),
        request_key: KEY,
        total_units: ComputeUnits(units),
        max_price: Price(1_000_000),
        escrow: MicroUsdc(units),
        selection: Selection::Any,
        candidates: vec![node(0)],
        expires_at_ms: SOME_TIME,
        settle_grace_ms: DurationMs(1),
    }
    .into()
}

pub(super) fn leased(of: u8, by: u8, units: u64) -> Event {
    Leased {
        stack: stack(of),
        node: node(by),
        task: task(),
        owner: OWNER,
        request_key: KEY,
        units: ComputeUnits(units),
        price: Price(1_000_000),
        expires_at_ms: SOME_TIME,
        settle_grace_ms: DurationMs(1),
    }
    .into()
}

pub(super) fn opened(of: u8, by: u8, units: u64) -> Event {
    SettlementOpened {
        stack: stack(of),
        node: node(by),
        claimed_units: ComputeUnits(units),
        receipts_root: Hash32([1; 32]),
        count: 5,
        manifest_blob: None,
        deadline_ms: SOME_TIME,
    }
    .into()
}

pub(super) fn claimed(of: u8, by: u8, units: u64, refunded: u64) -> Event {
    Claimed {
        stack: stack(of),
        node: node(by),
        units: ComputeUnits(units),
        paid: MicroUsdc(units - units / 10),
        fee: MicroUsdc(units / 10),
        refunded: MicroUsdc(refunded),
    }
    .into()
}

pub(super) fn disputed(of: u8, by: u8, seq: u64) -> Event {
    DisputeOpened {
        stack: stack(of),
        node: node(by),
        seq,
        receipt: None,
        bond: MicroUsdc(10),
        deadline_ms: SOME_TIME,
    }
    .into()
}

pub(super) fn answered(of: u8, by: u8, seq: u64) -> Event {
    DisputeAnswered {
        stack: stack(of),
        node: node(by),
        seq,
        blob_id: BlobId([3; 32]),
        bond: MicroUsdc(10),
    }
    .into()
}

pub(super) fn convicted(of: u8, by: u8, refunded: u64) -> Event {
    NodeConvicted {
        stack: stack(of),
        node: node(by),
        charge: Charge::Silence,
        refunded: MicroUsdc(refunded),
        bonds: MicroUsdc(10),
        to_owner: MicroUsdc(3),
        to_treasury: MicroUsdc(4),
        collateral: MicroUsdc(993),
    }
    .into()
}

/// A history from random choices: each does what is next for a stack of one lease.
pub(super) fn history(choices: &[(u8, u8, u8)]) -> Vec<Event> {
    let mut events = beginning();
    // units and step of each stack
    let mut stacks: Vec<(u64, u8)> = Vec::new();
    for &(what, which, how) in choices {
        let by = which % NODES;
        if what % 4 == 0 || stacks.is_empty() {
            let units = 10 + u64::from(how);
            events.push(acquired(stacks.len() as u8, units));
            stacks.push((units, 0));
            continue;
        }
        let place = usize::from(which) % stacks.len();
        let (of, by_stack) = (place as u8, place as u8 % NODES);
        let (units, step) = &mut stacks[place];
        match (what % 4, *step) {
            (1, _) => events.push(subscribed(by, 1 + u64::from(how))),
            (2, _) => events.push(
                UnitsReported {
                    node: node(by),
                    epoch: 1,
                    units: ComputeUnits(how.into()),
                }
                .into(),
            ),
            (_, 0) => {
                events.push(leased(of, by_stack, *units / 2));
                events.push(leased(of, by_stack, *units));
                *step = 1;
            }
            (_, 1) if how % 5 == 0 => {
                events.push(
                    LeaseExpired {
                        stack: stack(of),
                        node: node(by_stack),
                        units: ComputeUnits(*units),
                        refunded: MicroUsdc(*units),
                    }
                    .into(),
                );
                *step = 4;
            }
            (_, 1) => {
                events.push(opened(of, by_stack, *units / 2));
                *step = 2;
            }
            (_, 2) => {
                events.push(disputed(of, by_stack, 1));
                if how % 2 == 0 {
                    events.push(convicted(of, by_stack, *units));
                    *step = 4;
                } else {
                    events.push(answered(of, by_stack, 1));
                    *step = 3;
                }
            }
            (_, 3) => {
                events.push(claimed(of, by_stack, *units / 2, *units - *units / 2));
                events.push(StackClosed { stack: stack(of) }.into());
                *step = 5;
            }
            _ => {}
        }
    }
    events
}
