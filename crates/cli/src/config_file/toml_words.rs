//! What is wrong with a text that isn't TOML, for somebody who doesn't know TOML's grammar.

/// What the parser says of a value that it can't read begins so.
const BAD_VALUE: [&str; 14] = [
    "string values must be quoted",
    "invalid float",
    "invalid integer",
    "invalid hexadecimal",
    "invalid octal",
    "invalid binary",
    "invalid boolean",
    "invalid date",
    "invalid time",
    "invalid string",
    "invalid mantissa",
    "invalid fraction",
    "unexpected leading zero",
    "unexpected sign",
];

/// A mistake of the text's form at byte `at`, which the parser describes by `message`.
pub(super) fn broken(message: &str, text: &str, at: usize) -> String {
    let line = line_at(text, at);
    let begins = |prefix: &&str| message.starts_with(*prefix);
    if BAD_VALUE.iter().any(begins) {
        return bad_value(line);
    }
    let words = match message.split(", expected").next().unwrap_or_default() {
        "key with no value" => {
            "expected `key = value`, or the name of a section in brackets: `[section]`"
        }
        "duplicate key" => "this key or section stands a second time: keep one of the two",
        "unclosed table" => {
            "the bracket `[` is not closed: a section begins with a line `[section]`"
        }
        "unclosed array" => "the list is not closed: it ends with `]`",
        "unclosed inline table" => "the brace `{` is not closed: it ends with `}` on the same line",
        "invalid basic string" | "invalid literal string" => {
            "the text is not closed: it ends on the same line with the quote that it begins with"
        }
        "missing escaped value" => {
            "a backslash in a text is written twice (\"C:\\\\data\"), or the text stands in single quotes ('C:\\data')"
        }
        "unexpected key or value" => {
            "expected one `key = value` a line; a number's fraction comes after a point, as in 0.25"
        }
        _ => return format!("{message}; a line is `key = value` or `[section]`"),
    };
    words.to_owned()
}

/// What serde says of a value of the wrong kind, in words instead of names of Rust's types.
pub(super) fn wrong(message: &str) -> String {
    if let Some(key) = message.strip_prefix("missing field ") {
        return format!("the key {key} is missing");
    }
    let found = ["invalid type: ", "invalid value: "];
    let found = found.iter().find_map(|prefix| message.strip_prefix(prefix));
    match found.and_then(|rest| rest.split_once(", expected ")) {
        Some((found, expected)) => format!(
            "{} stands where {} is expected",
            found_kind(found),
            expected_kind(expected)
        ),
        None => message.to_owned(),
    }
}

fn found_kind(found: &str) -> String {
    let kinds = [
        ("string ", "the text "),
        ("integer ", "the number "),
        ("floating point ", "the number "),
        ("boolean ", ""),
    ];
    for (kind, word) in kinds {
        if let Some(value) = found.strip_prefix(kind) {
            return format!("{word}{}", value.trim_matches('`'));
        }
    }
    match found {
        "sequence" => "a list".to_owned(),
        "map" => "a section".to_owned(),
        other => other.to_owned(),
    }
}

fn expected_kind(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => {
            "a whole number"
        }
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "str" | "string" | "path string" => "a text in quotes",
        "a sequence" => "a list in brackets",
        "a map" => "a section",
        nonzero if nonzero.starts_with("a nonzero ") => "a whole number above zero",
        section if section.starts_with("struct ") => "a section",
        other => other,
    }
}

/// The line `key = value`, whose value isn't one.
fn bad_value(line: &str) -> String {
    let value = line.split_once('=').map_or(line, |(_, value)| value).trim();
    // a comment isn't part of it
    let value = value.split(" #").next().unwrap_or_default().trim();
    if value.is_empty() || value.starts_with('#') {
        return "a value is missing after `=`".to_owned();
    }
    format!(
        "`{value}` is no value: expected a text in quotes (\"{}\"), a number (5 or 0.25), or true or false",
        value.trim_matches(['"', '\'']),
    )
}

fn line_at(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or(text);
    let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text.get(begin..).unwrap_or_default();
    line.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let error = text.parse::<toml::Table>().unwrap_err();
        let at = error.span().unwrap().start;
        broken(error.message(), text, at)
    }

    #[test]
    fn a_value_without_quotes_is_told_how_texts_and_numbers_are_written() {
        for value in ["127.0.0.1:0", "hello", "http://x", "12abc", "01", "True"] {
            let said = said(&format!("# first\nlisten = {value}\n"));
            let expected =
                format!("`{value}` is no value: expected a text in quotes (\"{value}\"), ");
            assert!(said.starts_with(&expected), "{said}");
        }
        assert_eq!(said("listen = \n"), "a value is missing after `=`");
        assert_eq!(said("listen =  # later\n"), "a value is missing after `=`");
    }

    #[test]
    fn a_value_of_another_kind_is_told_without_names_of_rusts_types() {
        for (message, expected) in [
            (
                "invalid type: string \"many\", expected u64",
                "the text \"many\" stands where a whole number is expected",
            ),
            (
                "invalid type: integer `5`, expected a string",
                "the number 5 stands where a text in quotes is expected",
            ),
            (
                "invalid value: integer `-1`, expected u16",
                "the number -1 stands where a whole number is expected",
            ),
            (
                "invalid type: boolean `true`, expected struct Limits",
                "true stands where a section is expected",
            ),
            ("missing field `ledger`", "the key `ledger` is missing"),
            ("anything else", "anything else"),
        ] {
            assert_eq!(wrong(message), expected);
        }
    }

    #[test]
    fn every_other_mistake_is_told_in_words() {
        for (text, expected) in [
            ("listen\n", "expected `key = value`"),
            ("listen: 5\n", "expected `key = value`"),
            ("a = 1\na = 2\n", "stands a second time"),
            ("[a]\n[a]\n", "stands a second time"),
            ("[limits\n", "bracket `[` is not closed"),
            ("a = [1, 2\n", "list is not closed"),
            ("a = {b = 1\n", "brace `{` is not closed"),
            ("a = \"x\n", "text is not closed"),
            ("a = 'x\n", "text is not closed"),
            ("a = \"C:\\dir\"\n", "backslash"),
            ("a = 1,5\n", "as in 0.25"),
            ("= 5\n", "a line is `key = value`"),
        ] {
            let said = said(text);
            assert!(said.contains(expected), "{text:?}: {said}");
        }
    }
}
