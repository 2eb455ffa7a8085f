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
use crate::text::TextModel;
use crate::{
    Engine, EngineError, EngineFault, Event, Finish, GenerateRequest, TokenScore, Usage,
    event_channel,
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

/// What an answer is guessed from.
struct Guess {
    /// What it says.
    said: Arc<str>,
    /// Strings that may have ended it, and aren't in it.
    stop: Vec<String>,
    /// Its tokens, if the guess is right.
    most: usize,
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
        if request
            .logprobs
            .is_some_and(|alternatives| alternatives > 0)
        {
            // they are in no score
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
            let guess = Guess {
                said: said.clone(),
                stop: request.stop.clone(),
                most,
            };
            let Some(mut draft) = self.draft(known, guess).await? else {
                return Ok(None);
            };
            let mut told = self.tell(&request, &prompt, &draft, &[]).await?;
            if let Some(ends) = told.ends {
                draft.truncate(ends);
            }
            let scored = self.score(prompt.clone(), draft.clone(), sampling, format.clone());
            let score = scored.await?;
            let mut scores = score.tokens.iter();
            let Some(at) = scores.position(|token| token.reference != Some(token.id)) else {
                if request.logprobs.is_some() {
                    let scores = &score.tokens;
                    told = self.tell(&request, &prompt, &draft, scores).await?;
                }
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

    /// The likely tokens of an answer that begins with those that are known; none if it can't begin with them.
    async fn draft(&self, known: Vec<u32>, guess: Guess) -> Result<Option<Vec<u32>>, EngineError> {
        let text = self.text.clone();
        let ends = self.eos.first().copied();
        let is_long = guess.said.len() > INLINE_TEXT_BYTES;
        let work = move || guess.tokens(&text, known, ends);
        if !is_long {
            return work();
        }
        let drafted = self.threads.blocking(work).await;
        drafted.map_err(EngineFault::from)?
    }

    /// What the answer says if it is made of these tokens.
    async fn tell(
        &self,
        request: &GenerateRequest,
        prompt: &[u32],
        output: &[u32],
        scores: &[TokenScore],
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
            let logprob = scores.get(place).map(|score| score.logprob);
            let finish = generation.push(&self.text, chosen, logprob, &[], full, &self.eos);
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

impl Guess {
    /// The known tokens, and those of the rest of the text with the end that makes the number right: an end token, a
    /// stop string or none.
    fn tokens(
        &self,
        text: &TextModel,
        known: Vec<u32>,
        ends: Option<u32>,
    ) -> Result<Option<Vec<u32>>, EngineError> {
        let beginning = text.decode(&known);
        let rest = match self.said.strip_prefix(&*beginning) {
            Some(rest) => rest,
            // a stop string has taken the end of it
            None if beginning.starts_with(&*self.said) => "",
            None => return Ok(None),
        };
        let wanted = self.most.saturating_sub(known.len());
        let mut end = text.encode_answer(rest)?;
        if end.len() + 1 < wanted {
            for stop in &self.stop {
                let stopped = text.encode_answer(&format!("{rest}{stop}"))?;
                if stopped.len() == wanted {
                    end = stopped;
                    break;
                }
            }
        }
        let mut draft = known;
        draft.extend(end);
        draft.truncate(self.most);
        if draft.len() < self.most {
            draft.extend(ends);
        }
        Ok((!draft.is_empty()).then_some(draft))
    }
}
