//! Default values as people write them in a file, read off the expressions that make them.

use std::collections::BTreeMap;
use syn::{BinOp, Expr, Item, Lit, UnOp};

/// The constants of a source file, by name.
pub(super) type Constants = BTreeMap<String, Expr>;

/// All constants at the top of a file.
pub(super) fn constants(items: &[Item]) -> Constants {
    let constants = items.iter().filter_map(|item| match item {
        Item::Const(item) => Some((item.ident.to_string(), (*item.expr).clone())),
        _ => None,
    });
    constants.collect()
}

/// What an expression comes to; none where it isn't a plain value.
pub(super) fn text(expr: &Expr, constants: &Constants) -> Option<String> {
    if let Some(number) = number(expr, constants) {
        return Some(number.to_string());
    }
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(format!("\"{}\"", text.value())),
            Lit::Bool(value) => Some(value.value.to_string()),
            _ => None,
        },
        Expr::Path(path) => {
            let last = path.path.segments.last()?.ident.to_string();
            match last.as_str() {
                "None" => Some("none".to_owned()),
                // an enum's variant, as serde writes it
                _ if last.chars().any(char::is_lowercase) => {
                    Some(format!("\"{}\"", snake_case(&last)))
                }
                _ => constants.get(&last).and_then(|expr| text(expr, constants)),
            }
        }
        // `SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))`, or a number in a type
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) if path.path.is_ident("micro") => {
                dollars(number(call.args.first()?, constants)?)
            }
            _ => text(call.args.first()?, constants),
        },
        Expr::MethodCall(call) if call.method == "into" => text(&call.receiver, constants),
        Expr::Tuple(tuple) if tuple.elems.len() == 2 => {
            let port = number(&tuple.elems[1], constants)?;
            let Expr::Path(host) = &tuple.elems[0] else {
                return None;
            };
            let host = match host.path.segments.last()?.ident.to_string().as_str() {
                "LOCALHOST" => "127.0.0.1",
                "UNSPECIFIED" => "0.0.0.0",
                _ => return None,
            };
            Some(format!("\"{host}:{port}\""))
        }
        _ => None,
    }
}

fn number(expr: &Expr, constants: &Constants) -> Option<u128> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(value) => value.base10_parse().ok(),
            _ => None,
        },
        Expr::Binary(binary) => {
            let left = number(&binary.left, constants)?;
            let right = number(&binary.right, constants)?;
            match binary.op {
                BinOp::Mul(_) => left.checked_mul(right),
                BinOp::Add(_) => left.checked_add(right),
                BinOp::Shl(_) => left.checked_shl(u32::try_from(right).ok()?),
                _ => None,
            }
        }
        Expr::Paren(inner) => number(&inner.expr, constants),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => None,
        Expr::Path(path) => number(
            constants.get(&path.path.get_ident()?.to_string())?,
            constants,
        ),
        // a number in a type: `MicroUsdc(5)`
        Expr::Call(call) if call.args.len() == 1 => match &*call.func {
            Expr::Path(path) if !path.path.is_ident("micro") => {
                number(call.args.first()?, constants)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Millionths of a dollar as dollars.
fn dollars(micro: u128) -> Option<String> {
    let text = format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
    Some(format!(
        "\"{}\"",
        text.trim_end_matches('0').trim_end_matches('.')
    ))
}

/// `PerTransaction` as `per_transaction`.
pub(super) fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(expr: &str) -> Option<String> {
        let file = syn::parse_str::<syn::File>("const HOUR: u64 = 60 * 60;").unwrap();
        text(&syn::parse_str(expr).unwrap(), &constants(&file.items))
    }

    #[test]
    fn defaults_are_read_as_a_file_would_have_them() {
        for (expr, expected) in [
            ("2_048", "2048"),
            ("4 << 20", "4194304"),
            ("MicroUsdc(100_000_000)", "100000000"),
            ("2 * HOUR", "7200"),
            (
                "SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))",
                "\"127.0.0.1:8080\"",
            ),
            ("(Ipv4Addr::UNSPECIFIED, 8_080).into()", "\"0.0.0.0:8080\""),
            ("None", "none"),
            ("true", "true"),
            ("Basis::PerTransaction", "\"per_transaction\""),
            ("micro(2_750_000)", "\"2.75\""),
        ] {
            assert_eq!(value(expr).as_deref(), Some(expected), "{expr}");
        }
        assert_eq!(value("u64::MAX"), None);
    }
}
