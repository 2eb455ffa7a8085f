//! What a chat template may write around the values of a body's JSON. Tools and their calls are written anew: each
//! value on a line of its own, indented by its depth, or with marks before and after it. Pure, and no JSON is too deep
//! for it.

use memchr::memchr2;

/// Blanks by which a line is indented more for each level: no template in use asks for more.
const INDENT: u64 = 4;
/// What stands around a value beside blanks: the line's end and a blank; marks as `<parameter>`, `<name>`, `<type>`,
/// of three or four tokens each; the digits of a number that was written with an exponent.
const LINE_TOKENS: u64 = 16;

/// The most tokens of lines, indents and marks around the values that stand inside a body's fields. What is no JSON
/// has some number, too: its node refuses it.
pub(super) fn most(body: &[u8]) -> u64 {
    let (mut depth, mut tokens, mut text) = (0_u64, 0_u64, 0);
    let mut rest = body;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => {
                text = length_of_text(rest);
                rest = rest.get(text + 1..).unwrap_or_default();
                continue;
            }
            // marks may say the name of a field twice
            b':' => {
                tokens = tokens.saturating_add(text as u64);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => {}
            _ => continue,
        }
        // the body itself is written nowhere
        if depth > 1 {
            let line = LINE_TOKENS + INDENT.saturating_mul(depth);
            tokens = tokens.saturating_add(line);
        }
    }
    tokens
}

/// The bytes up to the quote that ends a text.
fn length_of_text(bytes: &[u8]) -> usize {
    let mut end = 0;
    while let Some(rest) = bytes.get(end..) {
        match memchr2(b'"', b'\\', rest) {
            None => break,
            Some(place) if rest.get(place) == Some(&b'"') => return end + place,
            // whatever comes after it ends nothing
            Some(place) => end += place + 2,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Serialize;
    use serde_json::{Value, json, ser::PrettyFormatter};

    /// As `tojson(indent=4)` writes it.
    fn written(value: &Value) -> u64 {
        let mut bytes = Vec::new();
        let format = PrettyFormatter::with_indent(b"    ");
        let mut to = serde_json::Serializer::with_formatter(&mut bytes, format);
        value.serialize(&mut to).unwrap();
        bytes.len() as u64
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(1)),
            Just(json!("a, {\"b\": [\\")),
            Just(json!({}))
        ];
        leaf.prop_recursive(12, 60, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                inner.prop_map(|value| json!({ "k": value, "l": 2 })),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_field_is_written_longer(value in values()) {
            let body = json!({ "tools": value }).to_string();
            prop_assert!(written(&value) <= body.len() as u64 + most(body.as_bytes()));
        }
    }

    #[test]
    fn values_count_by_their_depth_and_the_body_and_texts_do_not() {
        assert_eq!(most(br#"{"a":1,"b":",:[{\"[","c":2}"#), 3);
        let deep = LINE_TOKENS + 3 * INDENT;
        let less_deep = LINE_TOKENS + 2 * INDENT;
        // opened twice, separated once, closed to the body's level once
        assert_eq!(most(br#"{"a":[[1,2]]}"#), 1 + 2 * deep + 2 * less_deep);
        // whatever it is, it ends
        assert_eq!(most(b"]]}\"abc"), 0);
        assert!(most(&b"[".repeat(1 << 16)) > 1 << 30);
    }
}
