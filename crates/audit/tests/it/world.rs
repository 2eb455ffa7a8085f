//! A provider that serves as a node does, or as a cheat would, and an auditor with an engine of its own.

use atoma_audit::{Body, Examined, Exchange, Finding, Promised, Signers, Work, examine};
use atoma_engine::{
    Completion, Embedded, EmbeddedOptions, Engine, Event, GenerateRequest, builtin,
    testing::RandomModel,
};
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
use std::sync::Arc;

/// The model's name in every task here.
pub(crate) const MODEL: &str = "atoma-tiny";

/// The salt of every request here.
pub(crate) fn salt() -> Salt {
    Salt::new([9; 32])
}

/// A node that serves, and what its task promises.
pub(crate) struct Provider {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) task: Promised,
}

/// A signed request with its body.
#[derive(Clone)]
pub(crate) struct SignedRequest {
    pub(crate) header: Signed<RequestHeader>,
    pub(crate) body: Bytes,
}

/// An answer on its way to its record; whatever a cheat changes, it changes here.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) events: Vec<Event>,
    pub(crate) usage: Usage,
    pub(crate) fingerprint: Option<[u8; 32]>,
}

/// How an engine is set up where nothing depends on it.
pub(crate) fn options(threads: usize, token_budget: usize) -> EmbeddedOptions {
    EmbeddedOptions {
        threads: Some(threads),
        token_budget,
        ..EmbeddedOptions::default()
    }
}

/// The built-in model.
pub(crate) fn tiny(options: EmbeddedOptions) -> Arc<dyn Engine> {
    Arc::new(builtin::load_with(options).expect("loaded"))
}

/// A model with random weights, which seldom comes to an end: `seed` makes another one.
pub(crate) fn endless(seed: u64) -> Arc<dyn Engine> {
    random(seed, false)
}

/// The same, with weights that were rounded to half their bits.
pub(crate) fn rounded(seed: u64) -> Arc<dyn Engine> {
    random(seed, true)
}

fn random(seed: u64, bf16: bool) -> Arc<dyn Engine> {
    let folder = tempfile::tempdir().expect("a folder");
    let model = RandomModel {
        vocab: 3072,
        seed,
        bf16,
        ..RandomModel::small()
    };
    model.write(folder.path()).expect("written");
    Arc::new(Embedded::open(folder.path(), options(2, 64)).expect("loaded"))
}

/// A model whose template calls tools in tags.
pub(crate) fn caller(options: EmbeddedOptions) -> Arc<dyn Engine> {
    let folder = tempfile::tempdir().expect("a folder");
    let model = RandomModel {
        vocab: 4096,
        ..RandomModel::small()
    };
    model.write(folder.path()).expect("written");
    let template =
        "{{ messages[0].content }}{% if tools %} <tool_call>{{ tools|tojson }}{% endif %}";
    std::fs::write(folder.path().join("chat_template.jinja"), template).expect("written");
    Arc::new(Embedded::open(folder.path(), options).expect("loaded"))
}

/// A chat that says this, with these fields beside it.
pub(crate) fn chat(text: &str, more: Value) -> (Endpoint, Value) {
    let mut body = json!({ "model": MODEL, "messages": [{ "role": "user", "content": text }] });
    extend(&mut body, more);
    (Endpoint::ChatCompletions, body)
}

/// A completion of this.
pub(crate) fn completion(text: &str, more: Value) -> (Endpoint, Value) {
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
pub(crate) fn sign((endpoint, body): (Endpoint, Value)) -> SignedRequest {
    sign_body(endpoint, body.to_string().into_bytes())
}

pub(crate) fn sign_body(endpoint: Endpoint, body: Vec<u8>) -> SignedRequest {
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

impl Provider {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
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
    pub(crate) fn request(&self, signed: &SignedRequest) -> GenerateRequest {
        let request = atoma_openai::replay(&signed.header, &signed.body, self.engine.info());
        let body: Value = serde_json::from_slice(&signed.body).expect("JSON");
        GenerateRequest {
            max_tokens: body["max_tokens"].as_u64().unwrap_or(40) as u32,
            ..request.expect("a request that is served")
        }
    }

    /// Serves a request as it is.
    pub(crate) async fn serve(&self, signed: &SignedRequest) -> Answer {
        self.run(self.request(signed)).await
    }

    /// Runs the engine for whatever request.
    pub(crate) async fn run(&self, request: GenerateRequest) -> Answer {
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
    pub(crate) fn work(&self, signed: &SignedRequest, answer: &Answer) -> Work {
        self.work_of(signed, write(signed, answer), answer)
    }

    /// The same with another body.
    pub(crate) fn work_of(&self, signed: &SignedRequest, body: Bytes, answer: &Answer) -> Work {
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

/// The answer's body as a node writes it.
pub(crate) fn write(signed: &SignedRequest, answer: &Answer) -> Bytes {
    let asked: Value = serde_json::from_slice(&signed.body).expect("JSON");
    let kind = match signed.header.message().endpoint {
        Endpoint::ChatCompletions => Kind::Chat,
        _ => Kind::Completion,
    };
    let head = Head {
        id: "chatcmpl-1".to_owned(),
        created: 1_700_000_000,
        model: MODEL.to_owned(),
        system_fingerprint: "fp_1".to_owned(),
    };
    let finish = done(&answer.events).finish;
    if asked["stream"] == true {
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

/// The frames of events, without an end.
pub(crate) fn pieces(frames: &mut Frames, events: &[Event]) -> Vec<u8> {
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
pub(crate) fn done(events: &[Event]) -> &Completion {
    match events.last() {
        Some(Event::Done(done)) => done,
        other => panic!("an answer ends with Done: {other:?}"),
    }
}

/// What user and node signed.
pub(crate) fn exchange(header: Signed<RequestHeader>, receipt: Receipt) -> Exchange {
    let [user, node] = [1, 2].map(|byte| SigningKey::from_seed(&[byte; 32]));
    let signers = Signers {
        request: user.public_key(),
        receipt: node.public_key(),
    };
    Exchange::checked(header, Signed::new(receipt, &node), &signers).expect("signed for each other")
}

/// Looks at a record.
pub(crate) async fn look(engine: &dyn Engine, work: &Work) -> Examined {
    examine(engine, work).await.expect("an engine of the class")
}

/// What is found.
pub(crate) async fn found(engine: &dyn Engine, work: &Work) -> Finding {
    look(engine, work).await.finding
}

/// The record of vectors, opened.
pub(crate) async fn embedded(provider: &Provider, signed: &SignedRequest) -> Work {
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
