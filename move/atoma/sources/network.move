/// Which network the package is published on. Move can't ask the ledger, and not every function that
/// needs it has an object to read it from, so it is fixed when the package is compiled for a network:
/// as the named address `network` in `Move.toml`.
module atoma::network;

/// The digest of the network's first checkpoint, as signed messages carry it.
const ID: address = @network;

public(package) fun id(): address { ID }
