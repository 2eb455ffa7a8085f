//! What a [`probe`](crate::probe) of an engine can come to.

use std::fmt;

use crate::EngineError;

/// One way to do the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// How many sequences are worked on at once.
    pub at_once: usize,
    /// How the answer comes about.
    pub by: By,
    /// On one thread, though the engine may have more.
    pub one_thread: bool,
}

/// How an answer comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Token by token, all of the prompt computed.
    Cold,
    /// Token by token, the prompt's beginning taken from the prefix cache.
    Warm,
    /// In one prefill over prompt and answer, as whoever audits it does.
    Prefill,
    /// As a vector.
    Vector,
}

/// What a probe came to that found nothing wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// How many ways were held against each other.
    pub ways: usize,
    /// The most sequences at once.
    pub at_once: usize,
    /// How many answers were compared.
    pub answers: usize,
    /// Tokens that were computed.
    pub tokens: u64,
    /// Tokens of prompts that came from the prefix cache; none where the context has no room for a block of it.
    pub cached_tokens: u64,
    /// Whether the bits are also those that are known of this model, which only the built-in one's are.
    pub known: bool,
    /// What it computed: the same on every machine.
    pub digest: [u8; 32],
}

/// Why an engine must not serve an exact class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeFault {
    /// The same prompt has given other bits.
    #[error("the same prompt gives other bits {way} than {than}")]
    Differs {
        /// The way in which it gave others.
        way: Way,
        /// What it was held against.
        than: Way,
    },
    /// All ways agree, and yet the bits are others than everywhere else.
    #[error("the bits are not those of this model on other machines")]
    Unknown,
    /// A request of the probe's failed.
    #[error("the engine can't be probed")]
    Engine(#[from] EngineError),
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at_once {
            1 => write!(f, "alone")?,
            many => write!(f, "among {many} at once")?,
        }
        f.write_str(match self.by {
            By::Cold => ", with a cold prefix cache",
            By::Warm => ", with a warm prefix cache",
            By::Prefill => ", scored by one prefill",
            By::Vector => ", as a vector",
        })?;
        f.write_str(if self.one_thread {
            ", on one thread"
        } else {
            ", on all threads"
        })
    }
}
