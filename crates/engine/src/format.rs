//! Answers whose form is given: JSON that fits a schema, or calls of tools.
//!
//! Before each choice, tokens with which the answer could no longer get the form are forbidden: their
//! logits become [`FORBIDDEN`]. Which those are follows from the form and the tokens so far, so a
//! formed answer can be checked as exactly as any other. The answer ends when nothing can follow.

use std::sync::{Arc, OnceLock};

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, SimpleVob, TokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory};
use serde_json::Value;

use crate::text::TextModel;
use crate::{BadForm, EngineError, EngineFault, Format};

/// What a forbidden token's logit becomes: finite, so that no filter computes with infinities, and
/// beyond what any noise makes up for.
pub(crate) const FORBIDDEN: f32 = -1e30;
/// Longer schemas are mistakes or attacks.
const MAX_SCHEMA_BYTES: usize = 64 << 10;

/// Makes [`Guide`]s for one model.
pub(crate) struct Formats {
    text: Arc<TextModel>,
    vocab: usize,
    eos: Vec<u32>,
    /// Made when first needed: it takes a moment with a large vocabulary.
    factory: OnceLock<Result<ParserFactory, BadForm>>,
}

/// Guides one answer.
pub(crate) struct Guide {
    matcher: Matcher,
    eos: Arc<[u32]>,
}

/// Which tokens may follow.
#[derive(Debug)]
pub(crate) struct Mask {
    allowed: SimpleVob,
    eos: Arc<[u32]>,
}

impl Formats {
    pub(crate) fn new(text: Arc<TextModel>, vocab: usize, eos: Vec<u32>) -> Self {
        Self {
            text,
            vocab,
            eos,
            factory: OnceLock::new(),
        }
    }

    /// A guide to answers of this form. Takes milliseconds.
    pub(crate) fn guide(&self, format: &Format) -> Result<Guide, BadForm> {
        let grammar = match format {
            Format::ToolCall { tools, name } => {
                let syntax = self.text.call_syntax().ok_or(BadForm::NoCallSyntax)?;
                let grammar = syntax.grammar(tools, name.as_deref(), &style());
                TopLevelGrammar::from_lark(grammar.ok_or(BadForm::NoSuchTool)?)
            }
            _ => TopLevelGrammar::from_json_schema(schema_of(format)?),
        };
        let factory = self.factory.get_or_init(|| self.factory());
        let factory = factory.as_ref().map_err(Clone::clone)?;
        let matcher = Matcher::new(factory.create_parser(grammar));
        match matcher.get_error() {
            None => Ok(Guide {
                matcher,
                eos: self.eos.clone().into(),
            }),
            Some(why) => Err(BadForm::Schema(why)),
        }
    }

    fn factory(&self) -> Result<ParserFactory, BadForm> {
        let eos = self.eos.first().ok_or(BadForm::NoEndToken)?;
        let Ok(vocab) = u32::try_from(self.vocab) else {
            panic!("no model with so large a vocabulary is loaded");
        };
        let words: Vec<Vec<u8>> = (0..vocab)
            .map(|token| match self.text.is_special(token) {
                // No text: what grammars spell never matches it.
                true => [
                    &[TokTrie::SPECIAL_TOKEN_MARKER],
                    &self.text.bytes(token)[..],
                ]
                .concat(),
                false => self.text.bytes(token),
            })
            .collect();
        let trie = TokTrie::from(&TokRxInfo::new(vocab, *eos), &words);
        let environment: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new_simple(&environment)
            .map_err(|error| BadForm::Schema(error.to_string()))?;
        factory.quiet();
        factory.limits_mut().verbose_errors = false;
        Ok(factory)
    }
}

/// The schema of an answer that is JSON.
fn schema_of(format: &Format) -> Result<Value, BadForm> {
    let mut schema: Value = match format {
        Format::JsonSchema(schema) if schema.text().len() > MAX_SCHEMA_BYTES => {
            return Err(BadForm::SchemaTooLong(MAX_SCHEMA_BYTES));
        }
        Format::JsonSchema(schema) => {
            let schema = serde_json::from_str(schema.text());
            schema.map_err(|error| BadForm::Schema(error.to_string()))?
        }
        _ => serde_json::json!({ "type": "object" }),
    };
    match &mut schema {
        Value::Object(schema) => _ = schema.insert("x-guidance".to_owned(), style()),
        Value::Bool(_) => {}
        _ => return Err(BadForm::NoSchema),
    }
    Ok(schema)
}

/// JSON as models write it on one line. With free whitespace, small models never end a line.
fn style() -> Value {
    serde_json::json!({
        "whitespace_flexible": false,
        "item_separator": ", ",
        "key_separator": ": ",
    })
}

impl Guide {
    /// What may follow the answer so far.
    ///
    /// # Errors
    /// If working that out takes more steps than allowed.
    pub(crate) fn mask(&mut self) -> Result<Mask, EngineError> {
        let allowed = self.matcher.compute_mask();
        let allowed = allowed.map_err(|error| EngineFault::Grammar(error.to_string()))?;
        let eos = self.eos.clone();
        Ok(Mask { allowed, eos })
    }

    /// Takes a token in; true when nothing can follow it.
    pub(crate) fn push(&mut self, token: u32) -> bool {
        self.matcher.consume_token(token).is_err() || self.matcher.is_stopped()
    }
}

impl Mask {
    /// Forbids the other tokens.
    pub(crate) fn apply(&self, logits: &mut [f32]) {
        let ends = self
            .eos
            .first()
            .is_some_and(|eos| self.allowed.is_allowed(*eos));
        for (token, logit) in (0u32..).zip(logits) {
            let allowed = self.allowed.is_allowed(token) || (ends && self.eos.contains(&token));
            if !allowed {
                *logit = FORBIDDEN;
            }
        }
    }
}

impl std::fmt::Debug for Formats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Formats").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Guide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guide").finish_non_exhaustive()
    }
}
