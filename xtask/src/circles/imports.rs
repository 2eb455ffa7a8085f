//! Who takes what from whom: every `use` and every written-out path, followed to the file that defines
//! the name.

use super::source::{Crate, Module, flatten};
use std::collections::{BTreeMap, BTreeSet};
use syn::{Item, Visibility, visit::Visit};

/// From one file to another, with the names taken.
pub(super) type Edges = BTreeMap<(usize, usize), BTreeSet<String>>;

/// How many times a name may be handed on; more is a loop of `pub use`.
const MAX_HANDS: usize = 16;

/// Every tie between two files of the crate.
pub(super) fn edges(krate: &Crate) -> Edges {
    let mut edges = Edges::new();
    for (index, module) in krate.modules.iter().enumerate() {
        let mut paths = Paths {
            // names that the file's own imports bring, with the paths they stand for
            aliases: aliases(module),
            found: Vec::new(),
        };
        for item in &module.items {
            match item {
                Item::Use(item) if matches!(item.vis, Visibility::Inherited) => {
                    flatten(&item.tree, &mut Vec::new(), &mut |_, path| {
                        paths.found.push(path);
                    });
                }
                // handed on, not used
                Item::Use(_) => {}
                item => paths.visit_item(item),
            }
        }
        for path in paths.found {
            let Some((definer, name)) = krate.definer(&module.path, &path) else {
                continue;
            };
            if definer != index {
                edges.entry((index, definer)).or_default().insert(name);
            }
        }
    }
    edges
}

fn aliases(module: &Module) -> BTreeMap<String, Vec<String>> {
    let mut aliases = BTreeMap::new();
    for item in &module.items {
        if let Item::Use(item) = item {
            flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
                if let Some(name) = name {
                    aliases.insert(name, path);
                }
            });
        }
    }
    aliases
}

struct Paths {
    aliases: BTreeMap<String, Vec<String>>,
    found: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        // a single name is the file's own, or an import that is counted already
        if names.len() > 1 {
            let whole = match self.aliases.get(&names[0]) {
                Some(path) => path.iter().chain(&names[1..]).cloned().collect(),
                None => names,
            };
            self.found.push(whole);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        flatten(&item.tree, &mut Vec::new(), &mut |_, path| {
            self.found.push(path);
        });
    }
}

impl Crate {
    /// The file that defines what `path`, written in module `from`, means; with the name taken. None for
    /// other crates' names and for a module that is only named.
    fn definer(&self, from: &[String], path: &[String]) -> Option<(usize, String)> {
        let mut absolute = self.absolute(from, path)?;
        for _ in 0..MAX_HANDS {
            let (at, module) = self.deepest(&absolute)?;
            let name = absolute.get(at)?;
            let module_path = absolute[..at].to_vec();
            let this = &self.modules[module];
            if this.defines.contains(name) {
                return Some((module, name.clone()));
            }
            let target = this.hands_on.get(name).cloned().or_else(|| {
                this.hands_on_all.iter().find_map(|all| {
                    let whole: Vec<_> = all.iter().chain([name]).cloned().collect();
                    let absolute = self.absolute(&module_path, &whole)?;
                    let (at, module) = self.deepest(&absolute)?;
                    self.modules[module]
                        .defines
                        .contains(absolute.get(at)?)
                        .then_some(whole)
                })
            });
            match target {
                Some(target) => {
                    let rest = absolute.split_off(at + 1);
                    absolute = self.absolute(&module_path, &target)?;
                    absolute.extend(rest);
                }
                // made by a macro, or private and seen from a child
                None => return Some((module, name.clone())),
            }
        }
        None
    }

    /// The path from the crate's root; none if it leads to another crate.
    fn absolute(&self, from: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut base = from.to_vec();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            child => {
                base.push(child.to_owned());
                self.by_path.get(&base)?;
                base.pop();
            }
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    /// The longest beginning of a path that is a module: how long it is, and its file.
    fn deepest(&self, path: &[String]) -> Option<(usize, usize)> {
        (0..=path.len())
            .rev()
            .find_map(|at| self.by_path.get(&path[..at]).map(|&module| (at, module)))
    }
}
