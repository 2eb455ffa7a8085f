/// Which version of the rules may touch a shared object. Old code stays callable on Sui for ever; this
/// is what stops it.
///
/// The database has a field for its version. Nodes, tasks and stacks have none: no mark means the
/// first version, and a later package marks an object when it takes it over (`migrate`), by a dynamic
/// field that all versions look for. So objects have the same bytes as the rules define, the mark costs
/// nothing until there is a second version, and whoever uses an object can bring it over himself.
module atoma::version;

use sui::dynamic_field as field;

/// The object is of another version of the package: call the newest, and migrate the object first.
const EWrongVersion: u64 = 5;

/// The version of these rules.
const VERSION: u64 = 1;
/// The version of an object without a mark.
const FIRST: u64 = 1;

/// Name of the mark.
public struct Mark() has copy, drop, store;

public(package) fun current(): u64 { VERSION }

/// The version that an object is of.
public(package) fun of(id: &UID): u64 {
    if (field::exists_(id, Mark())) *field::borrow(id, Mark()) else FIRST
}

public(package) fun assert_is_current(version: u64) {
    assert!(version == VERSION, EWrongVersion);
}

public(package) fun assert_current(id: &UID) {
    assert_is_current(of(id));
}

/// What an object of an older version is of afterwards: versions only rise.
public(package) fun next(version: u64): u64 {
    assert!(version < VERSION, EWrongVersion);
    VERSION
}

/// Brings an object of an older version to this one.
public(package) fun migrate(id: &mut UID) {
    let version = next(of(id));
    mark(id, version);
}

fun mark(id: &mut UID, version: u64) {
    if (field::exists_(id, Mark())) {
        *field::borrow_mut(id, Mark()) = version;
    } else {
        field::add(id, Mark(), version);
    }
}

#[test_only]
public(package) fun mark_for_testing(id: &mut UID, version: u64) { mark(id, version) }
