//! What is left of the list.

use super::Tale;
use crate::world::*;
use atoma_types::{
    ComputeUnits,
    chain::{AbortCode, calls},
    message::RequestHeader,
};

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
