//! How many tokens a prompt has, by the engine's own template and tokenizer. A body may hold a hundred times
//! what any context does, and tokenising all of it takes seconds and hundreds of megabytes before the refusal
//! that costs its sender nothing. So a long prompt is first counted piece by piece, and refused as soon as what
//! was counted can't fit; and only some are counted at once.

use super::engine::engine_refusal;
use crate::tasks::ServedTask;
use atoma_engine::{Engine, EngineError, Measured, Prompt, ServerFields};
use atoma_runtime::Threads;
use atoma_types::{
    ComputeUnits, UnitWeights,
    estimate::output_that_fits,
    refusal::{Refusal, RefusalCode},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Bodies above this are counted piece by piece first.
const LONG_BYTES: usize = 128 << 10;
/// Bytes of such a piece.
const PIECE_BYTES: usize = 32 << 10;
/// A cut adds a few tokens at most, and a tokenizer marks a text's begin.
const PER_CUT: u64 = 64;
/// Prompts that are counted on threads at once: each keeps a core busy.
const AT_ONCE: usize = 4;
/// Long prompts for servers outside that are counted at once, by a tokenizer here or by the server.
const OUTSIDE_AT_ONCE: usize = 4;
/// No token is longer: the longest in use are 128 spaces. So a text has at least so many tokens, whatever
/// the tokenizer.
const LONGEST_TOKEN_BYTES: u64 = 256;

/// Counts the tokens of prompts, so many at once.
#[derive(Debug)]
pub(crate) struct Counter {
    threads: Threads,
    places: Semaphore,
    outside: Semaphore,
}

/// What a prompt must fit into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Tokens of the engine's context; 0 if it doesn't say.
    pub context: u64,
    /// Tokens of input that the user's `max_units` pay for.
    pub paid: u64,
}

impl Room {
    /// Of a request that may cost so many units.
    pub(super) fn of(engine: &dyn Engine, weights: &UnitWeights, max_units: ComputeUnits) -> Self {
        // input is paid for like output here: what it costs if none of it is cached
        let input = UnitWeights {
            output: weights.input.min(weights.cached_input),
            input: 0,
            cached_input: 0,
            ..*weights
        };
        Self {
            context: engine.context() as u64,
            paid: output_that_fits(&input, 0, max_units).unwrap_or(0),
        }
    }

    /// Why at least so many tokens don't fit, if they don't.
    fn check(self, least: u64) -> Result<(), Refusal> {
        if self.context > 0 && least > self.context {
            let message = format!(
                "the prompt has more than {least} tokens; the context holds {}",
                self.context
            );
            let refusal = Refusal::new(RefusalCode::ContextTooLong, message);
            return Err(refusal.needed(self.context));
        }
        if least > self.paid {
            let message =
                format!("max_units do not pay for the prompt, of more than {least} tokens");
            return Err(Refusal::new(RefusalCode::MaxUnitsTooLow, message));
        }
        Ok(())
    }
}

impl Counter {
    pub(crate) fn new(threads: Threads) -> Self {
        Self {
            threads,
            places: Semaphore::new(AT_ONCE),
            outside: Semaphore::new(OUTSIDE_AT_ONCE),
        }
    }

    /// Counts a prompt for a server outside, from a body of so many bytes: as [`Engine::measure`] does, but
    /// neither a tokenizer here nor a server gets all of a prompt that can't fit.
    pub(super) async fn measure(
        &self,
        engine: &dyn Engine,
        prompt: &Prompt,
        server: &ServerFields,
        bytes: usize,
        room: Room,
    ) -> Result<Measured, Refusal> {
        let mut _place = None;
        if bytes > LONG_BYTES {
            // the semaphore is never closed
            _place = self.outside.acquire().await.ok();
            check_outside(engine, prompt, room).await?;
        }
        let measured = engine.measure(prompt, server).await;
        measured.map_err(|error| engine_refusal(&error))
    }

    /// Counts the inputs of an embedding, from a body of so many bytes. Each must fit the context, all of them
    /// what was paid.
    pub(super) async fn count_inputs(
        &self,
        task: &Arc<ServedTask>,
        inputs: Vec<Prompt>,
        bytes: usize,
        room: Room,
    ) -> Result<(Vec<Prompt>, u64), Refusal> {
        let (mut _place, long) = (None, bytes > LONG_BYTES);
        if long {
            // the semaphores are never closed
            _place = match task.is_embedded() {
                true => self.places.acquire().await.ok(),
                false => self.outside.acquire().await.ok(),
            };
        }
        if long && !task.is_embedded() {
            for input in &inputs {
                check_outside(&*task.engine, input, room).await?;
            }
        }
        let task = task.clone();
        let work = move || {
            let total = count_each(&task, &inputs, room, long)?;
            Ok((inputs, total))
        };
        let counted = self.threads.blocking(work).await;
        counted
            .map_err(|_| Refusal::new(RefusalCode::Internal, "the inputs could not be counted"))?
    }

    /// Counts a prompt from a body of so many bytes.
    pub(super) async fn count(
        &self,
        task: &Arc<ServedTask>,
        prompt: Prompt,
        bytes: usize,
        room: Room,
    ) -> Result<(Prompt, usize), Refusal> {
        // the semaphore is never closed
        let _place = self.places.acquire().await;
        let task = task.clone();
        let work = move || {
            if bytes > LONG_BYTES {
                check_pieces(&*task.engine, &prompt, room)?;
            }
            let tokens = task.engine.count_tokens(&prompt);
            tokens
                .map(|tokens| (prompt, tokens))
                .map_err(|error| engine_refusal(&error))
        };
        let counted = self.threads.blocking(work).await;
        counted
            .map_err(|_| Refusal::new(RefusalCode::Internal, "the prompt could not be counted"))?
    }
}

/// Tokens of all inputs, each of which must fit the context.
fn count_each(
    task: &ServedTask,
    inputs: &[Prompt],
    room: Room,
    long: bool,
) -> Result<u64, Refusal> {
    let mut total = 0u64;
    for input in inputs {
        if long && task.is_embedded() {
            let param = |refusal: Refusal| refusal.param("input");
            check_pieces(&*task.engine, input, room).map_err(param)?;
        }
        let counted = task.engine.count_tokens(input);
        let tokens = counted.map_err(|error| engine_refusal(&error))? as u64;
        // a server outside counts for itself: here there may be no more than the bytes
        if task.is_embedded() && room.context > 0 && tokens > room.context {
            let context = room.context;
            let message = format!("an input has {tokens} tokens; the context holds {context}");
            let refusal = Refusal::new(RefusalCode::ContextTooLong, message);
            return Err(refusal.param("input").needed(context));
        }
        total = total.saturating_add(tokens);
    }
    Ok(total)
}

/// The same for a server outside, which may have to be asked: first by the bytes alone, then piece by piece.
async fn check_outside(engine: &dyn Engine, prompt: &Prompt, room: Room) -> Result<(), Refusal> {
    let texts = texts(prompt);
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    room.check(bytes as u64 / LONGEST_TOKEN_BYTES)?;
    let (plain, mut least) = (ServerFields::default(), 0u64);
    for piece in texts.into_iter().flat_map(pieces) {
        let measured = engine
            .measure(&Prompt::Text(piece.to_owned()), &plain)
            .await;
        // whoever can't count a piece can't count the whole
        let Some(counted) = measured
            .ok()
            .filter(|counted| counted.most == counted.likely)
        else {
            return Ok(());
        };
        least = least.saturating_add((counted.most as u64).saturating_sub(PER_CUT));
        room.check(least)?;
    }
    Ok(())
}

/// Counts pieces until they can't fit any more.
fn check_pieces(engine: &dyn Engine, prompt: &Prompt, room: Room) -> Result<(), Refusal> {
    let mut least = 0u64;
    for piece in texts(prompt).into_iter().flat_map(pieces) {
        let counted = engine.count_tokens(&Prompt::Text(piece.to_owned()));
        let tokens = match counted {
            Ok(tokens) => tokens as u64,
            // more than all of the context in one piece
            Err(EngineError::ContextTooLong { .. }) => room.context.saturating_add(2 * PER_CUT),
            // whoever counts the whole says why not
            Err(_) => return Ok(()),
        };
        least = least.saturating_add(tokens.saturating_sub(PER_CUT));
        room.check(least)?;
    }
    Ok(())
}

/// The texts that any template puts into the prompt. What assistants said is sometimes left out.
fn texts(prompt: &Prompt) -> Vec<&str> {
    match prompt {
        Prompt::Text(text) => vec![text],
        Prompt::Chat(conversation) => {
            let messages = conversation.messages.iter();
            let asked = messages.filter(|message| matches!(&*message.role, "user" | "system"));
            asked
                .filter_map(|message| Some(message.content.as_deref()?.trim()))
                .collect()
        }
        Prompt::Tokens(_) => Vec::new(),
    }
}

/// A text in pieces of at most [`PIECE_BYTES`].
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let mut end = text.len().min(PIECE_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, rest) = text.split_at(end);
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_engine::builtin;

    #[test]
    fn pieces_are_the_text() {
        let text = "ü".repeat(PIECE_BYTES + 7);
        let all: Vec<&str> = pieces(&text).collect();
        assert!(all.len() > 1 && all.iter().all(|piece| piece.len() <= PIECE_BYTES));
        assert_eq!(all.concat(), text);
        assert_eq!(pieces("").count(), 0);
    }

    #[test]
    fn what_can_not_fit_is_refused_after_a_few_pieces_and_what_fits_is_not() {
        let engine = builtin::load().unwrap();
        let context = engine.info().context as u64;
        let check = |words: usize, paid| {
            let prompt = Prompt::Text("hello there, ".repeat(words));
            let room = Room { context, paid };
            check_pieces(&engine, &prompt, room).map_err(|refusal| refusal.code)
        };
        assert_eq!(check(400_000, u64::MAX), Err(RefusalCode::ContextTooLong));
        assert_eq!(check(400_000, 100), Err(RefusalCode::ContextTooLong));
        assert_eq!(check(150, 100), Err(RefusalCode::MaxUnitsTooLow));
        assert_eq!(check(10, 10_000), Ok(()));
    }
}
