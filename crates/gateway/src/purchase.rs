//! What is told of money that goes into stacks, to whoever wants to know while it happens.

use atoma_types::{ComputeUnits, MicroUsdc, Price, StackId};
use tokio::sync::mpsc;

/// Units that were bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The stack that has them.
    pub stack: StackId,
    /// Whether they were added to a stack that there was.
    pub top_up: bool,
    /// The model that they are for.
    pub model: String,
    /// How many units were paid for.
    pub units: ComputeUnits,
    /// What went into escrow for them.
    pub paid: MicroUsdc,
    /// No unit costs more, per million.
    pub max_price: Price,
}

/// Who is told of purchases. What nobody reads in time is not told: no request waits for it.
pub type Purchases = mpsc::Sender<Purchase>;
