use super::*;
use crate::{
    store::{LaneKey, Row, Store},
    watch::decide::tests::{NODE, NOW, STACK, claiming, receipt},
};
use atoma_keys::SigningKey;
use atoma_runtime::Threads;
use atoma_types::{
    Address, ComputeUnits, NetworkId, RequestId, TaskId,
    chain::Stack,
    message::{Domain, Endpoint, Origin, Receipt, RequestHeader, Signed},
};

type Exchange = (Signed<RequestHeader>, Signed<Receipt>);

/// A chain of so many requests and their receipts.
fn chain(length: u16) -> Vec<Exchange> {
    let key = SigningKey::from_seed(&[7; 32]);
    let mut previous = Hash32::ZERO;
    let mut history = History::default();
    let mut exchange = |seq: u16| {
        let header = RequestHeader {
            domain: Domain::default(),
            network: NetworkId([1; 32]),
            stack: STACK,
            node: NODE,
            task: TaskId(Address::ZERO),
            request_id: RequestId(u128::from(seq).to_le_bytes()),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32([6; 32]),
            lane: 0,
            ceiling: ComputeUnits(100),
            max_units: ComputeUnits(10),
            issued_at_ms: NOW,
            expires_at_ms: NOW,
            origin: Origin::Own,
        };
        let header = Signed::new(header, &key);
        let receipt = Receipt {
            request_hash: header.hash(),
            previous,
            base: 0,
            history: history.root(),
            request_id: header.message().request_id,
            ..receipt(0, seq.into(), 10, 10 * u64::from(seq))
                .message()
                .clone()
        };
        let receipt = Signed::new(receipt, &key);
        previous = receipt.hash();
        history.push(previous);
        (header, receipt)
    };
    (1..=length).map(&mut exchange).collect()
}

fn row((header, receipt): &Exchange, fault: Option<&str>) -> Row {
    let message = receipt.message();
    Row {
        key: LaneKey {
            stack: STACK,
            node: NODE,
            lane: 0,
        },
        seq: message.seq,
        hash: receipt.hash(),
        request: message.request_id,
        units: message.units,
        received: NOW,
        header: header.to_bytes(),
        receipt: receipt.to_bytes(),
        second: None,
        fault: fault.map(str::to_owned),
    }
}

/// The lease that settles all of these, by a last receipt with another history.
fn settling(chain: &[Exchange]) -> Stack {
    let mut stack = claiming(&chain[chain.len() - 1].1);
    stack.leases[0].tickets[0].history = Hash32([8; 32]);
    stack
}

#[tokio::test]
async fn a_history_is_another_only_where_it_is_known_what_it_should_be() {
    let store = Store::open(None, NetworkId([1; 32]), Threads::Real).unwrap();
    let receipts = Receipts::of(&store);
    let chain = chain(9);
    let stack = settling(&chain);
    let lease = &stack.leases[0];
    // the third is named by the fourth; of the sixth and the seventh the seventh is named by the eighth
    let missing = [3, 6, 7];
    for exchange in &chain {
        if !missing.contains(&exchange.1.message().seq) {
            store.keep(row(exchange, None));
        }
    }
    receipts.flush().await.unwrap();
    let mut roots = Roots::default();
    roots.learn(&receipts, (STACK, lease), &[]).await.unwrap();
    assert_eq!(roots.known[&(STACK, NODE, 9)], Walked::Missing(6));
    assert!(!roots.is_another(STACK, NODE, &lease.tickets[0]));
    let missing = |roots: &Roots| roots.missing(STACK, NODE, &lease.tickets[0]);
    let denied = |denied| Some(Missing { seq: 6, denied });
    assert_eq!(missing(&roots), denied(false));
    roots.is_denied((STACK, NODE, 9), true);
    assert_eq!(missing(&roots), denied(true));
    // a receipt that isn't good is of the chain as well where the next one names it, and a second one under its number is not
    store.keep(row(&chain[6], Some("it charges too much")));
    let mut second = chain[6].clone();
    let again = Receipt {
        request_id: RequestId([9; 16]),
        request_hash: Hash32([9; 32]),
        previous: Hash32([5; 32]),
        ..second.1.message().clone()
    };
    second.1 = Signed::new(again, &SigningKey::from_seed(&[7; 32]));
    store.keep(row(&second, None));
    receipts.flush().await.unwrap();
    roots.learn(&receipts, (STACK, lease), &[]).await.unwrap();
    let mut ticket = lease.tickets[0].clone();
    assert!(roots.is_another(STACK, NODE, &ticket));
    ticket.history = chain[8].1.message().history;
    assert!(!roots.is_another(STACK, NODE, &ticket));
    assert_eq!(missing(&roots), None);
    let kept = std::slice::from_ref(&chain[8].1);
    let walked = Walk::new((STACK, NODE), &ticket, kept).whole(&receipts);
    assert_eq!(walked.unwrap(), Walked::Whole(ticket.history));
}

#[tokio::test]
async fn a_last_receipt_that_is_not_kept_may_go_on_from_the_kept_ones() {
    let store = Store::open(None, NetworkId([1; 32]), Threads::Real).unwrap();
    let receipts = Receipts::of(&store);
    let chain = chain(6);
    chain[..4]
        .iter()
        .for_each(|exchange| store.keep(row(exchange, None)));
    receipts.flush().await.unwrap();
    let stack = settling(&chain);
    let ticket = &stack.leases[0].tickets[0];
    let walk = |known: &[Signed<Receipt>]| {
        let walk = Walk::new((STACK, NODE), ticket, known);
        walk.whole(&receipts).unwrap()
    };
    assert_eq!(walk(&[]), Walked::Missing(5));
    // the ledger has shown it, and it names the fifth
    let shown = chain[5].1.clone();
    let whole = Walked::Whole(shown.message().history);
    assert_eq!(walk(&[shown]), whole);
    // a base further on needs none before
    let mut later = ticket.clone();
    later.base = 5;
    let walked = Walk::new((STACK, NODE), &later, &[]).whole(&receipts);
    assert_eq!(walked.unwrap(), Walked::Whole(Hash32::ZERO));
}

#[tokio::test]
async fn a_long_chain_is_walked_in_several_turns_and_a_closed_ticket_is_forgotten() {
    let store = Store::open(None, NetworkId([1; 32]), Threads::Real).unwrap();
    let receipts = Receipts::of(&store);
    let links = chain(600);
    links
        .iter()
        .for_each(|exchange| store.keep(row(exchange, None)));
    receipts.flush().await.unwrap();
    let mut stack = settling(&links);
    let mut roots = Roots::default();
    roots
        .learn(&receipts, (STACK, &stack.leases[0]), &[])
        .await
        .unwrap();
    assert_eq!(roots.known.len(), 1);
    assert!(roots.is_another(STACK, NODE, &stack.leases[0].tickets[0]));
    stack.leases[0].tickets[0].history = links[599].1.message().history;
    assert!(!roots.is_another(STACK, NODE, &stack.leases[0].tickets[0]));
    stack.leases[0].tickets.clear();
    roots
        .learn(&receipts, (STACK, &stack.leases[0]), &[])
        .await
        .unwrap();
    assert!(roots.known.is_empty());
}

#[tokio::test]
async fn a_receipt_that_is_no_record_of_a_request_that_was_served_once_keeps_its_chain_unproven() {
    let chain = chain(6);
    let stack = settling(&chain);
    let ticket = &stack.leases[0].tickets[0];
    // under another number
    let of_another = |request: u16| {
        let receipt = Receipt {
            seq: 9,
            request_id: RequestId(u128::from(request).to_le_bytes()),
            ..chain[3].1.message().clone()
        };
        let receipt = Signed::new(receipt, &SigningKey::from_seed(&[7; 32]));
        (chain[3].0.clone(), receipt)
    };
    // what is wrong with a receipt, what else is kept, and whether the history is known all the same
    let refused = ReceiptError::Refused.to_string();
    let header = ReceiptError::Header.to_string();
    let answer = ReceiptError::ResponseHash.to_string();
    let cases: [(usize, &str, Option<Exchange>, Option<u64>); 6] = [
        (3, &answer, None, None),
        (3, &refused, None, Some(4)),
        (3, &header, None, Some(4)),
        (5, &refused, None, Some(6)),
        (3, &answer, Some(of_another(9)), None),
        (3, "it has two", Some(of_another(4)), Some(4)),
    ];
    for (place, fault, more, missing) in cases {
        let store = Store::open(None, NetworkId([1; 32]), Threads::Real).unwrap();
        let receipts = Receipts::of(&store);
        for (at, exchange) in chain.iter().enumerate() {
            store.keep(row(exchange, (at == place).then_some(fault)));
        }
        if let Some(more) = more {
            store.keep(row(&more, None));
        }
        receipts.flush().await.unwrap();
        let kept = std::slice::from_ref(&chain[5].1);
        let walked = Walk::new((STACK, NODE), ticket, kept).whole(&receipts);
        let whole = Walked::Whole(chain[5].1.message().history);
        let expected = missing.map_or(whole, Walked::Missing);
        assert_eq!(walked.unwrap(), expected, "{fault}, {missing:?}");
    }
}

#[tokio::test]
async fn what_only_its_hash_is_known_of_charges_for_what_is_between_its_neighbours() {
    let store = Store::open(None, NetworkId([1; 32]), Threads::Real).unwrap();
    let receipts = Receipts::of(&store);
    let chain = chain(9);
    let missing = [1, 4, 8];
    for exchange in &chain {
        if !missing.contains(&exchange.1.message().seq) {
            store.keep(row(exchange, None));
        }
    }
    receipts.flush().await.unwrap();
    let mut stack = settling(&chain);
    let mut unseen = Vec::new();
    for from in [0, 3, 4] {
        let ticket = &mut stack.leases[0].tickets[0];
        (ticket.from_seq, ticket.from_units) = (from, ComputeUnits(10 * from));
        let mut roots = Roots::default();
        let lease = &stack.leases[0];
        roots.learn(&receipts, (STACK, lease), &[]).await.unwrap();
        unseen.push(roots.unseen(STACK, NODE, &lease.tickets[0]).unwrap());
    }
    let units = |from: u64| (ComputeUnits(from), ComputeUnits(from + 10));
    assert_eq!((unseen[0].seq, unseen[0].denied), (1, false));
    assert_eq!(unseen[0].units, [units(0), units(30), units(70)]);
    assert_eq!(unseen[1].units, [units(30), units(70)]);
    assert_eq!((unseen[2].seq, &unseen[2].units[..]), (8, &[units(70)][..]));
}
