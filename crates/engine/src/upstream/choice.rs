//! Which of the servers of a model gets a request.
//!
//! The one that has most of the prompt already, as long as it isn't far busier than the others: with the
//! request it may have at most (1 + slack) times its share of the load,
//!
//! ```text
//! load + 1 <= ceil((1 + slack) * (sum of loads + 1) / servers)
//! ```
//!
//! so that a beginning that all prompts have in common doesn't put them all on one server (consistent
//! hashing with bounded loads does the same). There is always one within the bound: the least busy. Among
//! servers that have equally much the least busy is taken; between equals, the one that answered faster.
//!
//! *Dropped*: a hash of the prompt's beginning alone. It needs no memory, but it can't tell a system prompt
//! from a conversation, so it either scatters conversations or puts everything on one server.

/// A server that could take the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Requests that it has.
    pub(super) load: usize,
    /// Blocks of the prompt that it has seen.
    pub(super) depth: usize,
    /// How fast it was lately.
    pub(super) first_byte_us: u64,
}

/// What became of a prompt's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nobody has seen it.
    New,
    /// It goes where most of it is.
    Kept,
    /// Where most of it is, is too busy.
    Moved,
}

/// The candidates by their places in the list, best first, and what that means for the prompt.
pub(super) fn order(candidates: &[Candidate], slack_percent: u32) -> (Vec<usize>, Outcome) {
    let bound = bound(candidates, slack_percent);
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|at| {
        let candidate = &candidates[*at];
        let is_over = candidate.load >= bound;
        let depth = if is_over { 0 } else { candidate.depth };
        (
            is_over,
            std::cmp::Reverse(depth),
            candidate.load,
            candidate.first_byte_us,
        )
    });
    let most = candidates.iter().map(|c| c.depth).max().unwrap_or(0);
    let outcome = match order.first() {
        _ if most == 0 => Outcome::New,
        Some(first) if candidates[*first].depth == most => Outcome::Kept,
        _ => Outcome::Moved,
    };
    (order, outcome)
}

/// The most that a server may have with one request more.
fn bound(candidates: &[Candidate], slack_percent: u32) -> usize {
    // a server's own word is in it, which may be any number
    let sum = (candidates.iter()).fold(1usize, |sum, c| sum.saturating_add(c.load));
    let share = sum.saturating_mul(100 + slack_percent as usize);
    share.div_ceil(100 * candidates.len().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLACK: u32 = 25;

    fn candidate(load: usize, depth: usize) -> Candidate {
        Candidate {
            load,
            depth,
            first_byte_us: 0,
        }
    }

    #[test]
    fn the_one_with_most_of_the_prompt_gets_it_while_it_has_little_more_than_its_share() {
        let choose = |candidates: &[Candidate]| {
            let (order, outcome) = order(candidates, SLACK);
            (order[0], outcome)
        };
        let (none, some, most) = (candidate(3, 0), candidate(4, 2), candidate(4, 5));
        assert_eq!(choose(&[none, some, most]), (2, Outcome::Kept));
        assert_eq!(choose(&[none, none, none]), (0, Outcome::New));
        let busy = candidate(9, 5);
        assert_eq!(choose(&[none, busy]), (0, Outcome::Moved));
        assert_eq!(choose(&[none, some, busy]), (1, Outcome::Moved));
        let endless = candidate(usize::MAX, 5);
        assert_eq!(choose(&[endless, endless, none]), (2, Outcome::Moved));
        let faster = Candidate {
            first_byte_us: 5,
            ..none
        };
        let slower = Candidate {
            first_byte_us: 9,
            ..none
        };
        assert_eq!(choose(&[slower, faster]), (1, Outcome::New));
    }

    /// Servers as the test sees them: what runs on each, and which conversations each has seen.
    struct World {
        running: Vec<Vec<usize>>,
        seen: Vec<Vec<usize>>,
        up: Vec<bool>,
    }

    impl World {
        fn new(servers: usize) -> Self {
            Self {
                running: vec![Vec::new(); servers],
                seen: vec![Vec::new(); servers],
                up: vec![true; servers],
            }
        }

        /// Gives a request of a conversation to a server; which.
        fn arrive(&mut self, conversation: usize) -> usize {
            let up: Vec<usize> = (0..self.up.len()).filter(|at| self.up[*at]).collect();
            let candidates: Vec<_> = up
                .iter()
                .map(|at| {
                    let has = self.seen[*at].contains(&conversation);
                    candidate(self.running[*at].len(), has.into())
                })
                .collect();
            let (order, _) = order(&candidates, SLACK);
            let chosen = up[order[0]];
            self.running[chosen].push(conversation);
            self.seen[chosen].push(conversation);
            let sum: usize = up.iter().map(|at| self.running[*at].len()).sum();
            let share = f64::from(100 + SLACK) / 100.0 * sum as f64 / up.len() as f64;
            assert!(self.running[chosen].len() <= share.ceil() as usize);
            chosen
        }

        fn fails(&mut self, at: usize) {
            self.up[at] = false;
            self.running[at].clear();
            self.seen[at].clear();
        }
    }

    proptest! {
        #[test]
        fn nobody_gets_a_request_beyond_the_bound(
            servers in 1..7usize, events in prop::collection::vec((0..6usize, any::<u8>()), 1..300),
        ) {
            let mut world = World::new(servers);
            for (conversation, other) in events {
                let at = usize::from(other) % servers;
                match other % 4 {
                    // one that is hot comes most often
                    0 | 1 => { world.arrive(conversation.saturating_sub(3)); }
                    2 => { world.running[at].pop(); }
                    _ if world.up[at] && world.up.iter().filter(|up| **up).count() > 1 => world.fails(at),
                    _ => world.up[at] = true,
                }
            }
        }

        #[test]
        fn conversations_stay_where_they_are_when_another_server_goes_and_returns(
            servers in 2..7usize, conversations in 1..40usize, gone in any::<prop::sample::Index>(),
        ) {
            let mut world = World::new(servers);
            let gone = gone.index(servers);
            let turn = |world: &mut World| -> Vec<usize> {
                (0..conversations)
                    .map(|conversation| {
                        let at = world.arrive(conversation);
                        world.running[at].pop();
                        at
                    })
                    .collect()
            };
            // at first all at once, so that they are spread
            for conversation in 0..conversations {
                world.arrive(conversation);
            }
            world.running.iter_mut().for_each(Vec::clear);
            let before = turn(&mut world);
            world.fails(gone);
            let without = turn(&mut world);
            for (old, new) in before.iter().zip(&without) {
                prop_assert!(*old == gone || old == new);
                prop_assert!(*new != gone);
            }
            world.up[gone] = true;
            prop_assert_eq!(turn(&mut world), without);
        }
    }
}
