//! What every client checks of a node's receipts.

use crate::common::World;
use atoma_keys::SigningKey;
use atoma_types::{
    ComputeUnits, UnitWeights,
    hash::Hash32,
    message::{Receipt, RequestHeader, Signed},
};

/// Checks what every client checks.
pub(crate) fn check(
    receipt: &Signed<Receipt>,
    response: Hash32,
    header: &RequestHeader,
    node: &NodeFacts,
) {
    let message = receipt.message();
    receipt.verify(&node.response_key).unwrap();
    assert_eq!(message.response_hash, response);
    assert_eq!(message.request_hash, Hash32::of(&bcs(header)));
    assert_eq!(
        (message.request_id, message.stack),
        (header.request_id, header.stack)
    );
    let weights = UnitWeights {
        cached_input: 1_000,
        ..UnitWeights::TEXT
    };
    assert_eq!(weights.units(&message.usage), Some(message.units));
    assert!(message.units <= header.max_units);
}

pub(crate) fn bcs(header: &RequestHeader) -> Vec<u8> {
    // signing encodes; the key doesn't matter for the bytes
    Signed::new(header.clone(), &SigningKey::from_seed(&[1; 32]))
        .bytes()
        .to_vec()
}

pub(crate) struct NodeFacts {
    response_key: atoma_types::PublicKey,
}

pub(crate) async fn facts(world: &World, node: atoma_types::NodeId) -> NodeFacts {
    NodeFacts {
        response_key: world.ledger.node(node).await.unwrap().response_key,
    }
}

/// All receipts in order, held against the chain's rules; the units in all.
pub(crate) fn chain(mut receipts: Vec<Signed<Receipt>>) -> ComputeUnits {
    receipts.sort_by_key(|receipt| receipt.message().seq);
    let (mut sum, mut previous) = (0, Hash32::ZERO);
    for (place, receipt) in receipts.iter().enumerate() {
        let message = receipt.message();
        sum += message.units.0;
        assert_eq!(message.seq, place as u64 + 1);
        assert_eq!(message.cumulative_units, ComputeUnits(sum));
        assert_eq!(message.previous, previous);
        previous = receipt.hash();
    }
    ComputeUnits(sum)
}
