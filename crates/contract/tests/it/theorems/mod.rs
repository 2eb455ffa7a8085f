//! The theorems of `docs/protocol.md`, each searched for a counter-example.
