//! How long one request may look for its answer.

use crate::body::Work;
use std::time::Duration;

/// Beyond the first byte's time, a whole answer has so long for each of its tokens: slower than any model
/// that people wait for.
const PER_TOKEN: Duration = Duration::from_millis(100);
/// And an embedding for each byte of its request: some two hundred tokens in a second, slower than any
/// processor reads.
const PER_BYTE: Duration = Duration::from_millis(1);
/// And no more than this in all.
const LONGEST_ANSWER: Duration = Duration::from_secs(300);

/// How long one request may look for its answer, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Nodes tried at most.
    pub(crate) nodes: usize,
    /// For a stack to be bought and a lease to stand.
    pub(crate) lease_timeout: Duration,
    /// The user's own stacks pay.
    pub(crate) own_use: bool,
    /// For a node to begin its answer; a whole answer has [more](Patience::whole_answer).
    pub(crate) answer_begins: Duration,
    /// After this no other node is tried.
    pub(crate) retry_for: Duration,
    /// The node that is asked answers, or refuses: it doesn't pass the request on.
    pub(crate) no_forward: bool,
}

impl Patience {
    /// How long a whole answer may take that is so much work.
    pub(crate) fn whole_answer(&self, work: Work) -> Duration {
        let (each, count) = match work {
            Work::Write { tokens } => (PER_TOKEN, tokens),
            Work::Read { bytes } => (PER_BYTE, bytes),
        };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let longest = LONGEST_ANSWER.max(self.answer_begins);
        let computed = each.saturating_mul(count);
        self.answer_begins.saturating_add(computed).min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::read;
    use atoma_types::message::Endpoint;

    const PATIENCE: Patience = Patience {
        nodes: 3,
        lease_timeout: Duration::from_secs(1),
        own_use: false,
        answer_begins: Duration::from_secs(30),
        retry_for: Duration::from_secs(60),
        no_forward: false,
    };

    #[test]
    fn an_embedding_has_time_for_its_input_whatever_else_its_body_says() {
        let time = |body: &str, endpoint| {
            let asked = read(body.as_bytes()).unwrap();
            PATIENCE.whole_answer(asked.work(endpoint, 100))
        };
        let secs = Duration::from_secs;
        let input = "x".repeat(10_000);
        for beside in ["", r#","max_tokens":1"#, r#","max_tokens":9999,"n":128"#] {
            let body = format!(r#"{{"model":"m","input":"{input}"{beside}}}"#);
            let took = time(&body, Endpoint::Embeddings);
            assert!((secs(40)..secs(41)).contains(&took), "{took:?}{beside}");
        }
        let huge = "x".repeat(1 << 20);
        let body = format!(r#"{{"model":"m","input":"{huge}"}}"#);
        assert_eq!(time(&body, Endpoint::Embeddings), LONGEST_ANSWER);
        let chat = |body| time(body, Endpoint::ChatCompletions);
        assert_eq!(chat(r#"{"model":"m","max_tokens":10}"#), secs(31));
        assert_eq!(chat(r#"{"model":"m","max_tokens":10,"n":2}"#), secs(32));
        assert_eq!(chat(r#"{"model":"m"}"#), secs(40));
    }
}
