//! How one try at a node ended.

use crate::reply::WholeReply;
use atoma_client::{Answer, AnswerBody, ClientError, WholeAnswer, retry::Failure};
use atoma_types::NodeId;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::{HeaderMap, StatusCode};

/// A sealed refusal is a sentence or two, and padding.
const MAX_REFUSAL_BYTES: usize = 256 << 10;

/// How one try ended.
pub(crate) enum Tried {
    Answered(Answer),
    Refused(WholeAnswer),
    Failed(Failure),
    /// Nothing more is signed for the node on this stack: too many of its answers never came.
    NeverCame,
}

/// What became of a try.
pub(crate) async fn tried_once(tried: Result<Answer, ClientError>, node: NodeId) -> Tried {
    match tried {
        Ok(answer) if answer.status.is_success() => Tried::Answered(answer),
        Ok(answer) => match answer.whole().await {
            Ok(whole) => Tried::Refused(whole),
            Err(_) => Tried::Failed(Failure::Failed),
        },
        // another request was quicker to take the room
        Err(ClientError::NoRoom { .. }) => Tried::Failed(Failure::NoRoom),
        Err(error @ ClientError::NeverCame { .. }) => {
            tracing::warn!(error = &error as &dyn std::error::Error, %node, "a node is left out");
            Tried::NeverCame
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, %node, "a node failed");
            Tried::Failed(Failure::Failed)
        }
    }
}

/// All of a sealed answer that is marked as a refusal; `None` if it isn't whole. Its status is within the seal.
pub(crate) async fn sealed_refusal(
    headers: HeaderMap,
    first: Bytes,
    mut rest: AnswerBody,
) -> Option<WholeReply> {
    let mut body = BytesMut::from(&first[..]);
    while let Some(bytes) = rest.next().await {
        body.extend_from_slice(&bytes.ok()?);
        if body.len() > MAX_REFUSAL_BYTES {
            return None;
        }
    }
    Some(WholeReply {
        status: StatusCode::OK,
        headers,
        body: body.freeze(),
    })
}
