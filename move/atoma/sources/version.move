/// Which version of the rules may touch a shared object. Old code stays callable on Sui for ever; this
/// is what stops it. Every object has its version in a field of its own, so no exit needs another object to
/// know it.
module atoma::version;

/// The object is of another version of the package: call the newest, and migrate the object first.
const EWrongVersion: u64 = 5;

/// The version of these rules.
const VERSION: u64 = 1;

public(package) fun current(): u64 { VERSION }

public(package) fun assert_current(version: u64) {
    assert!(version == VERSION, EWrongVersion);
}

/// What an object of an older version is of afterwards: versions only rise.
public(package) fun next(version: u64): u64 {
    assert!(version < VERSION, EWrongVersion);
    VERSION
}
