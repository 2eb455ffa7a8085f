//! The rules, tried from outside: the good ways, the attacks that earlier rules fell to, and parties whose goal
//! is to break a theorem.

mod attacks;
mod spec;
mod theorems;
mod ways;
mod world;
