//! Fields that only servers behind a node understand. Each is read into its own type and written anew.

use super::{
    fields::{Fields, read},
    json::bad,
};
use atoma_engine::{Format, RawJson, ServerFields};
use atoma_types::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// OpenAI's limit on tools.
const MAX_TOOLS: usize = 128;
/// OpenAI's limit on tokens with a bias is 300; some vocabularies write one word in many ways.
const MAX_BIASES: usize = 1_024;
/// Variables of chat templates, those that common models have. Others could reach what a server does with the
/// template itself.
const TEMPLATE_VARIABLES: [&str; 11] = [
    "add_vision_id",
    "clear_thinking",
    "date_string",
    "enable_thinking",
    "model_identity",
    "preserve_thinking",
    "reasoning_effort",
    "thinking",
    "thinking_budget",
    "thinking_mode",
    "keep_all_reasoning",
];
/// The longest word among their values.
const MAX_WORD: usize = 64;

/// What was found of them.
#[derive(Default)]
pub(super) struct Server {
    pub(super) fields: ServerFields,
    /// The first that says something: an engine in the node refuses the request for it.
    pub(super) first: Option<&'static str>,
    /// The form of the answer, for an engine in the node.
    pub(super) format: Option<Format>,
    /// Whether the model may call tools, for an engine in the node.
    pub(super) tool_choice: atoma_engine::ToolChoice,
}

/// A tool that the model may call.
#[derive(Deserialize, Serialize)]
pub(super) struct Tool<'a> {
    #[serde(rename = "type")]
    kind: FunctionKind,
    #[serde(borrow)]
    function: ToolFunction<'a>,
}

#[derive(Deserialize, Serialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum FunctionKind {
    Function,
}

#[derive(Deserialize, Serialize)]
struct ToolFunction<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// A JSON schema, in the order in which it was written.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum ToolChoice {
    Mode(ToolMode),
    One {
        #[serde(rename = "type")]
        kind: FunctionKind,
        function: Named,
    },
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum ToolMode {
    None,
    Auto,
    Required,
}

#[derive(Deserialize, Serialize)]
struct Named {
    name: String,
}

#[derive(Deserialize, Serialize)]
struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    kind: FormatKind,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    json_schema: Option<Schema<'a>>,
}

#[derive(Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum FormatKind {
    Text,
    JsonObject,
    JsonSchema,
}

#[derive(Deserialize, Serialize)]
struct Schema<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// In the order in which it was written: answers follow it.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    schema: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
}

/// The value of a template's variable.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Variable {
    Switch(bool),
    Number(u32),
    Word(String),
}

impl ResponseFormat<'_> {
    /// The form that the answer must have.
    fn form(&self) -> Result<Option<Format>, Refusal> {
        match self.kind {
            FormatKind::Text => Ok(None),
            FormatKind::JsonObject => Ok(Some(Format::JsonObject)),
            FormatKind::JsonSchema => {
                let schema = self.json_schema.as_ref().and_then(|schema| schema.schema);
                let missing = || bad("response_format", "`json_schema.schema` is missing");
                let schema = read("response_format", schema.ok_or_else(missing)?)?;
                Ok(Some(Format::JsonSchema(schema)))
            }
        }
    }
}

impl Server {
    /// Those of both kinds of generation.
    pub(super) fn both(&mut self, fields: &mut Fields<'_>) -> Result<(), Refusal> {
        let format: Option<ResponseFormat<'_>> = fields.take("response_format")?;
        if let Some(format) = format {
            self.format = format.form()?;
            if format.kind != FormatKind::Text {
                self.keep("response_format", &format);
            }
        }
        let biases: Option<BTreeMap<String, f32>> = fields.take("logit_bias")?;
        let biases = biases.unwrap_or_default();
        let is_wrong = |(token, bias): (&String, &f32)| {
            token.parse::<u32>().is_err() || !(-100.0..=100.0).contains(bias)
        };
        if biases.len() > MAX_BIASES || biases.iter().any(is_wrong) {
            let message = "token ids with numbers between -100 and 100, at most 1024";
            return Err(bad("logit_bias", message));
        }
        if !biases.is_empty() {
            self.add("logit_bias", &biases);
        }
        Ok(())
    }

    /// Whether the model may call tools.
    pub(super) fn tool_choice(&mut self, fields: &mut Fields<'_>) -> Result<(), Refusal> {
        if let Some(choice) = fields.take::<ToolChoice>("tool_choice")? {
            self.keep("tool_choice", &choice);
            self.tool_choice = match choice {
                ToolChoice::Mode(ToolMode::Auto) => atoma_engine::ToolChoice::Auto,
                ToolChoice::Mode(ToolMode::None) => atoma_engine::ToolChoice::None,
                ToolChoice::Mode(ToolMode::Required) => atoma_engine::ToolChoice::Required,
                ToolChoice::One { function, .. } => atoma_engine::ToolChoice::Named(function.name),
            };
        }
        Ok(())
    }

    /// Those of a chat, but its messages and tools; the variables of its template are given back.
    pub(super) fn chat(&mut self, fields: &mut Fields<'_>) -> Result<Option<RawJson>, Refusal> {
        if let Some(parallel) = fields.take::<bool>("parallel_tool_calls")? {
            self.keep("parallel_tool_calls", &parallel);
        }
        if let Some(effort) = fields.take::<Effort>("reasoning_effort")? {
            self.keep("reasoning_effort", &effort);
        }
        let Some(raw) = fields.take::<&RawValue>("chat_template_kwargs")? else {
            return Ok(None);
        };
        let variables: Option<BTreeMap<String, Variable>> = read("chat_template_kwargs", raw)?;
        let variables = variables.unwrap_or_default();
        let is_wrong = |(name, value): (&String, &Variable)| {
            let long = matches!(value, Variable::Word(word) if word.len() > MAX_WORD);
            long || !TEMPLATE_VARIABLES.contains(&&**name)
        };
        if let Some((name, _)) = variables.iter().find(|variable| is_wrong(*variable)) {
            let message = format!("`{name}` can't be set");
            return Err(bad("chat_template_kwargs", &message));
        }
        if variables.is_empty() {
            return Ok(None);
        }
        self.keep("chat_template_kwargs", &variables);
        read("chat_template_kwargs", raw).map(Some)
    }

    /// The tools, written anew for servers, and as they were sent for the template of an engine in the
    /// node; none where none may be called, as some servers show the model all that they are sent.
    pub(super) fn tools(&mut self, fields: &mut Fields<'_>) -> Result<Option<RawJson>, Refusal> {
        let Some(raw) = fields.take::<&RawValue>("tools")? else {
            return Ok(None);
        };
        let tools: Option<Vec<Tool<'_>>> = read("tools", raw)?;
        let Some(tools) = tools.filter(|tools| !tools.is_empty()) else {
            return Ok(None);
        };
        if tools.len() > MAX_TOOLS {
            return Err(bad("tools", "at most 128"));
        }
        if self.tool_choice == atoma_engine::ToolChoice::None {
            return Ok(None);
        }
        self.keep("tools", &tools);
        read("tools", raw).map(Some)
    }

    pub(super) fn sampling(&mut self, answers: u32, repetition_penalty: f32) {
        self.fields.answers = answers;
        self.fields.repetition_penalty = repetition_penalty;
        if answers > 1 {
            self.first.get_or_insert("n");
        }
        if repetition_penalty != 1.0 {
            self.first.get_or_insert("repetition_penalty");
        }
    }

    /// Messages with images or sounds.
    pub(super) fn media(&mut self, messages: Box<RawValue>, count: u32) {
        self.fields.messages = Some(messages);
        self.fields.media = count;
        if count > 0 {
            self.first.get_or_insert("messages");
        }
    }

    /// A field that an engine in the node can't do without changing the answer.
    fn add(&mut self, name: &'static str, value: &impl Serialize) {
        self.first.get_or_insert(name);
        self.keep(name, value);
    }

    fn keep(&mut self, name: &'static str, value: &impl Serialize) {
        // what was just read can be written
        if let Ok(raw) = to_raw_value(value) {
            self.fields.more.push((name, raw));
        }
    }
}
