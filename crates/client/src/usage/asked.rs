//! What a request's body says of how much can be charged for it.

use super::{EXPANDED_TOKENS, MEDIA_TOKENS, TEMPLATE_TOKENS, lines};
use atoma_types::message::Endpoint;
use memchr::{memchr3_iter, memmem::Finder};
use serde::{Deserialize, de::IgnoredAny};
use std::sync::LazyLock;

/// Looks for a text in bodies; made once, for that costs more than most searches.
type Text = LazyLock<Finder<'static>>;

/// How the URL of an image begins; another one is fetched by no node.
static IMAGE: Text = LazyLock::new(|| Finder::new("data:image"));
/// What is in the part of a message that is a sound, twice.
static SOUND: Text = LazyLock::new(|| Finder::new("input_audio"));
/// The fields by which an answer may hide more.
static STOP: Text = LazyLock::new(|| Finder::new("\"stop\""));
static ANSWERS: Text = LazyLock::new(|| Finder::new("\"n\""));
/// The tools that may be called.
static TOOLS: Text = LazyLock::new(|| Finder::new("\"tools\""));
/// What has a model say tokens that show no text, as many as it may.
static BIAS: Text = LazyLock::new(|| Finder::new("\"logit_bias\""));
/// By which a field's name may be written in another way: `"st\u006fp"`.
static ESCAPE: Text = LazyLock::new(|| Finder::new("\\u00"));
/// How characters begin that are written out as many others: U+FDC0 to U+FDFF and U+3300 to U+337F, as bytes and as
/// JSON escapes them.
const EXPANDING: [&[u8]; 6] = [
    b"\xef\xb7",
    b"\xe3\x8c",
    b"\xe3\x8d",
    b"\\ufd",
    b"\\uFD",
    b"\\u33",
];

/// What bounds the usage of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    endpoint: Endpoint,
    most_input: u64,
    answers: u64,
    longest_stop: u64,
    tools: bool,
    /// Tokens are preferred of which some show no text.
    biased: bool,
    /// It is sealed for others.
    unread: bool,
}

/// What [`STOP`], [`ANSWERS`], [`TOOLS`] and [`BIAS`] find.
#[derive(Default, Deserialize)]
struct Hiding {
    n: Option<u64>,
    stop: Option<Stop>,
    tools: Option<IgnoredAny>,
    logit_bias: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Many(Vec<String>),
}

impl Asked {
    /// Reads a body as it goes out. What isn't JSON is refused by its node, and charged by nobody.
    pub(crate) fn of(endpoint: Endpoint, body: &[u8]) -> Self {
        let has = |text: &Text| text.find(body).is_some();
        let media = IMAGE.find_iter(body).count() + SOUND.find_iter(body).count();
        let hiding: Option<Hiding> = match [&STOP, &ANSWERS, &TOOLS, &BIAS, &ESCAPE]
            .into_iter()
            .any(has)
        {
            true => serde_json::from_slice(body).ok(),
            false => None,
        };
        let hiding = hiding.unwrap_or_default();
        let longest_stop = match hiding.stop {
            None => 0,
            Some(Stop::One(stop)) => stop.len(),
            Some(Stop::Many(stops)) => stops.iter().map(String::len).max().unwrap_or(0),
        };
        let written = match endpoint {
            Endpoint::ChatCompletions => lines::most(body),
            // no template writes these
            Endpoint::Completions | Endpoint::Embeddings => 0,
        };
        let most_input = (body.len() as u64)
            .saturating_add(TEMPLATE_TOKENS)
            .saturating_add(written)
            .saturating_add(MEDIA_TOKENS.saturating_mul(media as u64))
            .saturating_add(EXPANDED_TOKENS.saturating_mul(expanding(body)));
        Self {
            endpoint,
            most_input,
            answers: hiding.n.unwrap_or(1).max(1),
            longest_stop: longest_stop as u64,
            tools: hiding.tools.is_some(),
            biased: hiding.logit_bias.is_some(),
            unread: false,
        }
    }

    /// Of a body that can't be read here: what bounds its usage is what was signed for, and whoever sealed it.
    pub(crate) fn unread(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            most_input: u64::MAX,
            answers: 1,
            longest_stop: 0,
            tools: false,
            biased: false,
            unread: true,
        }
    }

    /// Whether nothing is known of it.
    pub(super) fn is_unread(&self) -> bool {
        self.unread
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The most tokens that the prompt can have.
    pub(crate) fn most_input(&self) -> u64 {
        self.most_input
    }

    /// Answers that were asked for.
    pub(super) fn answers(&self) -> u64 {
        self.answers
    }

    /// Whether tools may be called.
    pub(super) fn tools(&self) -> bool {
        self.tools
    }

    /// Whether the user has the model say what it likes, of which text need not tell.
    pub(super) fn biased(&self) -> bool {
        self.biased
    }

    /// Bytes of the longest text that ends an answer and isn't shown.
    pub(super) fn longest_stop(&self) -> u64 {
        self.longest_stop
    }
}

/// How many characters may be written out as many others.
fn expanding(body: &[u8]) -> u64 {
    let begins = |place: &usize| {
        let rest = body.get(*place..).unwrap_or_default();
        EXPANDING.iter().any(|mark| rest.starts_with(mark))
    };
    memchr3_iter(b'\\', 0xe3, 0xef, body).filter(begins).count() as u64
}
