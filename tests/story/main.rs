//! Whole stories, told through the command that a user types. Each starts its own network on free
//! ports of loopback, in temporary folders.

mod atoma;
mod crash;
mod demo;
mod overspend;
mod parts;
mod sdk;
mod walrus;
