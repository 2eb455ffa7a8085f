//! A sealed model from its owner's folder into an engine, and everybody who is not given its key.

mod folders;
mod guest;
mod keys;
