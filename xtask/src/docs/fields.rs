//! The keys of a section of a configuration file, read off the type that it is parsed into: name, kind
//! of value, default and meaning of each.

use super::{
    files::read,
    value::{self, Constants, snake_case},
};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use syn::{
    Attribute, Expr, Fields, GenericArgument, ImplItem, Item, ItemEnum, ItemFn, ItemStruct, Lit,
    Meta, PathArguments, Stmt, Token, Type,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

/// A key of a section.
pub(super) struct Key {
    pub name: String,
    pub kind: Kind,
    /// None where the key must be there; empty where it is another key's or a file's.
    pub default: Option<String>,
    pub meaning: String,
}

/// The type of a key's value.
pub(super) struct Kind {
    /// Its last name in Rust, without what it is wrapped in.
    pub name: String,
    pub many: bool,
    optional: bool,
}

/// A source file.
pub(super) struct Source {
    path: &'static str,
    items: Vec<Item>,
    constants: Constants,
}

impl Source {
    pub(super) fn parse(path: &'static str) -> Result<Self> {
        let file = syn::parse_file(&read(path)?).with_context(|| format!("cannot parse {path}"))?;
        let constants = value::constants(&file.items);
        Ok(Self {
            path,
            items: file.items,
            constants,
        })
    }

    /// What a constant of the file says.
    pub(super) fn constant(&self, name: &str) -> Result<String> {
        let expr = self.constants.get(name);
        expr.and_then(|expr| value::text(expr, &self.constants))
            .with_context(|| format!("{} has no plain constant {name}", self.path))
    }

    /// The keys of a section: the fields of a struct, the variants of an enum, or, for `Params`, what
    /// the macro `params!` lists.
    pub(super) fn keys(&self, name: &str) -> Result<Vec<Key>> {
        let keys = self.items.iter().find_map(|item| match item {
            Item::Struct(item) if item.ident == name => Some(self.fields(item)),
            Item::Enum(item) if item.ident == name => Some(variants(item)),
            Item::Macro(item) if name == "Params" && item.mac.path.is_ident("params") => Some(
                item.mac
                    .parse_body::<Params>()
                    .map(|params| params.keys(&self.constants))
                    .map_err(Into::into),
            ),
            _ => None,
        });
        let keys = keys.with_context(|| format!("{} has no {name}", self.path))??;
        for key in &keys {
            ensure!(
                !key.meaning.is_empty(),
                "{}: {} of {name} has no doc comment",
                self.path,
                key.name
            );
        }
        Ok(keys)
    }

    fn fields(&self, item: &ItemStruct) -> Result<Vec<Key>> {
        let all = serde_words(&item.attrs);
        let made = self.made(&item.ident.to_string());
        let fields = item.fields.iter().filter(|field| !skipped(&field.attrs));
        let keys = fields.map(|field| {
            let name = field.ident.as_ref().context("a field without a name")?;
            let name = name.to_string();
            let kind = kind(&field.ty).with_context(|| format!("{}: {name}", self.path))?;
            let (meaning, told) = meaning(&field.attrs);
            let words = serde_words(&field.attrs);
            let function = words.iter().find_map(|word| word.strip_prefix("default="));
            let has_default = |words: &[String]| words.iter().any(|word| word == "default");
            let default = if told.is_some() {
                told
            } else if let Some(function) = function {
                Some(self.returned(function)?)
            } else if let Some(expr) = made.get(&name) {
                Some(value::text(expr, &self.constants).unwrap_or_default())
            } else if kind.optional {
                Some("none".to_owned())
            } else if has_default(&words) || has_default(&all) {
                Some(empty(&kind))
            } else {
                None
            };
            Ok(Key {
                name,
                kind,
                default,
                meaning,
            })
        });
        keys.collect()
    }

    /// What a function that makes a default returns.
    fn returned(&self, path: &str) -> Result<String> {
        let name = path.rsplit("::").next().unwrap_or(path);
        let inner = self.items.iter().flat_map(|item| match item {
            Item::Mod(module) => module.content.as_ref().map_or(&[][..], |(_, items)| items),
            item => std::slice::from_ref(item),
        });
        let found = inner.filter_map(|item| match item {
            Item::Fn(function) if function.sig.ident == name => last_expr(function),
            _ => None,
        });
        let text = found
            .filter_map(|expr| value::text(expr, &self.constants))
            .next();
        text.with_context(|| format!("{}: the default {path} is no plain value", self.path))
    }

    /// The fields of the literal by which a type's defaults are made: in `default` or `for_model`.
    fn made(&self, name: &str) -> BTreeMap<String, Expr> {
        let mut made = BTreeMap::new();
        for item in &self.items {
            let Item::Impl(item) = item else { continue };
            if !matches!(&*item.self_ty, Type::Path(path) if path.path.is_ident(name)) {
                continue;
            }
            for item in &item.items {
                let ImplItem::Fn(function) = item else {
                    continue;
                };
                if function.sig.ident != "default" && function.sig.ident != "for_model" {
                    continue;
                }
                let Some(Stmt::Expr(expr, None)) = function.block.stmts.last() else {
                    continue;
                };
                let literal = match expr {
                    Expr::Call(call) => call.args.first(),
                    expr => Some(expr),
                };
                if let Some(Expr::Struct(literal)) = literal {
                    made.extend(
                        literal
                            .fields
                            .iter()
                            .filter_map(|field| match &field.member {
                                syn::Member::Named(name) => {
                                    Some((name.to_string(), field.expr.clone()))
                                }
                                syn::Member::Unnamed(_) => None,
                            }),
                    );
                }
            }
        }
        made
    }
}

fn variants(item: &ItemEnum) -> Result<Vec<Key>> {
    let variants = item
        .variants
        .iter()
        .filter(|variant| !skipped(&variant.attrs));
    let keys = variants.map(|variant| {
        let name = snake_case(&variant.ident.to_string());
        let text = |value: String| Kind {
            name: value,
            many: false,
            optional: false,
        };
        let (name, kind) = match &variant.fields {
            Fields::Unit => (format!("\"{name}\""), text(String::new())),
            Fields::Unnamed(fields) => {
                let field = fields
                    .unnamed
                    .first()
                    .context("a variant without a value")?;
                (format!("{{ {name} = ... }}"), kind(&field.ty)?)
            }
            Fields::Named(fields) => {
                let names = fields.named.iter().filter_map(|field| field.ident.as_ref());
                let names: Vec<_> = names.map(|name| format!("{name} = ...")).collect();
                (
                    format!("{{ {name} = {{ {} }} }}", names.join(", ")),
                    text(String::new()),
                )
            }
        };
        Ok(Key {
            name,
            kind,
            default: Some(String::new()),
            meaning: meaning(&variant.attrs).0,
        })
    });
    keys.collect()
}

/// What stands between the braces of `params!`.
struct Params(Vec<(Vec<Attribute>, syn::Ident, Expr)>);

impl Parse for Params {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut listed = Vec::new();
        while !input.is_empty() {
            let attributes = input.call(Attribute::parse_outer)?;
            let name = input.parse()?;
            input.parse::<Token![=]>()?;
            let values = Punctuated::<Expr, Token![,]>::parse_separated_nonempty(input)?;
            input.parse::<Token![;]>()?;
            let default = values.into_iter().next();
            listed.extend(default.map(|default| (attributes, name, default)));
        }
        Ok(Self(listed))
    }
}

impl Params {
    fn keys(&self, constants: &Constants) -> Vec<Key> {
        let keys = self.0.iter().map(|(attributes, name, default)| Key {
            name: name.to_string(),
            kind: Kind {
                name: "u64".to_owned(),
                many: false,
                optional: false,
            },
            default: Some(value::text(default, constants).unwrap_or_default()),
            meaning: meaning(attributes).0,
        });
        keys.collect()
    }
}

fn last_expr(function: &ItemFn) -> Option<&Expr> {
    match function.block.stmts.last()? {
        Stmt::Expr(expr, None) => Some(expr),
        _ => None,
    }
}

/// What `Default` gives where nothing else is said.
fn empty(kind: &Kind) -> String {
    match kind.name.as_str() {
        _ if kind.many => "none",
        "bool" => "false",
        // a section of its own
        _ => "",
    }
    .to_owned()
}

/// Takes `Option`, `Vec` and `BTreeMap` off.
fn kind(ty: &Type) -> Result<Kind> {
    let Type::Path(path) = ty else {
        anyhow::bail!("a type without a name");
    };
    let last = path.path.segments.last().context("a type without a name")?;
    let name = last.ident.to_string();
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments
                .args
                .iter()
                .rev()
                .find_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                })
        }
        _ => None,
    };
    match (name.as_str(), inner) {
        ("Option", Some(inner)) => Ok(Kind {
            optional: true,
            ..kind(inner)?
        }),
        ("Vec" | "BTreeMap", Some(inner)) => Ok(Kind {
            many: true,
            ..kind(inner)?
        }),
        _ => Ok(Kind {
            name,
            many: false,
            optional: false,
        }),
    }
}

/// The doc comment in one line, and the default where it tells one: "(default: 10)".
fn meaning(attributes: &[Attribute]) -> (String, Option<String>) {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(text) = &literal.lit
        {
            lines.push(text.value().trim().to_owned());
        }
    }
    let text = unlinked(&lines.join(" ")).replace('|', "\\|");
    match text.split_once(" (default: ") {
        Some((before, rest)) => {
            let (default, after) = rest.split_once(')').unwrap_or((rest, ""));
            (format!("{before}{after}"), Some(default.to_owned()))
        }
        None => (text, None),
    }
}

/// Links to Rust's items lead nowhere here: only their text stays.
fn unlinked(text: &str) -> String {
    match text.split_once("[`") {
        Some((before, rest)) => match rest.split_once("](").map(|(name, rest)| {
            let after = rest.split_once(')').map_or("", |(_, after)| after);
            format!("{before}`{name}{}", unlinked(after))
        }) {
            Some(text) => text,
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

fn skipped(attributes: &[Attribute]) -> bool {
    serde_words(attributes).iter().any(|word| word == "skip")
}

/// What `#[serde(...)]` says: `default`, `skip`, `default=path`.
fn serde_words(attributes: &[Attribute]) -> Vec<String> {
    let mut words = Vec::new();
    for attribute in attributes {
        if let Meta::List(list) = &attribute.meta
            && list.path.is_ident("serde")
        {
            let text = list.tokens.to_string().replace([' ', '"'], "");
            words.extend(text.split(',').map(str::to_owned));
        }
    }
    words
}
