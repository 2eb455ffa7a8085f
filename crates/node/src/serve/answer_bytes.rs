//! How long an answer may become, before anything of it is computed.

/// A frame of a stream, without the model's name and what is said in it.
const FRAME: u64 = 300;
/// What a token says, as JSON: four bytes mostly, and six for each that is escaped.
const TEXT: u64 = 24;
/// A token's log probability, or an alternative's, with its bytes one by one.
const SCORE: u64 = 120;

/// The form of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerForm<'a> {
    pub stream: bool,
    /// Alternatives to each token, where log probabilities are asked for.
    pub logprobs: Option<u8>,
    /// The name in each frame.
    pub model: &'a str,
}

impl AnswerForm<'_> {
    /// Bytes of an answer of so many tokens: hardly ever more.
    pub(super) fn bytes(self, tokens: u64) -> u64 {
        let frame = FRAME + self.model.len() as u64;
        let each = if self.stream { frame } else { 0 };
        let scores = self.logprobs.map_or(0, |others| 1 + u64::from(others));
        let each = each + TEXT + scores * SCORE;
        // the beginning of an answer, its end, and its usage
        tokens.saturating_mul(each).saturating_add(3 * frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_engine::{Finish, Logprob, TokenEvent};
    use atoma_openai::{
        answer::Head,
        frames::{Frames, Kind},
    };
    use atoma_types::Usage;

    #[test]
    fn a_stream_of_ordinary_tokens_isnt_longer_than_it_was_taken_for() {
        const TOKENS: u64 = 50;
        let model = "org/a-model-7b";
        let logprob = |token: &str| Logprob {
            id: 1,
            token: token.to_owned(),
            bytes: token.as_bytes().to_vec(),
            logprob: -12.345_678,
        };
        for logprobs in [None, Some(0), Some(20)] {
            let token = TokenEvent {
                id: Some(1),
                text: " \"word\"\n".to_owned(),
                offset: 4_000,
                logprob: logprobs.map(|_| logprob(" \"word\"\n")),
                top: (0..logprobs.unwrap_or_default())
                    .map(|other| logprob(&format!(" other-{other}")))
                    .collect(),
            };
            for kind in [Kind::Chat, Kind::Completion] {
                let head = Head {
                    id: format!("chatcmpl-{}", "a".repeat(32)),
                    created: 1_795_000_000,
                    model: model.to_owned(),
                    system_fingerprint: "fp_0123456789".to_owned(),
                };
                let mut frames = Frames::new(head, kind, true);
                let mut length: usize = (0..TOKENS).map(|_| frames.token(&token).len()).sum();
                length += frames.finish(Finish::Length, Usage::default()).len();
                let form = AnswerForm {
                    stream: true,
                    logprobs,
                    model,
                };
                let (length, most) = (length as u64, form.bytes(TOKENS));
                assert!(length <= most, "{length} {most}");
            }
        }
    }
}
