//! Why an answer ended.

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// End token or stop string.
    Stop,
    /// Output limit or context reached.
    Length,
    /// The model calls tools and waits for what they say.
    ToolCalls,
    /// A filter of the server took the rest away.
    ContentFilter,
    /// Nobody was listening any more.
    Cancelled,
}
