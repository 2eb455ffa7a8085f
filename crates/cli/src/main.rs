//! the atoma command
fn main() {}
