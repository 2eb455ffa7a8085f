//! The good ways, and each way to be refused.
