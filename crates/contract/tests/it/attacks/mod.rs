//! The attacks that earlier rules fell to, by name. Each says what it took when it worked, and how that was seen; each
//! fails now.
//!
//! *Edition 1* is the rules before these, whose tests showed the numbers. *An earlier design* of these rules was attacked on
//! paper and in a small model before it was built; its numbers are the model's.

mod convictions;
mod duties;
mod examiners;
mod exits;
mod journal;
mod juries;
mod money;
mod other;
mod price;
mod sampling;
mod second;
mod standing;
mod treasury;
mod units;

/// A test by its name.
pub(crate) type Tale = (&'static str, fn());

/// All of them.
pub(crate) fn tales() -> Vec<Tale> {
    [
        convictions::TALES,
        duties::TALES,
        examiners::TALES,
        exits::TALES,
        journal::TALES,
        juries::TALES,
        money::TALES,
        other::TALES,
        price::TALES,
        sampling::TALES,
        second::TALES,
        standing::TALES,
        treasury::TALES,
        units::TALES,
    ]
    .concat()
}
