//! How many tokens a prompt has, by the engine's own template and tokenizer. A body may hold a hundred times
//! what any context does, and counting all of it takes seconds and hundreds of megabytes before the refusal
//! that costs its sender nothing. So what the bytes alone rule out is refused first, a long prompt is then counted
//! piece by piece and refused as soon as what was counted can't fit, and only some are counted at once.
//!
//! A server outside may take its time, or say nothing at all: then the bytes bound the prompt.

mod pieces;
mod room;

pub(super) use room::Room;

use super::engine::engine_refusal;
use crate::tasks::ServedTask;
use atoma_engine::{Measured, Prompt, ServerFields};
use atoma_runtime::Threads;
use atoma_types::refusal::{Refusal, RefusalCode};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::timeout};

/// Bodies above this are counted piece by piece first.
const LONG_BYTES: usize = 128 << 10;
/// Bodies above this are tokenised on a thread where that may take its time; smaller ones take
/// less than the way there.
const TOKENISE_INLINE_BYTES: usize = 8 << 10;
/// Prompts that are counted on threads at once: each keeps a core busy.
const AT_ONCE: usize = 4;
/// What counting for an engine outside may take, the wait for a place included: who waits for the answer waits
/// for this first.
const OUTSIDE_TIMEOUT: Duration = Duration::from_secs(10);
/// No token of a model that writes text is longer: the longest in use are 128 spaces. So a prompt has at least so
/// many tokens, whatever the tokenizer. Models that only make vectors drop spaces and know any long word as one.
const LONGEST_TOKEN_BYTES: u64 = 256;

/// Counts the tokens of prompts on threads, so many at once.
#[derive(Debug)]
pub(crate) struct Counter {
    threads: Threads,
    places: Semaphore,
}

/// Counts a prompt for an engine outside, from a body of so many bytes: as [`Engine::measure`] does, but
/// neither a tokenizer here nor a server gets all of a prompt that can't fit, and none is waited for too long.
///
/// [`Engine::measure`]: atoma_engine::Engine::measure
pub(super) async fn measure(
    task: &ServedTask,
    prompt: &Prompt,
    server: &ServerFields,
    bytes: usize,
    room: Room,
) -> Result<Measured, Refusal> {
    check_bytes(prompt, room)?;
    let engine = &*task.engine;
    let counting = async {
        let mut _place = None;
        if bytes > LONG_BYTES {
            // the semaphore is never closed
            _place = task.counting.acquire().await.ok();
            if !pieces::check_outside(engine, prompt, room).await? {
                // whoever can't count a piece can't count the whole
                return Ok(None);
            }
        }
        let measured = engine.measure(prompt, server).await;
        measured.map(Some).map_err(|error| engine_refusal(&error))
    };
    let counted = timeout(OUTSIDE_TIMEOUT, counting).await;
    if let Some(measured) = counted.unwrap_or(Ok(None))? {
        return Ok(measured);
    }
    engine
        .bound(prompt, server)
        .map_err(|error| engine_refusal(&error))
}

impl Counter {
    pub(crate) fn new(threads: Threads) -> Self {
        Self {
            threads,
            places: Semaphore::new(AT_ONCE),
        }
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
        let long = bytes > LONG_BYTES;
        let mut _place = None;
        if long && task.engine.has_tokenizer() {
            // the semaphores are never closed
            _place = match task.is_embedded() {
                true => self.places.acquire().await.ok(),
                false => task.counting.acquire().await.ok(),
            };
        }
        let counted = task.clone();
        let work = move || {
            let total = count_each(&counted, &inputs, room, long);
            total.map(|total| (inputs, total))
        };
        let counting = self.threads.blocking(work).await;
        let (inputs, total) = counting.map_err(|_| {
            Refusal::new(RefusalCode::Internal, "the inputs could not be counted")
        })??;
        // what there isn't money for, by the bytes, is refused without asking
        if long && !task.engine.has_tokenizer() && total <= room.money() {
            ask_each(task, &inputs, room).await?;
        }
        Ok((inputs, total))
    }

    /// Counts a prompt from a body of so many bytes with the engine's own template and tokenizer, wherever the engine is.
    pub(super) async fn count_prompt(
        &self,
        task: &Arc<ServedTask>,
        prompt: Prompt,
        server: &ServerFields,
        bytes: usize,
        room: Room,
    ) -> Result<(Prompt, Measured), Refusal> {
        if !task.is_embedded() || bytes <= TOKENISE_INLINE_BYTES {
            let measured = measure(task, &prompt, server, bytes, room).await?;
            return Ok((prompt, measured));
        }
        let (prompt, tokens) = self.count(task, prompt, bytes, room).await?;
        Ok((prompt, Measured::exactly(tokens)))
    }

    /// Counts a prompt from a body of so many bytes.
    pub(super) async fn count(
        &self,
        task: &Arc<ServedTask>,
        prompt: Prompt,
        bytes: usize,
        room: Room,
    ) -> Result<(Prompt, usize), Refusal> {
        check_bytes(&prompt, room)?;
        // the semaphore is never closed
        let _place = self.places.acquire().await;
        let task = task.clone();
        let work = move || {
            if bytes > LONG_BYTES {
                pieces::check_here(&*task.engine, &prompt, room)?;
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

/// Refuses what has too many tokens even if each is as long as any. For prompts whose answers are text.
fn check_bytes(prompt: &Prompt, room: Room) -> Result<(), Refusal> {
    room.check(pieces::bytes(prompt) as u64 / LONGEST_TOKEN_BYTES)
}

/// Tokens of all inputs, each of which must fit the context; their bytes where no tokenizer is here.
fn count_each(
    task: &ServedTask,
    inputs: &[Prompt],
    room: Room,
    long: bool,
) -> Result<u64, Refusal> {
    let mut total = 0u64;
    for input in inputs {
        if long && task.engine.has_tokenizer() {
            let param = |refusal: Refusal| refusal.param("input");
            pieces::check_here(&*task.engine, input, room).map_err(param)?;
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

/// Asks the server piece by piece whether the inputs fit, as long as it counts and in time.
async fn ask_each(task: &ServedTask, inputs: &[Prompt], room: Room) -> Result<(), Refusal> {
    let asking = async {
        // the semaphore is never closed
        let _place = task.counting.acquire().await;
        for input in inputs {
            let counted = pieces::check_outside(&*task.engine, input, room).await;
            if !counted.map_err(|refusal| refusal.param("input"))? {
                break;
            }
        }
        Ok(())
    };
    timeout(OUTSIDE_TIMEOUT, asking).await.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests;
