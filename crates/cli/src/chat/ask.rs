//! One question to one node: its answer as it comes, and the receipt that proves what it cost.

use anyhow::{Context, Result};
use atoma_client::{
    Answer, ClientError, RequestOptions, StackHandle, VerifiedReceipt,
    retry::{Mend, Remedy, remedy},
};
use atoma_http::client::Events;
use atoma_types::{
    ComputeUnits, NodeId,
    message::Endpoint,
    refusal::{ErrorBody, RefusalCode},
};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A refusal is a short JSON object; more isn't read of it.
const MAX_REFUSAL_BYTES: usize = 64 << 10;
/// Of a request's id, what the line of its cost shows: commands take it for the whole.
pub(super) const SHOWN_DIGITS: usize = 16;

/// What came of a question.
pub(crate) struct Told {
    pub(crate) text: String,
    /// The answer was cut at the limit that the question named.
    pub(crate) cut: bool,
    pub(crate) receipt: Arc<VerifiedReceipt>,
    pub(crate) first_token: Duration,
    pub(crate) total: Duration,
}

/// The node said no.
#[derive(Debug, thiserror::Error)]
#[error("the node refused ({code}): {message}")]
pub(crate) struct Refused {
    code: String,
    message: String,
    /// The number that would have fit, where it named one.
    needed: Option<u64>,
}

/// Streams one chat answer from a node and checks its receipt; each piece of text goes to `hear` as
/// it comes.
pub(crate) async fn ask(
    stack: &StackHandle,
    node: NodeId,
    body: &Value,
    options: RequestOptions,
    mut hear: impl FnMut(&str),
) -> Result<Told> {
    let started = Instant::now();
    let body = Bytes::from(body.to_string());
    let mut answer = stack
        .request(node, Endpoint::ChatCompletions, body, options)
        .await?;
    if !answer.status.is_success() {
        return Err(refused(answer).await?.into());
    }
    let receipt = answer.receipt();
    let (mut text, mut cut, mut first_token) = (String::new(), false, None);
    let mut events = Events::default();
    while let Some(piece) = answer.body.next().await {
        events.push(&piece?)?;
        while let Some(event) = events.next() {
            let (piece, ended_by_limit) = content(&event);
            cut |= ended_by_limit;
            if let Some(piece) = piece {
                first_token.get_or_insert_with(|| started.elapsed());
                hear(&piece);
                text.push_str(&piece);
            }
        }
    }
    let receipt = receipt.await.context("the node sent no receipt")?;
    if let Some(second) = receipt.second() {
        stack.client().check_second(second).await?;
    }
    let total = started.elapsed();
    Ok(Told {
        text,
        cut,
        receipt,
        first_token: first_token.unwrap_or(total),
        total,
    })
}

/// Whether more units of the same stack may do for the same question, of which nothing was answered yet.
pub(crate) fn more_units_may_do(error: &anyhow::Error) -> bool {
    let no_room = matches!(error.downcast_ref(), Some(ClientError::NoRoom { .. }));
    let codes = [RefusalCode::LeaseExhausted, RefusalCode::MaxUnitsTooLow];
    let refused = error.downcast_ref();
    no_room
        || refused
            .is_some_and(|refused: &Refused| codes.iter().any(|code| refused.code == code.as_str()))
}

/// Whether the conversation is longer than the model can read.
pub(super) fn is_too_long(error: &anyhow::Error) -> bool {
    let refused: Option<&Refused> = error.downcast_ref();
    refused.is_some_and(|refused| refused.code == RefusalCode::ContextTooLong.as_str())
}

/// The most that the question may cost, where its node has said so.
pub(super) fn said_to_need(error: &anyhow::Error) -> Option<ComputeUnits> {
    let refused: &Refused = error.downcast_ref()?;
    let too_low = refused.code == RefusalCode::MaxUnitsTooLow.as_str();
    refused.needed.filter(|_| too_low).map(ComputeUnits)
}

/// Whether another stack may pay for the same question, of which nothing was answered yet: where the table
/// of remedies calls for more units or another node, and not where the request itself is wrong.
pub(crate) fn another_stack_may_do(error: &anyhow::Error) -> bool {
    let of_client = matches!(
        error.downcast_ref(),
        Some(
            ClientError::NoRoom { .. }
                | ClientError::Unreachable { .. }
                | ClientError::Unshown { .. }
                | ClientError::NeverCame { .. }
                | ClientError::Distrusted { .. }
        )
    );
    let of_node = error.downcast_ref().is_some_and(|refused: &Refused| {
        let mut codes = RefusalCode::ALL.iter();
        let code = codes.find(|code| code.as_str() == refused.code);
        code.is_some_and(|&code| match remedy(code, None) {
            Remedy::Mend(Mend::RenewLease | Mend::NewStack) | Remedy::Elsewhere | Remedy::Busy => {
                true
            }
            Remedy::Mend(_) | Remedy::PassOn => false,
        })
    });
    of_client || of_node
}

/// Whether another stack of the same node may do: this one is at its end, or lacks units.
pub(super) fn stack_may_do(error: &anyhow::Error) -> bool {
    let codes = [RefusalCode::StackExpired, RefusalCode::UnknownStack];
    let refused = error.downcast_ref();
    more_units_may_do(error)
        || refused
            .is_some_and(|refused: &Refused| codes.iter().any(|code| refused.code == code.as_str()))
}

async fn refused(mut answer: Answer) -> Result<Refused> {
    let mut body = Vec::new();
    while let Some(piece) = answer.body.next().await {
        body.extend_from_slice(&piece?);
        if body.len() > MAX_REFUSAL_BYTES {
            break;
        }
    }
    let read = serde_json::from_slice::<ErrorBody>(&body);
    Ok(match read {
        Ok(refusal) => Refused {
            code: refusal.error.code.unwrap_or_default(),
            message: refusal.error.message,
            needed: refusal.error.needed,
        },
        Err(_) => Refused {
            code: answer.status.to_string(),
            message: "it gave no reason".to_owned(),
            needed: None,
        },
    })
}

/// The text in an event of the stream, and whether it says that the limit was reached.
fn content(event: &[u8]) -> (Option<String>, bool) {
    let chunk: Value = serde_json::from_slice(event).unwrap_or_default();
    let choice = &chunk["choices"][0];
    let piece = choice["delta"]["content"].as_str().unwrap_or_default();
    let piece = (!piece.is_empty()).then(|| piece.to_owned());
    (piece, choice["finish_reason"] == "length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_client::ReceiptError;
    use atoma_types::Address;

    #[test]
    fn only_events_with_text_have_text() {
        let event = br#"{"choices":[{"delta":{"content":"hi"}}]}"#;
        assert_eq!(content(event), (Some("hi".to_owned()), false));
        let silent = [
            &br#"{"choices":[{"delta":{"content":""}}]}"#[..],
            br#"{"choices":[]}"#,
            b"[DONE]",
        ];
        assert!(silent.iter().all(|event| content(event) == (None, false)));
        let last = br#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#;
        assert_eq!(content(last), (None, true));
    }

    #[test]
    fn a_used_up_lease_calls_for_another_stack_and_a_bad_body_does_not() {
        let refused = |code: RefusalCode| Refused {
            code: code.as_str().to_owned(),
            message: String::new(),
            needed: None,
        };
        assert!(another_stack_may_do(
            &refused(RefusalCode::LeaseExhausted).into()
        ));
        assert!(!another_stack_may_do(
            &refused(RefusalCode::InvalidBody).into()
        ));
    }

    #[test]
    fn a_node_that_nothing_more_is_signed_for_calls_for_another_stack_and_no_more_units() {
        let node = NodeId(Address::new([1; 32]));
        for error in [
            ClientError::Unshown { node, seq: 2 },
            ClientError::NeverCame {
                node,
                charged: ComputeUnits(150),
                allowed: ComputeUnits(100),
            },
            ClientError::Distrusted {
                node,
                reason: ReceiptError::Refused,
            },
        ] {
            let error = error.into();
            assert!(another_stack_may_do(&error) && !stack_may_do(&error));
        }
    }
}
