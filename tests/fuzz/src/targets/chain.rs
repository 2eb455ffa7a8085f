//! What a full node says: objects, events, and the arguments of calls.

use super::{Memory, Target};
use atoma_types::{
    Address, MicroUsdc,
    chain::{
        AdminCap, ArgKind, AtomaDb, Call, CallArg, Event, Node, NodeStatus, Params, Stack, Task,
        Ticket,
    },
};
use serde::{Serialize, de::DeserializeOwned};

/// Bytes of the longest object of small numbers.
const LONGEST: usize = 1_500;

pub(super) const OBJECTS: Target = Target {
    name: "objects",
    seeds: || {
        let all = [
            of_equal_bytes::<AtomaDb>(),
            of_equal_bytes::<Node>(),
            of_equal_bytes::<Task>(),
            of_equal_bytes::<Stack>(),
            of_equal_bytes::<Ticket>(),
            of_equal_bytes::<Params>(),
        ];
        all.concat()
    },
    check: |bytes| {
        same_again::<AtomaDb>(bytes);
        same_again::<AdminCap>(bytes);
        same_again::<Node>(bytes);
        same_again::<NodeStatus>(bytes);
        same_again::<Task>(bytes);
        same_again::<Ticket>(bytes);
        same_again::<Params>(bytes);
        if let Some(stack) = same_again::<Stack>(bytes) {
            // sums over what strangers' servers say: numbers, whatever they are
            let _ = (
                stack.live_units(),
                stack.escrow_for(stack.live_units()),
                stack.settle_deadline(),
            );
        }
    },
    max_bytes: 2 * LONGEST,
    memory: Memory::FLAT,
    mutants: 20_000,
};

pub(super) const EVENTS: Target = Target {
    name: "events",
    seeds: || {
        let event = |which: usize| {
            let (module, name) = Event::NAMES[which];
            let read = |filled: &Vec<u8>| Event::from_bytes(module, name, filled).is_ok();
            let found = equal_bytes().find(read).unwrap_or_default();
            [vec![which as u8], found].concat()
        };
        (0..Event::NAMES.len()).map(event).collect()
    },
    check: |bytes| {
        let Some((&which, bytes)) = bytes.split_first() else {
            return;
        };
        let (module, name) = Event::NAMES[usize::from(which) % Event::NAMES.len()];
        if let Ok(event) = Event::from_bytes(module, name, bytes) {
            assert_eq!((event.module(), event.name()), (module, name));
            assert_eq!(event.to_bytes(), bytes);
            assert!(event.to_json().is_object());
        }
    },
    max_bytes: LONGEST,
    memory: Memory::TREE,
    mutants: 30_000,
};

pub(super) const CALLS: Target = Target {
    name: "calls",
    seeds: || {
        let of = |which: usize| [vec![which as u8], vec![0; 200]].concat();
        (0..functions().count()).map(of).collect()
    },
    check: |bytes| {
        let Some((&which, mut rest)) = bytes.split_first() else {
            return;
        };
        let which = usize::from(which) % functions().count();
        let Some(function) = functions().nth(which) else {
            return;
        };
        let kinds = function.args.iter();
        let args: Vec<CallArg> = kinds.map(|(_, kind)| argument(*kind, &mut rest)).collect();
        if let Ok(call) = Call::decode(function, args.clone()) {
            assert_eq!(call.function().name, function.name);
            assert_eq!(call.args(), args);
        }
    },
    max_bytes: 1_000,
    memory: Memory::FLAT,
    mutants: 30_000,
};

fn functions() -> impl Iterator<Item = &'static atoma_types::chain::FunctionSpec> {
    Call::FUNCTIONS.iter().chain(Call::WALRUS_FUNCTIONS)
}

/// An argument of a kind out of the next bytes: a plain value is as long as its first byte says.
fn argument(kind: ArgKind, bytes: &mut &[u8]) -> CallArg {
    let mut take = |count: usize| {
        let (taken, rest) = bytes.split_at(count.min(bytes.len()));
        *bytes = rest;
        taken.to_vec()
    };
    match kind {
        ArgKind::Payment => {
            let amount = take(8).try_into().map_or(0, u64::from_le_bytes);
            CallArg::Payment(MicroUsdc(amount))
        }
        ArgKind::Pure(_) => {
            let length = take(1).first().map_or(0, |length| usize::from(*length));
            CallArg::Pure(take(length))
        }
        ArgKind::Clock => CallArg::Clock,
        ArgKind::Random => CallArg::Random,
        _ => CallArg::Object(Address::new(take(32).try_into().unwrap_or([0; 32]))),
    }
}

/// What BCS accepts is the one form that it has.
fn same_again<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let value: T = bcs::from_bytes(bytes).ok()?;
    assert_eq!(bcs::to_bytes(&value).as_deref(), Ok(bytes));
    Some(value)
}

/// Objects whose bytes are all the same, which is easier than to write them down.
fn of_equal_bytes<T: DeserializeOwned>() -> Vec<Vec<u8>> {
    let read = |filled: &Vec<u8>| bcs::from_bytes::<T>(filled).is_ok();
    equal_bytes().filter(read).collect()
}

fn equal_bytes() -> impl Iterator<Item = Vec<u8>> {
    let filled = |byte: u8| (1..LONGEST).map(move |length| vec![byte; length]);
    filled(0).chain(filled(1))
}
