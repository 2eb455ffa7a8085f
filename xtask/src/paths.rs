//! Paths that documents name must be there: who follows one is new here, and has nothing else to go by.
//!
//! A name of a file in backticks is one if it ends as our files do; it may be given from the root, or by its
//! last parts (`serve/mod.rs`), which some file must then end in. A link is read from its page.

use crate::shell::root;
use anyhow::{Context, Result, ensure};
use std::{fs, path::Path};

/// Pages that tell what was, and so name what may be gone.
const HISTORY: [&str; 3] = [
    "CHANGELOG.md",
    "docs/decisions/",
    "docs/performance-history.md",
];
/// How the names of our files end. Those in TOML are mostly the reader's own.
const ENDINGS: [&str; 6] = [".rs", ".move", ".md", ".mjs", ".py", ".txt"];
/// What the repository's own folders are called.
const FOLDERS: [&str; 7] = [
    "crates/", "docs/", "move/", "tests/", "bench/", "xtask/", "models/",
];

/// Fails with every path that isn't there.
pub(crate) fn check() -> Result<()> {
    let files = files()?;
    let mut missing = Vec::new();
    for page in files.iter().filter(|file| is_page(file)) {
        let text = fs::read_to_string(root().join(page)).with_context(|| page.clone())?;
        for (number, line) in text.lines().enumerate() {
            let gone = spans(line).filter(|path| !is_there(path, &files));
            let dead = links(line).filter(|link| !is_linked(page, link));
            for name in gone.chain(dead) {
                missing.push(format!("{page}:{}: {name}", number + 1));
            }
        }
    }
    ensure!(
        missing.is_empty(),
        "documents name what isn't there:\n{}",
        missing.join("\n")
    );
    println!("every path that documents name is there");
    Ok(())
}

/// All files from the root, but for what was built, installed or is hidden.
fn files() -> Result<Vec<String>> {
    let (mut folders, mut files) = (vec![String::new()], Vec::new());
    while let Some(folder) = folders.pop() {
        let here = root().join(&folder);
        for entry in fs::read_dir(&here).with_context(|| here.display().to_string())? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if name.starts_with('.') || ["target", "node_modules", "shared"].contains(&&*name) {
                continue;
            }
            let path = format!("{folder}{name}");
            if entry.file_type()?.is_dir() {
                folders.push(format!("{path}/"));
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn is_page(file: &str) -> bool {
    let ours = !file.contains('/') || file.starts_with("docs/");
    ours && file.ends_with(".md") && !HISTORY.iter().any(|old| file.starts_with(old))
}

/// What a line has in backticks that looks like a path of ours.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|span| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        let folder = FOLDERS.iter().any(|folder| span.starts_with(folder));
        let file = ENDINGS.iter().any(|ending| span.ends_with(ending)) && span.len() > 5;
        span.chars().all(plain) && (folder || file) && !span.starts_with(['/', '.'])
    })
}

fn is_there(path: &str, files: &[String]) -> bool {
    let end = format!("/{path}");
    root().join(path).exists() || files.iter().any(|file| file.ends_with(&end))
}

/// Where a line's links lead, as far as that is within the repository.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let (link, _) = rest.split_once(')')?;
        let link = link.split('#').next()?;
        (!link.is_empty() && !link.contains("://")).then_some(link)
    })
}

fn is_linked(page: &str, link: &str) -> bool {
    let folder = Path::new(page).parent().unwrap_or(Path::new(""));
    root().join(folder).join(link).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_name_what_is_there() {
        check().unwrap();
    }

    #[test]
    fn paths_and_links_are_told_from_other_code() {
        let line = "see `crates/a/src/b.rs`, `serve/mod.rs`, `a::b`, `x.y`, [c](d.md#e) and [f](https://g.h)";
        let found: Vec<_> = spans(line).chain(links(line)).collect();
        assert_eq!(found, ["crates/a/src/b.rs", "serve/mod.rs", "d.md"]);
        let files = ["crates/a/src/serve/mod.rs".to_owned()];
        assert!(is_there("serve/mod.rs", &files));
        assert!(!is_there("erve/mod.rs", &files));
    }
}
