//! The rules, tried from outside: the good ways, the attacks that earlier rules fell to, and parties whose goal
//! is to break a theorem.

mod attacks;
mod conformance;
mod package;
mod raw;
mod spec;
mod storage;
mod table;
mod tape;
mod theorems;
mod vectors;
mod ways;
mod world;
