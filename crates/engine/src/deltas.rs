//! Turns tokens into text that may be sent: whole characters only, and nothing that may yet turn out
//! to begin a stop string.

use crate::text::TextModel;

/// A character takes at most four bytes, so five tokens without a whole one never become one.
const MAX_INCOMPLETE_TOKENS: usize = 5;

/// The text of one answer as it grows.
#[derive(Debug)]
pub(crate) struct Deltas {
    /// Tokens from the last safe place on: `..read` have been turned into text.
    tokens: Vec<u32>,
    read: usize,
    /// Characters that tokens made so far.
    made: usize,
    stop: StopFilter,
}

impl Deltas {
    /// Of an answer to `prompt`: its last tokens decide whether the answer's first one begins with a
    /// space, where a tokenizer looks back.
    pub(crate) fn new(text: &TextModel, prompt: &[u32], stop: Vec<String>) -> Self {
        let begin = prompt.len().saturating_sub(MAX_INCOMPLETE_TOKENS);
        let mut tokens = Vec::new();
        if text.looks_back() && !text.decode(&prompt[begin..]).ends_with('\u{FFFD}') {
            tokens.extend_from_slice(&prompt[begin..]);
        }
        Self {
            read: tokens.len(),
            tokens,
            made: 0,
            stop: StopFilter::new(stop),
        }
    }

    /// Characters of the answer so far, those included that a stop string may yet take.
    pub(crate) fn made(&self) -> usize {
        self.made
    }

    /// Adds a token. Returns the text that is certain now, and whether a stop string ended it.
    pub(crate) fn push(&mut self, text: &TextModel, token: u32) -> (String, bool) {
        self.tokens.push(token);
        let delta = self.delta(text, false);
        self.stop.push(&delta)
    }

    /// What was held back, when the answer ends without a stop string.
    pub(crate) fn finish(&mut self, text: &TextModel) -> String {
        let delta = self.delta(text, true);
        let (mut rest, stopped) = self.stop.push(&delta);
        if !stopped {
            rest.push_str(&self.stop.finish());
        }
        rest
    }

    /// Text of the tokens that were not read, if it is made of whole characters. Decoding starts one
    /// step earlier than needed, as some tokenizers treat the first token of a text differently.
    fn delta(&mut self, text: &TextModel, last: bool) -> String {
        let before = text.decode(&self.tokens[..self.read]);
        let after = text.decode(&self.tokens);
        let incomplete = after.ends_with('\u{FFFD}');
        let waiting = self.tokens.len() - self.read;
        if incomplete && !last && waiting < MAX_INCOMPLETE_TOKENS {
            return String::new();
        }
        let delta = after
            .strip_prefix(before.as_str())
            .unwrap_or(&after)
            .to_owned();
        self.tokens.drain(..self.read);
        self.read = self.tokens.len();
        self.made += delta.chars().count();
        delta
    }
}

/// Holds back the end of a text while it may begin a stop string.
#[derive(Debug)]
struct StopFilter {
    stop: Vec<String>,
    held: String,
}

impl StopFilter {
    fn new(mut stop: Vec<String>) -> Self {
        stop.retain(|s| !s.is_empty());
        Self {
            stop,
            held: String::new(),
        }
    }

    fn push(&mut self, delta: &str) -> (String, bool) {
        if self.stop.is_empty() {
            return (delta.to_owned(), false);
        }
        self.held.push_str(delta);
        if let Some(at) = self
            .stop
            .iter()
            .filter_map(|s| self.held.find(s.as_str()))
            .min()
        {
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), true);
        }
        let certain = self.held.len() - self.longest_beginning();
        let rest = self.held.split_off(certain);
        (std::mem::replace(&mut self.held, rest), false)
    }

    fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Length of the longest end of `held` with which a stop string begins.
    fn longest_beginning(&self) -> usize {
        let begins = |start: &usize| {
            let end = &self.held[*start..];
            self.stop.iter().any(|s| s.starts_with(end))
        };
        let longest = self.stop.iter().map(String::len).max().unwrap_or(0);
        let first = self.held.len().saturating_sub(longest);
        let mut starts = (first..self.held.len()).filter(|i| self.held.is_char_boundary(*i));
        starts
            .find(begins)
            .map_or(0, |start| self.held.len() - start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds a text piece by piece; returns what came out and whether it stopped.
    fn feed(stop: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut filter = StopFilter::new(stop.iter().map(|s| (*s).to_owned()).collect());
        let mut out = String::new();
        for piece in pieces {
            let (text, stopped) = filter.push(piece);
            out.push_str(&text);
            if stopped {
                return (out, true);
            }
        }
        out.push_str(&filter.finish());
        (out, false)
    }

    /// A SentencePiece tokenizer of six tokens.
    const PIECES: &str = r#"{"version":"1.0","truncation":null,"padding":null,
        "added_tokens":[{"id":0,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,
            "normalized":false,"special":true}],
        "normalizer":null,"pre_tokenizer":null,"post_processor":null,
        "decoder":{"type":"Sequence","decoders":[
            {"type":"Replace","pattern":{"String":"\u2581"},"content":" "},{"type":"ByteFallback"},
            {"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
        "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,
            "end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":true,"ignore_merges":false,
            "vocab":{"<s>":0,"\u2581Hello":1,"\u2581world":2,"<0xC3>":3,"<0xBC>":4,"!":5},"merges":[]}}"#;

    fn pieces() -> TextModel {
        TextModel::new(|name| (name == "tokenizer.json").then(|| PIECES.as_bytes().to_vec()))
            .unwrap()
    }

    #[test]
    fn an_answer_begins_with_its_space_where_the_prompt_has_text() {
        let text = pieces();
        let first = |prompt: &[u32]| Deltas::new(&text, prompt, Vec::new()).push(&text, 2).0;
        assert_eq!(
            (&*first(&[0, 1]), &*first(&[0, 1, 5])),
            (" world", " world")
        );
        // A text of its own has none.
        assert_eq!((&*first(&[0]), &*first(&[])), ("world", "world"));
    }

    #[test]
    fn tokens_alone_have_their_space_and_parts_of_characters_their_bytes() {
        let text = pieces();
        assert_eq!(
            (&*text.bytes(2), &*text.bytes(0)),
            (&b" world"[..], &b"<s>"[..])
        );
        assert_eq!(
            (text.bytes(3), text.bytes(4), text.bytes(99)),
            (vec![0xc3], vec![0xbc], vec![])
        );
    }

    #[test]
    fn offsets_count_what_tokens_made_and_a_stop_string_may_take() {
        let text = pieces();
        let mut deltas = Deltas::new(&text, &[1], vec!["!!".to_owned()]);
        let mut made = Vec::new();
        for token in [2, 3, 4, 5, 5] {
            made.push(deltas.made());
            deltas.push(&text, token);
        }
        assert_eq!(made, [0, 6, 6, 7, 8]);
    }

    #[test]
    fn stop_strings_are_found_across_pieces_and_not_shown() {
        assert_eq!(
            feed(&["END"], &["abc E", "N", "D def"]),
            ("abc ".into(), true)
        );
        assert_eq!(
            feed(&["END"], &["abc E", "N", "x"]),
            ("abc ENx".into(), false)
        );
        assert_eq!(feed(&["aab"], &["a", "a", "a", "b"]), ("a".into(), true));
        assert_eq!(feed(&["ö"], &["x", "ö"]), ("x".into(), true));
        assert_eq!(feed(&[""], &["x"]), ("x".into(), false));
    }

    #[test]
    fn what_may_begin_a_stop_string_is_held_back() {
        let mut filter = StopFilter::new(vec!["\n\nUser".into()]);
        assert_eq!(filter.push("hello\n"), ("hello".into(), false));
        assert_eq!(filter.push("\nUs"), (String::new(), false));
        assert_eq!(filter.push("a"), ("\n\nUsa".into(), false));
    }

    proptest! {
        #[test]
        fn cutting_differently_changes_nothing(
            text in "[ab]{0,30}", stop in "[ab]{1,4}", cuts in prop::collection::vec(0..30usize, 0..6),
        ) {
            let expected = match text.find(&stop) {
                Some(at) => (text[..at].to_owned(), true),
                None => (text.clone(), false),
            };
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&str> = cuts.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            prop_assert_eq!(feed(&[&stop], &pieces), expected);
        }
    }
}
