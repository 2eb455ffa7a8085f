//! A model's own tokenizer and chat template.

use minijinja::value::Kwargs;
use minijinja::{Environment, ErrorKind, Value, context};
use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::{EngineError, Prompt};

const TEMPLATE: &str = "chat";

/// Text to tokens and back, as the model was trained.
#[derive(Debug)]
pub(crate) struct TextModel {
    tokenizer: Tokenizer,
    /// None when the folder has no chat template.
    template: Option<Environment<'static>>,
    bos: String,
    eos: String,
}

/// The parts of `tokenizer_config.json` that matter here.
#[derive(Deserialize, Default)]
#[serde(default)]
struct TokenizerConfig {
    bos_token: Option<TokenText>,
    eos_token: Option<TokenText>,
    chat_template: Option<Template>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TokenText {
    Plain(String),
    Added { content: String },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Template {
    One(String),
    Named(Vec<NamedTemplate>),
}

#[derive(Deserialize)]
struct NamedTemplate {
    name: String,
    template: String,
}

impl TextModel {
    /// From the texts of `tokenizer.json`, `tokenizer_config.json` and `chat_template.jinja`.
    pub(crate) fn new(
        tokenizer: &[u8],
        config: Option<&[u8]>,
        template: Option<&[u8]>,
    ) -> Result<Self, String> {
        let mut tokenizer =
            Tokenizer::from_bytes(tokenizer).map_err(|e| format!("tokenizer.json: {e}"))?;
        // Counting must see the whole prompt.
        tokenizer
            .with_truncation(None)
            .map_err(|e| e.to_string())?
            .with_padding(None);
        let config: TokenizerConfig = match config {
            Some(text) => {
                serde_json::from_slice(text).map_err(|e| format!("tokenizer_config.json: {e}"))?
            }
            None => TokenizerConfig::default(),
        };
        let template = match template {
            Some(text) => Some(String::from_utf8_lossy(text).into_owned()),
            None => config.chat_template.and_then(Template::default_text),
        };
        let text = |token: Option<TokenText>| match token {
            Some(TokenText::Plain(text) | TokenText::Added { content: text }) => text,
            None => String::new(),
        };
        Ok(Self {
            tokenizer,
            template: template.map(environment).transpose()?,
            bos: text(config.bos_token),
            eos: text(config.eos_token),
        })
    }

    /// The end token of `tokenizer_config.json`.
    pub(crate) fn eos_id(&self) -> Option<u32> {
        self.tokenizer.token_to_id(&self.eos)
    }

    /// The prompt as the model reads it.
    pub(crate) fn encode(&self, prompt: &Prompt) -> Result<Vec<u32>, EngineError> {
        match prompt {
            Prompt::Tokens(tokens) => Ok(tokens.clone()),
            Prompt::Text(text) => self.encode_text(text, true),
            // Templates write the special tokens themselves.
            Prompt::Chat { .. } => self.encode_text(&self.render(prompt)?, false),
        }
    }

    fn encode_text(&self, text: &str, special: bool) -> Result<Vec<u32>, EngineError> {
        let encoding = self
            .tokenizer
            .encode_fast(text, special)
            .map_err(|e| EngineError::BadRequest(format!("can't be tokenized: {e}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    fn render(&self, prompt: &Prompt) -> Result<String, EngineError> {
        let Prompt::Chat { messages, tools } = prompt else {
            return Err(EngineError::Internal(
                "only conversations have a template".into(),
            ));
        };
        let template = self
            .template
            .as_ref()
            .and_then(|environment| environment.get_template(TEMPLATE).ok())
            .ok_or_else(|| EngineError::BadRequest("the model has no chat template".into()))?;
        let values = context! {
            messages => Value::from_serialize(messages),
            tools => tools.as_ref().map(Value::from_serialize),
            add_generation_prompt => true,
            bos_token => self.bos,
            eos_token => self.eos,
        };
        template.render(values).map_err(|e| {
            let why = e
                .detail()
                .unwrap_or("the conversation doesn't fit it")
                .to_owned();
            EngineError::BadRequest(format!("chat template: {why}"))
        })
    }

    /// Text of tokens, special ones left out. Incomplete characters become U+FFFD.
    pub(crate) fn decode(&self, tokens: &[u32]) -> String {
        // Decoders fail on malformed configurations only, which loading has tried.
        self.tokenizer.decode(tokens, true).unwrap_or_default()
    }

    /// One token alone, special ones included.
    pub(crate) fn piece(&self, token: u32) -> String {
        self.tokenizer.decode(&[token], false).unwrap_or_default()
    }
}

impl Template {
    fn default_text(self) -> Option<String> {
        match self {
            Self::One(text) => Some(text),
            Self::Named(named) => named
                .into_iter()
                .find(|t| t.name == "default")
                .map(|t| t.template),
        }
    }
}

/// A template environment that behaves as Hugging Face's does.
fn environment(template: String) -> Result<Environment<'static>, String> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function(
        "raise_exception",
        |text: String| -> Result<Value, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, text))
        },
    );
    // A clock would make the prompt, and so the answer, irreproducible.
    environment.add_function("strftime_now", |_format: String| "");
    environment.add_filter(
        "tojson",
        |value: Value, options: Kwargs| -> Result<Value, minijinja::Error> {
            let indent: Option<usize> = options.get("indent").unwrap_or(None);
            let json = if indent.is_some() {
                serde_json::to_string_pretty(&value)
            } else {
                serde_json::to_string(&value)
            };
            json.map(Value::from_safe_string)
                .map_err(|e| minijinja::Error::new(ErrorKind::BadSerialization, e.to_string()))
        },
    );
    environment
        .add_template_owned(TEMPLATE, template)
        .map_err(|e| format!("chat template: {e}"))?;
    Ok(environment)
}
