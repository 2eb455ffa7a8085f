//! No circles of modules: files of one crate that import each other in a loop can't be read, tested or
//! moved one by one. Each crate is parsed, each name that a file takes from another one is followed to
//! the file that defines it, and a loop fails the check. A file that only hands names on (`pub use`)
//! is no stop on the way. Tests are left out: they may look at everything.

mod graph;
mod imports;
mod source;

use crate::shell::root;
use anyhow::{Context, Result, bail, ensure};
use source::Crate;
use std::fs;

/// Fails if a crate of ours (or the one that is named) has a circle; prints the files and what ties them.
pub(crate) fn check(only: Option<&str>) -> Result<()> {
    let mut found = Vec::new();
    for krate in crates(only)? {
        let edges = imports::edges(&krate);
        for circle in graph::circles(&edges) {
            found.push(describe(&krate, &edges, &circle));
        }
    }
    if found.is_empty() {
        println!("no circles of modules");
        return Ok(());
    }
    println!("{}", found.join("\n"));
    bail!("{} circles of modules", found.len())
}

/// Every crate under `crates/`, and `xtask` itself; or one of them.
fn crates(only: Option<&str>) -> Result<Vec<Crate>> {
    let folder = root().join("crates");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut folders = vec![root().join("xtask")];
    for entry in entries {
        folders.push(entry?.path());
    }
    folders.retain(|folder| only.is_none_or(|only| folder.ends_with(only)));
    ensure!(!folders.is_empty(), "there is no such crate");
    folders.sort();
    folders
        .iter()
        .map(|folder| folder.join("src"))
        .filter(|source| source.is_dir())
        .map(|source| Crate::read(&source))
        .collect()
}

fn describe(krate: &Crate, edges: &imports::Edges, circle: &[usize]) -> String {
    let file = |module: usize| {
        let file = &krate.modules[module].file;
        file.strip_prefix(root())
            .unwrap_or(file)
            .display()
            .to_string()
    };
    let files: Vec<_> = circle.iter().map(|&module| file(module)).collect();
    let mut text = format!("{} files: {}", circle.len(), files.join(", "));
    for ((from, to), names) in edges {
        if circle.contains(from) && circle.contains(to) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            text += &format!("\n  {} -> {}: {}", file(*from), file(*to), names.join(", "));
        }
    }
    text
}
