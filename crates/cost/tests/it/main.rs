//! The figures of the cost model.

mod golden;
mod hand;
mod properties;
