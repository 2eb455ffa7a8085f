//! The reference of refusals: what each code means, and in which files its text stands. The codes are read from
//! their table, the files from the sources of whoever refuses.

use super::files::read;
use crate::{shell::root, sources::sources};
use anyhow::{Context, Result, ensure};
use std::{fmt::Write, fs};

/// Where the reference stands.
pub(super) const PATH: &str = "docs/refusals.md";

/// The table of codes.
const CODES: &str = "crates/types/src/refusal.rs";
/// Where the texts of those stand that nobody names alone: faults of the sealed channel have refusals' codes.
const BY_CODE: &str = "crates/channel/src/fault.rs";
/// Crates that refuse; others only read refusals.
const REFUSERS: [&str; 4] = ["gateway", "http", "node", "openai"];

const HEAD: &str = "\
# Refusals

Every way in which a node or a gateway says no: the stable code, its HTTP status and its class in OpenAI's API, and the files in which its texts stand. A refusal
costs nobody anything. What a client or a gateway does after each is one table, in `crates/client/src/retry.rs`. Written by `cargo xtask docs` from
`crates/types/src/refusal.rs` and from the files that refuse with a code.

| Code | Name | HTTP, class | When | Its text |
|---|---|---|---|---|
";

/// A row of the table of codes.
struct Code<'a> {
    name: &'a str,
    code: &'a str,
    status: &'a str,
    class: &'a str,
    meaning: String,
}

/// The whole document.
pub(super) fn text() -> Result<String> {
    let table = read(CODES)?;
    let sources = refusing_sources()?;
    let by_code = read(BY_CODE)?;
    let mut text = HEAD.to_owned();
    for code in codes(&table)? {
        let mut files: Vec<&str> = sources
            .iter()
            .filter(|(_, source)| refuses_with(source, code.name))
            .map(|(path, _)| path.as_str())
            .collect();
        if files.is_empty() {
            ensure!(
                by_code.contains(&format!("\"{}\"", code.code)),
                "nobody refuses with {}: delete it",
                code.code
            );
            files.push(BY_CODE);
        }
        let files: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
        let Code {
            name,
            code,
            status,
            class,
            meaning,
        } = code;
        let files = files.join(", ");
        writeln!(
            text,
            "| `{code}` | `{name}` | {status}, `{class}` | {meaning} | {files} |"
        )?;
    }
    Ok(text)
}

/// The rows, in their order: `Name = "code", 400, "class";` below a doc comment.
fn codes(table: &str) -> Result<Vec<Code<'_>>> {
    let (_, rows) = table.split_once("refusals! {").context(CODES)?;
    let (rows, _) = rows.split_once("\n}").context(CODES)?;
    let mut codes = Vec::new();
    let mut meaning = String::new();
    for line in rows.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(more) = line.strip_prefix("///") {
            if !meaning.is_empty() {
                meaning.push(' ');
            }
            meaning.push_str(more.trim());
            continue;
        }
        let row = || format!("{CODES}: {line}");
        let (name, rest) = line.split_once(" = ").with_context(row)?;
        let mut fields = rest.trim_end_matches(';').split(", ");
        let mut field = || {
            fields
                .next()
                .map(|field| field.trim_matches('"'))
                .with_context(row)
        };
        codes.push(Code {
            name,
            code: field()?,
            status: field()?,
            class: field()?,
            meaning: std::mem::take(&mut meaning),
        });
    }
    Ok(codes)
}

/// Paths and texts of the files that may refuse, without their tests.
fn refusing_sources() -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for file in sources()? {
        let path = file.strip_prefix(root()).unwrap_or(&file);
        let path = path.to_string_lossy().into_owned();
        let refuses = REFUSERS
            .iter()
            .any(|krate| path.starts_with(&format!("crates/{krate}/")));
        let is_test = path.ends_with("_test.rs") || path.ends_with("tests.rs");
        if refuses && !is_test {
            let text = fs::read_to_string(&file).with_context(|| path.clone())?;
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            found.push((path, code.to_owned()));
        }
    }
    Ok(found)
}

/// Whether a source refuses with a code: `RefusalCode::Name`, or `Code::Name` where that is short for it. Where a code is
/// only asked for (a comparison, a pattern), or put in another's place, no text stands.
fn refuses_with(source: &str, name: &str) -> bool {
    let says = |path: &str| {
        source.match_indices(path).any(|(at, _)| {
            let rest = source[at + path.len()..].strip_prefix(name);
            rest.is_some_and(|rest| is_said(&source[..at], rest))
        })
    };
    says("RefusalCode::") || source.contains("RefusalCode as Code") && says("Code::")
}

/// Whether a code between these is one that is given, and not the beginning of a longer name.
fn is_said(before: &str, after: &str) -> bool {
    let is_longer = after.starts_with(|next: char| next.is_alphanumeric());
    let (before, after) = (before.trim_end(), after.trim_start());
    let is_asked_for = ["==", "!=", "|"].iter().any(|sign| before.ends_with(sign))
        || ["|", "=>", "=="].iter().any(|sign| after.starts_with(sign));
    let replaces = after.strip_prefix(',').map(str::trim_start);
    let replaces = replaces.is_some_and(|rest| rest.starts_with("..") && before.ends_with("code:"));
    !is_longer && !is_asked_for && !replaces
}

#[cfg(test)]
mod tests {
    use super::{codes, refuses_with};

    #[test]
    fn a_row_is_read_with_its_comment() {
        let table = "refusals! {\n    /// Too much\n    /// at once.\n    Busy = \"busy\", 429, \"rate\";\n}\n";
        let rows = codes(table).unwrap();
        let row = &rows[0];
        assert_eq!(
            (rows.len(), row.name, row.code, row.status, row.class),
            (1, "Busy", "busy", "429", "rate")
        );
        assert_eq!(row.meaning, "Too much at once.");
    }

    #[test]
    fn a_longer_name_is_another_code() {
        assert!(refuses_with(
            "new(RefusalCode::Expired, message)",
            "Expired"
        ));
        assert!(!refuses_with(
            "new(RefusalCode::ExpiredLong, message)",
            "Expired"
        ));
        assert!(!refuses_with("StatusCode::Internal", "Internal"));
    }

    #[test]
    fn who_only_asks_for_a_code_has_no_text_of_it() {
        for source in [
            "refusal.code == RefusalCode::Busy || stops",
            "RefusalCode::Busy | RefusalCode::Expired => 1",
            "RefusalCode::Expired\n    | RefusalCode::Busy => 1",
            "Refusal { code: RefusalCode::Busy, ..refusal }",
        ] {
            assert!(!refuses_with(source, "Busy"), "{source}");
        }
        assert!(refuses_with("RefusalCode::Busy\n} else {", "Busy"));
        assert!(refuses_with(
            "Refusal { code: RefusalCode::Busy, message }",
            "Busy"
        ));
    }
}
