//! Who shares computed beginnings of prompts on this node: requests over one stack, nobody else. What another node
//! passes on is of its many users, and shares with nothing.

use atoma_engine::CacheDomain;
use atoma_runtime::Runtime;
use atoma_types::{StackId, hash::Hash32, message::Origin};

/// Drawn when the node starts and told nobody: what a stack's domain is, can't be guessed from its id.
pub(crate) struct CacheSecret([u8; 32]);

impl CacheSecret {
    pub(crate) fn draw(runtime: &Runtime) -> Self {
        Self(runtime.random.bytes())
    }

    /// Of the requests over a stack that its owner sends, or of one that a node passes on.
    pub(crate) fn domain(&self, stack: StackId, origin: Origin) -> CacheDomain {
        let alone = match &origin {
            Origin::Own | Origin::Stored(_) | Origin::Kept => &[],
            Origin::Forwarded(request) => request.0.as_slice(),
        };
        CacheDomain::new(Hash32::of_parts(&[&self.0, stack.0.as_ref(), alone]).0)
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
        let own = |secret: &CacheSecret, byte| secret.domain(stack(byte), Origin::Own);
        assert_eq!(own(&secret, 1), own(&secret, 1));
        assert_ne!(own(&secret, 1), own(&secret, 2));
        assert_ne!(own(&secret, 1), own(&started(2), 1));
        let passed_on = |byte| secret.domain(stack(1), Origin::Forwarded(Hash32([byte; 32])));
        assert_ne!(passed_on(1), passed_on(2));
        assert_ne!(passed_on(1), own(&secret, 1));
    }
}
