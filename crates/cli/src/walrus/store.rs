//! Storing files: for how long, and what came of it.

use crate::output::Facts;
use anyhow::{Context, Result};
use atoma_walrus::{
    ObjectId,
    client::{StoreRequest, Stored},
};
use clap::Args;
use serde_json::json;
use std::{io::Read, path::Path};

/// How long a blob is to be stored, and for whom.
#[derive(Debug, Args)]
pub(crate) struct Keep {
    /// Epochs to store it for.
    #[arg(long, default_value_t = 1, value_name = "N")]
    epochs: u32,
    /// Let the owner delete it before its time.
    #[arg(long)]
    deletable: bool,
    /// Whose the blob's object is to be (default: the publisher's).
    #[arg(long, value_name = "ADDRESS")]
    send_object_to: Option<ObjectId>,
}

impl Keep {
    /// The same for the client.
    pub(super) fn request(&self) -> StoreRequest {
        StoreRequest {
            deletable: self.deletable,
            send_object_to: self.send_object_to,
            ..StoreRequest::permanent(self.epochs)
        }
    }
}

/// What a publisher says of a blob that it stored.
pub(super) fn facts(stored: &Stored) -> Facts {
    vec![
        ("blob_id", json!(stored.blob_id.to_string())),
        ("object", json!(stored.object_id.map(|id| id.to_string()))),
        ("new", json!(stored.object.is_some())),
        ("end_epoch", json!(stored.end_epoch)),
        ("cost_frost", json!(stored.cost)),
    ]
}

/// A file's bytes; `-` is standard input.
pub(super) fn read_file(file: &Path) -> Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
