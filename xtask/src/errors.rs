//! An error says a message or hands its source on, never both: whoever prints it joins the chain once,
//! and a message that prints its source too makes "cannot bind: in use: in use". Every `#[error("...")]`
//! of a struct or variant that has a source is read, and one that names that field fails the check.

use crate::{shell::root, sources::sources};
use anyhow::{Context, Result, bail};
use std::fs;
use syn::{
    Attribute, Field, Fields, ItemEnum, ItemStruct, LitStr, Token,
    parse::{Parse, ParseStream},
    visit::{self, Visit},
};

/// Fails if a message of ours prints the source that its error hands on; names file and error.
pub(crate) fn check() -> Result<()> {
    let mut found = Vec::new();
    for file in sources()? {
        let at = || format!("cannot read {}", file.display());
        let text = fs::read_to_string(&file).with_context(at)?;
        let shown = file.strip_prefix(root()).unwrap_or(&file).display();
        for name in printed_twice(&text).with_context(at)? {
            found.push(format!("{shown}: {name} prints its source"));
        }
    }
    if found.is_empty() {
        println!("no error prints the source that it hands on");
        return Ok(());
    }
    println!("{}", found.join("\n"));
    bail!("{} errors print their source", found.len())
}

/// The errors in a file whose message names their source.
fn printed_twice(text: &str) -> Result<Vec<String>> {
    let mut errors = Errors::default();
    errors.visit_file(&syn::parse_file(text)?);
    Ok(errors.found)
}

#[derive(Default)]
struct Errors {
    found: Vec<String>,
}

impl Errors {
    fn look(&mut self, name: String, attributes: &[Attribute], fields: &Fields) {
        let source = fields.iter().enumerate().find(|(_, f)| is_source(f));
        let message = attributes.iter().find(|a| a.path().is_ident("error"));
        let (Some((index, source)), Some(attribute)) = (source, message) else {
            return;
        };
        // `transparent`, or a function that formats
        let Ok(message) = attribute.parse_args::<Message>() else {
            return;
        };
        let field = match &source.ident {
            Some(name) => name.to_string(),
            None => index.to_string(),
        };
        if message.names.contains(&field) {
            self.found.push(name);
        }
    }
}

impl<'ast> Visit<'ast> for Errors {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.look(item.ident.to_string(), &item.attrs, &item.fields);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        for variant in &item.variants {
            let name = format!("{}::{}", item.ident, variant.ident);
            self.look(name, &variant.attrs, &variant.fields);
        }
        visit::visit_item_enum(self, item);
    }
}

fn is_source(field: &Field) -> bool {
    field.ident.as_ref().is_some_and(|name| name == "source")
        || field
            .attrs
            .iter()
            .any(|a| a.path().is_ident("source") || a.path().is_ident("from"))
}

/// The fields that a message names: `{path}`, `{0:?}`, and `.0` or `.path` among its arguments.
struct Message {
    names: Vec<String>,
}

impl Parse for Message {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut names = placeholders(&input.parse::<LitStr>()?.value());
        // a dot that begins an expression is a field; any other is a method or a field of a field
        let mut begins = true;
        while !input.is_empty() {
            if input.peek(Token![.]) && begins {
                input.parse::<Token![.]>()?;
                let member = next_token(input)?;
                names.push(member.split('.').next().unwrap_or_default().to_owned());
                begins = false;
            } else {
                begins = input.peek(Token![,]) || input.peek(Token![=]);
                next_token(input)?;
            }
        }
        Ok(Self { names })
    }
}

/// The next token or group, as text.
fn next_token(input: ParseStream<'_>) -> syn::Result<String> {
    input.step(|cursor| {
        let (token, rest) = cursor
            .token_tree()
            .ok_or_else(|| cursor.error("expected a field"))?;
        Ok((token.to_string(), rest))
    })
}

/// What stands in the braces of a format string, without how it is formatted.
fn placeholders(format: &str) -> Vec<String> {
    let plain = format.replace("{{", "").replace("}}", "");
    let inner = plain.split('{').skip(1);
    inner
        .filter_map(|part| part.split('}').next())
        .map(|part| part.split(':').next().unwrap_or_default().trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variant: &str) -> usize {
        let text = format!("enum E {{ {variant} }}");
        printed_twice(&text).unwrap().len()
    }

    #[test]
    fn a_message_that_prints_its_source_is_found() {
        assert_eq!(found(r#"#[error("bad: {0}")] A(#[from] Inner)"#), 1);
        assert_eq!(found(r#"#[error("{}", .0)] A(#[source] Inner)"#), 1);
        assert_eq!(
            found(r#"#[error("{at}: {source:?}")] A { at: u8, source: Inner }"#),
            1
        );
        assert_eq!(
            found(r#"#[error("bad {why}", why = .cause.kind())] A { #[source] cause: Inner }"#),
            1
        );
    }

    #[test]
    fn a_message_or_a_source_is_fine() {
        assert_eq!(found(r#"#[error(transparent)] A(#[from] Inner)"#), 0);
        assert_eq!(found(r#"#[error("bad: {0}")] A(String)"#), 0);
        assert_eq!(
            found(r#"#[error("{0} is {{1}}")] A(String, #[source] Inner)"#),
            0
        );
        assert_eq!(
            found(r#"#[error("{}", .0.len())] A(String, #[source] Inner)"#),
            0
        );
    }
}
