//! Requests that are passed on: when and when not, who is paid, and that nobody pays for what did not come.

mod breaking;
mod hops;
mod legs;
mod load;
mod pair;
mod stopping;
