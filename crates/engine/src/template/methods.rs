//! Methods of Python's texts, lists and dictionaries.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, FormatStyle, State, Value, format_filter};

use super::args::{Args, text, texts, wrong};
use super::python::{str, tuple};
use super::size;
use super::strings::{capitalize, lines, padded};

/// Wider texts are mistakes or attacks.
const MAX_WIDTH: i64 = 1 << 16;

/// Calls `value.method(args)` as Python would.
pub(super) fn call(_: &State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let unknown = || Error::from(ErrorKind::UnknownMethod);
    size::check(value)?;
    args.iter().try_for_each(size::check)?;
    if let Some(text) = value.as_str() {
        return match checks(text, method) {
            Some(answer) => Ok(answer.into()),
            None => on_text(text, method, args)?.ok_or_else(unknown),
        };
    }
    match value.kind() {
        ValueKind::Map => on_dict(value, method, Args::new(args)?)?.ok_or_else(unknown),
        ValueKind::Seq | ValueKind::Iterable => {
            on_list(value, method, Args::new(args)?)?.ok_or_else(unknown)
        }
        _ => Err(unknown()),
    }
}

/// Questions without arguments.
fn checks(text: &str, method: &str) -> Option<bool> {
    let all = |is: fn(char) -> bool| !text.is_empty() && text.chars().all(is);
    let cased = |wrong: fn(char) -> bool| {
        !text.chars().any(wrong) && text.chars().any(|c| c.is_lowercase() || c.is_uppercase())
    };
    Some(match method {
        "isspace" => all(char::is_whitespace),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isdigit" | "isdecimal" => all(|c| c.is_ascii_digit()),
        "isnumeric" => all(char::is_numeric),
        "isascii" => text.is_ascii(),
        "isprintable" => !text.chars().any(char::is_control),
        "islower" => cased(char::is_uppercase),
        "isupper" => cased(char::is_lowercase),
        "istitle" => cased(|_| false) && python_title(text) == text,
        "isidentifier" => {
            all(|c| c.is_alphanumeric() || c == '_') && !text.starts_with(char::is_numeric)
        }
        _ => return None,
    })
}

fn on_text(own: &str, method: &str, given: &[Value]) -> Result<Option<Value>, Error> {
    let mut args = Args::new(given)?;
    for methods in [changed, cut, searched, widened] {
        if let Some(answer) = methods(own, method, &mut args)? {
            return Ok(Some(answer));
        }
    }
    Ok(Some(match method {
        "join" => {
            let items = args.required("iterable")?;
            let letters = items
                .as_str()
                .map(|t| t.chars().map(String::from).collect());
            let letters = letters.map_or_else(|| texts(&items), Ok)?;
            size::joined(&letters, own)?.into()
        }
        "format" => {
            let shown: Vec<Value> = given
                .iter()
                .map(|value| match value.kind() {
                    ValueKind::Bool | ValueKind::None => str(value).into(),
                    ValueKind::Seq | ValueKind::Map if !value.is_kwargs() => str(value).into(),
                    _ => value.clone(),
                })
                .collect();
            format_filter(FormatStyle::StrFormat, own, &shown)?.into()
        }
        _ => return Ok(None),
    }))
}

/// The text with other letters, or with fewer.
fn changed(own: &str, method: &str, args: &mut Args) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "upper" => own.to_uppercase().into(),
        "lower" | "casefold" => own.to_lowercase().into(),
        "capitalize" => capitalize(own).into(),
        "title" => python_title(own).into(),
        "swapcase" => own.chars().flat_map(swapped).collect::<String>().into(),
        "strip" => stripped(own, args.text("chars")?.as_deref(), true, true).into(),
        "lstrip" => stripped(own, args.text("chars")?.as_deref(), true, false).into(),
        "rstrip" => stripped(own, args.text("chars")?.as_deref(), false, true).into(),
        "removeprefix" => {
            let prefix = args.required("prefix")?;
            own.strip_prefix(text(&prefix)?).unwrap_or(own).into()
        }
        "removesuffix" => {
            let suffix = args.required("suffix")?;
            own.strip_suffix(text(&suffix)?).unwrap_or(own).into()
        }
        "replace" => {
            let (old, new) = (args.required("old")?, args.required("new")?);
            let (old, new) = (text(&old)?, text(&new)?);
            size::replaced(own, old, new, args.int("count")?)?.into()
        }
        _ => return Ok(None),
    }))
}

/// The text in pieces.
fn cut(own: &str, method: &str, args: &mut Args) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "split" => split(
            own,
            args.text("sep")?.as_deref(),
            args.int("maxsplit")?,
            false,
        )?,
        "rsplit" => split(
            own,
            args.text("sep")?.as_deref(),
            args.int("maxsplit")?,
            true,
        )?,
        "splitlines" => listed(lines(own, args.flag("keepends"))),
        "partition" => {
            let separator = args.required("sep")?;
            let separator = text(&separator)?;
            match own.split_once(separator) {
                Some((before, after)) => parts([before, separator, after]),
                None => parts([own, "", ""]),
            }
        }
        "rpartition" => {
            let separator = args.required("sep")?;
            let separator = text(&separator)?;
            match own.rsplit_once(separator) {
                Some((before, after)) => parts([before, separator, after]),
                None => parts(["", "", own]),
            }
        }
        _ => return Ok(None),
    }))
}

/// Where something stands in the text, and how often.
fn searched(own: &str, method: &str, args: &mut Args) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "startswith" | "endswith" => {
            let wanted = texts(&args.required("prefix")?)?;
            let (_, own) = part(own, args)?;
            let is = |wanted: &String| match method {
                "startswith" => own.starts_with(wanted.as_str()),
                _ => own.ends_with(wanted.as_str()),
            };
            wanted.iter().any(is).into()
        }
        "find" | "index" => found(own_find(own, args, false)?, method)?,
        "rfind" | "rindex" => found(own_find(own, args, true)?, method)?,
        "count" => {
            let wanted = args.required("sub")?;
            let (_, own) = part(own, args)?;
            own.matches(text(&wanted)?).count().into()
        }
        _ => return Ok(None),
    }))
}

/// The text with more room in it.
fn widened(own: &str, method: &str, args: &mut Args) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "center" | "ljust" | "rjust" | "zfill" => {
            let width = args.int("width")?.unwrap_or(0).clamp(0, MAX_WIDTH) as usize;
            let fill = args.text("fillchar")?.and_then(|fill| fill.chars().next());
            match method {
                "center" => padded(own, width, fill.unwrap_or(' '), None).into(),
                "ljust" => padded(own, width, fill.unwrap_or(' '), Some(false)).into(),
                "rjust" => padded(own, width, fill.unwrap_or(' '), Some(true)).into(),
                _ => {
                    let (sign, digits) = own.split_at(usize::from(own.starts_with(['-', '+'])));
                    let rest = width.saturating_sub(sign.len());
                    (sign.to_owned() + &padded(digits, rest, '0', Some(true))).into()
                }
            }
        }
        "expandtabs" => {
            let width = args.int("tabsize")?.unwrap_or(8).clamp(0, MAX_WIDTH) as usize;
            expand_tabs(own, width).into()
        }
        _ => return Ok(None),
    }))
}

fn on_dict(own: &Value, method: &str, mut args: Args) -> Result<Option<Value>, Error> {
    let keys = || own.try_iter();
    Ok(Some(match method {
        "get" => {
            let key = args.required("key")?;
            let found = own
                .get_item(&key)
                .ok()
                .filter(|found| !found.is_undefined());
            found
                .or_else(|| args.next("default"))
                .unwrap_or(Value::from(()))
        }
        "keys" => keys()?.collect(),
        "values" => keys()?
            .map(|key| own.get_item(&key))
            .collect::<Result<_, _>>()?,
        "items" => keys()?
            .map(|key| own.get_item(&key).map(|item| tuple(vec![key, item])))
            .collect::<Result<_, _>>()?,
        "copy" => own.clone(),
        "update" | "pop" | "popitem" | "clear" | "setdefault" => return Err(immutable(method)),
        _ => return Ok(None),
    }))
}

fn on_list(own: &Value, method: &str, mut args: Args) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "count" => {
            let wanted = args.required("value")?;
            own.try_iter()?
                .filter(|item| *item == wanted)
                .count()
                .into()
        }
        "index" => {
            let wanted = args.required("value")?;
            let at = own.try_iter()?.position(|item| item == wanted);
            at.ok_or_else(|| wrong("the value is not in the list"))?
                .into()
        }
        "copy" => own.clone(),
        "append" | "extend" | "insert" | "pop" | "remove" | "clear" | "sort" | "reverse" => {
            return Err(immutable(method));
        }
        _ => return Ok(None),
    }))
}

/// Templates run in a sandbox that changes nothing.
fn immutable(method: &str) -> Error {
    wrong(format!(
        "{method} would change a value, which the sandbox forbids"
    ))
}

fn listed(texts: Vec<&str>) -> Value {
    texts.into_iter().map(Value::from).collect()
}

fn parts(texts: [&str; 3]) -> Value {
    tuple(texts.map(Value::from).to_vec())
}

fn swapped(c: char) -> Vec<char> {
    if c.is_uppercase() {
        c.to_lowercase().collect()
    } else {
        c.to_uppercase().collect()
    }
}

/// Words are runs of letters.
fn python_title(text: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

fn stripped<'a>(text: &'a str, chars: Option<&str>, start: bool, end: bool) -> &'a str {
    let cut = |c: char| match chars {
        Some(chars) => chars.contains(c),
        None => c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c),
    };
    let text = if start {
        text.trim_start_matches(cut)
    } else {
        text
    };
    if end {
        text.trim_end_matches(cut)
    } else {
        text
    }
}

fn split(own: &str, by: Option<&str>, limit: Option<i64>, right: bool) -> Result<Value, Error> {
    let limit = limit
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(usize::MAX - 1);
    let mut parts: Vec<&str> = match by {
        Some("") => return Err(wrong("empty separator")),
        Some(by) if right => own.rsplitn(limit + 1, by).collect(),
        Some(by) => return Ok(listed(own.splitn(limit + 1, by).collect())),
        None => return Ok(listed(split_spaces(own, limit, right))),
    };
    parts.reverse();
    Ok(listed(parts))
}

fn split_spaces(own: &str, limit: usize, right: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = own.trim();
    while !rest.is_empty() {
        let at = match (parts.len() < limit, right) {
            (false, _) => None,
            (true, false) => rest.find(char::is_whitespace),
            (true, true) => rest.rfind(char::is_whitespace),
        };
        let Some(at) = at else {
            parts.push(rest);
            break;
        };
        if right {
            let space = rest[at..].chars().next().map_or(1, char::len_utf8);
            parts.push(&rest[at + space..]);
            rest = rest[..at].trim_end();
        } else {
            parts.push(&rest[..at]);
            rest = rest[at..].trim_start();
        }
    }
    if right {
        parts.reverse();
    }
    parts
}

/// The part between the next two arguments, in characters, and the first of them.
fn part<'a>(own: &'a str, args: &mut Args) -> Result<(usize, &'a str), Error> {
    let (start, end) = (args.int("start")?, args.int("end")?);
    let count = own.chars().count() as i64;
    let place = |at: i64| (if at < 0 { at + count } else { at }).clamp(0, count) as usize;
    let (start, end) = (start.map_or(0, place), end.map_or(count as usize, place));
    let byte = |at: usize| {
        own.char_indices()
            .nth(at)
            .map_or(own.len(), |(byte, _)| byte)
    };
    Ok((start, &own[byte(start)..byte(end.max(start))]))
}

/// Where a text is found, in characters.
fn own_find(own: &str, args: &mut Args, last: bool) -> Result<Option<usize>, Error> {
    let wanted = args.required("sub")?;
    let wanted = text(&wanted)?;
    let (start, own) = part(own, args)?;
    let at = if last {
        own.rfind(wanted)
    } else {
        own.find(wanted)
    };
    Ok(at.map(|at| start + own[..at].chars().count()))
}

fn found(at: Option<usize>, method: &str) -> Result<Value, Error> {
    match at {
        Some(at) => Ok(at.into()),
        None if method.ends_with("index") => Err(wrong("substring not found")),
        None => Ok((-1).into()),
    }
}

fn expand_tabs(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if width == 0 => {}
            '\t' => {
                let spaces = width - column % width;
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            c => {
                out.push(c);
                column = if matches!(c, '\n' | '\r') {
                    0
                } else {
                    column + 1
                };
            }
        }
    }
    out
}
