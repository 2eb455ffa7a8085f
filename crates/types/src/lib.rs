//! ids, money, units, signed messages, receipts, Merkle trees: bytes and meaning, no I/O
