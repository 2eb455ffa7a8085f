//! A provider that serves as a node does, or as a cheat would, and an auditor with an engine of its own.

use crate::{Body, Examined, Exchange, Finding, Promised, Signers, Work, examine};
use atoma_engine::{Completion, Engine, Event, GenerateRequest};
use atoma_keys::SigningKey;
use atoma_openai::{
    answer::{self, Head},
    frames::{Frames, Kind},
    whole::Whole,
};
use atoma_types::{
    ComputeUnits, EngineClass, RequestId, Rule, UnitWeights, Usage,
    hash::Hash32,
    message::{CommitmentKind, Endpoint, Receipt, RequestHeader, Salt, Signed, sample},
};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::{Value, json};
use std::{fmt, sync::Arc};

/// The model's name in every task here.
pub const MODEL: &str = "atoma-tiny";

/// The salt of every request here.
#[must_use]
pub fn salt() -> Salt {
    Salt::new([9; 32])
}

/// A node that serves, and what its task promises.
pub struct Provider {
    /// What it computes with: the task's, or a cheat's.
    pub engine: Arc<dyn Engine>,
    /// What it is paid for.
    pub task: Promised,
}

/// A signed request with its body.
#[derive(Clone, Debug)]
pub struct SignedRequest {
    /// What the user signed.
    pub header: Signed<RequestHeader>,
    /// What it asks, as JSON.
    pub body: Bytes,
}

/// An answer on its way to its record; whatever a cheat changes, it changes here.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What is told, one by one; the last is `Done`.
    pub events: Vec<Event>,
    /// What is charged.
    pub usage: Usage,
    /// What the receipt commits to; none where the client is said to have left.
    pub fingerprint: Option<[u8; 32]>,
}

/// A chat that says this, with these fields beside it.
#[must_use]
pub fn chat(text: &str, more: Value) -> (Endpoint, Value) {
    let mut body = json!({ "model": MODEL, "messages": [{ "role": "user", "content": text }] });
    extend(&mut body, more);
    (Endpoint::ChatCompletions, body)
}

/// A completion of this.
#[must_use]
pub fn completion(text: &str, more: Value) -> (Endpoint, Value) {
    let mut body = json!({ "model": MODEL, "prompt": text });
    extend(&mut body, more);
    (Endpoint::Completions, body)
}

fn extend(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

/// Signs a request.
#[must_use]
pub fn sign((endpoint, body): (Endpoint, Value)) -> SignedRequest {
    sign_body(endpoint, body.to_string().into_bytes())
}

/// Signs a request with these bytes as its body.
#[must_use]
pub fn sign_body(endpoint: Endpoint, body: Vec<u8>) -> SignedRequest {
    let header = RequestHeader {
        endpoint,
        request_id: RequestId([8; 16]),
        body_hash: salt().commit(CommitmentKind::Request, &body),
        max_units: ComputeUnits(100_000),
        ceiling: ComputeUnits(100_000),
        ..sample::header()
    };
    SignedRequest {
        header: Signed::new(header, &SigningKey::from_seed(&[1; 32])),
        body: body.into(),
    }
}

impl SignedRequest {
    /// What its body says.
    pub fn asked(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Whether its answer comes as it grows.
    pub fn streams(&self) -> bool {
        self.asked()["stream"] == true
    }

    /// Of which form its answer is.
    pub fn kind(&self) -> Kind {
        match self.header.message().endpoint {
            Endpoint::ChatCompletions => Kind::Chat,
            _ => Kind::Completion,
        }
    }
}

impl Answer {
    /// The ids of its tokens, in order.
    pub fn ids(&self) -> Vec<u32> {
        let id = |event: &Event| match event {
            Event::Token(token) => token.id,
            _ => None,
        };
        self.events.iter().filter_map(id).collect()
    }

    /// What it says, call of tools left out.
    pub fn text(&self) -> String {
        let text = |event: &Event| match event {
            Event::Token(token) => Some(token.text.clone()),
            _ => None,
        };
        self.events.iter().filter_map(text).collect()
    }
}

impl Provider {
    /// One of this engine's class.
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        let info = engine.info();
        let task = Promised {
            model: Some(MODEL.to_owned()),
            engine: EngineClass {
                model: Hash32(info.revision),
                numerics: info.numerics,
                rule: Rule::Exact,
            },
            weights: Some(UnitWeights::TEXT),
        };
        Self { engine, task }
    }

    /// What a node that obeys asks its engine for.
    pub fn request(&self, signed: &SignedRequest) -> GenerateRequest {
        let request = atoma_openai::replay(&signed.header, &signed.body, self.engine.info());
        let body = signed.asked();
        GenerateRequest {
            max_tokens: body["max_tokens"].as_u64().unwrap_or(40) as u32,
            ..request.expect("a request that is served")
        }
    }

    /// Serves a request as it is.
    pub async fn serve(&self, signed: &SignedRequest) -> Answer {
        self.run(self.request(signed)).await
    }

    /// Runs the engine for whatever request.
    pub async fn run(&self, request: GenerateRequest) -> Answer {
        let mut stream = self.engine.generate(request).await.expect("accepted");
        let mut events = Vec::new();
        while let Some(event) = stream.next().await {
            events.push(event.expect("no error"));
        }
        let done = done(&events).clone();
        Answer {
            events,
            usage: done.usage,
            fingerprint: Some(done.fingerprint),
        }
    }

    /// The record of an answer, opened.
    pub fn work(&self, signed: &SignedRequest, answer: &Answer) -> Work {
        self.work_of(signed, write(signed, answer), answer)
    }

    /// The same where its client has left in the midst of it: after so many of a thousand of its events. Whatever was
    /// computed until then is charged.
    pub fn work_left(&self, signed: &SignedRequest, answer: &Answer, left: usize) -> Work {
        let is_token = |event: &Event| matches!(event, Event::Token(_));
        let first = answer.events.iter().position(is_token).expect("a token");
        let end = first + 1 + left * (answer.events.len() - first - 1) / 1_000;
        let events = &answer.events[..end];
        let tokens = events.iter().filter(|event| is_token(event)).count();
        let sent = match signed.streams() {
            true => cut(signed.kind(), events),
            false => Vec::new(),
        };
        let answer = Answer {
            usage: Usage {
                output: tokens as u64,
                ..answer.usage
            },
            fingerprint: None,
            events: Vec::new(),
        };
        self.work_of(signed, sent.into(), &answer)
    }

    /// The same with another body.
    pub fn work_of(&self, signed: &SignedRequest, body: Bytes, answer: &Answer) -> Work {
        let units = UnitWeights::TEXT.units(&answer.usage).expect("units");
        let commit =
            |fingerprint: [u8; 32]| salt().commit(CommitmentKind::Fingerprint, &fingerprint);
        let receipt = Receipt {
            request_id: signed.header.message().request_id,
            response_hash: salt().commit(CommitmentKind::Answer, &body),
            usage: answer.usage,
            units,
            cumulative_units: units,
            engine: self.task.engine,
            output_fingerprint: answer.fingerprint.map(commit),
            ..sample::receipt(signed.header.hash())
        };
        let salted = |bytes: Bytes| Body {
            salt: salt(),
            bytes,
        };
        Work {
            exchange: exchange(signed.header.clone(), receipt),
            task: self.task.clone(),
            bodies: Some([salted(signed.body.clone()), salted(body)]),
        }
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

/// The answer's body as a node writes it.
#[must_use]
pub fn write(signed: &SignedRequest, answer: &Answer) -> Bytes {
    let (asked, kind, head) = (signed.asked(), signed.kind(), head());
    let finish = done(&answer.events).finish;
    if signed.streams() {
        let usage = asked["stream_options"]["include_usage"] == true;
        let mut frames = Frames::new(head, kind, usage);
        let mut body = pieces(&mut frames, &answer.events);
        body.extend(frames.finish(finish, answer.usage));
        return body.into();
    }
    let mut whole = Whole::new(!asked["logprobs"].is_null() && asked["logprobs"] != false);
    for event in &answer.events {
        match event {
            Event::Token(token) => whole.token(token),
            Event::Piece(piece) => whole.piece(piece.clone()),
            _ => {}
        }
    }
    let said = whole.end(finish);
    match kind {
        Kind::Chat => answer::chat(&head, &said, answer.usage).into(),
        Kind::Completion => answer::completion(&head, &said, answer.usage).into(),
    }
}

fn head() -> Head {
    Head {
        id: "chatcmpl-1".to_owned(),
        created: 1_700_000_000,
        model: MODEL.to_owned(),
        system_fingerprint: "fp_1".to_owned(),
    }
}

/// What was sent of a stream until its client left.
#[must_use]
pub fn cut(kind: Kind, events: &[Event]) -> Vec<u8> {
    pieces(&mut Frames::new(head(), kind, false), events)
}

/// The frames of events, without an end.
fn pieces(frames: &mut Frames, events: &[Event]) -> Vec<u8> {
    let mut body = Vec::new();
    for event in events {
        match event {
            Event::Token(token) => body.extend(frames.token(token)),
            Event::Piece(piece) => body.extend(frames.piece(piece)),
            _ => {}
        }
    }
    body
}

/// How a generation ended.
#[must_use]
pub fn done(events: &[Event]) -> &Completion {
    match events.last() {
        Some(Event::Done(done)) => done,
        other => panic!("an answer ends with Done: {other:?}"),
    }
}

/// What user and node signed.
#[must_use]
pub fn exchange(header: Signed<RequestHeader>, receipt: Receipt) -> Exchange {
    let [user, node] = [1, 2].map(|byte| SigningKey::from_seed(&[byte; 32]));
    let signers = Signers {
        request: user.public_key(),
        receipt: node.public_key(),
    };
    Exchange::checked(header, Signed::new(receipt, &node), &signers).expect("signed for each other")
}

/// Looks at a record.
pub async fn look(engine: &dyn Engine, work: &Work) -> Examined {
    examine(engine, work).await.expect("an engine of the class")
}

/// What is found.
pub async fn found(engine: &dyn Engine, work: &Work) -> Finding {
    look(engine, work).await.finding
}

/// The record of vectors, opened.
pub async fn embedded(provider: &Provider, signed: &SignedRequest) -> Work {
    let asked = atoma_openai::request::embedding(&signed.body).expect("a request for vectors");
    let (vectors, usage) = provider.engine.embed(asked.inputs).await.expect("vectors");
    let body = answer::embeddings(MODEL, &vectors, usage, asked.base64);
    let answer = Answer {
        events: Vec::new(),
        usage,
        fingerprint: None,
    };
    provider.work_of(signed, body.into(), &answer)
}

/// Has the node sign another receipt for it.
pub fn resign(work: &mut Work, receipt: Receipt) {
    work.exchange = exchange(work.exchange.header().clone(), receipt);
}
