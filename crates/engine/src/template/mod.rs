//! Chat templates, rendered as transformers renders them.
//!
//! Templates are programs in Jinja that their authors tried with Python only. So values print as
//! Python prints them, filters, tests and methods are Python's, JSON is that of `json.dumps`, the
//! order of keys is kept, and the arguments of tool calls, which clients send as text, are given as
//! the objects that templates expect (as text where the template fails with objects).
//!
//! What no template known to us needs is left out: `%` between texts, tuples written in a template
//! (they are lists), slices backwards to an end, and the filters `filesizeformat`, `random`, `urlize`,
//! `wordwrap` and `xmlattr`.
//!
//! A template is bounded in steps, in what it writes and in what its filters and methods take and make. Not
//! bounded: what `~` and `+` make and nothing uses, and lists. Forty steps of `x = x ~ x` ask for a million
//! million bytes, and the process ends. minijinja joins two texts inside its loop, with a plain `format!`: no
//! callback sees them, its fuel counts steps and not bytes, and a text is no object of ours whose length could be
//! looked at. To rewrite the operators into filters before it reads a template would take its grammar once more,
//! and to look at a template for texts that grow finds only those that don't hide it. A user can't send a
//! template: it is the model's own, and whoever takes a model from a stranger takes its template, too. What users
//! can make a good template join is as long as their prompt, which is counted first.

mod args;
mod checks;
mod filters;
mod methods;
mod python;
mod size;
mod source;
mod strftime;
mod strings;
mod syntax;
mod value;

use minijinja::{Environment, Error, ErrorKind, Value};

use self::args::wrong;
use self::size::Output;
pub(crate) use self::source::{Configured, Templates};
use self::strftime::strftime;
use self::value::{Python, shown};
use crate::tool_calls::Syntax;
use crate::{ChatMessage, Conversation, RawJson};

const DEFAULT: &str = "default";
const TOOL_USE: &str = "tool_use";
/// Steps of a template's program: a second or so. A conversation of a hundred thousand turns takes ten million;
/// a template that loops for ever, in a folder from a stranger, ends here.
const MOST_STEPS: u64 = 20_000_000;
/// Variables that come from the request itself.
const FIXED: [&str; 3] = ["messages", "tools", "strftime_now"];

/// A model's chat templates, ready to render.
#[derive(Debug)]
pub(crate) struct ChatTemplate {
    environment: Environment<'static>,
    /// How the model writes calls of tools.
    calls: Option<Syntax>,
    /// `bos_token` and its like, where the model has them.
    tokens: Vec<(String, String)>,
}

/// Why a template can't be used or a conversation can't be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("chat template: {0}")]
pub(crate) struct TemplateError(pub(crate) String);

impl ChatTemplate {
    /// Reads the templates. None if there are none.
    pub(crate) fn new(
        templates: Templates,
        tokens: Vec<(String, String)>,
    ) -> Result<Option<Self>, TemplateError> {
        let mut environment = environment();
        let for_tools = templates.tool_use.as_ref().or(templates.default.as_ref());
        let calls = for_tools.and_then(|template| Syntax::of(template));
        let texts = [(DEFAULT, templates.default), (TOOL_USE, templates.tool_use)];
        for (name, text) in texts {
            if let Some(text) = text {
                environment
                    .add_template_owned(name, syntax::normalised(&text))
                    .map_err(|error| TemplateError(error.to_string()))?;
            }
        }
        let any = environment.templates().next().is_some();
        Ok(any.then_some(Self {
            environment,
            calls,
            tokens,
        }))
    }

    /// How the model writes calls of tools, as its template shows.
    pub(crate) fn call_syntax(&self) -> Option<Syntax> {
        self.calls
    }

    /// The prompt that a conversation becomes.
    pub(crate) fn render(&self, conversation: &Conversation) -> Result<String, TemplateError> {
        let objects = self.render_with(conversation, Arguments::Objects);
        match objects {
            Err(_) if conversation.messages.iter().any(calls_tools) => {
                self.render_with(conversation, Arguments::Text).or(objects)
            }
            rendered => rendered,
        }
        .map_err(|error| TemplateError(why(&error)))
    }

    fn render_with(
        &self,
        conversation: &Conversation,
        arguments: Arguments,
    ) -> Result<String, Error> {
        let tools = match &conversation.tools {
            Some(tools) => Some(value(tools)?).filter(Value::is_true),
            None => None,
        };
        let named = tools.as_ref().map_or(DEFAULT, |_| TOOL_USE);
        let template = self
            .environment
            .get_template(named)
            .or_else(|_| self.environment.get_template(DEFAULT))?;
        let messages = conversation.messages.iter();
        let messages: Vec<Value> = messages
            .map(|message| turn(message, arguments))
            .collect::<Result<_, _>>()?;
        let mut values: Vec<(String, Value)> = vec![
            ("messages".into(), shown(messages.into())),
            ("tools".into(), tools.into()),
            ("documents".into(), Value::from(())),
            ("add_generation_prompt".into(), true.into()),
            ("strftime_now".into(), now(conversation.time)),
        ];
        let tokens = self.tokens.iter();
        values.extend(tokens.map(|(name, text)| (name.clone(), Value::from(text))));
        if let Some(variables) = &conversation.variables {
            let variables = value(variables)?;
            for name in variables.try_iter()? {
                if let Some(own) = name.as_str().filter(|name| !FIXED.contains(name)) {
                    values.push((own.to_owned(), variables.get_item(&name)?));
                }
            }
        }
        let mut output = Output::default();
        let values = values.into_iter().collect::<Value>();
        template.render_captured_to(values, &mut output)?;
        String::from_utf8(output.0).map_err(|_| wrong("the prompt is no text"))
    }
}

/// In which form a template gets the arguments of tool calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arguments {
    /// As Python's callers have them.
    Objects,
    /// As OpenAI's clients send them.
    Text,
}

fn calls_tools(message: &ChatMessage) -> bool {
    message
        .other("tool_calls")
        .is_some_and(|calls| !calls.is_null())
}

/// A message as a template sees it.
fn turn(message: &ChatMessage, arguments: Arguments) -> Result<Value, Error> {
    let mut fields = vec![("role".to_owned(), Value::from(&message.role))];
    if let Some(content) = &message.content {
        fields.push(("content".to_owned(), content.into()));
    }
    for (name, field) in &message.others {
        let field = match (name.as_str(), arguments) {
            ("tool_calls", Arguments::Objects) => with_objects(field)?,
            _ => value(field)?,
        };
        fields.push((name.clone(), field));
    }
    Ok(shown(fields.into_iter().collect()))
}

/// Tool calls whose arguments are objects where their text is one.
fn with_objects(calls: &RawJson) -> Result<Value, Error> {
    let calls = value(calls)?;
    if calls.is_none() {
        return Ok(calls);
    }
    let call = |call: Value| -> Result<Value, Error> {
        let function = call.get_attr("function")?;
        let arguments = function.get_attr("arguments")?;
        let object = arguments
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
            .map(|Python(value)| value)
            .filter(|object| object.kind() == minijinja::value::ValueKind::Map);
        match object {
            Some(object) => with(&call, "function", &with(&function, "arguments", &object)?),
            None => Ok(call),
        }
    };
    calls
        .try_iter()?
        .map(call)
        .collect::<Result<_, _>>()
        .map(shown)
}

/// A dictionary with one entry replaced in its place.
fn with(dictionary: &Value, key: &str, new: &Value) -> Result<Value, Error> {
    let entry = |name: Value| match name.as_str() {
        Some(own) if own == key => Ok((name, new.clone())),
        _ => dictionary.get_item(&name).map(|value| (name, value)),
    };
    dictionary
        .try_iter()?
        .map(entry)
        .collect::<Result<_, _>>()
        .map(shown)
}

fn value(json: &RawJson) -> Result<Value, Error> {
    serde_json::from_str(json.text())
        .map(|Python(value)| value)
        .map_err(|error| Error::new(ErrorKind::CannotDeserialize, error.to_string()))
}

fn why(error: &Error) -> String {
    let mut error = error;
    while let Some(deeper) = std::error::Error::source(error).and_then(|s| s.downcast_ref()) {
        error = deeper;
    }
    let detail = error.detail().unwrap_or("the conversation doesn't fit it");
    detail.to_owned()
}

/// The function that tells a template the date.
fn now(time: u64) -> Value {
    Value::from_function(move |format: &str| strftime(time, format))
}

/// An environment that behaves as the one of transformers.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(MOST_STEPS));
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_unknown_method_callback(methods::call);
    environment
        .set_formatter(|out, _, value| out.write_str(&python::str(value)).map_err(Error::from));
    environment.add_function("raise_exception", |why: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, why))
    });
    filters::add(&mut environment);
    checks::add(&mut environment);
    environment
}

#[cfg(test)]
#[path = "template_test.rs"]
mod tests;
