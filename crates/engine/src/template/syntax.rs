//! What Jinja reads and the template engine doesn't, written in words that both know.
//!
//! Ends of lines become `\n`. The block `generation`, which only trainers use, becomes a plain scope.
//! What a loop goes over passes through the filter [`EACH`], as Python refuses to go over None.

/// The filter that refuses what Python can't go over; no template's own.
pub(super) const EACH: &str = "_python_iterable";

/// A template in the engine's words.
pub(super) fn normalised(template: &str) -> String {
    let template = template.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(template.len());
    let mut rest = template.as_str();
    while let Some(at) = next_tag(rest) {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let end = match &tag[..2] {
            "{#" => tag.find("#}").map_or(tag.len(), |at| at + 2),
            "{%" if word_of(&tag[2..]) == "raw" => raw_end(tag),
            "{%" => code_end(&tag[2..], "%}") + 2,
            _ => code_end(&tag[2..], "}}") + 2,
        };
        let (tag, after) = tag.split_at(end);
        if tag.starts_with("{%") && tag.ends_with("%}") {
            block(&mut out, tag);
        } else {
            out.push_str(tag);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn next_tag(text: &str) -> Option<usize> {
    text.match_indices('{')
        .map(|(at, _)| at)
        .find(|at| text[at + 1..].starts_with(['{', '%', '#']))
}

/// The first word of a block.
fn word_of(code: &str) -> &str {
    let code = code.trim_start_matches(['-', '+']).trim_start();
    let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    &code[..end.unwrap_or(code.len())]
}

fn raw_end(tag: &str) -> usize {
    tag.match_indices("{%")
        .find(|(at, _)| word_of(&tag[at + 2..]) == "endraw")
        .map_or(tag.len(), |(at, _)| at + 2 + code_end(&tag[at + 2..], "%}"))
}

/// Places in code that are neither in a text nor, if `top` is set, in brackets.
fn places(code: &str) -> impl Iterator<Item = (usize, usize)> {
    let (mut quote, mut escaped, mut depth) = (None, false, 0usize);
    code.char_indices().filter_map(move |(at, c)| {
        if let Some(end) = quote {
            if !escaped && c == end {
                quote = None;
            }
            escaped = !escaped && c == '\\';
            return None;
        }
        match c {
            '\'' | '"' => quote = Some(c),
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let here = depth;
        if matches!(c, '(' | '[' | '{') {
            depth += 1;
        }
        Some((at, here))
    })
}

/// Where code ends, its closing mark included.
fn code_end(code: &str, mark: &str) -> usize {
    places(code)
        .find(|(at, depth)| *depth == 0 && code[*at..].starts_with(mark))
        .map_or(code.len(), |(at, _)| at + mark.len())
}

/// Where a keyword stands outside of texts and brackets.
fn keyword(code: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    places(code)
        .find(|(at, depth)| {
            *depth == 0
                && code[*at..].starts_with(word)
                && !code[..*at].ends_with(is_part)
                && !code[at + word.len()..].starts_with(is_part)
        })
        .map(|(at, _)| at)
}

fn block(out: &mut String, tag: &str) {
    let word = word_of(&tag[2..]);
    let begin = word.as_ptr() as usize - tag.as_ptr() as usize;
    let (open, code) = tag.split_at(begin);
    let code = &code[word.len()..];
    out.push_str(open);
    match word {
        "generation" if is_bare(code) => out.push_str("with"),
        "endgeneration" if is_bare(code) => out.push_str("endwith"),
        "for" => return loop_over(out, code),
        _ => out.push_str(word),
    }
    out.push_str(if is_bare(code) { " " } else { "" });
    out.push_str(code.trim_start_matches(if is_bare(code) { ' ' } else { '\0' }));
}

/// Nothing but the end of a block.
fn is_bare(code: &str) -> bool {
    code.trim_start().trim_start_matches(['-', '+']) == "%}"
}

fn loop_over(out: &mut String, code: &str) {
    out.push_str("for");
    let end = code.len()
        - code
            .trim_end_matches("%}")
            .trim_end_matches(['-', '+'])
            .len();
    let (inner, close) = code.split_at(code.len() - end);
    let Some(at) = keyword(inner, "in") else {
        return out.push_str(code);
    };
    let (target, what) = inner.split_at(at + 2);
    let ends = ["if", "recursive"]
        .iter()
        .filter_map(|word| keyword(what, word));
    let (what, options) = what.split_at(ends.min().unwrap_or(what.len()));
    out.push_str(target);
    out.push_str(" (");
    out.push_str(what.trim());
    out.push_str(")|");
    out.push_str(EACH);
    out.push(' ');
    out.push_str(options);
    out.push_str(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generation_blocks_become_scopes_with_the_same_whitespace() {
        assert_eq!(
            normalised("a\r\n{%- generation -%} b {%generation%}{% endgeneration +%}"),
            "a\n{%- with -%} b {%with %}{% endwith +%}"
        );
        for others in [
            "{% set generation = 1 %}{{ '{% generation %}' }}{% if generation %}",
            "{# {% generation %} #}{% raw %}{% generation %}{% endraw %}{{ {'a': {}}}}",
            "{% generation",
            "{{ 'x",
        ] {
            assert_eq!(normalised(others), others);
        }
    }

    #[test]
    fn what_a_loop_goes_over_is_found_behind_texts_and_brackets() {
        assert_eq!(
            normalised("{%- for a, b in f(' if ', x if y else z)[in] if a recursive -%}"),
            "{%- for a, b in (f(' if ', x if y else z)[in])|_python_iterable if a recursive -%}"
        );
        assert_eq!(
            normalised("{%for m in d.items()%}"),
            "{%for m in (d.items())|_python_iterable %}"
        );
    }
}
