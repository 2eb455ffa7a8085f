//! What the node does with a request: the act that its body names.

use super::{
    ANSWER, COST, FRAMES, Scripted,
    routes::{refuse, respond, signed_header},
};
use atoma_channel::{MEDIA_TYPE, is_sealed};
use atoma_client::SecondRecord;
use atoma_keys::SigningKey;
use atoma_runtime::SystemRandom;
use atoma_types::{
    Address, ComputeUnits, NodeId, StackId,
    hash::Hash32,
    http::{RECEIPT_COMMENT, SALT},
    message::{CommitmentKind, Receipt, RequestHeader, Salt, Signed},
    refusal::RefusalCode,
};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode},
};
use futures::{StreamExt, stream};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// Longer than who asks in vain waits.
const LATE: Duration = Duration::from_secs(55);

fn plain(receipt: Option<&str>) -> Response<Body> {
    respond(StatusCode::OK, "application/json", receipt, ANSWER.into())
}

fn streamed(pieces: Vec<String>, broken: bool) -> Response<Body> {
    let pieces = stream::iter(pieces.into_iter().map(|piece| Ok(Bytes::from(piece))));
    // the server flushes whenever the body isn't ready: so what came before the break arrives
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(std::io::Error::other("as scripted"))
    });
    let body = match broken {
        true => Body::from_stream(pieces.chain(end)),
        false => Body::from_stream(pieces),
    };
    events_of(body)
}

/// A good answer, whose receipt leaves numbers out and names so many units as the sum of those before it. Its node never settles
/// it: its chain goes on as if there were none.
fn names(node: &Scripted, header: &Signed<RequestHeader>, salt: &Salt, sum: u64) -> String {
    let before = {
        let account = node.account.lock();
        let last = account.last.clone();
        (account.seq, account.sum, account.previous, last)
    };
    let text = node.commit(header, (salt, ANSWER.as_bytes()), |r| {
        r.seq += 2;
        r.previous = Hash32([7; 32]);
        (r.base, r.history) = (r.seq - 1, Hash32::ZERO);
        r.cumulative_units = ComputeUnits(sum);
    });
    let account = &mut *node.account.lock();
    (account.seq, account.sum, account.previous, account.last) = before;
    account.records.pop();
    text
}

fn events_of(body: Body) -> Response<Body> {
    respond(StatusCode::OK, "text/event-stream", None, body)
}

pub(super) async fn chat(
    State(node): State<Arc<Scripted>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let header = signed_header(&headers);
    let asked = header.message();
    {
        let account = &mut *node.account.lock();
        account.ceiling = account.ceiling.max(asked.ceiling);
    }
    let salt = headers.get(SALT).unwrap().to_str().unwrap();
    let salt: Salt = salt.parse().unwrap();
    assert_eq!(
        asked.body_hash,
        salt.commit(CommitmentKind::Request, &body),
        "the body arrives as it was signed"
    );
    if is_sealed(&body) {
        let answer = node.account.lock().sealed.clone();
        return respond(StatusCode::OK, MEDIA_TYPE, None, answer.into());
    }
    let script: Value = serde_json::from_slice(&body).unwrap();
    let number = script["n_units"].as_u64().unwrap_or_default();
    let honest = |answer: &str| node.commit(&header, (&salt, answer.as_bytes()), |_| {});
    let comment = |text: &str| format!("{RECEIPT_COMMENT}{text}\n\ndata: [DONE]\n\n");
    match script["act"].as_str().unwrap() {
        "plain" => plain(Some(&honest(ANSWER))),
        "stream" => streamed(vec![FRAMES.to_owned(), comment(&honest(FRAMES))], false),
        "max_units" if asked.max_units.0 < number => refuse(RefusalCode::MaxUnitsTooLow, number),
        "ceiling" if asked.ceiling.0 < number => refuse(RefusalCode::CeilingTooLow, number),
        "max_units" | "ceiling" => plain(Some(&honest(ANSWER))),
        "names" => plain(Some(&names(&node, &header, &salt, number))),
        // it says so, and keeps what it could have served
        "refuse" => {
            node.account.lock().refused = Some(header.clone());
            refuse(RefusalCode::Overloaded, 0)
        }
        // and it lets a number pass before
        "skip" => {
            node.skips(1);
            plain(Some(&honest(ANSWER)))
        }
        // it says that it failed, and has a receipt for it
        "fail_and_serve" => {
            honest(ANSWER);
            refuse(RefusalCode::Internal, 0)
        }
        // it says so, and serves it
        "refuse_and_serve" => {
            honest(ANSWER);
            refuse(RefusalCode::Overloaded, 0)
        }
        // neither is there yet
        "vanish_for_now" => {
            node.will_serve(&header, &salt);
            streamed(vec!["data: {\"a\":1}\n\n".to_owned()], true)
        }
        // the answer is lost, the receipt is not
        "cut" => {
            honest(FRAMES);
            streamed(vec!["data: {\"a\":1}\n\n".to_owned()], true)
        }
        // neither was ever there
        "vanish" => streamed(vec!["data: {\"a\":1}\n\n".to_owned()], true),
        // it says itself that it can't go on
        "gives_up" => streamed(
            vec![
                FRAMES.to_owned(),
                "data: {\"error\":{\"message\":\"the engine stopped\"}}\n\n".to_owned(),
            ],
            false,
        ),
        // it only seems to
        "says_nothing" => streamed(
            vec![FRAMES.to_owned(), "data: {\"error\":null}\n\n".to_owned()],
            false,
        ),
        // the receipt beside it is for another stack
        "other_stack" => {
            let own = Signed::from_text(&honest(ANSWER)).unwrap();
            let other = node.changed(&own, |r| r.stack = StackId(Address::new([9; 32])));
            plain(Some(&other.to_text()))
        }
        // it is a second one for the request before
        "receipt_before" => {
            let before = node.account.lock().last.clone().unwrap();
            honest(ANSWER);
            let again = node.changed(&before, |r| r.seq += 1);
            plain(Some(&again.to_text()))
        }
        "garbage_receipt" => {
            honest(ANSWER);
            plain(Some("x"))
        }
        // it says something every five seconds, for ever
        "long" => {
            node.will_serve(&header, &salt);
            let events = stream::unfold((), |()| async {
                sleep(Duration::from_secs(5)).await;
                let event = Bytes::from(format!("data: {{\"a\":\"{}\"}}\n\n", "x".repeat(200)));
                Some((Ok::<_, std::io::Error>(event), ()))
            });
            events_of(Body::from_stream(events))
        }
        // it begins, and says nothing
        "stall" => {
            honest(FRAMES);
            let nothing = stream::pending::<Result<Bytes, std::io::Error>>();
            events_of(Body::from_stream(nothing))
        }
        "stall_whole" => {
            honest(ANSWER);
            let nothing = stream::pending::<Result<Bytes, std::io::Error>>();
            let body = Body::from_stream(nothing);
            respond(StatusCode::OK, "application/json", None, body)
        }
        "stall_head" => {
            honest(ANSWER);
            std::future::pending().await
        }
        // it has much to do
        "late" => {
            let text = format!("{FRAMES}{}", comment(&honest(FRAMES)));
            let all = stream::once(async {
                sleep(LATE).await;
                Ok::<_, std::io::Error>(Bytes::from(text))
            });
            events_of(Body::from_stream(all))
        }
        "late_whole" => {
            let receipt = honest(ANSWER);
            let all = stream::once(async {
                sleep(LATE).await;
                Ok::<_, std::io::Error>(Bytes::from(ANSWER))
            });
            let body = Body::from_stream(all);
            respond(StatusCode::OK, "application/json", Some(&receipt), body)
        }
        "late_head" => {
            sleep(LATE).await;
            plain(Some(&honest(ANSWER)))
        }
        // the record is there long before the answer breaks off
        "hang_then_cut" => {
            honest(FRAMES);
            let first = stream::once(async { Ok(Bytes::from("data: {\"a\":1}\n\n")) });
            let end = stream::once(async {
                sleep(Duration::from_secs(20)).await;
                Err(std::io::Error::other("as scripted"))
            });
            events_of(Body::from_stream(first.chain(end)))
        }
        "no_receipt" => plain(None),
        "other_answer" => plain(Some(&honest("something else"))),
        "other_key" => {
            let text = node.commit(&header, (&salt, ANSWER.as_bytes()), |_| {});
            let receipt = Signed::<Receipt>::from_text(&text).unwrap();
            let forged = Signed::new(
                receipt.message().clone(),
                &SigningKey::generate(&SystemRandom),
            );
            plain(Some(&forged.to_text()))
        }
        "overcharge" => plain(Some(&node.commit(
            &header,
            (&salt, ANSWER.as_bytes()),
            |r| {
                r.units = ComputeUnits(COST.0 + 1);
            },
        ))),
        // one unit too few, and the answer never comes to its end
        "undercharge_and_cut" => {
            let less = |r: &mut Receipt| {
                r.units = ComputeUnits(COST.0 - 1);
                r.cumulative_units.0 -= 1;
            };
            node.commit(&header, (&salt, FRAMES.as_bytes()), less);
            streamed(vec!["data: {\"a\":1}\n\n".to_owned()], true)
        }
        // more tokens than the answer has bytes, at their right price
        "counts_output" => plain(Some(&node.commit(
            &header,
            (&salt, ANSWER.as_bytes()),
            |r| {
                r.usage.output = number;
                r.units = ComputeUnits(r.usage.total_tokens());
            },
        ))),
        "counts_input" => streamed(
            vec![
                FRAMES.to_owned(),
                comment(&node.commit(&header, (&salt, FRAMES.as_bytes()), |r| {
                    r.usage.input = number;
                    r.units = ComputeUnits(r.usage.total_tokens());
                })),
            ],
            false,
        ),
        "twice" => plain(Some(&node.commit(
            &header,
            (&salt, ANSWER.as_bytes()),
            |r| r.seq = 1,
        ))),
        // the record of a node that was never asked
        "own_record" | "other_record" => {
            let text = honest(ANSWER);
            let mut invented = asked.clone();
            if script["act"] == "other_record" {
                invented.node = NodeId(Address::new([9; 32]));
            }
            let invented = Signed::new(invented, &node.response_key);
            let record = SecondRecord::new(invented, Signed::from_text(&text).unwrap());
            plain(Some(&format!("{text} {}", record.to_text())))
        }
        "trailing" => {
            let text = honest(FRAMES);
            let more = format!("{RECEIPT_COMMENT}{text}\n\ndata: {{\"unsigned\":true}}\n\n");
            streamed(vec![FRAMES.to_owned(), more], false)
        }
        other => panic!("no such act: {other}"),
    }
}
