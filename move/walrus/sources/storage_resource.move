/// Space bought from Walrus for some epochs: what its own module of this name declares, as far as it
/// is read here. Never published.
module walrus::storage_resource;

/// Space, and from when to when it is held.
public struct Storage has key, store {
    id: UID,
    start_epoch: u32,
    end_epoch: u32,
    storage_size: u64,
}

/// The first epoch.
public fun start_epoch(self: &Storage): u32 { self.start_epoch }

/// The first epoch in which it is held no more.
public fun end_epoch(self: &Storage): u32 { self.end_epoch }

/// In bytes, encoded.
public fun size(self: &Storage): u64 { self.storage_size }

#[test_only]
public fun new_for_testing(
    start_epoch: u32,
    end_epoch: u32,
    storage_size: u64,
    ctx: &mut TxContext,
): Storage {
    Storage { id: object::new(ctx), start_epoch, end_epoch, storage_size }
}
