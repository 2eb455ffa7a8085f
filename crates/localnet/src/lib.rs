//! a development ledger that speaks Sui's gRPC protocol
