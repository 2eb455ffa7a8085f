//! What a signed request asks for, as a node that may serve it reads it.

use atoma_engine::{GenerateRequest, ModelInfo, Prompt};
use atoma_openai::request;
use atoma_types::message::{Endpoint, RequestHeader, Signed};

/// What an engine is asked.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// Text; its length is the receipt's.
    Text(Box<GenerateRequest>),
    /// A vector for each of these.
    Vectors(Vec<Prompt>),
}

/// The form that the answer must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A chat's message, or pieces of one.
    Chat { stream: bool },
    /// A completion's text, or pieces of it.
    Completion { stream: bool },
    /// Numbers, or base64 of them.
    Vectors { base64: bool },
}

/// A request that can be served.
#[derive(Clone, Debug)]
pub(crate) struct ServableRequest {
    pub asked: Asked,
    pub shape: Shape,
    /// The most output that it names.
    pub most: Option<u64>,
}

impl ServableRequest {
    /// Reads a request for this model; none if a node must refuse it.
    pub(crate) fn read(
        header: &Signed<RequestHeader>,
        body: &[u8],
        name: Option<&str>,
        model: &ModelInfo,
    ) -> Option<Self> {
        let endpoint = header.message().endpoint;
        let is_asked = |model: &str| name.is_none_or(|name| name == model);
        if endpoint == Endpoint::Embeddings {
            let asked = request::embedding(body).ok()?;
            let base64 = asked.base64;
            return is_asked(&asked.model).then_some(Self {
                asked: Asked::Vectors(asked.inputs),
                shape: Shape::Vectors { base64 },
                most: None,
            });
        }
        let mut asked = request::read_signed(header, body, model.defaults).ok()?;
        let is_served = !model.only_embeds && is_asked(&asked.model) && asked.server_only.is_none();
        let stream = asked.stream;
        let prompt = std::mem::replace(&mut asked.prompt, Prompt::Tokens(Vec::new()));
        is_served.then(|| Self {
            shape: match endpoint {
                Endpoint::ChatCompletions => Shape::Chat { stream },
                _ => Shape::Completion { stream },
            },
            most: asked.max_tokens.map(u64::from),
            asked: Asked::Text(Box::new(asked.engine_request(prompt, 1))),
        })
    }
}
