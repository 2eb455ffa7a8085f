//! Which beginnings of prompts a server has seen, and may still have keys and values of.
//!
//! A prompt is cut into blocks, and each of its beginnings (one block, two, three ...) is a hash. A server
//! has as much of a prompt as it was sent of its beginnings lately: the next turn of a conversation repeats
//! all that came before, and many conversations begin with one system prompt. What a server really keeps
//! isn't asked: it would say it too late, and a wrong guess costs no more than a prompt that is read again.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use blake2b_simd::{Params, State};

use crate::{GenerateRequest, Prompt};

/// Some sixty tokens: a shorter beginning is read again in no time.
const BLOCK_BYTES: usize = 256;
/// Blocks that are looked at, 64 KiB: whoever shares so much shares the rest as well.
const MOST_BLOCKS: usize = 256;
/// Beginnings that are kept for a server, twice: so many blocks are half a million tokens, what the keys and values
/// of a large GPU hold.
const GENERATION: usize = 8_192;

/// The beginnings of a prompt, the shortest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Prefix(Vec<u64>);

/// The beginnings that a server was sent lately.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Of prompts that it is being asked, and how many of these have each: they are forgotten where it doesn't
    /// take them, and push nothing out until it does.
    asked: HashMap<u64, usize>,
    young: HashSet<u64>,
    /// As many that came before, dropped when the young are as many.
    old: HashSet<u64>,
}

/// Hashes blocks while bytes come.
struct Blocks {
    /// Of all bytes so far.
    state: State,
    /// Bytes of the block that isn't full yet.
    begun: usize,
    hashes: Vec<u64>,
}

impl Prefix {
    /// Of what a request has in the order in which templates write it: tools, then messages.
    pub(super) fn of(request: &GenerateRequest) -> Self {
        let mut blocks = Blocks {
            state: Params::new().hash_length(size_of::<u64>()).to_state(),
            begun: 0,
            hashes: Vec::new(),
        };
        // a server keeps nothing of one domain for another
        blocks.state.update(request.cache_domain.as_bytes());
        match (&request.prompt, &request.server.messages) {
            (Prompt::Text(text), _) => blocks.push(text.as_bytes()),
            (Prompt::Tokens(tokens), _) => {
                let bytes = tokens.iter().map(|token| token.to_le_bytes());
                bytes.for_each(|bytes| blocks.push(&bytes));
            }
            (Prompt::Chat(chat), written) => {
                if let Some(tools) = &chat.tools {
                    blocks.push(tools.text().as_bytes());
                }
                match written {
                    Some(messages) => blocks.push(messages.get().as_bytes()),
                    None => chat.messages.iter().for_each(|message| {
                        blocks.push(message.role.as_bytes());
                        blocks.push(message.text().as_bytes());
                    }),
                }
            }
        }
        Self(blocks.hashes)
    }

    /// Whether nothing is known of it, or it is too short to matter.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Blocks {
    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.hashes.len() < MOST_BLOCKS {
            let missing = BLOCK_BYTES - self.begun;
            let (now, rest) = bytes.split_at(bytes.len().min(missing));
            self.state.update(now);
            self.begun += now.len();
            bytes = rest;
            if self.begun == BLOCK_BYTES {
                let hash = self.state.finalize();
                let hash = hash.as_bytes().iter();
                self.hashes
                    .push(hash.fold(0, |all, byte| all << 8 | u64::from(*byte)));
                self.begun = 0;
            }
        }
    }
}

impl Seen {
    /// How many blocks of a prompt were seen.
    pub(super) fn depth(&self, prefix: &Prefix) -> usize {
        let has = |hash: &&u64| {
            self.young.contains(*hash) || self.old.contains(*hash) || self.asked.contains_key(*hash)
        };
        prefix.0.iter().take_while(has).count()
    }

    /// Notes that a prompt is being sent.
    pub(super) fn ask(&mut self, prefix: &Prefix) {
        for hash in &prefix.0 {
            *self.asked.entry(*hash).or_default() += 1;
        }
    }

    /// It was sent: what it comes to, [`note`](Self::note) says.
    pub(super) fn asked(&mut self, prefix: &Prefix) {
        for hash in &prefix.0 {
            let Entry::Occupied(mut count) = self.asked.entry(*hash) else {
                continue;
            };
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    /// Notes that a prompt was taken.
    pub(super) fn note(&mut self, prefix: &Prefix) {
        for hash in &prefix.0 {
            if self.young.len() == GENERATION {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(*hash);
        }
    }

    /// Forgets what was taken.
    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CacheDomain, ChatMessage, Conversation};

    fn of(prompt: Prompt) -> Prefix {
        Prefix::of(&GenerateRequest::new(prompt, 1))
    }

    fn text(text: &str) -> Prefix {
        of(Prompt::Text(text.to_owned()))
    }

    #[test]
    fn prompts_have_in_common_what_they_begin_with() {
        let (long, other) = ("a".repeat(1_000), "b".repeat(1_000));
        let mut seen = Seen::default();
        seen.note(&text(&long));
        assert_eq!(seen.depth(&text(&long)), 3);
        assert_eq!(seen.depth(&text(&format!("{long}{other}"))), 3);
        assert_eq!(seen.depth(&text(&format!("{}{other}", &long[..600]))), 2);
        assert_eq!(seen.depth(&text(&format!("b{long}"))), 0);
        assert_eq!(seen.depth(&text("a")), 0, "too short to matter");
        seen.clear();
        assert_eq!(seen.depth(&text(&long)), 0);
    }

    #[test]
    fn a_prompt_that_is_not_taken_leaves_everything_as_it_was() {
        let (mine, theirs) = (text(&"a".repeat(1_000)), text(&"b".repeat(1_000)));
        let longer = text(&"a".repeat(2_000));
        let mut seen = Seen::default();
        seen.note(&mine);
        // as long as it is being asked, others with this beginning follow
        seen.ask(&longer);
        seen.ask(&theirs);
        seen.ask(&theirs);
        assert_eq!((seen.depth(&longer), seen.depth(&theirs)), (7, 3));
        seen.asked(&theirs);
        assert_eq!(seen.depth(&theirs), 3, "another still asks");
        seen.asked(&theirs);
        seen.asked(&longer);
        assert_eq!((seen.depth(&longer), seen.depth(&theirs)), (3, 0));
        // however many there are
        for n in 0..3 * GENERATION {
            let refused = text(&format!("{n:08}").repeat(BLOCK_BYTES / 8));
            seen.ask(&refused);
            seen.asked(&refused);
        }
        assert_eq!(seen.depth(&mine), 3);
        assert!(seen.asked.is_empty());
    }

    #[test]
    fn what_one_domain_sent_says_nothing_of_another() {
        let of = |domain| {
            let prompt = Prompt::Text("a".repeat(1_000));
            Prefix::of(&GenerateRequest {
                cache_domain: CacheDomain::new([domain; 32]),
                ..GenerateRequest::new(prompt, 1)
            })
        };
        let mut seen = Seen::default();
        seen.note(&of(1));
        assert_eq!((seen.depth(&of(1)), seen.depth(&of(2))), (3, 0));
    }

    #[test]
    fn the_next_turn_of_a_conversation_begins_with_the_turns_before() {
        let mut turns = vec![
            ChatMessage::new("system", &*"be brief ".repeat(40)),
            ChatMessage::new("user", &*"tell me more ".repeat(40)),
        ];
        let mut seen = Seen::default();
        let chat = |turns: &[ChatMessage]| of(Prompt::Chat(Conversation::new(turns.to_vec())));
        seen.note(&chat(&turns));
        turns.push(ChatMessage::new("assistant", "that is all"));
        turns.push(ChatMessage::new("user", &*"and more ".repeat(40)));
        assert_eq!(seen.depth(&chat(&turns)), 3);
    }

    #[test]
    fn no_more_is_kept_than_twice_a_generation_and_the_latest_of_it() {
        let mut seen = Seen::default();
        let prefix = |n: usize| text(&format!("{n:08}").repeat(BLOCK_BYTES / 8));
        for n in 0..3 * GENERATION {
            seen.note(&prefix(n));
        }
        assert_eq!(seen.young.len() + seen.old.len(), 2 * GENERATION);
        assert_eq!(seen.depth(&prefix(3 * GENERATION - 1)), 1);
        assert_eq!(seen.depth(&prefix(2 * GENERATION)), 1);
        assert_eq!(seen.depth(&prefix(0)), 0);
    }
}
