//! An error as one text: its own message, then those of its causes.
//!
//! A message of ours never says what its source says, so whoever prints an error for a person, a log or
//! a wire joins the chain, once, here.

use std::{error::Error, fmt};

/// Shows an error with all its causes, outermost first, joined with ": ". A cause that the text before it
/// ends with is left out: other people's errors do print their sources.
///
/// ```
/// use atoma_runtime::WithCauses;
/// let error = "-".parse::<u8>().unwrap_err();
/// assert_eq!(WithCauses(&error).to_string(), "invalid digit found in string");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WithCauses<'a>(pub &'a (dyn Error + 'a));

impl WithCauses<'_> {
    /// The text of each error in the chain, outermost first, as it is shown.
    #[must_use]
    pub fn texts(self) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        let mut next = Some(self.0);
        while let Some(error) = next {
            let text = error.to_string();
            let text = text.trim();
            let said = texts.last().is_some_and(|last| last.ends_with(text));
            if !said {
                texts.push(text.to_owned());
            }
            next = error.source().map(|source| source as &dyn Error);
        }
        texts
    }
}

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(": "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Layer>>);

    fn told(texts: &[&'static str]) -> String {
        let chain = texts.iter().rev().fold(None, |inner, text| {
            let layer: Box<Layer> = Box::new(Layer(text, inner));
            Some(layer)
        });
        WithCauses(&*chain.unwrap()).to_string()
    }

    #[test]
    fn the_chain_is_joined_outermost_first() {
        assert_eq!(
            told(&["third", "second", "first\n"]),
            "third: second: first"
        );
    }

    #[test]
    fn no_text_is_told_twice() {
        let in_use = "Address already in use (os error 98)";
        let twice = "cannot listen: Address already in use (os error 98)";
        assert_eq!(told(&[twice, in_use]), twice);
        assert_eq!(told(&[in_use, in_use]), in_use);
    }
}
