//! Engines that serve and look.

use atoma_engine::{Embedded, EmbeddedOptions, Engine, builtin, testing::RandomModel};
use std::sync::Arc;

/// How an engine is set up where nothing depends on it.
#[must_use]
pub fn options(threads: usize, token_budget: usize) -> EmbeddedOptions {
    EmbeddedOptions {
        threads: Some(threads),
        token_budget,
        ..EmbeddedOptions::default()
    }
}

/// The built-in model.
#[must_use]
pub fn tiny(options: EmbeddedOptions) -> Arc<dyn Engine> {
    Arc::new(builtin::load_with(options).expect("loaded"))
}

/// A model with random weights, which seldom comes to an end: `seed` makes another one.
#[must_use]
pub fn endless(seed: u64) -> Arc<dyn Engine> {
    random(seed, false)
}

/// The same, with weights that were rounded to half their bits.
#[must_use]
pub fn rounded(seed: u64) -> Arc<dyn Engine> {
    random(seed, true)
}

fn random(seed: u64, bf16: bool) -> Arc<dyn Engine> {
    let folder = tempfile::tempdir().expect("a folder");
    let model = RandomModel {
        vocab: 3072,
        seed,
        bf16,
        ..RandomModel::small()
    };
    model.write(folder.path()).expect("written");
    Arc::new(Embedded::open(folder.path(), options(2, 64)).expect("loaded"))
}

/// A model whose template calls tools in tags.
#[must_use]
pub fn caller(options: EmbeddedOptions) -> Arc<dyn Engine> {
    let folder = tempfile::tempdir().expect("a folder");
    let model = RandomModel {
        vocab: 4096,
        ..RandomModel::small()
    };
    model.write(folder.path()).expect("written");
    let template =
        "{{ messages[0].content }}{% if tools %} <tool_call>{{ tools|tojson }}{% endif %}";
    std::fs::write(folder.path().join("chat_template.jinja"), template).expect("written");
    Arc::new(Embedded::open(folder.path(), options).expect("loaded"))
}
