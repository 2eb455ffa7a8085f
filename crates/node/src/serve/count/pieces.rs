//! A long prompt is counted piece by piece until it can't fit any more.

use super::room::Room;
use atoma_engine::{Engine, EngineError, Prompt, ServerFields};
use atoma_types::refusal::Refusal;

/// Bytes of a piece.
const PIECE_BYTES: usize = 32 << 10;
/// A cut adds a few tokens at most, and a tokenizer marks a text's begin.
const PER_CUT: u64 = 64;

/// Counts pieces by the engine's own tokenizer.
pub(super) fn check_here(engine: &dyn Engine, prompt: &Prompt, room: Room) -> Result<(), Refusal> {
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

/// The same for an engine outside, which may have to ask its server. Stops at the first piece that can't be
/// counted and says whether all were.
pub(super) async fn check_outside(
    engine: &dyn Engine,
    prompt: &Prompt,
    room: Room,
) -> Result<bool, Refusal> {
    let (plain, mut least) = (ServerFields::default(), 0u64);
    for piece in texts(prompt).into_iter().flat_map(pieces) {
        let piece = Prompt::Text(piece.to_owned());
        let measured = engine.measure(&piece, &plain).await.ok();
        let Some(counted) = measured.filter(|counted| counted.most == counted.likely) else {
            return Ok(false);
        };
        least = least.saturating_add((counted.most as u64).saturating_sub(PER_CUT));
        room.check(least)?;
    }
    Ok(true)
}

/// Bytes of the texts that any template puts into the prompt.
pub(super) fn bytes(prompt: &Prompt) -> usize {
    texts(prompt).iter().map(|text| text.len()).sum()
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
    use atoma_types::{ComputeUnits, UnitWeights, refusal::RefusalCode};

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
        let context = engine.info().context;
        let check = |words: usize, paid, left| {
            let prompt = Prompt::Text("hello there, ".repeat(words));
            let units = ComputeUnits;
            let room = Room::new(context, &UnitWeights::TEXT, units(paid), units(left));
            check_here(&engine, &prompt, room).map_err(|refusal| refusal.code)
        };
        let all = u64::MAX;
        assert_eq!(check(400_000, all, all), Err(RefusalCode::ContextTooLong));
        assert_eq!(check(400_000, 100, 100), Err(RefusalCode::ContextTooLong));
        assert_eq!(check(150, 100, all), Err(RefusalCode::MaxUnitsTooLow));
        assert_eq!(check(150, all, 100), Err(RefusalCode::LeaseExhausted));
        assert_eq!(check(10, 10_000, 10_000), Ok(()));
    }
}
