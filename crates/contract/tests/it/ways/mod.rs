//! Each way to be refused.

mod audits;
mod codes;
mod leases;
mod market;
mod tickets;
