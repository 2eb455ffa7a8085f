//! A crate as a tree of modules: for each file its path in the crate, what it defines, what it hands on.

use anyhow::{Context, Result};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{Attribute, Expr, ExprLit, Item, ItemMod, Lit, Meta, UseTree, Visibility};

/// All files that a crate's `lib.rs` and `main.rs` reach.
pub(super) struct Crate {
    pub modules: Vec<Module>,
    /// Modules by their path from the crate's root: `["book", "account"]`. Modules within a file
    /// are their file's.
    pub by_path: BTreeMap<Vec<String>, usize>,
}

/// A file of a crate, and what it says of others.
pub(super) struct Module {
    pub file: PathBuf,
    pub path: Vec<String>,
    pub items: Vec<Item>,
    pub defines: BTreeSet<String>,
    /// Names that `pub use` hands on, with the path they come from, as written.
    pub hands_on: BTreeMap<String, Vec<String>>,
    /// Paths of which everything is handed on.
    pub hands_on_all: Vec<Vec<String>>,
}

impl Crate {
    /// Parses the crate whose sources stand in `source`.
    pub(super) fn read(source: &Path) -> Result<Self> {
        let mut krate = Self {
            modules: Vec::new(),
            by_path: BTreeMap::new(),
        };
        let root = ["lib.rs", "main.rs"]
            .iter()
            .map(|name| source.join(name))
            .find(|file| file.is_file())
            .with_context(|| format!("{} has no root", source.display()))?;
        krate.add(&root, source, &[])?;
        Ok(krate)
    }

    fn add(&mut self, file: &Path, folder: &Path, path: &[String]) -> Result<()> {
        let at = || format!("cannot read {}", file.display());
        let text = fs::read_to_string(file).with_context(at)?;
        let items = syn::parse_file(&text).with_context(at)?.items;
        let index = self.modules.len();
        self.by_path.insert(path.to_vec(), index);
        let mut module = Module {
            file: file.to_owned(),
            path: path.to_vec(),
            items: Vec::new(),
            defines: BTreeSet::new(),
            hands_on: BTreeMap::new(),
            hands_on_all: Vec::new(),
        };
        let items: Vec<_> = items
            .into_iter()
            .filter(|item| !is_test(attributes(item)))
            .collect();
        let mut children = Vec::new();
        for item in &items {
            module.learn(item);
            if let Item::Mod(child) = item {
                children.push(child.clone());
            }
        }
        module.items = items;
        self.modules.push(module);
        for child in children {
            let mut path = path.to_vec();
            path.push(child.ident.to_string());
            if child.content.is_some() {
                self.by_path.insert(path, index);
                continue;
            }
            let (file, folder) = place(&child, file, folder)?;
            self.add(&file, &folder, &path)?;
        }
        Ok(())
    }
}

impl Module {
    fn learn(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Use(item) if !matches!(item.vis, Visibility::Inherited) => {
                self.hand_on(&item.tree, &mut Vec::new());
                return;
            }
            Item::Macro(item) => match &item.ident {
                Some(name) => name,
                // what a macro at the top makes is not seen
                None => return,
            },
            _ => return,
        };
        self.defines.insert(name.to_string());
    }

    fn hand_on(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        flatten(tree, path, &mut |name, path| match name {
            Some(name) => {
                self.hands_on.insert(name, path);
            }
            None => self.hands_on_all.push(path),
        });
    }
}

/// Calls `each` with every name that a `use` brings (none for a star) and the path it comes from.
pub(super) fn flatten(
    tree: &UseTree,
    path: &mut Vec<String>,
    each: &mut impl FnMut(Option<String>, Vec<String>),
) {
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            flatten(&part.tree, path, each);
            path.pop();
        }
        UseTree::Name(part) if part.ident == "self" => each(path.last().cloned(), path.clone()),
        UseTree::Name(part) => {
            let name = part.ident.to_string();
            let mut whole = path.clone();
            whole.push(name.clone());
            each(Some(name), whole);
        }
        UseTree::Rename(part) => {
            let mut whole = path.clone();
            if part.ident != "self" {
                whole.push(part.ident.to_string());
            }
            each(Some(part.rename.to_string()), whole);
        }
        UseTree::Glob(_) => each(None, path.clone()),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, path, each);
            }
        }
    }
}

/// Where `mod child;` of `file` stands, and the folder of its own children.
fn place(child: &ItemMod, file: &Path, folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let name = child.ident.to_string();
    if let Some(told) = told_path(&child.attrs) {
        let file = file.with_file_name(told);
        return Ok((file, folder.join(name)));
    }
    let own = folder.join(&name);
    let candidates = [folder.join(format!("{name}.rs")), own.join("mod.rs")];
    let found = candidates.into_iter().find(|file| file.is_file());
    let found = found.with_context(|| format!("no file for mod {name} of {}", file.display()))?;
    Ok((found, own))
}

fn told_path(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
}

/// Whether it is compiled for tests only.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
