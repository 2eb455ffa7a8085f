//! A user's word that a request is to be evidence for everyone to read.

use super::{Domain, Message, OpenTag};
use crate::{NetworkId, hash::Hash32};
use serde::{Deserialize, Serialize};

/// "Store the bodies of this request and its answer for everyone to read." Signed by the stack's request
/// key, so that nobody between user and node can publish what the user wanted sealed.
///
/// # BCS (80 bytes)
/// ```text
/// domain 16 "atoma/open/v1" 0 0 0 ‖ network 32 ‖ request 32
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenEvidence {
    /// Always the tag of such words.
    pub domain: Domain<OpenTag>,
    /// The network id of the ledger that it is for.
    pub network: NetworkId,
    /// Hash of the request's header.
    pub request: Hash32,
}

impl Message for OpenEvidence {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes() {
        let open = OpenEvidence {
            domain: Domain::default(),
            network: NetworkId([1; 32]),
            request: Hash32([2; 32]),
        };
        let expected = [
            hex::encode("atoma/open/v1\0\0\0"),
            "01".repeat(32),
            "02".repeat(32),
        ]
        .concat();
        assert_eq!(hex::encode(bcs::to_bytes(&open).unwrap()), expected);
    }
}
