//! Keys and values in blocks of 32 positions, shared between requests that begin alike.
//!
//! A full block is known by a hash over all tokens up to its end. Since the engine's bits don't
//! depend on how a block was computed, using another request's block is exact, not approximate.
//! Hashes begin at a domain: requests find what others of their domain computed, and nothing of strangers.
//! Blocks that nobody uses stay until their memory is needed, least recently used first.

use std::collections::{BTreeMap, HashMap};

use super::kern::BLOCK;
use crate::fingerprint::{digest, new_state};

/// Names the tokens from the start of a sequence to the end of a block.
pub(crate) type BlockHash = [u8; 32];

/// Hash of a full block after the blocks that `before` names: a block's hash, or the domain's bytes before
/// the first.
pub(crate) fn block_hash(before: &BlockHash, tokens: &[u32]) -> BlockHash {
    debug_assert_eq!(tokens.len(), BLOCK);
    let mut state = new_state();
    state.update(before);
    for token in tokens {
        state.update(&token.to_le_bytes());
    }
    digest(&state)
}

#[derive(Debug, Default, Clone)]
struct Meta {
    users: u32,
    /// Set while the index knows this block.
    hash: Option<BlockHash>,
    /// Key in `idle` while nobody uses a known block.
    idle_since: u64,
}

/// All blocks of a model.
#[derive(Debug)]
pub(crate) struct BlockPool {
    /// The memory, allocated when first needed.
    pub(crate) data: Vec<Box<[f32]>>,
    meta: Vec<Meta>,
    empty: Vec<u32>,
    idle: BTreeMap<u64, u32>,
    index: HashMap<BlockHash, u32>,
    clock: u64,
    total: usize,
    block_len: usize,
}

impl BlockPool {
    /// `total` blocks of `block_len` floats.
    pub(crate) fn new(total: usize, block_len: usize) -> Self {
        Self {
            data: Vec::new(),
            meta: Vec::new(),
            empty: Vec::new(),
            idle: BTreeMap::new(),
            index: HashMap::new(),
            clock: 0,
            total,
            block_len,
        }
    }

    /// Blocks that nobody uses.
    pub(crate) fn free(&self) -> usize {
        self.total - self.data.len() + self.empty.len() + self.idle.len()
    }

    /// A block for one user, its contents undefined; none when all are in use.
    pub(crate) fn allocate(&mut self) -> Option<u32> {
        let id = if let Some(id) = self.empty.pop() {
            id
        } else if self.data.len() < self.total {
            self.data.push(vec![0.0; self.block_len].into());
            self.meta.push(Meta::default());
            self.data.len() as u32 - 1
        } else {
            let (_, id) = self.idle.pop_first()?;
            if let Some(hash) = self.meta[id as usize].hash.take() {
                self.index.remove(&hash);
            }
            id
        };
        self.meta[id as usize].users = 1;
        Some(id)
    }

    /// Another user for the block that holds these tokens, if there is one.
    pub(crate) fn find(&mut self, hash: &BlockHash) -> Option<u32> {
        let id = *self.index.get(hash)?;
        let meta = &mut self.meta[id as usize];
        if meta.users == 0 {
            self.idle.remove(&meta.idle_since);
        }
        meta.users += 1;
        Some(id)
    }

    /// Makes a full block known; does nothing when an equal one is known already.
    pub(crate) fn publish(&mut self, id: u32, hash: BlockHash) {
        if let std::collections::hash_map::Entry::Vacant(entry) = self.index.entry(hash) {
            entry.insert(id);
            self.meta[id as usize].hash = Some(hash);
        }
    }

    /// Gives up a sequence's blocks. Its last block goes first when memory is needed.
    pub(crate) fn release(&mut self, table: &mut Vec<u32>) {
        while let Some(id) = table.pop() {
            let meta = &mut self.meta[id as usize];
            debug_assert!(meta.users > 0, "a block is released once per user");
            meta.users -= 1;
            if meta.users > 0 {
                continue;
            }
            if meta.hash.is_some() {
                self.clock += 1;
                meta.idle_since = self.clock;
                self.idle.insert(self.clock, id);
            } else {
                self.empty.push(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: BlockHash = [0; 32];

    #[test]
    fn known_blocks_outlive_their_users_and_leave_in_order() {
        let hashes: Vec<BlockHash> = (0..3).map(|i| block_hash(&SHARED, &[i; BLOCK])).collect();
        let mut pool = BlockPool::new(3, 4);
        let mut table: Vec<u32> = (0..3).map(|_| pool.allocate().unwrap()).collect();
        assert_eq!((pool.allocate(), pool.free()), (None, 0));
        table
            .iter()
            .zip(&hashes)
            .for_each(|(id, hash)| pool.publish(*id, *hash));
        let first = table[0];
        assert_eq!(pool.find(&hashes[0]), Some(first));
        pool.release(&mut table);
        assert_eq!(pool.free(), 2);
        // The tail goes first, the block still in use never.
        pool.allocate().unwrap();
        assert_eq!(
            (pool.find(&hashes[2]), pool.find(&hashes[0])),
            (None, Some(first))
        );
        pool.allocate().unwrap();
        assert_eq!((pool.find(&hashes[1]), pool.allocate()), (None, None));
    }

    #[test]
    fn a_hash_names_the_whole_prefix() {
        let (a, b) = ([1; BLOCK], [2; BLOCK]);
        let first = block_hash(&SHARED, &a);
        assert_ne!(block_hash(&first, &b), block_hash(&SHARED, &b));
        assert_eq!(
            block_hash(&first, &b),
            block_hash(&block_hash(&SHARED, &a), &b)
        );
    }
}
