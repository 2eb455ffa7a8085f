//! BLAKE2b-256, several at once, and forests of Merkle trees.
//!
//! `leaf(x) = H(0 | x)`, `inner(a, b) = H(1 | a | b)`; an odd level is filled up with 32 zero bytes.

use blake2b_simd::{
    Params,
    many::{HashManyJob, hash_many},
};
use std::sync::OnceLock;

/// A BLAKE2b digest of 32 bytes.
pub type Node = [u8; 32];

/// What fills up an odd level.
pub(crate) const EMPTY: Node = [0; 32];
/// Goes before a leaf's bytes.
pub(crate) const LEAF: u8 = 0;
/// Goes before two children.
const INNER: u8 = 1;
/// What is hashed for an inner node: tag, left, right.
const RECORD: usize = 65;
/// Hashes prepared together: a few times what the processor does at once.
const GROUP: usize = 64;

fn params() -> Params {
    let mut params = Params::new();
    params.hash_length(32);
    params
}

fn node(bytes: &[u8]) -> Node {
    let mut node = EMPTY;
    node.copy_from_slice(bytes);
    node
}

/// The digest of `bytes`.
#[must_use]
pub fn digest(bytes: &[u8]) -> Node {
    node(params().hash(bytes).as_bytes())
}

/// The hash of a leaf.
pub(crate) fn leaf(bytes: &[u8]) -> Node {
    let mut state = params().to_state();
    node(state.update(&[LEAF]).update(bytes).finalize().as_bytes())
}

/// The hash of two children.
pub(crate) fn inner(left: &Node, right: &Node) -> Node {
    let mut record = [INNER; RECORD];
    record[1..33].copy_from_slice(left);
    record[33..].copy_from_slice(right);
    digest(&record)
}

/// Hashes many inputs, several at once; `out` gets each input's number with its digest.
pub(crate) fn hash_each<'a>(
    mut inputs: impl Iterator<Item = (usize, &'a [u8])>,
    mut out: impl FnMut(usize, &Node),
) {
    let params = params();
    let mut group = Vec::with_capacity(GROUP);
    loop {
        group.clear();
        let next = inputs.by_ref().take(GROUP);
        group.extend(next.map(|(i, input)| (i, HashManyJob::new(&params, input))));
        if group.is_empty() {
            return;
        }
        hash_many(group.iter_mut().map(|(_, job)| job));
        for (i, job) in &group {
            out(*i, &node(job.to_hash().as_bytes()));
        }
    }
}

/// The hashes of all leaves of two bytes, at the place of their little-endian value.
pub(crate) fn leaves_of_two_bytes() -> &'static [Node] {
    static TABLE: OnceLock<Vec<Node>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let messages: Vec<[u8; 3]> = (0..=u16::MAX)
            .map(|value| {
                let [low, high] = value.to_le_bytes();
                [LEAF, low, high]
            })
            .collect();
        let mut table = vec![EMPTY; messages.len()];
        let inputs = messages.iter().map(<[u8; 3]>::as_slice).enumerate();
        hash_each(inputs, |i, hash| table[i] = *hash);
        table
    })
}

/// One level of several Merkle trees of the same shape. Nodes lie in pairs behind the tag with
/// which their parent is hashed, so that nothing is copied to be hashed.
#[derive(Debug)]
pub(crate) struct Forest {
    trees: usize,
    nodes: usize,
    records: Vec<u8>,
}

impl Forest {
    /// All nodes are empty at first.
    pub(crate) fn new(trees: usize, nodes: usize) -> Self {
        let mut records = vec![0; trees * nodes.div_ceil(2) * RECORD];
        for record in records.chunks_exact_mut(RECORD) {
            record[0] = INNER;
        }
        Self {
            trees,
            nodes,
            records,
        }
    }

    /// The number of nodes of each tree on this level.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes
    }

    fn at(&self, tree: usize, node: usize) -> usize {
        (tree * self.nodes.div_ceil(2) + node / 2) * RECORD + 1 + node % 2 * EMPTY.len()
    }

    pub(crate) fn set(&mut self, tree: usize, node: usize, hash: &Node) {
        let at = self.at(tree, node);
        self.records[at..at + EMPTY.len()].copy_from_slice(hash);
    }

    pub(crate) fn get(&self, tree: usize, place: usize) -> Node {
        let at = self.at(tree, place);
        node(&self.records[at..at + EMPTY.len()])
    }

    /// The level above. `known` names nodes of it that need no hashing.
    pub(crate) fn up(&self, known: impl Fn(usize) -> Option<Node>) -> Self {
        let nodes = self.nodes.div_ceil(2);
        let mut above = Self::new(self.trees, nodes);
        let known: Vec<Option<Node>> = (0..nodes).map(known).collect();
        for (place, hash) in known.iter().enumerate() {
            let Some(hash) = hash else { continue };
            for tree in 0..self.trees {
                above.set(tree, place, hash);
            }
        }
        let inputs = self.records.chunks_exact(RECORD).enumerate();
        let unknown = inputs.filter(|(record, _)| known[record % nodes].is_none());
        hash_each(unknown, |record, hash| {
            above.set(record / nodes, record % nodes, hash);
        });
        above
    }

    /// The trees' roots.
    pub(crate) fn roots(mut self) -> Vec<Node> {
        while self.nodes > 1 {
            self = self.up(|_| None);
        }
        (0..self.trees).map(|tree| self.get(tree, 0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, literally.
    fn root(mut level: Vec<Node>) -> Node {
        while level.len() > 1 {
            if level.len() % 2 == 1 {
                level.push(EMPTY);
            }
            level = level
                .chunks(2)
                .map(|pair| inner(&pair[0], &pair[1]))
                .collect();
        }
        level[0]
    }

    #[test]
    fn forests_are_trees_side_by_side() {
        for nodes in [1, 2, 3, 4, 5, 7, 10, 31, 33] {
            let mut forest = Forest::new(3, nodes);
            let leaf_of = |tree: usize, i: usize| leaf(&[tree as u8, i as u8]);
            for tree in 0..3 {
                (0..nodes).for_each(|i| forest.set(tree, i, &leaf_of(tree, i)));
            }
            let expected: Vec<Node> = (0..3)
                .map(|tree| root((0..nodes).map(|i| leaf_of(tree, i)).collect()))
                .collect();
            assert_eq!(forest.roots(), expected);
        }
    }

    #[test]
    fn the_table_holds_leaves() {
        let table = leaves_of_two_bytes();
        for value in [0, 1, 0x1234, 0xffff_u16] {
            assert_eq!(table[usize::from(value)], leaf(&value.to_le_bytes()));
        }
    }
}
