//! Where a folder's chat templates are.

use serde::Deserialize;

/// The texts of a model's chat templates.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Templates {
    /// For conversations in which no tools are given.
    pub(crate) default: Option<String>,
    /// For conversations with tools, where the model has one of its own for them.
    pub(crate) tool_use: Option<String>,
}

/// `chat_template` of a configuration: one text, or several with names.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Configured {
    One(String),
    Named(Vec<Named>),
    /// Of another form; conversations can't be rendered, all else works.
    Unknown(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
pub(crate) struct Named {
    name: String,
    template: String,
}

/// `chat_template.json` of older multimodal models.
#[derive(Deserialize)]
struct File {
    chat_template: Option<Configured>,
}

impl Templates {
    /// Files beat the configuration, as transformers has it: `chat_template.jinja`, then
    /// `chat_template.json`, then `tokenizer_config.json`.
    pub(crate) fn choose(
        file: impl Fn(&str) -> Option<Vec<u8>>,
        configured: Option<Configured>,
    ) -> Self {
        let text = |name: &str| file(name).map(|text| String::from_utf8_lossy(&text).into_owned());
        let older = || {
            let text = file("chat_template.json")?;
            serde_json::from_slice::<File>(&text).ok()?.chat_template
        };
        let mut templates = match text("chat_template.jinja") {
            Some(default) => Self {
                default: Some(default),
                tool_use: None,
            },
            None => older().or(configured).map(Self::from).unwrap_or_default(),
        };
        if let Some(tool_use) = text("additional_chat_templates/tool_use.jinja") {
            templates.tool_use = Some(tool_use);
        }
        templates
    }
}

impl From<Configured> for Templates {
    fn from(configured: Configured) -> Self {
        let mut templates = Self::default();
        match configured {
            Configured::One(text) => templates.default = Some(text),
            Configured::Named(named) => {
                for Named { name, template } in named {
                    match name.as_str() {
                        "default" => templates.default = Some(template),
                        "tool_use" => templates.tool_use = Some(template),
                        _ => {}
                    }
                }
            }
            Configured::Unknown(_) => {}
        }
        templates
    }
}
