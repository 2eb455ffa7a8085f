//! What sentence-transformers keeps beside a model: how token vectors become one, how long a text may
//! be, whether it is written small.

use std::path::{Component, Path};

use serde::Deserialize;

use super::pooling::Pooling;
use crate::checkpoint::{Source, json};
use crate::load_error::LoadError;
use crate::unsupported::Unsupported;

const MODULES: &str = "modules.json";
const LIMITS: &str = "sentence_bert_config.json";
const PROMPTS: &str = "config_sentence_transformers.json";
/// Where the pooling is described, unless [`MODULES`] says another folder.
const POOLING_FOLDER: &str = "1_Pooling";

/// What the files say.
#[derive(Debug)]
pub(super) struct SentenceFolder {
    pub(super) pooling: Pooling,
    /// Tokens of a text, if the folder says so.
    pub(super) most_tokens: Option<usize>,
    pub(super) lower_case: bool,
    /// Names and texts of the files, as they count for the revision.
    pub(super) files: Vec<(&'static str, Option<Vec<u8>>)>,
}

/// One step from tokens to a vector.
#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Limits {
    max_seq_length: Option<usize>,
    do_lower_case: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Prompts {
    default_prompt_name: Option<String>,
}

impl SentenceFolder {
    /// Reads the files that there are. A folder with none of them pools by the mean, as
    /// sentence-transformers does.
    pub(super) fn read(source: &Source) -> Result<Self, LoadError> {
        let modules_text = source.file(MODULES)?;
        let modules: Vec<Module> = match &modules_text {
            Some(text) => json(MODULES, text)?,
            None => Vec::new(),
        };
        let folder = pooling_folder(&modules)?;
        let pooling_text = source.file(&format!("{folder}/config.json"))?;
        let pooling = match &pooling_text {
            Some(text) => Pooling::parse(text)?,
            None => Pooling::Mean,
        };
        let limits_text = source.file(LIMITS)?;
        let limits: Limits = match &limits_text {
            Some(text) => json(LIMITS, text)?,
            None => Limits::default(),
        };
        let prompts: Prompts = match source.file(PROMPTS)? {
            Some(text) => json(PROMPTS, &text)?,
            None => Prompts::default(),
        };
        if let Some(name) = prompts.default_prompt_name {
            return Err(Unsupported::DefaultPrompt(name).into());
        }
        Ok(Self {
            pooling,
            most_tokens: limits.max_seq_length,
            lower_case: limits.do_lower_case,
            files: vec![
                (MODULES, modules_text),
                ("1_Pooling/config.json", pooling_text),
                (LIMITS, limits_text),
            ],
        })
    }
}

/// Where the pooling is described; an error if there is a step that isn't known.
fn pooling_folder(modules: &[Module]) -> Result<&str, Unsupported> {
    let mut folder = POOLING_FOLDER;
    for Module { path, kind } in modules {
        match kind.rsplit('.').next() {
            // Vectors have unit length whether the folder asks for it or not, as everywhere in this API.
            Some("Normalize") => {}
            Some("Transformer") if path.is_empty() => {}
            Some("Pooling") if is_folder_name(path) => folder = path,
            _ => {
                let (kind, path) = (kind.clone(), path.clone());
                return Err(Unsupported::Step { kind, path });
            }
        }
    }
    Ok(folder)
}

/// Whether it is a name in this folder: nothing, `.` or a path would lead to other files.
fn is_folder_name(path: &str) -> bool {
    let mut components = Path::new(path).components();
    let first = components.next();
    let is_name = first == Some(Component::Normal(path.as_ref()));
    is_name && components.next().is_none() && !path.contains(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> Result<SentenceFolder, LoadError> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        SentenceFolder::read(&Source::Folder(folder.path().to_owned()))
    }

    fn modules(kinds: &[(&str, &str)]) -> String {
        let modules = kinds.iter().enumerate().map(|(i, (kind, path))| {
            serde_json::json!({"idx": i, "name": i.to_string(), "path": path,
                "type": format!("sentence_transformers.models.{kind}")})
        });
        serde_json::Value::from_iter(modules).to_string()
    }

    #[test]
    fn a_folder_says_how_it_is_pooled_and_how_long_texts_are() {
        let plain = folder(&[]).unwrap();
        assert_eq!((plain.pooling, plain.most_tokens), (Pooling::Mean, None));
        let steps = [("Transformer", ""), ("Pooling", "2_P"), ("Normalize", "3")];
        let read = folder(&[
            ("modules.json", &modules(&steps)),
            ("2_P/config.json", r#"{"pooling_mode_cls_token":true}"#),
            (LIMITS, r#"{"max_seq_length":256,"do_lower_case":true}"#),
        ])
        .unwrap();
        assert_eq!(
            (read.pooling, read.most_tokens, read.lower_case),
            (Pooling::First, Some(256), true)
        );
    }

    #[test]
    fn steps_that_are_not_computed_are_refused() {
        let dense = modules(&[("Transformer", ""), ("Dense", "2_Dense")]);
        assert!(folder(&[("modules.json", &dense)]).is_err());
        for path in ["../x", "..", ".", "", "/", "/etc", "a/b", "a\\b"] {
            let outside = modules(&[("Pooling", path)]);
            assert!(folder(&[("modules.json", &outside)]).is_err(), "{path:?}");
        }
        let prompt = r#"{"prompts":{"query":"q: "},"default_prompt_name":"query"}"#;
        assert!(folder(&[(PROMPTS, prompt)]).is_err());
        let none = r#"{"prompts":{"query":"q: "},"default_prompt_name":null}"#;
        assert!(folder(&[(PROMPTS, none)]).is_ok());
    }
}
