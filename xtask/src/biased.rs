//! `select!` takes its branches in a random order unless it begins with `biased;`, and a run that is
//! to be the same again from its seed can't have that. So every `select!` of the crates is biased.

use crate::sources::sources;
use anyhow::{Context, Result, ensure};
use std::fs;
use syn::{
    Macro,
    visit::{self, Visit},
};

/// Fails if a crate of ours has an unbiased `select!` in its sources; prints the files.
pub(crate) fn check() -> Result<()> {
    let mut found = Vec::new();
    for file in sources()? {
        let at = || format!("cannot read {}", file.display());
        let text = fs::read_to_string(&file).with_context(at)?;
        let unbiased = unbiased(&text).with_context(at)?;
        if unbiased > 0 {
            found.push(format!("{}: {unbiased}", file.display()));
        }
    }
    ensure!(
        found.is_empty(),
        "`select!` without `biased;`, how many:\n{}",
        found.join("\n")
    );
    println!("every select! is biased");
    Ok(())
}

/// How many there are in a file.
fn unbiased(text: &str) -> Result<usize> {
    let mut count = Count(0);
    count.visit_file(&syn::parse_file(text)?);
    Ok(count.0)
}

struct Count(usize);

impl<'ast> Visit<'ast> for Count {
    fn visit_macro(&mut self, called: &'ast Macro) {
        let body = called.tokens.to_string();
        let last = called.path.segments.last();
        if last.is_some_and(|name| name.ident == "select") && !is_biased(&body) {
            self.0 += 1;
        }
        // what stands in a macro is no syntax yet: its tokens are looked through
        let mut rest = body.as_str();
        while let Some((_, after)) = rest.split_once("select !") {
            let body = after.trim_start().trim_start_matches(['{', '(', '[']);
            self.0 += usize::from(!is_biased(body));
            rest = after;
        }
        visit::visit_macro(self, called);
    }
}

fn is_biased(body: &str) -> bool {
    let rest = body.trim_start().strip_prefix("biased");
    rest.is_some_and(|rest| rest.trim_start().starts_with(';'))
}

#[cfg(test)]
mod tests {
    use super::unbiased;

    #[test]
    fn an_unbiased_select_is_found_wherever_it_stands() {
        let in_function = |body: &str| format!("async fn f() {{ loop {{ {body} }} }}");
        let cases = [
            ("tokio::select! { /* first */ biased; a = b => {} }", 0),
            ("tokio::select! { a = b => {} }", 1),
            (
                "select! { biased; a = b => { tokio::select! { c = d => {} } } }",
                1,
            ),
            (
                "select! { a = b => { tokio::select!(biased; c = d => {}) } }",
                1,
            ),
            ("let said = \"select\"; other! { a }", 0),
        ];
        for (body, count) in cases {
            assert_eq!(unbiased(&in_function(body)).unwrap(), count, "{body}");
        }
    }
}
