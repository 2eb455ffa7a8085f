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
    merkle::MerkleTree,
    message::{Domain, Endpoint, Origin, Receipt, RequestHeader, Signed},
};

type Exchange = (Signed<RequestHeader>, Signed<Receipt>);

/// A chain of so many requests and their receipts.
fn chain(length: u16) -> Vec<Exchange> {
    let key = SigningKey::from_seed(&[7; 32]);
    let mut previous = Hash32::ZERO;
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
            request_id: header.message().request_id,
            ..receipt(0, seq.into(), 10, 10 * u64::from(seq))
                .message()
                .clone()
        };
        let receipt = Signed::new(receipt, &key);
        previous = receipt.hash();
        (header, receipt)
    };
    (1..=length).map(&mut exchange).collect()
}

fn root(of: &[Exchange]) -> Hash32 {
    let leaves = of
        .iter()
        .map(|(header, receipt)| EvidenceLeaf::hash_of(header, receipt));
    MerkleTree::from_leaves(leaves.collect()).root()
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

/// The lease that settles the receipts after the second one.
fn settling(chain: &[Exchange]) -> Stack {
    let mut stack = claiming(&chain[chain.len() - 1].1);
    stack.leases[0].tickets[0].from_seq = 2;
    stack
}

#[tokio::test]
async fn a_root_is_another_only_where_all_receipts_of_the_ticket_are_kept() {
    let store = Store::open(None, NetworkId([1; 32]), Threads::Real).unwrap();
    let receipts = Receipts::of(&store);
    let chain = chain(7);
    let stack = settling(&chain);
    let lease = &stack.leases[0];
    // what was settled before isn't needed; the fifth isn't there yet
    for exchange in chain[2..].iter().filter(|(_, r)| r.message().seq != 5) {
        store.keep(row(exchange, None));
    }
    receipts.flush().await.unwrap();
    let mut roots = Roots::default();
    roots.learn(&receipts, (STACK, lease)).await.unwrap();
    assert!(!roots.is_another(STACK, NODE, &lease.tickets[0]));
    // a receipt that isn't good is of the chain as well, and a second one under its number is not
    store.keep(row(&chain[4], Some("it charges too much")));
    let mut second = chain[4].clone();
    let again = Receipt {
        usage: atoma_types::Usage::of_text(1, 0, 0),
        ..second.1.message().clone()
    };
    second.1 = Signed::new(again, &SigningKey::from_seed(&[7; 32]));
    store.keep(row(&second, None));
    receipts.flush().await.unwrap();
    roots.learn(&receipts, (STACK, lease)).await.unwrap();
    let mut ticket = lease.tickets[0].clone();
    assert!(roots.is_another(STACK, NODE, &ticket));
    ticket.receipts_root = root(&chain[2..]);
    assert!(!roots.is_another(STACK, NODE, &ticket));
    let walked = Walk::new(STACK, NODE, &ticket).whole(&receipts).unwrap();
    assert_eq!(walked, Walked::Whole(ticket.receipts_root));
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
    let mut stack = claiming(&links[599].1);
    let mut roots = Roots::default();
    roots
        .learn(&receipts, (STACK, &stack.leases[0]))
        .await
        .unwrap();
    assert_eq!(roots.known.len(), 1);
    assert!(roots.is_another(STACK, NODE, &stack.leases[0].tickets[0]));
    stack.leases[0].tickets[0].receipts_root = root(&links);
    assert!(!roots.is_another(STACK, NODE, &stack.leases[0].tickets[0]));
    stack.leases[0].tickets.clear();
    roots
        .learn(&receipts, (STACK, &stack.leases[0]))
        .await
        .unwrap();
    assert!(roots.known.is_empty());
}
