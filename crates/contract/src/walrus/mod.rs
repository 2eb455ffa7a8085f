//! The development Walrus's part on the ledger: what Walrus's own package does on Sui, as far as the
//! rules here and a store of one's own need it. A blob is registered by whoever pays (here: nobody
//! pays), certified by the storage nodes' aggregate signature, and belongs to an address.
//!
//! Names of functions, arguments and fields are Walrus's where it has them. What differs, and why, is
//! said in `docs/protocol.md`.

mod blob;
mod certificate;
mod system;

pub(crate) use system::{
    advance_epoch, certify_blob, delete_blob, extend_blob, register_blob, set_committee,
};

use crate::{Object, Owner};
use atoma_types::{
    Address, TimestampMs,
    chain::{Deployment, WalrusCap, WalrusSystem},
    hash::Hash32,
};

/// Epoch 0 would read like "never".
const FIRST_EPOCH: u32 = 1;

/// What the package is born with: the system, without storage nodes, and the administrator's right
/// to it, whose id is `BLAKE2b-256("atoma/genesis/walrus/v1" ‖ system)`.
pub(crate) fn genesis(deployment: &Deployment, admin: Address) -> [(Object, Owner); 2] {
    let id = deployment.walrus.system;
    let parts: [&[u8]; 2] = [b"atoma/genesis/walrus/v1", id.as_bytes()];
    let system = WalrusSystem {
        id,
        epoch: FIRST_EPOCH,
        epoch_start_ms: TimestampMs(0),
        n_shards: 0,
        committee: Vec::new(),
    };
    let cap = WalrusCap {
        id: Address::new(Hash32::of_parts(&parts).0),
        system: id,
    };
    [
        (Object::WalrusSystem(system), Owner::Shared),
        (Object::WalrusCap(cap), Owner::Address(admin)),
    ]
}
