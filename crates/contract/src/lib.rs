//! the contract's rules as a pure state machine
