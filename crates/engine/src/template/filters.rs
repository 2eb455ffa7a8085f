//! Jinja's filters where they differ from those of the template engine: on anything, they work on
//! what Python would print.

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, FormatStyle, Value, format_filter};

use super::args::{Args, wrong};
use super::python::{Dump, str, tuple};
use super::size;
use super::strings::{capitalize, lines, padded};
use super::syntax::EACH;

/// Adds them all.
pub(super) fn add(environment: &mut Environment<'static>) {
    type Filter = fn(&Value, Args) -> Result<Value, Error>;
    let filters: &[(&'static str, Filter)] = &[
        ("tojson", to_json),
        ("string", |value, _| Ok(str(value).into())),
        ("safe", |value, _| Ok(str(value).into())),
        ("escape", |value, _| Ok(escape(&str(value)).into())),
        ("e", |value, _| Ok(escape(&str(value)).into())),
        ("forceescape", |value, _| Ok(escape(&str(value)).into())),
        ("pprint", |value, _| Ok(super::python::repr(value).into())),
        ("upper", |value, _| Ok(str(value).to_uppercase().into())),
        ("lower", |value, _| Ok(str(value).to_lowercase().into())),
        ("capitalize", |value, _| Ok(capitalize(&str(value)).into())),
        ("title", |value, _| Ok(title(&str(value)).into())),
        ("trim", trim),
        ("replace", replace),
        ("indent", indent),
        ("join", join),
        ("length", length),
        ("count", length),
        ("list", list),
        ("first", |value, _| end(value, false)),
        ("last", |value, _| end(value, true)),
        ("reverse", reverse),
        ("items", items),
        ("dictsort", dict_sort),
        ("int", int),
        ("float", float),
        ("round", round),
        ("wordcount", |value, _| Ok(words(&str(value)).into())),
        ("center", center),
        ("truncate", truncate),
        ("striptags", |value, _| Ok(strip_tags(&str(value)).into())),
        ("format", format),
        ("sum", sum),
        ("urlencode", |value, _| Ok(url_encode(&str(value)).into())),
        (EACH, iterable),
        ("max", |value, args| extreme(value, args, true)),
        ("min", |value, args| extreme(value, args, false)),
    ];
    for &(name, filter) in filters {
        let called = move |value: &Value, args: Rest<Value>| {
            size::check(value)?;
            args.iter().try_for_each(size::check)?;
            filter(value, args.try_into()?)
        };
        environment.add_filter(name, called);
    }
}

/// As transformers defines it: `json.dumps` without escapes for other scripts than Latin.
fn to_json(value: &Value, mut args: Args) -> Result<Value, Error> {
    let ensure_ascii = args.flag("ensure_ascii");
    let indent = args.next("indent");
    let indent = match indent {
        None => None,
        Some(text) if text.as_str().is_some() => Some(str(&text)),
        Some(width) => Some(" ".repeat(usize::try_from(width)?.min(MAX_WIDTH))),
    };
    let separators = match args.next("separators") {
        Some(pair) => (
            str(&pair.get_item(&0.into())?),
            str(&pair.get_item(&1.into())?),
        ),
        None if indent.is_some() => (",".to_owned(), ": ".to_owned()),
        None => (", ".to_owned(), ": ".to_owned()),
    };
    let sort_keys = args.flag("sort_keys");
    let dump = Dump {
        indent,
        separators,
        ensure_ascii,
        sort_keys,
    };
    dump.dumps(value).map(Value::from)
}

/// Wider lines are mistakes or attacks.
const MAX_WIDTH: usize = 1 << 16;

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&#39;")
        .replace('"', "&#34;")
}

/// Jinja's own rule: words begin after spaces, dashes and opening brackets.
fn title(text: &str) -> String {
    let mut begins = true;
    let mut out = String::new();
    for c in text.chars() {
        if begins {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        begins = c.is_whitespace() || "-({[<".contains(c);
    }
    out
}

fn trim(value: &Value, mut args: Args) -> Result<Value, Error> {
    let text = str(value);
    Ok(match args.text("chars")? {
        Some(chars) => text.trim_matches(|c| chars.contains(c)).into(),
        None => text.trim().into(),
    })
}

fn replace(value: &Value, mut args: Args) -> Result<Value, Error> {
    let (old, new) = (str(&args.required("old")?), str(&args.required("new")?));
    size::replaced(&str(value), &old, &new, args.int("count")?).map(Value::from)
}

/// All lines but the first are moved in; empty ones only if asked.
fn indent(value: &Value, mut args: Args) -> Result<Value, Error> {
    let by = match args.next("width") {
        None => "    ".to_owned(),
        Some(text) if text.as_str().is_some() => str(&text),
        Some(width) => " ".repeat(usize::try_from(width)?.min(MAX_WIDTH)),
    };
    let (first, blank) = (args.flag("first"), args.flag("blank"));
    let text = str(value) + "\n";
    let text_lines = lines(&text, false);
    let added = text_lines.len().saturating_mul(by.len());
    size::check_bytes(text.len().saturating_add(added))?;
    let mut out = String::new();
    for (index, line) in text_lines.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if (index > 0 && (blank || !line.is_empty())) || (index == 0 && first) {
            out.push_str(&by);
        }
        out.push_str(line);
    }
    Ok(out.into())
}

fn join(value: &Value, mut args: Args) -> Result<Value, Error> {
    let separator = args.next("d").map_or(String::new(), |d| str(&d));
    let attribute = args.next("attribute");
    let items = each(value)?.into_iter().map(|item| match &attribute {
        Some(attribute) => get(&item, attribute).map(|item| str(&item)),
        None => Ok(str(&item)),
    });
    size::joined(&items.collect::<Result<Vec<_>, _>>()?, &separator).map(Value::from)
}

/// An attribute by name, dots in it going deeper.
fn get(item: &Value, attribute: &Value) -> Result<Value, Error> {
    match attribute.as_str() {
        Some(path) => path
            .split('.')
            .try_fold(item.clone(), |item, part| match part.parse() {
                Ok(index) => item.get_item_by_index(index),
                Err(_) => item.get_attr(part),
            }),
        None => item.get_item(attribute),
    }
}

/// What Python's iteration gives: letters of a text, keys of a dictionary, items of a list.
fn each(value: &Value) -> Result<Vec<Value>, Error> {
    match value.as_str() {
        Some(text) => Ok(text.chars().map(|c| c.to_string().into()).collect()),
        None if value.is_undefined() => Ok(Vec::new()),
        None if value.is_none() => Err(wrong("None is not iterable")),
        None => Ok(value.try_iter()?.collect()),
    }
}

fn length(value: &Value, _: Args) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::String => Ok(str(value).chars().count().into()),
        ValueKind::Undefined => Ok(0.into()),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => {
            let counted = value
                .len()
                .map_or_else(|| each(value).map(|items| items.len()), Ok);
            counted.map(Value::from)
        }
        kind => Err(wrong(format!("{kind} has no length"))),
    }
}

fn list(value: &Value, _: Args) -> Result<Value, Error> {
    each(value).map(Value::from)
}

fn end(value: &Value, last: bool) -> Result<Value, Error> {
    let mut items = each(value)?;
    let found = if last {
        items.pop()
    } else {
        items.into_iter().next()
    };
    Ok(found.unwrap_or(Value::UNDEFINED))
}

fn reverse(value: &Value, _: Args) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.chars().rev().collect::<String>().into());
    }
    let mut items = each(value)?;
    items.reverse();
    Ok(items.into())
}

/// Keys and values of a dictionary.
fn pairs(value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(Vec::new()),
        ValueKind::Map => value
            .try_iter()?
            .map(|key| value.get_item(&key).map(|item| (key, item)))
            .collect(),
        _ => Err(wrong("can only get item pairs from a mapping")),
    }
}

fn items(value: &Value, _: Args) -> Result<Value, Error> {
    Ok(paired(pairs(value)?))
}

fn paired(pairs: Vec<(Value, Value)>) -> Value {
    pairs
        .into_iter()
        .map(|(key, item)| tuple(vec![key, item]))
        .collect()
}

fn dict_sort(value: &Value, mut args: Args) -> Result<Value, Error> {
    let case_sensitive = args.flag("case_sensitive");
    let by_value = args.text("by")?.as_deref() == Some("value");
    let reverse = args.flag("reverse");
    let key = |(key, item): &(Value, Value)| {
        let by = if by_value { item } else { key };
        match by.as_str() {
            Some(text) if !case_sensitive => text.to_lowercase().into(),
            _ => by.clone(),
        }
    };
    let mut pairs = pairs(value)?;
    pairs.sort_by(|a, b| {
        let order = key(a).cmp(&key(b));
        if reverse { order.reverse() } else { order }
    });
    Ok(paired(pairs))
}

fn int(value: &Value, mut args: Args) -> Result<Value, Error> {
    let default = args.next("default").unwrap_or_else(|| 0.into());
    let base = args.int("base")?.unwrap_or(10);
    let parsed = match value.as_str() {
        Some(text) => {
            let digits = text.trim().replace('_', "");
            let bare = match base {
                16 => digits.trim_start_matches("0x"),
                8 => digits.trim_start_matches("0o"),
                2 => digits.trim_start_matches("0b"),
                _ => digits.as_str(),
            };
            let base = u32::try_from(base)
                .ok()
                .filter(|base| (2..=36).contains(base));
            let whole = base.and_then(|base| i128::from_str_radix(bare, base).ok());
            whole.or_else(|| truncated(digits.parse().ok()?))
        }
        None if value.is_number() && !value.is_integer() => {
            truncated(f64::try_from(value.clone())?)
        }
        None if value.kind() == ValueKind::Bool => Some(i128::from(value.is_true())),
        None => i128::try_from(value.clone()).ok(),
    };
    Ok(
        parsed.map_or(default, |number| match i64::try_from(number) {
            Ok(number) => number.into(),
            Err(_) => number.into(),
        }),
    )
}

fn truncated(number: f64) -> Option<i128> {
    number.is_finite().then(|| number.trunc() as i128)
}

fn float(value: &Value, mut args: Args) -> Result<Value, Error> {
    let default = args.next("default").unwrap_or_else(|| 0.0.into());
    let parsed = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None if value.kind() == ValueKind::Bool => Some(f64::from(value.is_true())),
        None => f64::try_from(value.clone()).ok(),
    };
    Ok(parsed.map_or(default, Value::from))
}

fn round(value: &Value, mut args: Args) -> Result<Value, Error> {
    if value.is_integer() {
        return Ok(value.clone());
    }
    let precision = args.int("precision")?.unwrap_or(0).clamp(-300, 300) as i32;
    let method = args.text("method")?;
    let number = f64::try_from(value.clone())?;
    let scale = 10f64.powi(precision);
    Ok(match method.as_deref() {
        Some("ceil") => (number * scale).ceil() / scale,
        Some("floor") => (number * scale).floor() / scale,
        // As Python: the decimal nearest to the number itself, halves to the even one.
        _ if precision >= 0 => format!("{number:.0$}", precision as usize)
            .parse()
            .unwrap_or(number),
        _ => (number * scale).round_ties_even() / scale,
    }
    .into())
}

fn words(text: &str) -> usize {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .count()
}

fn center(value: &Value, mut args: Args) -> Result<Value, Error> {
    let width = args.int("width")?.unwrap_or(80).clamp(0, MAX_WIDTH as i64) as usize;
    Ok(padded(&str(value), width, ' ', None).into())
}

fn truncate(value: &Value, mut args: Args) -> Result<Value, Error> {
    let length = args.int("length")?.unwrap_or(255).max(0) as usize;
    let kill_words = args.flag("killwords");
    let end = args.text("end")?.unwrap_or_else(|| "...".into());
    let leeway = args.int("leeway")?.unwrap_or(5).max(0) as usize;
    let text = str(value);
    if text.chars().count() <= length + leeway {
        return Ok(text.into());
    }
    let kept = length.saturating_sub(end.chars().count());
    let cut: String = text.chars().take(kept).collect();
    let cut = match cut.rsplit_once(' ') {
        Some((whole, _)) if !kill_words => whole.to_owned(),
        _ => cut,
    };
    Ok((cut + &end).into())
}

fn strip_tags(text: &str) -> String {
    let mut bare = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => bare.push(c),
            _ => {}
        }
    }
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Formats as the operator `%` of Python does, as far as templates use it.
fn format(value: &Value, args: Args) -> Result<Value, Error> {
    let shown = args.rest().into_iter().map(|value| match value.kind() {
        ValueKind::String | ValueKind::Number => value,
        ValueKind::Map if value.is_kwargs() => value,
        _ => str(&value).into(),
    });
    let shown: Vec<Value> = shown.collect();
    format_filter(FormatStyle::Printf, &str(value), &shown).map(Value::from)
}

fn sum(value: &Value, mut args: Args) -> Result<Value, Error> {
    let attribute = args.next("attribute");
    let start = args.next("start").unwrap_or_else(|| 0.into());
    each(value)?.into_iter().try_fold(start, |sum, item| {
        let item = match &attribute {
            Some(attribute) => get(&item, attribute)?,
            None => item,
        };
        match (i64::try_from(sum.clone()), i64::try_from(item.clone())) {
            (Ok(a), Ok(b)) if sum.is_integer() && item.is_integer() => a
                .checked_add(b)
                .map(Value::from)
                .ok_or_else(|| wrong("the sum is too large")),
            _ => Ok((f64::try_from(sum)? + f64::try_from(item)?).into()),
        }
    })
}

fn url_encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encode = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// What a loop goes over.
fn iterable(value: &Value, _: Args) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::None | ValueKind::Bool | ValueKind::Number => {
            Err(wrong(format!("{} is not iterable", str(value))))
        }
        _ => Ok(value.clone()),
    }
}

fn extreme(value: &Value, mut args: Args, largest: bool) -> Result<Value, Error> {
    let case_sensitive = args.flag("case_sensitive");
    let attribute = args.next("attribute");
    let mut best: Option<(Value, Value)> = None;
    for item in each(value)? {
        let key = match &attribute {
            Some(attribute) => get(&item, attribute)?,
            None => item.clone(),
        };
        let key = match key.as_str() {
            Some(text) if !case_sensitive => text.to_lowercase().into(),
            _ => key,
        };
        let better = best
            .as_ref()
            .is_none_or(|(best, _)| if largest { key > *best } else { key < *best });
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or(Value::UNDEFINED, |(_, item)| item))
}
