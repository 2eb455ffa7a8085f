//! The texts of an error's causes, from the outermost to the first.

/// Each cause's text, once: a cause that the text before it says already is left out.
pub(super) fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        let text = text.trim();
        let said = texts.last().is_some_and(|last| last.ends_with(text));
        if !said {
            texts.push(text.to_owned());
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn no_text_is_told_twice() {
        let in_use = "Address already in use (os error 98)";
        let told = |error: anyhow::Error| causes(&error).join(": ");
        let twice = Err::<(), _>(anyhow!(in_use)).context(format!("cannot listen: {in_use}"));
        assert_eq!(told(twice.unwrap_err()), format!("cannot listen: {in_use}"));
        let chain = Err::<(), _>(anyhow!("first\n")).context("second");
        assert_eq!(
            told(chain.context("third").unwrap_err()),
            "third: second: first"
        );
    }
}
