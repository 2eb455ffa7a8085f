//! Who serves, and who looks.

use crate::model::Model;
use anyhow::Result;
use atoma_audit::testing::{Answer, Provider, SignedRequest, caller, options};
use atoma_engine::{Engine, Prompt};
use atoma_network::cheat::{Cheat, cheating_with};
use std::{path::PathBuf, sync::Arc};

/// Words that a cheat has at hand.
const WORDS: &str = "the of and to in is was for as on with his they at be this from have or by one had not but what \
    all were when we there can an your which their said if do will each about how up out them";

/// An honest provider, an auditor whose engine is another one, and a folder for what cheats compute with.
pub(crate) struct World {
    pub(crate) honest: Provider,
    pub(crate) auditor: Arc<dyn Engine>,
    /// Of a model that calls tools, which audits itself.
    pub(crate) caller: Provider,
    /// Tokens of plain words.
    pub(crate) words: Vec<u32>,
    model: Model,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new(model: &Model) -> Result<Self> {
        let honest = Provider::new(model.open(options(1, 128))?);
        let words = honest.engine.tokenize(&Prompt::Text(WORDS.to_owned()))?;
        Ok(Self {
            auditor: model.open(options(1, 64))?,
            caller: Provider::new(caller(options(1, 64))),
            words,
            honest,
            model: model.clone(),
            folder: tempfile::tempdir()?,
        })
    }

    /// A provider that cheats, and charges as the honest one does.
    pub(crate) fn cheat(&self, cheat: Cheat) -> Result<Provider> {
        let source: Option<&PathBuf> = self.model.0.as_ref();
        let folder = self.folder.path().join(cheat.as_str());
        let source = source.map(PathBuf::as_path);
        let engine = cheating_with(cheat, &self.honest.engine, source, &folder)?;
        // what it computes with is in memory
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let task = self.honest.task.clone();
        Ok(Provider { engine, task })
    }

    /// The answer that is due, computed where nothing is cached.
    pub(crate) async fn due(&self, signed: &SignedRequest) -> Answer {
        let mut request = self.honest.request(signed);
        request.cache_domain = crate::requests::unused();
        self.honest.run(request).await
    }
}
