//! An OpenAI-compatible server that answers at once: what is measured over it is what others add.
//!
//! It speaks HTTP/1.1 as vLLM does: chat and text completions, streamed and not, embeddings, scores
//! of prompts, models, health. It counts words as tokens and answers with "tok " so often.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

/// How the server answers.
#[derive(Debug, Clone)]
pub struct InstantOptions {
    /// Where to listen; port 0 takes any.
    pub address: SocketAddr,
    /// Tokens of an answer, unless the request asks for fewer.
    pub tokens: u32,
    /// Pause before each token of a stream; none sends all at once.
    pub pause: Option<Duration>,
    /// Answers every completion with this status instead.
    pub refuse: Option<u16>,
    /// Bearer token that requests must have.
    pub api_key: Option<String>,
    /// It says that it is vLLM with so long a context, and counts prompts: a token a word.
    pub context: Option<usize>,
}

impl Default for InstantOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            tokens: 16,
            pause: None,
            refuse: None,
            api_key: None,
            context: None,
        }
    }
}

/// A running server; dropping it stops it.
#[derive(Debug)]
pub struct InstantUpstream {
    address: SocketAddr,
    state: Arc<State>,
    accept: tokio::task::AbortHandle,
}

#[derive(Debug)]
struct State {
    options: InstantOptions,
    connections: AtomicU64,
    requests: AtomicU64,
    frames: AtomicU64,
    embeddings: AtomicU64,
    counted: AtomicU64,
    cancelled: AtomicU64,
    ill: AtomicBool,
    last_body: Mutex<Bytes>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    stream: bool,
    stream_options: Option<AskedOptions>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    model: String,
    prompt: serde_json::Value,
    input: serde_json::Value,
    messages: Vec<serde_json::Value>,
    prompt_logprobs: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AskedOptions {
    include_usage: bool,
}

impl InstantUpstream {
    /// Listens and answers in the background.
    ///
    /// # Errors
    /// If the address can't be had.
    pub async fn start(options: InstantOptions) -> std::io::Result<Self> {
        let listener = TcpListener::bind(options.address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            options,
            connections: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            embeddings: AtomicU64::new(0),
            counted: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            ill: AtomicBool::new(false),
            last_body: Mutex::default(),
        });
        let accept = tokio::spawn(accept(listener, state.clone())).abort_handle();
        Ok(Self {
            address,
            state,
            accept,
        })
    }

    /// Base URL of the server, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.state.connections.load(SeqCst)
    }

    /// Completions asked for so far.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(SeqCst)
    }

    /// Frames of streams sent so far: with a pause, how far answers are.
    pub fn frames(&self) -> u64 {
        self.state.frames.load(SeqCst)
    }

    /// Embeddings asked for so far. Each takes the pause.
    pub fn embeddings(&self) -> u64 {
        self.state.embeddings.load(SeqCst)
    }

    /// Bytes of bodies that it was to count so far.
    pub fn counted(&self) -> u64 {
        self.state.counted.load(SeqCst)
    }

    /// Streams whose readers left before the end.
    pub fn cancelled(&self) -> u64 {
        self.state.cancelled.load(SeqCst)
    }

    /// From now on `/health` says that it is ill, or well again.
    pub fn set_ill(&self, ill: bool) {
        self.state.ill.store(ill, SeqCst);
    }

    /// The body of the last completion asked for.
    pub fn last_body(&self) -> Bytes {
        self.state.last_body.lock().clone()
    }
}

impl Drop for InstantUpstream {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

/// Connections end with the accepting task: they live in its set.
async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        // Without it, small writes wait for acknowledgements.
        let _ = socket.set_nodelay(true);
        state.connections.fetch_add(1, SeqCst);
        let state = state.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| handle(request, state.clone()));
            let connection = hyper::server::conn::http1::Builder::new();
            // A peer that breaks off ends its own connection only.
            let _ = connection
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

type Reply = Response<ReplyBody>;

enum ReplyBody {
    Whole(Full<Bytes>),
    Stream(TokenStream),
}

async fn handle(request: Request<Incoming>, state: Arc<State>) -> Result<Reply, Infallible> {
    let path = request.uri().path().to_owned();
    if let Some(key) = &state.options.api_key {
        let expected = format!("Bearer {key}");
        let given = request
            .headers()
            .get("authorization")
            .and_then(|v| v.to_str().ok());
        if given != Some(&expected) {
            return Ok(reply(401, &json!({ "error": { "message": "bad key" } })));
        }
    }
    let body = request
        .into_body()
        .collect()
        .await
        .map(|b| b.to_bytes())
        .unwrap_or_default();
    let asked: Asked = serde_json::from_slice(&body).unwrap_or_default();
    Ok(match path.as_str() {
        "/health" if state.ill.load(SeqCst) => reply(503, &json!({})),
        "/health" => reply(200, &json!({})),
        "/v1/models" => reply(200, &models(state.options.context)),
        "/tokenize" if state.options.context.is_some() => {
            state.counted.fetch_add(body.len() as u64, SeqCst);
            reply(200, &json!({ "count": input_words(&asked) }))
        }
        "/v1/embeddings" => {
            state.embeddings.fetch_add(1, SeqCst);
            if let Some(pause) = state.options.pause {
                tokio::time::sleep(pause).await;
            }
            reply(200, &embeddings(&asked))
        }
        "/v1/chat/completions" | "/v1/completions" => {
            state.requests.fetch_add(1, SeqCst);
            *state.last_body.lock() = body;
            complete(&asked, path == "/v1/chat/completions", &state)
        }
        _ => reply(404, &json!({ "error": { "message": "no such path" } })),
    })
}

fn complete(asked: &Asked, chat: bool, state: &Arc<State>) -> Reply {
    if let Some(status) = state.options.refuse {
        return reply(status, &json!({ "error": { "message": "as told" } }));
    }
    let limit = asked
        .max_completion_tokens
        .or(asked.max_tokens)
        .unwrap_or(u32::MAX);
    let tokens = state.options.tokens.min(limit);
    let finish = if tokens < state.options.tokens {
        "length"
    } else {
        "stop"
    };
    let input = input_words(asked);
    let usage = json!({
        "prompt_tokens": input, "completion_tokens": tokens, "total_tokens": input + tokens as usize,
    });
    if asked.stream {
        let frames = frames(asked, chat, tokens, finish, &usage);
        let pause = state.options.pause;
        let sleep = pause.map(|pause| Box::pin(tokio::time::sleep(pause)));
        let stream = TokenStream {
            frames,
            next: 0,
            pause,
            sleep,
            state: state.clone(),
        };
        let response = Response::builder().header("content-type", "text/event-stream");
        return response
            .body(ReplyBody::Stream(stream))
            .unwrap_or_else(|_| reply(500, &json!({})));
    }
    let text = "tok ".repeat(tokens as usize);
    let mut choice = if chat {
        json!({ "index": 0, "message": { "role": "assistant", "content": text } })
    } else {
        json!({ "index": 0, "text": text })
    };
    choice["finish_reason"] = json!(finish);
    if asked.prompt_logprobs.is_some() {
        choice["prompt_logprobs"] = prompt_logprobs(&asked.prompt);
    }
    let object = if chat {
        "chat.completion"
    } else {
        "text_completion"
    };
    let mut body = head(asked, object);
    body["choices"] = json!([choice]);
    body["usage"] = usage;
    reply(200, &body)
}

fn models(context: Option<usize>) -> serde_json::Value {
    let data = context
        .map(|context| json!({ "id": "instant", "owned_by": "vllm", "max_model_len": context }));
    json!({ "object": "list", "data": data.as_slice() })
}

fn input_words(asked: &Asked) -> usize {
    match &asked.prompt {
        serde_json::Value::Array(tokens) => tokens.len(),
        serde_json::Value::String(text) => text.split_whitespace().count(),
        _ => asked.messages.iter().map(|m| words(&m["content"])).sum(),
    }
}

fn words(content: &serde_json::Value) -> usize {
    content
        .as_str()
        .map_or(0, |text| text.split_whitespace().count())
}

fn head(asked: &Asked, object: &str) -> serde_json::Value {
    json!({ "id": "instant", "object": object, "created": 1, "model": asked.model })
}

/// All frames of a stream, ready to send.
fn frames(
    asked: &Asked,
    chat: bool,
    tokens: u32,
    finish: &str,
    usage: &serde_json::Value,
) -> Vec<Bytes> {
    let object = if chat {
        "chat.completion.chunk"
    } else {
        "text_completion"
    };
    let frame = |choices: serde_json::Value, usage: Option<&serde_json::Value>| {
        let mut frame = head(asked, object);
        frame["choices"] = choices;
        if let Some(usage) = usage {
            frame["usage"] = usage.clone();
        }
        Bytes::from(format!("data: {frame}\n\n"))
    };
    let token = if chat {
        frame(
            json!([{ "index": 0, "delta": { "content": "tok " } }]),
            None,
        )
    } else {
        frame(json!([{ "index": 0, "text": "tok " }]), None)
    };
    let mut frames = vec![token; tokens as usize];
    let end = if chat {
        json!({ "delta": {} })
    } else {
        json!({ "text": "" })
    };
    let mut end = end;
    end["index"] = json!(0);
    end["finish_reason"] = json!(finish);
    frames.push(frame(json!([end]), None));
    if asked
        .stream_options
        .as_ref()
        .is_some_and(|o| o.include_usage)
    {
        frames.push(frame(json!([]), Some(usage)));
    }
    frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    frames
}

/// Every token of the prompt as likely as can be, its successor a little less.
fn prompt_logprobs(prompt: &serde_json::Value) -> serde_json::Value {
    let tokens: Vec<u64> = prompt
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|t| t.as_u64())
        .collect();
    let position = |(i, token): (usize, &u64)| {
        (i > 0).then(|| {
            json!({
                token.to_string(): { "logprob": -0.1, "rank": 1 },
                (token + 1).to_string(): { "logprob": -2.5, "rank": 2 },
            })
        })
    };
    json!(tokens.iter().enumerate().map(position).collect::<Vec<_>>())
}

fn embeddings(asked: &Asked) -> serde_json::Value {
    let inputs = asked
        .input
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![asked.input.clone()]);
    let data: Vec<_> = (0..inputs.len())
        .map(|i| json!({ "object": "embedding", "index": i, "embedding": [0.6, 0.8] }))
        .collect();
    let tokens: usize = inputs.iter().map(words).sum();
    json!({ "object": "list", "data": data, "usage": { "prompt_tokens": tokens } })
}

fn reply(status: u16, body: &serde_json::Value) -> Reply {
    let mut reply = Response::new(ReplyBody::Whole(Full::new(body.to_string().into())));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply
}

/// Frames one by one; counts readers who leave early.
struct TokenStream {
    frames: Vec<Bytes>,
    next: usize,
    pause: Option<Duration>,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
    state: Arc<State>,
}

impl Drop for TokenStream {
    fn drop(&mut self) {
        if self.next < self.frames.len() {
            self.state.cancelled.fetch_add(1, SeqCst);
        }
    }
}

impl TokenStream {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(frame) = self.frames.get(self.next).cloned() else {
            return Poll::Ready(None);
        };
        if let (Some(sleep), Some(pause)) = (&mut self.sleep, self.pause) {
            std::task::ready!(std::future::Future::poll(sleep.as_mut(), cx));
            let next = sleep.deadline() + pause;
            sleep.as_mut().reset(next);
        }
        self.next += 1;
        self.state.frames.fetch_add(1, SeqCst);
        Poll::Ready(Some(frame))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx),
            Self::Stream(stream) => stream
                .poll(cx)
                .map(|frame| frame.map(|f| Ok(Frame::data(f)))),
        }
    }

    /// Known for whole answers, so that they have a length and aren't chunked.
    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream(_) => hyper::body::SizeHint::default(),
        }
    }
}
