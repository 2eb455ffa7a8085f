//! An answer that is there already, confirmed by prefill instead of generated token by token.
//!
//! Its text is cut into tokens as the tokenizer cuts it, and scored. Where the model would have chosen another
//! token, that one is taken, the rest of the text is cut anew, and it is scored again: models write a few words in
//! other tokens than the tokenizer would. When every token is the model's own choice, the answer is what generating
//! would have given, to the bit.

use std::collections::VecDeque;
use std::sync::Arc;

use super::job::Generation;
use super::{Embedded, INLINE_TEXT_BYTES, check_request};
use crate::deltas::Deltas;
use crate::fingerprint::{Fingerprint, LANES};
use crate::sample::Counts;
use crate::{
    Engine, EngineError, EngineFault, Event, Finish, GenerateRequest, Usage, event_channel,
};

/// So often a text is cut anew: each time costs a prefill of the answer, and generating about three.
const TRIES: usize = 3;
/// Longer than a text's tokens are on average in any language: what is more is no guess at so many tokens.
const BYTES_PER_TOKEN: usize = 32;

/// What an answer would say if its tokens were these.
struct Told {
    events: Vec<Event>,
    /// So many of the tokens: after them it ends. None if it goes on.
    ends: Option<usize>,
}

impl Embedded {
    /// [`Engine::confirm`] of a model in this process.
    pub(super) async fn confirmed(
        &self,
        request: GenerateRequest,
        said: String,
    ) -> Result<Option<Vec<Event>>, EngineError> {
        let sampling = request.sampling();
        sampling.validate()?;
        check_request(&request)?;
        if request.logprobs.is_some() {
            // alternatives are in no score
            return Ok(None);
        }
        let (format, _) = self.called(&request)?;
        let prompt = self.encode(request.prompt.clone(), 1).await?;
        let most = (request.max_tokens as usize).min(self.limits.context - prompt.len());
        if said.len() > most.saturating_mul(BYTES_PER_TOKEN) {
            return Ok(None);
        }
        let said: Arc<str> = said.into();
        let mut known = Vec::new();
        for _ in 0..TRIES {
            let Some(mut draft) = self.draft(known, said.clone(), most).await? else {
                return Ok(None);
            };
            let mut told = self.tell(&request, &prompt, &draft).await?;
            if let Some(ends) = told.ends {
                draft.truncate(ends);
            }
            let scored = self.score(prompt.clone(), draft.clone(), sampling, format.clone());
            let score = scored.await?;
            let mut scores = score.tokens.iter();
            let Some(at) = scores.position(|token| token.reference != Some(token.id)) else {
                if let (Some(_), Some(Event::Done(done))) = (told.ends, told.events.last_mut()) {
                    done.fingerprint = score.fingerprint;
                    done.commitments = score.commitments;
                    return Ok(Some(told.events));
                }
                return Ok(None);
            };
            known = draft;
            known.truncate(at);
            known.extend(score.tokens[at].reference);
        }
        Ok(None)
    }

    /// The likely tokens of an answer that begins with those that are known and says this; none if it can't
    /// begin with them.
    async fn draft(
        &self,
        known: Vec<u32>,
        said: Arc<str>,
        most: usize,
    ) -> Result<Option<Vec<u32>>, EngineError> {
        let beginning = self.text.decode(&known);
        if !said.starts_with(&beginning) {
            return Ok(None);
        }
        let mut draft = known;
        if said.len() > INLINE_TEXT_BYTES {
            let text = self.text.clone();
            let work = move || text.encode_answer(&said[beginning.len()..]);
            let encoded = self.threads.blocking(work).await;
            draft.extend(encoded.map_err(EngineFault::from)??);
        } else {
            draft.extend(self.text.encode_answer(&said[beginning.len()..])?);
        }
        draft.truncate(most);
        if draft.len() < most {
            draft.extend(self.eos.first());
        }
        Ok((!draft.is_empty()).then_some(draft))
    }

    /// What the answer says if it is made of these tokens.
    async fn tell(
        &self,
        request: &GenerateRequest,
        prompt: &[u32],
        output: &[u32],
    ) -> Result<Told, EngineError> {
        let (format, calls) = self.called(request)?;
        let usage = Usage {
            input: prompt.len() as u64,
            ..Usage::default()
        };
        let (events, stream) = event_channel(request.max_tokens, None);
        let started = Event::Started {
            prompt_tokens: prompt.len() as u32,
            cached_tokens: 0,
        };
        let mut generation = Generation {
            sampling: request.sampling(),
            logprobs: None,
            limit: stream.limit(),
            events,
            // what comes waits behind the first, as nobody reads
            pending: VecDeque::from([Ok(started)]),
            deltas: Deltas::new(&self.text, prompt, request.stop.clone()),
            counts: Counts::new(),
            guide: self.guide(format).await?,
            mask: None,
            calls,
            fingerprint: Fingerprint::default(),
            usage,
            started: true,
        };
        let mut ends = None;
        for (place, id) in output.iter().enumerate() {
            let full = prompt.len() + place + 1 >= self.limits.context;
            let chosen = (*id, &[0; LANES]);
            let finish = generation.push(&self.text, chosen, None, &[], full, &self.eos);
            if let Some(finish) = finish {
                generation.end(finish);
                ends = Some(place + 1);
                break;
            }
        }
        if ends.is_none() {
            generation.end(Finish::Cancelled);
        }
        let events = generation.pending.into_iter().collect::<Result<_, _>>()?;
        Ok(Told { events, ends })
    }
}
