/// The treasury's book: shares of one closed epoch. The first report of a later epoch opens a new one.
module atoma::book;

use atoma::money;

/// The book holds as many nodes as it can.
const EBookFull: u64 = 603;

/// 40 bytes each: 160 KiB of the 250 KiB that an object may have.
const MAX_SHARES: u64 = 4_096;

public struct EpochBook has drop, store {
    /// The epoch that is being reported or paid.
    epoch: u64,
    /// Sum of the reported units, paid or not.
    units: u64,
    /// What they share; fixed by the first payment, of the treasury as it then is.
    pool: Option<u64>,
    /// Reports not yet paid.
    shares: vector<EpochShare>,
}

/// One node's report.
public struct EpochShare has drop, store {
    node: ID,
    units: u64,
}

public(package) fun open(epoch: u64): EpochBook {
    EpochBook { epoch, units: 0, pool: option::none(), shares: vector[] }
}

public(package) fun epoch(self: &EpochBook): u64 { self.epoch }

public(package) fun pool(self: &EpochBook): Option<u64> { self.pool }

/// Enters a report.
public(package) fun report(self: &mut EpochBook, node: ID, units: u64) {
    assert!(self.shares.length() < MAX_SHARES, EBookFull);
    self.units = money::add(self.units, units);
    self.shares.push_back(EpochShare { node, units });
}

/// Where a node's share stands.
public(package) fun place(self: &EpochBook, node: ID): Option<u64> {
    self.shares.find_index!(|share| share.node == node)
}

/// Takes a share out: its part of the pool, which this fixes if it is the first.
public(package) fun take(self: &mut EpochBook, place: u64, pool: u64): u64 {
    self.pool = option::some(pool);
    let EpochShare { units, .. } = self.shares.remove(place);
    money::part(pool, units, self.units)
}

#[test_only]
public(package) fun fill_for_testing(self: &mut EpochBook, node: ID) {
    while (self.shares.length() < MAX_SHARES) {
        self.shares.push_back(EpochShare { node, units: 0 });
    }
}
