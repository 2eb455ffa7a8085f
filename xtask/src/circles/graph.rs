//! Strongly connected components (Tarjan 1972) of a graph of files.

use super::imports::Edges;
use std::collections::{BTreeMap, BTreeSet};

/// The groups of two and more files that reach each other, each in order.
pub(super) fn circles(edges: &Edges) -> Vec<Vec<usize>> {
    let mut next: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (from, to) in edges.keys() {
        next.entry(*from).or_default().insert(*to);
        next.entry(*to).or_default();
    }
    let mut search = Search {
        next: &next,
        index: BTreeMap::new(),
        low: BTreeMap::new(),
        stack: Vec::new(),
        found: Vec::new(),
    };
    for &node in next.keys() {
        if !search.index.contains_key(&node) {
            search.visit(node);
        }
    }
    search.found.retain(|group| group.len() > 1);
    search.found
}

struct Search<'a> {
    next: &'a BTreeMap<usize, BTreeSet<usize>>,
    index: BTreeMap<usize, usize>,
    low: BTreeMap<usize, usize>,
    stack: Vec<usize>,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    /// Recursion is as deep as the longest chain of imports in one crate.
    fn visit(&mut self, node: usize) {
        let index = self.index.len();
        self.index.insert(node, index);
        self.low.insert(node, index);
        self.stack.push(node);
        for &to in &self.next[&node] {
            let reached = match self.index.get(&to) {
                None => {
                    self.visit(to);
                    self.low[&to]
                }
                Some(&index) if self.stack.contains(&to) => index,
                Some(_) => continue,
            };
            let low = self.low[&node].min(reached);
            self.low.insert(node, low);
        }
        if self.low[&node] == index {
            let start = self.stack.iter().position(|&on| on == node);
            // it was pushed above and nothing below it was taken off
            let mut group = self
                .stack
                .split_off(start.expect("the node is on the stack"));
            group.sort_unstable();
            self.found.push(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let edges = pairs.iter().map(|&pair| (pair, BTreeSet::new()));
        circles(&edges.collect())
    }

    #[test]
    fn a_tree_and_a_diamond_have_none() {
        assert!(of(&[(0, 1), (0, 2), (1, 3), (2, 3)]).is_empty());
    }

    #[test]
    fn loops_are_found_whole() {
        assert_eq!(
            of(&[(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3)]),
            [vec![3, 4], vec![0, 1, 2]]
        );
    }
}
