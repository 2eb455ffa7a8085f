//! BLAKE2b-256, several at once, and forests of Merkle trees.
//!
//! `leaf(x) = H(0 | x)`, `inner(a, b) = H(1 | a | b)`; an odd level is filled up with 32 zero bytes.

use super::{
    node::{Node, WIDTH},
    wide::Wide,
};
use blake2b_simd::{
    Params,
    many::{HashManyJob, hash_many},
};
use std::{ops::Range, sync::OnceLock};

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
/// One message alone is hashed faster by itself than in one of eight lanes.
const WIDE_FROM: usize = 2;

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
    let mut numbers = [0; GROUP];
    let mut messages = [[].as_slice(); GROUP];
    let mut digests = [EMPTY; GROUP];
    loop {
        let mut count = 0;
        for (i, (number, message)) in inputs.by_ref().take(GROUP).enumerate() {
            (numbers[i], messages[i]) = (number, message);
            count += 1;
        }
        hash_all(&messages[..count], &mut digests);
        for (number, digest) in numbers[..count].iter().zip(&digests) {
            out(*number, digest);
        }
        if count < GROUP {
            return;
        }
    }
}

/// The digests of at most [`GROUP`] messages.
fn hash_all(messages: &[&[u8]], digests: &mut [Node; GROUP]) {
    let mut done = 0;
    if let Some(wide) = Wide::here() {
        for (messages, digests) in messages.chunks(WIDTH).zip(digests.as_chunks_mut().0) {
            let (first, length) = (messages[0], messages[0].len());
            let alike = messages.iter().all(|message| message.len() == length);
            if !alike || messages.len() < WIDE_FROM {
                break;
            }
            let mut eight = [first; WIDTH];
            eight[..messages.len()].copy_from_slice(messages);
            wide.hash(&eight, digests);
            done += messages.len();
        }
    }
    if done == messages.len() {
        return;
    }
    let params = params();
    let mut jobs: Vec<_> = messages[done..]
        .iter()
        .map(|message| HashManyJob::new(&params, message))
        .collect();
    hash_many(jobs.iter_mut());
    for (digest, job) in digests[done..].iter_mut().zip(&jobs) {
        *digest = node(job.to_hash().as_bytes());
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
/// which their parent is hashed, so that nothing is copied to be hashed; a level takes the place of
/// the one below it.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    trees: usize,
    nodes: usize,
    records: Vec<u8>,
}

impl Forest {
    /// Nodes are to be set; those that aren't are empty.
    pub(crate) fn new(trees: usize, nodes: usize) -> Self {
        let mut forest = Self::default();
        forest.reset(trees, nodes);
        forest
    }

    /// Begins anew in the same memory. All nodes must be set.
    pub(crate) fn reset(&mut self, trees: usize, nodes: usize) {
        let before = self.records.len();
        (self.trees, self.nodes) = (trees, nodes);
        self.records.resize(trees * self.pairs() * RECORD, 0);
        // older records have their tags
        let fresh = self
            .records
            .iter_mut()
            .skip(before.next_multiple_of(RECORD));
        fresh.step_by(RECORD).for_each(|tag| *tag = INNER);
        self.fill_up();
    }

    /// The number of nodes of each tree on this level.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes
    }

    fn pairs(&self) -> usize {
        self.nodes.div_ceil(2)
    }

    fn at(&self, tree: usize, node: usize) -> usize {
        place_of(self.nodes, tree, node)
    }

    pub(crate) fn set(&mut self, tree: usize, node: usize, hash: &Node) {
        let at = self.at(tree, node);
        self.records[at..at + EMPTY.len()].copy_from_slice(hash);
    }

    pub(crate) fn get(&self, tree: usize, place: usize) -> Node {
        let at = self.at(tree, place);
        node(&self.records[at..at + EMPTY.len()])
    }

    /// An odd level gets an empty node.
    fn fill_up(&mut self) {
        if self.nodes % 2 == 1 {
            (0..self.trees).for_each(|tree| self.set(tree, self.nodes, &EMPTY));
        }
    }

    /// Goes to the level above. Its nodes in `known.0` are `known.1` in all trees and need no
    /// hashing.
    pub(crate) fn up(&mut self, known: &(Range<usize>, Node)) {
        let pairs = self.pairs();
        let mut group = Group::default();
        for tree in 0..self.trees {
            for pair in 0..pairs {
                let to = place_of(pairs, tree, pair);
                if known.0.contains(&pair) {
                    group.copies.push(to);
                    continue;
                }
                group.reads.push((tree * pairs + pair) * RECORD);
                group.writes.push(to);
                if group.reads.len() == GROUP {
                    group.hash(&mut self.records, &known.1);
                }
            }
        }
        group.hash(&mut self.records, &known.1);
        self.nodes = pairs;
        self.fill_up();
    }

    /// The trees' roots.
    pub(crate) fn roots(&mut self) -> Vec<Node> {
        while self.nodes > 1 {
            self.up(&NOTHING);
        }
        (0..self.trees).map(|tree| self.get(tree, 0)).collect()
    }
}

/// Where a node stands on a level of `nodes` nodes.
fn place_of(nodes: usize, tree: usize, node: usize) -> usize {
    (tree * nodes.div_ceil(2) + node / 2) * RECORD + 1 + node % 2 * EMPTY.len()
}

/// Records that are hashed at once, and where the digests go: each to where its own record or one
/// before it lies. So all of a group are read before any is written.
#[derive(Default)]
struct Group {
    reads: Vec<usize>,
    writes: Vec<usize>,
    /// Where a known node goes.
    copies: Vec<usize>,
}

impl Group {
    fn hash(&mut self, records: &mut [u8], known: &Node) {
        let mut messages = [[].as_slice(); GROUP];
        for (message, at) in messages.iter_mut().zip(&self.reads) {
            *message = &records[*at..*at + RECORD];
        }
        let mut digests = [EMPTY; GROUP];
        hash_all(&messages[..self.reads.len()], &mut digests);
        let mut put = |at: usize, node: &Node| {
            records[at..at + EMPTY.len()].copy_from_slice(node);
        };
        for (at, digest) in self.writes.drain(..).zip(&digests) {
            put(at, digest);
        }
        self.copies.drain(..).for_each(|at| put(at, known));
        self.reads.clear();
    }
}

/// No node of the level above is known.
pub(crate) const NOTHING: (Range<usize>, Node) = (0..0, EMPTY);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

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

    fn many(messages: &[Vec<u8>]) -> Vec<Node> {
        let mut digests = vec![EMPTY; messages.len()];
        let inputs = messages.iter().map(Vec::as_slice).enumerate();
        hash_each(inputs, |i, hash| digests[i] = *hash);
        digests
    }

    #[test]
    fn many_of_one_length_are_hashed_as_each_is() {
        for length in 0..600 {
            let message = |i: usize| (0..length).map(|at| (at * 7 + i * 31) as u8).collect();
            let messages: Vec<Vec<u8>> = (0..=GROUP + 1).map(message).collect();
            let expected: Vec<Node> = messages.iter().map(|message| digest(message)).collect();
            for count in 0..=messages.len() {
                assert_eq!(
                    many(&messages[..count]),
                    expected[..count],
                    "{count} of {length}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn many_of_any_lengths_are_hashed_as_each_is(
            runs in vec((vec(any::<u8>(), 0..600), 1_usize..20), 0..10),
        ) {
            let messages: Vec<Vec<u8>> = runs
                .into_iter()
                .flat_map(|(message, times)| std::iter::repeat_n(message, times))
                .collect();
            let expected: Vec<Node> = messages.iter().map(|message| digest(message)).collect();
            prop_assert_eq!(many(&messages), expected);
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
