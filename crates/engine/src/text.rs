//! A model's own tokenizer and chat template.

use atoma_runtime::WithCauses;
use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::alphabet::Alphabet;
use crate::load_error::TokenizerError;
use crate::template::{ChatTemplate, Configured, TemplateError, Templates};
use crate::tool_calls::Syntax;
use crate::{BadRequest, ChatMessage, Conversation, EngineError, Prompt, RawJson};

/// The files that a [`TextModel`] is made of, where a model has them.
pub(crate) const TEXT_FILES: [&str; 5] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "chat_template.json",
    "additional_chat_templates/tool_use.jinja",
];

/// Those of them that few models have.
pub(crate) const RARE_TEXT_FILES: [&str; 2] = [
    "chat_template.json",
    "additional_chat_templates/tool_use.jinja",
];

/// Text to tokens and back, as the model was trained.
#[derive(Debug)]
pub(crate) struct TextModel {
    tokenizer: Tokenizer,
    alphabet: Alphabet,
    /// None when the folder has no chat template; an error when it can't be read, which only
    /// conversations feel.
    template: Result<Option<ChatTemplate>, TemplateError>,
    eos: Option<String>,
}

/// The parts of `tokenizer_config.json` that matter here.
#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenizerConfig {
    bos_token: Option<TokenText>,
    eos_token: Option<TokenText>,
    unk_token: Option<TokenText>,
    sep_token: Option<TokenText>,
    pad_token: Option<TokenText>,
    cls_token: Option<TokenText>,
    mask_token: Option<TokenText>,
    chat_template: Option<Configured>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TokenText {
    Plain(String),
    Added { content: String },
}

/// Reads a `tokenizer.json`. Its crate panics at some that break off, and at the first prompt where their parts
/// don't fit each other: such a file is refused here, when a node starts.
fn read(file: Vec<u8>) -> Result<Tokenizer, TokenizerError> {
    let tried = std::panic::catch_unwind(|| {
        let tokenizer = Tokenizer::from_bytes(file)?;
        // what is an error is one for each prompt that meets it
        if let Ok(tokens) = tokenizer.encode_fast("A text.", true) {
            let _ = tokenizer.decode(tokens.get_ids(), true);
        }
        Ok(tokenizer)
    });
    let read = tried.map_err(|_| TokenizerError::Contradicts)?;
    read.map_err(TokenizerError::Tokenizer)
}

impl TextModel {
    /// From the files that `file` finds, by the names in [`TEXT_FILES`]. A template that can't be
    /// read is an error of conversations only.
    pub(crate) fn new(file: impl Fn(&str) -> Option<Vec<u8>>) -> Result<Self, TokenizerError> {
        let tokenizer = file("tokenizer.json").ok_or(TokenizerError::Absent)?;
        let alphabet = Alphabet::of(&tokenizer);
        let mut tokenizer = read(tokenizer)?;
        // Counting must see the whole prompt.
        tokenizer
            .with_truncation(None)
            .map_err(TokenizerError::Tokenizer)?
            .with_padding(None);
        let config: TokenizerConfig = match file("tokenizer_config.json") {
            Some(text) => serde_json::from_slice(&text).map_err(TokenizerError::Config)?,
            None => TokenizerConfig::default(),
        };
        let templates = Templates::choose(file, config.chat_template);
        let mut tokens = Vec::new();
        for (name, token) in [
            ("bos_token", config.bos_token),
            ("eos_token", config.eos_token),
            ("unk_token", config.unk_token),
            ("sep_token", config.sep_token),
            ("pad_token", config.pad_token),
            ("cls_token", config.cls_token),
            ("mask_token", config.mask_token),
        ] {
            if let Some(TokenText::Plain(text) | TokenText::Added { content: text }) = token {
                tokens.push((name.to_owned(), text));
            }
        }
        let eos = tokens.iter().find(|(name, _)| name == "eos_token");
        let eos = eos.map(|(_, text)| text.clone());
        let template = ChatTemplate::new(templates, tokens);
        if let Err(error) = &template {
            tracing::warn!(error = %WithCauses(&error), "the chat template can't be read; conversations are refused");
        }
        Ok(Self {
            tokenizer,
            alphabet,
            template,
            eos,
        })
    }

    /// The end token of `tokenizer_config.json`.
    pub(crate) fn eos_id(&self) -> Option<u32> {
        self.tokenizer.token_to_id(self.eos.as_deref()?)
    }

    /// The prompt as the model reads it.
    pub(crate) fn encode(&self, prompt: &Prompt) -> Result<Vec<u32>, EngineError> {
        match prompt {
            Prompt::Tokens(tokens) => Ok(tokens.clone()),
            Prompt::Text(text) => self.encode_text(text, true),
            // Templates write the special tokens themselves.
            Prompt::Chat(conversation) => self.encode_text(&self.render(conversation)?, false),
        }
    }

    /// How many tokens a prompt has, for somebody else's engine: where the template can't be read or
    /// refuses the conversation, an estimate from above, as that engine may do better.
    pub(crate) fn count(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        /// Tokens that a template may add per turn, generously.
        const PER_TURN: usize = 16;
        let Prompt::Chat(chat) = prompt else {
            return Ok(self.encode(prompt)?.len());
        };
        if let Ok(tokens) = self.encode(prompt) {
            return Ok(tokens.len());
        }
        let others = |m: &ChatMessage| {
            m.others
                .iter()
                .map(|(_, json)| json.text().len())
                .sum::<usize>()
        };
        let tools = chat.tools.as_ref().map_or("", RawJson::text);
        let mut tokens = self.encode_text(tools, false)?.len() + PER_TURN;
        for message in &chat.messages {
            let text = self.encode_text(message.text(), false)?.len();
            tokens += text + message.role.len() + others(message) + PER_TURN;
        }
        Ok(tokens)
    }

    /// Tokens of a text alone.
    pub(crate) fn count_text(&self, text: &str) -> usize {
        self.encode_text(text, false)
            .map_or(0, |tokens| tokens.len())
    }

    /// The tokens of a piece of an answer, as far as it can be known from its text.
    pub(crate) fn encode_answer(&self, text: &str) -> Result<Vec<u32>, EngineError> {
        self.encode_text(text, false)
    }

    fn encode_text(&self, text: &str, special: bool) -> Result<Vec<u32>, EngineError> {
        let encoding = self
            .tokenizer
            .encode_fast(text, special)
            .map_err(|e| BadRequest::Tokens(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    fn render(&self, conversation: &Conversation) -> Result<String, EngineError> {
        let bad = |TemplateError(why): TemplateError| BadRequest::ChatTemplate(why);
        let rendered = match &self.template {
            Ok(Some(template)) => template.render(conversation).map_err(bad),
            Ok(None) => Err(BadRequest::NoChatTemplate),
            Err(error) => Err(bad(error.clone())),
        };
        Ok(rendered?)
    }

    /// Text of tokens, special ones left out. Incomplete characters become U+FFFD.
    pub(crate) fn decode(&self, tokens: &[u32]) -> String {
        // Decoders fail on malformed configurations only, which loading has tried.
        self.tokenizer.decode(tokens, true).unwrap_or_default()
    }

    /// The bytes of one token alone, special ones included.
    pub(crate) fn bytes(&self, token: u32) -> Vec<u8> {
        self.alphabet.bytes(&self.tokenizer, token)
    }

    /// How the model writes calls of tools; none if its template shows no way that is known.
    pub(crate) fn call_syntax(&self) -> Option<Syntax> {
        self.template.as_ref().ok()?.as_ref()?.call_syntax()
    }

    /// Whether a token is no text: the end of a turn and its like.
    pub(crate) fn is_special(&self, token: u32) -> bool {
        let added = self.tokenizer.get_added_tokens_decoder();
        added.get(&token).is_some_and(|token| token.special)
    }

    /// Whether what a token decodes to depends on those before it.
    pub(crate) fn looks_back(&self) -> bool {
        self.alphabet != Alphabet::Bytes
    }
}
