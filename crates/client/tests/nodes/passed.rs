//! Sealed answers that are passed on: whoever pays can't read them, and counts what shows.

use crate::world::World;
use atoma_channel::{
    AnswerSealer, seal_request,
    testing::{NOW, TestNode, terms, window},
};
use atoma_client::{ClientError, RequestTry, StackHandle, lane::LaneError};
use atoma_runtime::{Runtime, SystemRandom};
use atoma_types::{ComputeUnits, message::Endpoint};
use futures::StreamExt;

/// What each request may cost: two are less than the window of a hundred.
const MAX: ComputeUnits = ComputeUnits(40);

/// Passes a sealed request on to the node, which answers so.
async fn pass_on(
    world: &World,
    stack: &StackHandle,
    answer: fn(&mut AnswerSealer, &mut Vec<u8>),
) -> Result<(), ClientError> {
    let guest = TestNode::new(1);
    let keys = [guest.verified()];
    let (sealed, _) = seal_request(&terms(), &keys, b"{}", &SystemRandom).unwrap();
    let opening = guest.open(&sealed).unwrap();
    let admitted = window().admit(&opening.seen(), NOW).unwrap();
    let (_, mut sealer) = opening.admitted(admitted, &SystemRandom).unwrap();
    let mut bytes = Vec::new();
    answer(&mut sealer, &mut bytes);
    world.node.answers_sealed(bytes.into());
    let id = Runtime::system().request_id();
    let tried = RequestTry::new(id, Endpoint::ChatCompletions, sealed.into(), MAX).sealed(true);
    let mut body = stack.try_once(world.node.id, &tried).await?.body;
    while let Some(bytes) = body.next().await {
        bytes?;
    }
    Ok(())
}

/// How many of ten tries a node could answer so before nothing more was signed.
async fn answered(answer: fn(&mut AnswerSealer, &mut Vec<u8>)) -> u64 {
    let world = World::start().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    for answered in 0..10 {
        match pass_on(&world, &stack, answer).await {
            Ok(()) => {}
            Err(ClientError::Lane(LaneError::Unanswered { doubtful, .. })) => {
                assert_eq!(doubtful, ComputeUnits(answered * MAX.0));
                return answered;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(stack.room(world.node.id), ComputeUnits(10_000));
    10
}

/// Earlier whatever had no receipt was taken for a refusal.
#[tokio::test]
async fn a_node_that_delivers_sealed_answers_without_receipts_is_signed_to_no_further_than_the_window()
 {
    let whole = answered(|sealer, out| sealer.finish(b"all of it", out).unwrap());
    assert_eq!(whole.await, 2);
    let in_pieces = answered(|sealer, out| {
        sealer.text(b"all of ", out).unwrap();
        sealer.text(b"it", out).unwrap();
        sealer.fail(500, b"and no receipt", out).unwrap();
    });
    assert_eq!(in_pieces.await, 2, "nor does it help to say that it failed");
}

#[tokio::test]
async fn a_sealed_refusal_costs_nothing_at_once() {
    let refused = answered(|sealer, out| sealer.fail(429, b"busy", out).unwrap());
    assert_eq!(refused.await, 10);
}
