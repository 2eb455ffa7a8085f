//! A model's files beside its weights: what they say, and that they are part of what the model is.

use super::config::ModelConfig;
use crate::SamplingDefaults;
use crate::checkpoint::Source;
use crate::load_error::LoadError;
use crate::text::{RARE_TEXT_FILES, TEXT_FILES, TextModel};

const CONFIG: &str = "config.json";
const GENERATION: &str = "generation_config.json";

pub(super) struct Files {
    config: Vec<u8>,
    generation: Option<Vec<u8>>,
    /// Those of [`TEXT_FILES`], in order.
    text: Vec<(&'static str, Option<Vec<u8>>)>,
}

impl Files {
    /// Reads them, and what the configuration says: a model that isn't known needs no other file.
    pub(super) fn read(source: &Source) -> Result<(Self, ModelConfig), LoadError> {
        let config = source.required(CONFIG)?;
        let generation = source.file(GENERATION)?;
        let parsed = ModelConfig::parse(&config, generation.as_deref())?;
        source.required("tokenizer.json")?;
        let mut text = Vec::new();
        for name in TEXT_FILES {
            text.push((name, source.file(name)?));
        }
        let files = Self {
            config,
            generation,
            text,
        };
        Ok((files, parsed))
    }

    pub(super) fn text_model(&self) -> Result<TextModel, LoadError> {
        let model = TextModel::new(|name| {
            let found = self.text.iter().find(|(own, _)| *own == name);
            found.and_then(|(_, bytes)| bytes.clone())
        });
        Ok(model?)
    }

    /// What the model's makers say of sampling.
    pub(super) fn defaults(&self) -> Result<SamplingDefaults, LoadError> {
        match &self.generation {
            Some(text) => SamplingDefaults::parse(text),
            None => Ok(SamplingDefaults::default()),
        }
    }

    /// The files that the model's revision is over.
    pub(super) fn of_revision(&self) -> Vec<(&'static str, Option<&[u8]>)> {
        let mut named = vec![
            (CONFIG, Some(&self.config[..])),
            (GENERATION, self.generation.as_deref()),
        ];
        for (name, bytes) in &self.text {
            // Files that few models have change nothing for the others.
            if bytes.is_some() || !RARE_TEXT_FILES.contains(name) {
                named.push((*name, bytes.as_deref()));
            }
        }
        named
    }
}
