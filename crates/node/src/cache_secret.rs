//! Who shares computed beginnings of prompts on this node: requests over one stack, nobody else.

use atoma_engine::CacheDomain;
use atoma_runtime::Runtime;
use atoma_types::{StackId, hash::Hash32};

/// Drawn when the node starts and told nobody: what a stack's domain is, can't be guessed from its id.
pub(crate) struct CacheSecret([u8; 32]);

impl CacheSecret {
    pub(crate) fn draw(runtime: &Runtime) -> Self {
        Self(runtime.random.bytes())
    }

    /// Of the requests over a stack.
    pub(crate) fn domain(&self, stack: StackId) -> CacheDomain {
        CacheDomain::new(Hash32::of_parts(&[&self.0, stack.0.as_ref()]).0)
    }
}

impl std::fmt::Debug for CacheSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CacheSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{Address, TimestampMs};

    #[test]
    fn each_stack_of_each_start_has_a_domain_of_its_own() {
        let started = |seed| CacheSecret::draw(&Runtime::simulated(seed, TimestampMs(1)));
        let stack = |byte| StackId(Address::new([byte; 32]));
        let secret = started(1);
        assert_eq!(secret.domain(stack(1)), secret.domain(stack(1)));
        assert_ne!(secret.domain(stack(1)), secret.domain(stack(2)));
        assert_ne!(secret.domain(stack(1)), started(2).domain(stack(1)));
    }
}
