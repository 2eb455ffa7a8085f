//! Answers by one engine, seen by another.

use super::AT_ONCE;
use crate::requests::{drawn, unused};
use anyhow::Result;
use atoma_audit::{testing::Provider, tolerant::Seen};
use atoma_engine::{Engine, Event, GenerateRequest, Sampling, TokenScore};
use futures::future::try_join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::sync::Arc;

/// What is done to an answer before it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Edit {
    Nothing,
    /// The log probabilities that are reported are the true model's.
    Reported,
    /// So many of the tokens, one at least, are others that the model might have drawn; the numbers reported with them are
    /// the true model's.
    Share(f64),
}

/// Who computes, and who looks.
pub(super) struct Player<'a> {
    scorer: &'a Arc<dyn Engine>,
    /// Reads requests as the scorer does.
    reader: Provider,
    by: Provider,
}

/// What a node shows of an answer.
struct Shown {
    prompt: Vec<u32>,
    ids: Vec<u32>,
    reported: Vec<f32>,
    sampling: Sampling,
}

impl<'a> Player<'a> {
    pub(super) fn new(scorer: &'a Arc<dyn Engine>, by: Arc<dyn Engine>) -> Self {
        Self {
            scorer,
            reader: Provider::new(scorer.clone()),
            by: Provider::new(by),
        }
    }

    /// Answers of so many tokens together, as they are seen.
    pub(super) async fn play(
        &self,
        tokens: u64,
        random: &mut StdRng,
        edit: Edit,
    ) -> Result<Vec<Vec<Seen>>> {
        let (mut all, mut played) = (Vec::new(), 0);
        while played < tokens {
            let drawn: Vec<_> = (0..AT_ONCE)
                .map(|_| (self.request(random), StdRng::seed_from_u64(random.random())))
                .collect();
            let answers = drawn.into_iter();
            let answers = answers.map(|(request, chance)| self.one(request, edit, chance));
            for seen in try_join_all(answers).await? {
                played += seen.len() as u64;
                all.push(seen);
            }
        }
        Ok(all)
    }

    fn request(&self, random: &mut StdRng) -> GenerateRequest {
        let filters: [Value; 5] = [
            json!({}),
            json!({ "top_p": 0.9 }),
            json!({ "top_p": 0.95, "top_k": 50 }),
            json!({ "top_k": 20 }),
            json!({ "min_p": 0.05, "frequency_penalty": 0.3 }),
        ];
        let mut more = filters[random.random_range(0..filters.len())].clone();
        more["max_tokens"] = json!(200);
        let request = self.reader.request(&drawn(random, &more));
        GenerateRequest {
            logprobs: Some(0),
            most_tokens: request.max_tokens,
            cache_domain: unused(),
            ..request
        }
    }

    async fn one(&self, request: GenerateRequest, edit: Edit, chance: StdRng) -> Result<Vec<Seen>> {
        let mut shown = Shown {
            prompt: self.scorer.tokenize(&request.prompt)?,
            ids: Vec::new(),
            reported: Vec::new(),
            sampling: request.sampling(),
        };
        for event in self.by.run(request).await.events {
            if let Event::Token(token) = event
                && let (Some(id), Some(logprob)) = (token.id, token.logprob)
            {
                shown.ids.push(id);
                shown.reported.push(logprob.logprob);
            }
        }
        if shown.ids.is_empty() {
            return Ok(Vec::new());
        }
        if let Edit::Share(share) = edit {
            self.change(&mut shown, share, chance).await?;
        }
        let scores = self.scores(&shown, shown.sampling).await?;
        let seen = scores.iter().zip(&shown.reported).map(|(score, reported)| {
            let reported = match edit {
                Edit::Nothing => *reported,
                Edit::Reported | Edit::Share(_) => score.logprob,
            };
            Seen::of(score, Some(reported))
        });
        Ok(seen.collect())
    }

    async fn scores(&self, shown: &Shown, sampling: Sampling) -> Result<Vec<TokenScore>> {
        let (prompt, ids) = (shown.prompt.clone(), shown.ids.clone());
        Ok(self.scorer.score(prompt, ids, sampling, None).await?.tokens)
    }

    /// Puts what another seed draws in the place of some tokens: of those where it draws something else.
    async fn change(&self, shown: &mut Shown, share: f64, mut chance: StdRng) -> Result<()> {
        let other = Sampling {
            seed: shown.sampling.seed ^ 0x1234,
            ..shown.sampling
        };
        let drawn = self.scores(shown, other).await?;
        let drawn = drawn.iter().enumerate();
        let drawn = drawn.filter_map(|(at, score)| Some((at, score.reference?)));
        let mut others: Vec<_> = drawn.filter(|(at, id)| shown.ids[*at] != *id).collect();
        let many = ((share * shown.ids.len() as f64).round() as usize).max(1);
        for _ in 0..many.min(others.len()) {
            let (at, id) = others.swap_remove(chance.random_range(0..others.len()));
            shown.ids[at] = id;
        }
        Ok(())
    }
}
