//! Documents that are made of the code: the references of configuration files and of refusals, and
//! which crate uses which. `cargo xtask docs` writes them; `cargo xtask check` fails where they are stale.

mod configuration;
mod crates;
mod fields;
mod files;
mod refusals;
mod value;

use crate::shell::root;
use anyhow::{Context, Result, ensure};
use files::read;
use std::fs;

/// A document that is made of the code, wholly or in part.
struct Document {
    /// From the repository's root.
    path: &'static str,
    /// What it should be.
    text: String,
}

/// Writes every document that follows from the code.
pub(crate) fn write() -> Result<()> {
    for document in documents()? {
        let path = root().join(document.path);
        fs::write(&path, &document.text)
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", document.path);
    }
    Ok(())
}

/// Fails if one isn't what it would be written as now.
pub(crate) fn check() -> Result<()> {
    for document in documents()? {
        ensure!(
            read(document.path)? == document.text,
            "{} is stale: `cargo xtask docs` writes it",
            document.path
        );
    }
    Ok(())
}

fn documents() -> Result<[Document; 3]> {
    Ok([
        Document {
            path: crates::PATH,
            text: crates::written_into(&read(crates::PATH)?)?,
        },
        Document {
            path: configuration::PATH,
            text: configuration::text()?,
        },
        Document {
            path: refusals::PATH,
            text: refusals::text()?,
        },
    ])
}
