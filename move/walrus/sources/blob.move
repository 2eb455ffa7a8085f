/// A blob on Walrus: what its own module of this name declares, as far as it is read here. Never
/// published.
module walrus::blob;

use walrus::storage_resource::Storage;

/// A blob that was registered, and is stored once it is certified.
public struct Blob has key, store {
    id: UID,
    registered_epoch: u32,
    blob_id: u256,
    size: u64,
    encoding_type: u8,
    certified_epoch: Option<u32>,
    storage: Storage,
    deletable: bool,
}

/// The epoch of its registration.
public fun registered_epoch(self: &Blob): u32 { self.registered_epoch }

/// Its id on the storage network.
public fun blob_id(self: &Blob): u256 { self.blob_id }

/// Its length in bytes.
public fun size(self: &Blob): u64 { self.size }

/// How it is encoded.
public fun encoding_type(self: &Blob): u8 { self.encoding_type }

/// The epoch in which it was certified first, if it was.
public fun certified_epoch(self: &Blob): &Option<u32> { &self.certified_epoch }

/// Where it is stored.
public fun storage(self: &Blob): &Storage { &self.storage }

/// Whether its owner could delete it.
public fun is_deletable(self: &Blob): bool { self.deletable }

/// The first epoch in which it is stored no more.
public fun end_epoch(self: &Blob): u32 { self.storage.end_epoch() }

#[test_only]
public fun new_for_testing(
    blob_id: u256,
    size: u64,
    certified_epoch: Option<u32>,
    storage: Storage,
    deletable: bool,
    ctx: &mut TxContext,
): Blob {
    Blob {
        id: object::new(ctx),
        registered_epoch: storage.start_epoch(),
        blob_id,
        size,
        encoding_type: 1,
        certified_epoch,
        storage,
        deletable,
    }
}
