//! What a receipt's usage can be at most, by the bytes that were sent and that came. A node counts the
//! tokens that it is paid for; whoever has no tokenizer can still tell what no tokenizer counts. Pure.
//!
//! ```text
//! input  <= bytes of the body + template + lines around values + images and sounds + characters that are written out
//! output <= bytes that can be read + 4 * bytes of calls + what an answer and a call hide + the longest stop
//! ```
//!
//! No token but a special one stands for less than a byte, so bytes bound tokens. What is hidden has bounds of its
//! own, each a named constant. They are generous: a node may count too much within them, and an honest one
//! never counts more. Reasoning isn't hidden here: nodes show it, and refuse requests that would leave it out.
//!
//! Not covered, for it is no answer: a model that does nothing but repeat a special token without being told to.

mod asked;
mod lines;
mod visible;

pub(crate) use asked::Asked;
pub(crate) use visible::{Said, Visible};

use atoma_evidence::receipt::ReceiptError;
use atoma_types::{Usage, message::Endpoint};

/// What a chat template may put around the messages: the longest default system prompt in use has some 1,100
/// tokens, and how tools are explained some hundreds.
const TEMPLATE_TOKENS: u64 = 4_096;
/// What an image or a sound may become, however few bytes it has: the largest number of a model in use is 16,384.
/// (A longer sound has more bytes than tokens.)
const MEDIA_TOKENS: u64 = 16_384;
/// What one character may become where a tokenizer writes out compatibility characters: U+FDFA is eighteen others,
/// of 33 bytes.
const EXPANDED_TOKENS: u64 = 33;
/// What an answer has beside its text: its end, marks around thoughts and channels (some six a part), blanks that are
/// cut off, the rest of a character that didn't become whole.
const HIDDEN_TOKENS: u64 = 128;
/// What an answer has beside its text where tools may be called: white space around calls is never text, and small models
/// write much of it.
const HIDDEN_WITH_TOOLS: u64 = 2_048;
/// What a call of a tool has beside its name and arguments: marks and the frame around them.
const HIDDEN_CALL_TOKENS: u64 = 64;
/// Arguments are parsed and written anew: as XML, or with blanks, they take a few times what is shown.
const CALL_FACTOR: u64 = 4;

/// Whether a receipt's usage is possible. `said` is absent where the answer was lost: then only the input is
/// looked at.
///
/// # Errors
///
/// What there is too much of.
pub(crate) fn check(usage: &Usage, asked: &Asked, said: Option<&Said>) -> Result<(), ReceiptError> {
    // no endpoint makes an image or listens to more than what a prompt holds
    if usage.image_steps > 0 || usage.audio_seconds > 0 {
        return Err(ReceiptError::NotServed);
    }
    if asked.is_unread() {
        return Ok(());
    }
    let (charged, most) = (usage.prompt_tokens(), asked.most_input());
    if charged > most {
        return Err(ReceiptError::Input { charged, most });
    }
    let (charged, most) = match (asked.endpoint(), said) {
        (Endpoint::Embeddings, _) => (usage.output, 0),
        (Endpoint::ChatCompletions | Endpoint::Completions, Some(said)) => {
            (usage.output, most_output(asked, said))
        }
        (Endpoint::ChatCompletions | Endpoint::Completions, None) => return Ok(()),
    };
    if charged > most {
        return Err(ReceiptError::Output { charged, most });
    }
    Ok(())
}

fn most_output(asked: &Asked, said: &Said) -> u64 {
    // a bias for a token that shows no text is the user's own order: what bounds it is what was signed
    if asked.biased() {
        return u64::MAX;
    }
    let hidden = match asked.tools() {
        true => HIDDEN_WITH_TOOLS,
        false => HIDDEN_TOKENS,
    };
    let hidden = hidden.saturating_add(asked.longest_stop());
    let calls = said.call_bytes.saturating_mul(CALL_FACTOR);
    let calls = calls.saturating_add(said.calls.saturating_mul(HIDDEN_CALL_TOKENS));
    said.text_bytes
        .saturating_add(calls)
        .saturating_add(asked.answers().saturating_mul(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: Endpoint = Endpoint::ChatCompletions;

    fn check_of(body: &str, input: u64, output: u64, text_bytes: u64) -> Result<(), ReceiptError> {
        let said = Said {
            text_bytes,
            ..Said::default()
        };
        let usage = Usage::of_text(input, 0, output);
        check(&usage, &Asked::of(CHAT, body.as_bytes()), Some(&said))
    }

    #[test]
    fn as_many_tokens_as_bytes_are_possible_and_one_more_than_is_hidden_is_not() {
        assert_eq!(check_of("{}", 2 + TEMPLATE_TOKENS, 1_000, 1_000), Ok(()));
        let most = 2 + TEMPLATE_TOKENS;
        let charged = most + 1;
        let error = ReceiptError::Input { charged, most };
        assert_eq!(check_of("{}", charged, 1, 1_000), Err(error));
        let most = 1_000 + HIDDEN_TOKENS;
        let charged = most + 1;
        assert_eq!(check_of("{}", 1, most, 1_000), Ok(()));
        let error = ReceiptError::Output { charged, most };
        assert_eq!(check_of("{}", 1, charged, 1_000), Err(error));
    }

    #[test]
    fn tokens_without_text_that_the_user_orders_are_nobodys_fault() {
        for body in [
            r#"{"logit_bias":{"151659":100}}"#,
            r#"{"logit\u005fbias":{"151659":100}}"#,
        ] {
            assert_eq!(check_of(body, 1, 5_000, 0), Ok(()), "{body}");
        }
        // and nothing else that is said of it is
        for body in [r#"{"messages":[{"content":"logit_bias"}]}"#, "{}"] {
            let (charged, most) = (5_000, HIDDEN_TOKENS);
            let error = ReceiptError::Output { charged, most };
            assert_eq!(check_of(body, 1, charged, 0), Err(error), "{body}");
        }
    }

    #[test]
    fn a_fields_name_may_be_written_in_another_way() {
        let most = HIDDEN_TOKENS + 20;
        let stop = r#"{"st\u006fp":"twenty letters are so"}"#;
        assert_eq!(check_of(stop, 1, most, 0), Ok(()));
        let tools = r#"{"t\u006fols":[]}"#;
        assert_eq!(check_of(tools, 1, HIDDEN_WITH_TOOLS, 0), Ok(()));
    }

    #[test]
    fn an_image_of_a_few_bytes_may_be_thousands_of_tokens() {
        let image = r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}"#;
        assert_eq!(check_of(image, 16_384, 1, 10), Ok(()));
        assert!(check_of(image, 2 * MEDIA_TOKENS, 1, 10).is_err());
        let sound =
            r#"{"content":[{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]}"#;
        assert_eq!(check_of(sound, 16_384, 1, 10), Ok(()));
    }

    #[test]
    fn each_of_several_answers_hides_something_and_a_stop_is_cut_off() {
        let several = r#"{"n":3,"stop":["end","the very end"]}"#;
        let most = 3 * (HIDDEN_TOKENS + 12);
        assert_eq!(check_of(several, 1, most, 0), Ok(()));
        assert!(check_of(several, 1, most + 1, 0).is_err());
        assert_eq!(
            check_of(r#"{"stop":"end"}"#, 1, HIDDEN_TOKENS + 3, 0),
            Ok(())
        );
        let tools = r#"{"tools":[{"type":"function"}]}"#;
        assert_eq!(check_of(tools, 1, HIDDEN_WITH_TOOLS, 0), Ok(()));
        // a body that can't be read, or says another thing, hides nothing more
        assert!(check_of(r#"{"n":"x","stop":7}"#, 1, HIDDEN_TOKENS + 1, 0).is_err());
    }

    #[test]
    fn nothing_is_charged_that_no_endpoint_gives() {
        let asked = Asked::of(Endpoint::Embeddings, b"{}");
        let vector = Usage::of_text(5, 5, 0);
        assert_eq!(check(&vector, &asked, None), Ok(()));
        let wordy = Usage {
            output: 1,
            ..vector
        };
        let (charged, most) = (1, 0);
        let error = ReceiptError::Output { charged, most };
        assert_eq!(check(&wordy, &asked, None), Err(error));
        for usage in [
            Usage {
                image_steps: 1,
                ..vector
            },
            Usage {
                audio_seconds: 1,
                ..vector
            },
        ] {
            assert_eq!(
                check(&usage, &Asked::of(CHAT, b"{}"), None),
                Err(ReceiptError::NotServed)
            );
        }
        // of a lost answer nobody knows what it said
        let lost = Usage::of_text(5, 0, 1_000_000);
        assert_eq!(check(&lost, &Asked::of(CHAT, b"{}"), None), Ok(()));
    }

    #[test]
    fn tools_may_be_written_a_value_a_line_however_deep_they_are() {
        let nested = |inside: String| (0..100).fold(inside, |inner, _| format!("[{inner}]"));
        let values = nested(vec!["1"; 1_500].join(","));
        let tool = format!(
            r#"{{"type":"function","function":{{"name":"f","parameters":{{"enum":{values}}}}}}}"#
        );
        let body = format!(r#"{{"messages":[{{"role":"user","content":"x"}}],"tools":[{tool}]}}"#);
        assert!(body.len() < 3_500);
        // what `tojson(indent=4)` makes of the tool, if each blank were a token
        let written = 1_500 * (4 * (3 + 100) + 3);
        assert_eq!(check_of(&body, written, 1, 10), Ok(()));
        assert!(check_of(&body, 2 * written, 1, 10).is_err());
        // as a prompt it stays what it is
        let prompt = Asked::of(Endpoint::Completions, body.as_bytes());
        let (charged, most) = (written, body.len() as u64 + TEMPLATE_TOKENS);
        let error = ReceiptError::Input { charged, most };
        let usage = Usage::of_text(written, 0, 1);
        assert_eq!(check(&usage, &prompt, None), Err(error));
    }

    #[test]
    fn a_tokenizer_may_write_characters_out() {
        let phrase = "\u{fdfa}".repeat(1_000);
        let written_out = 1_000 * EXPANDED_TOKENS;
        assert_eq!(check_of(&phrase, written_out, 1, 1_000), Ok(()));
        let escaped = r"\ufdfa".repeat(1_000);
        assert_eq!(check_of(&escaped, written_out, 1, 1_000), Ok(()));
    }
}
