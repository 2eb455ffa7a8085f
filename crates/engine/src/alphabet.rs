//! The bytes that each token stands for by itself.
//!
//! Decoders look at whole texts: they drop the space that a SentencePiece text begins with, and turn
//! parts of characters into U+FFFD. Whoever shows tokens one by one, or asks which tokens go on with a
//! text, needs the bytes.

use serde::Deserialize;
use tokenizers::Tokenizer;

/// SentencePiece's sign for a space.
const SPACE: char = '\u{2581}';

/// How tokens are written in the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Each byte is one of 256 printable characters, as in GPT-2.
    Bytes,
    /// Text in which spaces are signs and odd bytes are written `<0x0A>`.
    SentencePiece,
    /// Text as it is.
    Plain,
}

#[derive(Deserialize)]
struct File {
    decoder: Option<Decoder>,
}

#[derive(Deserialize)]
struct Decoder {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    decoders: Vec<Decoder>,
}

impl Alphabet {
    /// As the text of a `tokenizer.json` says.
    pub(crate) fn of(tokenizer: &[u8]) -> Self {
        let file: Option<File> = serde_json::from_slice(tokenizer).ok();
        let Some(decoder) = file.and_then(|file| file.decoder) else {
            return Self::Plain;
        };
        let has = |kinds: &[&str]| {
            let all = std::iter::once(&decoder).chain(&decoder.decoders);
            all.into_iter()
                .any(|decoder| kinds.contains(&decoder.kind.as_str()))
        };
        if has(&["ByteLevel"]) {
            Self::Bytes
        } else if has(&["ByteFallback", "Metaspace", "Replace"]) {
            Self::SentencePiece
        } else {
            Self::Plain
        }
    }

    /// The bytes of a token; none if there is no such token.
    pub(crate) fn bytes(self, tokenizer: &Tokenizer, id: u32) -> Vec<u8> {
        let Some(token) = tokenizer.id_to_token(id) else {
            return Vec::new();
        };
        if tokenizer.get_added_tokens_decoder().contains_key(&id) {
            return token.into_bytes();
        }
        match self {
            Self::Plain => token.into_bytes(),
            Self::SentencePiece => match hex_byte(&token) {
                Some(byte) => vec![byte],
                None => token.replace(SPACE, " ").into_bytes(),
            },
            Self::Bytes => {
                let mut bytes = Vec::with_capacity(token.len());
                for c in token.chars() {
                    match byte_of(c) {
                        Some(byte) => bytes.push(byte),
                        None => bytes.extend(c.to_string().into_bytes()),
                    }
                }
                bytes
            }
        }
    }
}

/// The byte of a token that stands for one, such as `<0x0A>`.
fn hex_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    // the parser would take a sign, too
    let two = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    two.then(|| u8::from_str_radix(digits, 16).ok())?
}

/// GPT-2 writes printable bytes of Latin-1 as themselves and the other 68 from U+0100 on, in order.
fn byte_of(c: char) -> Option<u8> {
    let code = u32::from(c);
    let printable = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if code < 0x100 {
        return printable(code).then_some(code as u8);
    }
    let others = (0..0x100).filter(|byte| !printable(*byte));
    others
        .zip(0x100..)
        .find(|(_, sign)| *sign == code)
        .map(|(byte, _)| byte as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpt2_signs_stand_for_bytes() {
        let bytes = |text: &str| text.chars().map(byte_of).collect::<Option<Vec<u8>>>();
        assert_eq!(bytes("Ġhi").unwrap(), b" hi");
        assert_eq!(bytes("ĊĉÃ¼").unwrap(), "\n\tü".as_bytes());
        assert_eq!(bytes("\u{143}").unwrap(), [0xad]);
        assert_eq!((bytes(" "), bytes("\u{144}")), (None, None));
    }

    #[test]
    fn the_decoder_says_how_tokens_are_written() {
        let of = |decoder: &str| Alphabet::of(format!(r#"{{"decoder":{decoder}}}"#).as_bytes());
        assert_eq!(of(r#"{"type":"ByteLevel","x":1}"#), Alphabet::Bytes);
        let llama = r#"{"type":"Sequence","decoders":[{"type":"Replace"},{"type":"ByteFallback"},{"type":"Fuse"}]}"#;
        assert_eq!(of(llama), Alphabet::SentencePiece);
        assert_eq!(of(r#"{"type":"Metaspace"}"#), Alphabet::SentencePiece);
        assert_eq!(
            (of("null"), of(r#"{"type":"WordPiece"}"#)),
            (Alphabet::Plain, Alphabet::Plain)
        );
        assert_eq!(
            ["<0x0A>", "<0x>", "<0x+A>", "<s>"].map(hex_byte),
            [Some(10), None, None, None]
        );
    }
}
