//! What was computed is held against what was told and charged.

use crate::{Finding, Reason, Rerun, Work, asked::Shape, told::Told};
use atoma_engine::{Completion, Event, Finish};
use atoma_openai::{
    answer::{self, Head},
    frames::{Frames, Kind},
    whole::Whole,
};
use atoma_types::{Usage, hash::Hash32, message::CommitmentKind};

/// What the engine gave for the request.
#[derive(Clone, Debug, PartialEq)]
pub enum Recomputed {
    /// A text, event by event; the last one is `Done`.
    Text(Vec<Event>),
    /// Vectors, in the order of the inputs.
    Vectors {
        /// One for each input.
        vectors: Vec<Vec<f32>>,
        /// What they used together.
        usage: Usage,
    },
    /// Nothing: the engine doesn't take the request.
    Refused,
}

impl Recomputed {
    /// The digest of what was computed: the fingerprint of a text's scores, or the hash of vectors' bits.
    #[must_use]
    pub fn digest(&self) -> Option<Hash32> {
        match self {
            Self::Text(events) => done(events).map(|done| Hash32(done.fingerprint)),
            Self::Vectors { vectors, .. } => {
                let floats = vectors.iter().flatten();
                let bytes: Vec<u8> = floats.flat_map(|number| number.to_le_bytes()).collect();
                Some(Hash32::of(&bytes))
            }
            Self::Refused => None,
        }
    }
}

/// The finding, now that the answer was computed again.
#[must_use]
pub fn judge(work: &Work, rerun: &Rerun, recomputed: &Recomputed) -> Finding {
    match differs(work, rerun, recomputed) {
        Some(reason) => Finding::Guilty(reason),
        None => Finding::Honest,
    }
}

fn differs(work: &Work, rerun: &Rerun, recomputed: &Recomputed) -> Option<Reason> {
    let receipt = work.receipt();
    let prompt = |usage: &Usage| usage.prompt_tokens() != receipt.usage.prompt_tokens();
    match recomputed {
        Recomputed::Refused => Some(Reason::Request),
        Recomputed::Vectors { vectors, usage } => {
            let told = rerun.told();
            let body = answer::embeddings("", vectors, *usage, rerun.shape().is_base64());
            let expected = Told::read(rerun.shape(), &body)?;
            first([
                (prompt(usage), Reason::Prompt),
                (told.vectors != expected.vectors, Reason::Vectors),
            ])
        }
        Recomputed::Text(events) => {
            // an engine's stream ends with it
            let done = done(events)?;
            let scores = scores_differ(work, done);
            let counted = done.usage.output != receipt.usage.output;
            first([
                (prompt(&done.usage), Reason::Prompt),
                (scores, Reason::Scores),
                (counted, Reason::Output),
            ])
            .or_else(|| said_differs(rerun, events, done))
        }
    }
}

fn scores_differ(work: &Work, done: &Completion) -> bool {
    let promised = work.receipt().output_fingerprint;
    let answer = work.bodies.as_ref().map(|[_, answer]| answer);
    promised.zip(answer).is_some_and(|(promised, answer)| {
        let salt = &answer.salt;
        salt.commit(CommitmentKind::Fingerprint, &done.fingerprint) != promised
    })
}

/// Holds what the answer says against what the computed tokens say.
fn said_differs(rerun: &Rerun, events: &[Event], done: &Completion) -> Option<Reason> {
    let told = rerun.told();
    let whole = expected(rerun.shape(), events, done.usage, done.finish)?;
    if told.finish.is_some() {
        return first([
            (!told.says_the_same(&whole), Reason::Text),
            (told.calls != whole.calls, Reason::Calls),
            (told.logprobs != whole.logprobs, Reason::Logprobs),
            (told.finish != whole.finish, Reason::Finish),
        ]);
    }
    // Its client left in the middle, and pays for what was computed: all that was told is the beginning of it.
    first([
        (!whole.goes_on_text(told), Reason::Text),
        (!whole.goes_on_calls(told), Reason::Calls),
        (!whole.goes_on_logprobs(told), Reason::Logprobs),
    ])
}

/// What a node tells of these events, read as an answer is read.
fn expected(shape: Shape, events: &[Event], usage: Usage, finish: Finish) -> Option<Told> {
    let head = Head {
        id: String::new(),
        created: 0,
        model: String::new(),
        system_fingerprint: String::new(),
    };
    let kind = match shape {
        Shape::Chat { .. } => Kind::Chat,
        Shape::Completion { .. } | Shape::Vectors { .. } => Kind::Completion,
    };
    if shape.is_stream() {
        let mut frames = Frames::new(head, kind, false);
        let mut body = Vec::new();
        for event in events {
            match event {
                Event::Token(token) => body.extend(frames.token(token)),
                Event::Piece(piece) => body.extend(frames.piece(piece)),
                Event::Started { .. } | Event::Done(_) => {}
            }
        }
        body.extend(frames.finish(finish, usage));
        return Told::read(shape, &body);
    }
    let mut whole = Whole::new(true);
    for event in events {
        match event {
            Event::Token(token) => whole.token(token),
            Event::Piece(piece) => whole.piece(piece.clone()),
            Event::Started { .. } | Event::Done(_) => {}
        }
    }
    let said = whole.end(finish);
    let body = match kind {
        Kind::Chat => answer::chat(&head, &said, usage),
        Kind::Completion => answer::completion(&head, &said, usage),
    };
    Told::read(shape, &body)
}

fn done(events: &[Event]) -> Option<&Completion> {
    match events.last() {
        Some(Event::Done(completion)) => Some(completion),
        _ => None,
    }
}

fn first<const N: usize>(checks: [(bool, Reason); N]) -> Option<Reason> {
    let mut failed = checks.into_iter().filter(|(fails, _)| *fails);
    failed.next().map(|(_, reason)| reason)
}
