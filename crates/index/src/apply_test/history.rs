//! Events as a ledger could tell them.

use atoma_ledger::Digest;
use atoma_types::{
    Address, BlobId, ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, PublicKey, Role,
    SecurityLevel, StackId, TaskId, TimestampMs,
    chain::{Event, events::*},
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
                sealing_key: None,
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
        candidates: vec![node(0)],
        expires_at_ms: SOME_TIME,
        settle_grace_ms: DurationMs(1),
    }
    .into()
}

/// `ungranted` is what the stack then has left.
pub(super) fn leased(of: u8, by: u8, units: u64, ungranted: u64) -> Event {
    Leased {
        stack: stack(of),
        node: node(by),
        task: task(),
        owner: OWNER,
        request_key: KEY,
        response_key: KEY,
        units: ComputeUnits(units),
        price: Price(1_000_000),
        ungranted: ComputeUnits(ungranted),
        expires_at_ms: SOME_TIME,
        settle_grace_ms: DurationMs(1),
    }
    .into()
}

/// Units and receipts up to here, five of them.
pub(super) fn opened(of: u8, by: u8, to_units: u64, to_seq: u64) -> Event {
    SettlementOpened {
        stack: stack(of),
        node: node(by),
        to_units: ComputeUnits(to_units),
        to_seq,
        last: Hash32([1; 32]),
        base: 0,
        history: Hash32([2; 32]),
        last_receipt: Vec::new(),
        receipt_signature: Vec::new(),
        manifest_blob: None,
        value: MicroUsdc(to_units),
        deadline_ms: SOME_TIME,
    }
    .into()
}

/// A ticket of `value` is paid.
pub(super) fn claimed(of: u8, by: u8, to_units: u64, to_seq: u64, value: u64) -> Event {
    Claimed {
        stack: stack(of),
        node: node(by),
        paid_units: ComputeUnits(to_units),
        paid_seq: to_seq,
        paid: MicroUsdc(value - value / 10),
        fee: MicroUsdc(value / 10),
        due: MicroUsdc(0),
        reputation: 100,
    }
    .into()
}

pub(super) fn closed(of: u8, by: u8, paid_units: u64, freed: u64) -> Event {
    LeaseClosed {
        stack: stack(of),
        node: node(by),
        paid_units: ComputeUnits(paid_units),
        freed: MicroUsdc(freed),
    }
    .into()
}

pub(super) fn demanded(of: u8, by: u8, unit: u64) -> Event {
    RecordDemanded {
        stack: stack(of),
        node: node(by),
        unit: ComputeUnits(unit),
        deadline_ms: SOME_TIME,
    }
    .into()
}

pub(super) fn answered(of: u8, by: u8, unit: u64) -> Event {
    DemandAnswered {
        stack: stack(of),
        node: node(by),
        unit: ComputeUnits(unit),
        seq: 1,
        record: Vec::new(),
        blob: Some(BlobId([3; 32])),
        bodies: Vec::new(),
    }
    .into()
}

pub(super) fn convicted(of: u8, by: u8, value: u64, freed: u64) -> Event {
    NodeConvicted {
        stack: stack(of),
        node: node(by),
        charge: Charge::Silence,
        value: MicroUsdc(value),
        fine: MicroUsdc(7),
        jurors: MicroUsdc(0),
        freed: MicroUsdc(freed),
        kept: MicroUsdc::ZERO,
        collateral: MicroUsdc(993),
        until_ms: SOME_TIME,
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
                FeesReported {
                    node: node(by),
                    epoch: 1,
                    fees: MicroUsdc(how.into()),
                }
                .into(),
            ),
            (_, 0) => {
                events.push(leased(of, by_stack, *units / 2, *units - *units / 2));
                events.push(leased(of, by_stack, *units, 0));
                *step = 1;
            }
            (_, 1) if how % 5 == 0 => {
                events.push(closed(of, by_stack, 0, *units));
                *step = 4;
            }
            (_, 1) => {
                events.push(opened(of, by_stack, *units / 2, 5));
                *step = 2;
            }
            (_, 2) => {
                events.push(demanded(of, by_stack, 1));
                if how % 2 == 0 {
                    events.push(convicted(of, by_stack, *units / 2, *units));
                    *step = 4;
                } else {
                    events.push(answered(of, by_stack, 1));
                    *step = 3;
                }
            }
            (_, 3) => {
                let half = *units / 2;
                events.push(claimed(of, by_stack, half, 5, half));
                events.push(closed(of, by_stack, half, *units - half));
                *step = 5;
            }
            _ => {}
        }
    }
    events
}
