//! The Move package beside this crate: its functions are those of `Call`, its abort codes those of
//! `AbortCode`. `move/atoma/abi.json` is what the bytecode says; `cargo xtask move` keeps it so.

use atoma_types::chain::{AbortCode, ArgKind, Call, ObjectKind, Params, PureKind};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

#[derive(Deserialize)]
struct Function {
    module: String,
    name: String,
    visibility: String,
    entry: bool,
    generic: u64,
    args: Vec<String>,
    returns: Vec<String>,
}

/// Functions of the package that are no rules: they take objects over after an upgrade.
const ONLY_IN_MOVE: &[&str] = &[
    "db::announce",
    "db::migrate",
    "node::migrate",
    "stack::migrate",
    "task::migrate",
];

/// Checks that the ledger and Move's types make: the package has no code for them.
const ONLY_IN_RUST: &[AbortCode] = &[
    AbortCode::ObjectMissing,
    AbortCode::WrongObjectKind,
    AbortCode::NotAdmin,
];

/// From here on codes are those of the development Walrus, which is another package.
pub(crate) const FIRST_FOREIGN_CODE: u64 = 800;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../move/atoma")
}

/// A fresh database begins with the same parameters, published in Move or made here.
#[test]
fn the_first_parameters_are_the_defaults() {
    let source = std::fs::read_to_string(folder().join("sources/params.move")).unwrap();
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().ok();
    let constants: BTreeMap<&str, u64> = source
        .lines()
        .filter_map(|line| line.strip_prefix("const ")?.strip_suffix(';'))
        .filter_map(|line| {
            let (name, value) = line.split_once(": u64 = ")?;
            Some((name, number(value)?))
        })
        .collect();
    // a product of numbers and constants
    let value = |text: &str| -> u64 {
        let factors = text.split(" * ").map(|factor| {
            let factor = factor.trim();
            number(factor).unwrap_or_else(|| constants[factor])
        });
        factors.product()
    };
    let (_, first) = source.split_once("fun first(): Params {").unwrap();
    let (first, _) = first.split_once('}').unwrap();
    let fields = first.lines().filter_map(|line| {
        let (name, text) = line.trim().strip_suffix(',')?.split_once(": ")?;
        Some((name, value(text)))
    });
    let found: Vec<_> = fields.collect();
    let defaults = Params::default();
    let expected = Params::NAMES.iter().map(|name| (*name, defaults.get(name)));
    let expected: Vec<_> = expected
        .map(|(name, value)| (name, value.unwrap()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_package_has_just_the_functions_of_the_table() {
    let text = std::fs::read_to_string(folder().join("abi.json")).unwrap();
    let functions: Vec<Function> = serde_json::from_str(&text).unwrap();
    let mut offered = BTreeMap::new();
    for function in functions {
        offered.insert(format!("{}::{}", function.module, function.name), function);
    }
    for spec in Call::FUNCTIONS {
        let name = format!("{}::{}", spec.module, spec.name);
        let function = offered.remove(&name);
        let function = function.unwrap_or_else(|| panic!("the package has no {name}"));
        let mut args = function.args;
        args.pop_if(|last| last.ends_with(" 0x2::tx_context::TxContext"));
        args.pop_if(|last| last == "&0x2::tx_context::TxContext");
        let expected: Vec<_> = spec.args.iter().map(|(_, kind)| move_type(*kind)).collect();
        assert_eq!(args, expected, "{name}");
        assert_eq!((function.generic, function.returns.len()), (0, 0), "{name}");
        // who draws must not be called by other modules, which could look and abort
        let draws = spec.args.iter().any(|(_, kind)| *kind == ArgKind::Random);
        let form = (function.visibility.as_str(), function.entry);
        assert_eq!(
            form,
            if draws {
                ("private", true)
            } else {
                ("public", false)
            },
            "{name}"
        );
    }
    let left: Vec<_> = offered.keys().map(String::as_str).collect();
    assert_eq!(left, ONLY_IN_MOVE, "only the package has these");
}

fn move_type(kind: ArgKind) -> String {
    match kind {
        ArgKind::Mutable(kind) => format!("&mut {}", object(kind)),
        ArgKind::Read(kind) | ArgKind::Owned(kind) => format!("&{}", object(kind)),
        ArgKind::OwnedMut(kind) => format!("&mut {}", object(kind)),
        ArgKind::Consumed(kind) => object(kind),
        ArgKind::Payment => "0x2::coin::Coin<0x5dc::usdc::USDC>".to_owned(),
        ArgKind::Pure(kind) => plain(kind).to_owned(),
        ArgKind::Clock => "&0x2::clock::Clock".to_owned(),
        ArgKind::Random => "&0x2::random::Random".to_owned(),
    }
}

fn object(kind: ObjectKind) -> String {
    let (module, name) = kind.move_name();
    format!("{module}::{name}")
}

fn plain(kind: PureKind) -> &'static str {
    match kind {
        PureKind::U8 => "u8",
        PureKind::U16 => "u16",
        PureKind::U32 => "u32",
        PureKind::U64 => "u64",
        PureKind::U256 => "u256",
        PureKind::Bool => "bool",
        PureKind::Bytes => "vector<u8>",
        PureKind::BytesList => "vector<vector<u8>>",
        PureKind::U16List => "vector<u16>",
        PureKind::U64List => "vector<u64>",
        PureKind::String => "0x1::string::String",
        PureKind::Id => "0x2::object::ID",
        PureKind::Address => "address",
        PureKind::AddressOption => "0x1::option::Option<address>",
        PureKind::IdListOption => "0x1::option::Option<vector<0x2::object::ID>>",
    }
}

#[test]
fn the_package_has_just_the_codes_of_the_table() {
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(folder().join("sources")).unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in source.lines() {
            if let Some(("const E", rest)) = line.split_at_checked(7)
                && let Some((name, number)) = rest.split_once(": u64 = ")
            {
                let number: u64 = number.trim_end_matches(';').parse().unwrap();
                let twice = found.insert(number, name.to_owned());
                assert!(twice.is_none(), "{number} stands in two modules");
            }
        }
    }
    let missing: BTreeSet<_> = AbortCode::ALL
        .iter()
        .filter(|code| code.code() < FIRST_FOREIGN_CODE)
        .filter(|code| found.remove(&code.code()) != Some(format!("{code:?}")))
        .collect();
    assert_eq!(missing, ONLY_IN_RUST.iter().collect());
    assert!(found.is_empty(), "only the package has these: {found:?}");
}
