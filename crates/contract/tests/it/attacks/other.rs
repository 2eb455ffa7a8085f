//! What is left of the list.

use super::Tale;
use crate::world::*;
use atoma_types::{
    ComputeUnits,
    chain::{AbortCode, Event, calls},
    message::{MessageSignature, Receipt, RequestHeader, Signed},
};
use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION};
use sha2::{Digest, Sha512};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "c5_sixty_lanes_fit_a_transaction",
        c5_sixty_lanes_fit_a_transaction,
    ),
    (
        "what_is_paid_is_not_paid_again",
        what_is_paid_is_not_paid_again,
    ),
    (
        "a_signature_that_the_ledger_takes_is_good_for_all",
        a_signature_that_the_ledger_takes_is_good_for_all,
    ),
];

/// C. Edition 1: 62 lanes fitted a transaction, 64 were allowed.
#[test]
fn c5_sixty_lanes_fit_a_transaction() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, 61_000);
    let settle = |lanes: u16| {
        let (header, _) = chain.last.clone().unwrap();
        let mut call = calls::Settle {
            headers: Vec::new(),
            header_signatures: Vec::new(),
            ..chain.settle_call()
        };
        for lane in 0..lanes {
            let header = RequestHeader {
                lane,
                ceiling: ComputeUnits(2_000),
                origin: atoma_types::message::Origin::Stored(atoma_types::BlobId([1; 32])),
                ..header.message().clone()
            };
            let header = atoma_types::message::Signed::new(header, &key(USER));
            call.headers.push(header.bytes().to_vec());
            call.header_signatures.push(header.signature().to_bytes());
        }
        call
    };
    w.refused(OPERATOR, settle(61), AbortCode::HeaderCountInvalid);
    let call = settle(60);
    assert!(bcs::to_bytes(&call.headers).unwrap().len() <= 16_384);
    w.ok(OPERATOR, call);
}

/// An ed25519 signature by this party's key whose `R` has a part of small order, as only the key's owner can make one.
fn askew(party: u8, message: &[u8]) -> Vec<u8> {
    let seed = Sha512::digest([party; 32]);
    let mut secret = *seed.first_chunk::<32>().unwrap();
    secret[0] &= 248;
    secret[31] = (secret[31] & 63) | 64;
    let (secret, nonce) = (Scalar::from_bytes_mod_order(secret), Scalar::from(77_u8));
    let r = EdwardsPoint::mul_base(&nonce) + EIGHT_TORSION[1];
    let r = r.compress().0;
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key(party).public_key().0)
        .chain_update(message);
    let s = nonce + Scalar::from_hash(hash) * secret;
    [r, s.to_bytes()].concat()
}

/// A node settled, and answered demands, with signatures that Sui takes and a stricter check doesn't: its users' programs
/// passed over what the ledger had seen, and two such receipts for one request convicted nobody.
#[test]
fn a_signature_that_the_ledger_takes_is_good_for_all() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, 61_000);
    let mut call = chain.settle_call();
    call.receipt_signature = askew(OPERATOR, &call.last_receipt);
    let changes = w.ok(OPERATOR, call.clone());
    // and all see what the ledger saw: no argument of a call need stand in the transaction
    let shown = changes.events.iter().find_map(|event| match event {
        Event::SettlementOpened(e) => Some((&e.last_receipt, &e.receipt_signature)),
        _ => None,
    });
    assert_eq!(shown, Some((&call.last_receipt, &call.receipt_signature)));
    let signature = MessageSignature::try_from(&call.receipt_signature[..]).unwrap();
    let receipt = Signed::<Receipt>::decode(call.last_receipt, signature).unwrap();
    assert_eq!(receipt.verify(&w.lease_of(chain.stack, node).key), Ok(()));
}

/// Replay: the vouchers of a paid ticket, on the same lease and on a new one.
#[test]
fn what_is_paid_is_not_paid_again() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, 1_000);
    let settle = chain.settle_call();
    w.earn(&mut chain);
    w.refused(OPERATOR, settle.clone(), AbortCode::NothingClaimed);
    // the stack has expired: giving back the rest ends the lease
    w.ok(OPERATOR, release_call(chain.stack, node, 1_000));
    w.refused(OPERATOR, settle, AbortCode::LeaseClosed);
    w.refused(
        OPERATOR,
        expire_call(chain.stack, node),
        AbortCode::LeaseClosed,
    );
}
