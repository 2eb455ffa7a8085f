//! Whether the model gives this answer: what came of computing it again.

use super::gathered::{Gathered, Item, hold, need, own};
use super::signed::short;
use crate::check::Gap;
use atoma_types::message::CommitmentKind;
use serde_json::Value;

pub(super) fn computation(g: &Gathered) -> Item<String> {
    let Some(again) = &g.recomputed else {
        return Err(Gap::absent("it was not asked for"));
    };
    let again = own(again)?;
    let receipt = need(&g.receipt)?.message();
    let promised = receipt
        .output_fingerprint
        .ok_or_else(|| Gap::absent("the receipt names no fingerprint: its engine makes none"))?;
    let salt = need(&g.request_body)?.salt();
    let found = salt.commit(CommitmentKind::Fingerprint, &again.fingerprint.0);
    hold(found == promised, || {
        format!("computed here, the scores give {found}, the receipt names {promised}")
    })?;
    let found = format!("the same scores, {}", short(&promised));
    let Some(said) = text(&need(&g.answer_body)?.body()) else {
        return Ok(format!("{found}; the answer is no plain text"));
    };
    // scores alone don't show what was told of them
    hold(said == again.text, || {
        "computed here, the scores are the same and the text is another".to_owned()
    })?;
    Ok(format!("{found}, and the same text"))
}

/// The text of an answer, whole or streamed; none where it has more than text.
fn text(body: &[u8]) -> Option<String> {
    if let Ok(whole) = serde_json::from_slice::<Value>(body) {
        return said(&whole["choices"][0], "message");
    }
    let mut text = String::new();
    for line in std::str::from_utf8(body).ok()?.lines() {
        let Some(event) = line.strip_prefix("data:") else {
            continue;
        };
        // the last one says that there are no more
        if let Ok(chunk) = serde_json::from_str::<Value>(event) {
            text.push_str(&said(&chunk["choices"][0], "delta")?);
        }
    }
    Some(text)
}

/// What a choice says: in `message` or `delta` of a chat, in `text` of a completion.
fn said(choice: &Value, part: &str) -> Option<String> {
    let part = &choice[part];
    let more = ["tool_calls", "reasoning_content", "reasoning"];
    if more.iter().any(|name| !part[name].is_null()) {
        return None;
    }
    let text = part["content"].as_str().or(choice["text"].as_str());
    Some(text.unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_answer_is_found_in_all_its_forms() {
        let is = |body: &str, expected: Option<&str>| {
            assert_eq!(text(body.as_bytes()).as_deref(), expected, "{body}");
        };
        is(r#"{"choices":[{"message":{"content":"hi"}}]}"#, Some("hi"));
        is(r#"{"choices":[{"text":"hi"}]}"#, Some("hi"));
        let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"h\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\"i\"}}]}\n\n\
                      data: {\"choices\":[]}\n\ndata: [DONE]\n\n";
        is(stream, Some("hi"));
        let call = r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1"}]}}]}"#;
        is(call, None);
    }
}
