//! From tokens to units and back: the worst case of a request, how many output tokens a number of
//! units pays for, and how a stream's reservation grows. Pure.

use atoma_engine::EVENT_CAPACITY;
use atoma_types::{
    ComputeUnits, UnitWeights, Usage,
    estimate::{output_that_fits, worst_units},
    refusal::{Refusal, RefusalCode},
};

/// Output tokens reserved at first for a request that names no limit. Twice what may wait in the
/// engine's queue, so that the reader can ask for more before the engine runs dry.
const FIRST_SLICE: u64 = 2 * EVENT_CAPACITY as u64;
/// Slices double up to this: a long answer asks rarely, and never holds much more than it uses.
const MAX_SLICE: u64 = 2_048;
/// Ask for the next slice when so few tokens are left: what may already wait in the queue, and
/// some more for the engine to be working on.
const ASK_AT: u64 = EVENT_CAPACITY as u64 + 64;

/// What a request may use at most, before money is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    weights: UnitWeights,
    /// How many tokens the prompt has.
    pub input: u64,
    /// Most output tokens that context, the request and `max_units` allow.
    pub output_cap: u64,
    /// Output tokens of the first slice.
    first: u64,
    /// Below this the request is refused.
    pub least: ComputeUnits,
    /// What is reserved if there is room.
    pub wanted: ComputeUnits,
}

/// What bounds a request: its own words, its user's money, and the model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestBounds {
    /// Prompt tokens, or an upper bound.
    pub input: u64,
    /// Prompt tokens that are likely: what is held against the context.
    pub likely_input: u64,
    /// The limit that the request names, for each answer.
    pub output: Option<u64>,
    /// Answers that are asked for: each may be as long.
    pub answers: u64,
    /// Tokens of prompt and output together that the model holds; 0 if unknown.
    pub context: u64,
    /// Most output tokens of one request; 0 if unknown.
    pub max_output: u64,
    /// What the user is willing to pay.
    pub max_units: ComputeUnits,
}

impl Plan {
    /// The worst case within the limits, or why it doesn't fit.
    pub(crate) fn new(weights: UnitWeights, bounds: &RequestBounds) -> Result<Self, Refusal> {
        let too_much = || Refusal::new(RefusalCode::MaxUnitsTooLow, "the request is too large");
        let room = room_in_context(bounds)?.saturating_mul(bounds.answers);
        let named = bounds
            .output
            .map(|output| output.saturating_mul(bounds.answers));
        let worst = |output| worst_units(&weights, bounds.input, output).ok_or_else(too_much);
        let smallest = if named == Some(0) { 0 } else { bounds.answers };
        let affordable = output_that_fits(&weights, bounds.input, bounds.max_units);
        let Some(affordable) = affordable.filter(|&n| n >= named.unwrap_or(smallest)) else {
            let needed = worst(named.unwrap_or(smallest))?.0;
            let message = format!("the worst case costs {needed} units; sign at least as many");
            return Err(Refusal::new(RefusalCode::MaxUnitsTooLow, message).needed(needed));
        };
        let output_cap = named.unwrap_or_else(|| room.min(affordable));
        let first = match named {
            None => output_cap.min(FIRST_SLICE.saturating_mul(bounds.answers)),
            Some(_) => output_cap,
        };
        let least = worst(named.unwrap_or(smallest))?;
        let wanted = worst(first)?;
        Ok(Self {
            weights,
            input: bounds.input,
            output_cap,
            first,
            least,
            wanted,
        })
    }

    /// A plan for input alone, such as an embedding.
    pub(crate) fn input_only(
        weights: UnitWeights,
        input: u64,
        max_units: ComputeUnits,
    ) -> Result<Self, Refusal> {
        let bounds = RequestBounds {
            input,
            likely_input: input,
            output: Some(0),
            answers: 1,
            context: 0,
            max_output: 0,
            max_units,
        };
        Self::new(weights, &bounds)
    }

    /// A plan for what another node computes: all that the request may cost is set aside, and what that node counts
    /// is charged.
    pub(crate) fn whole(weights: UnitWeights, max_units: ComputeUnits) -> Self {
        Self {
            weights,
            input: u64::MAX,
            output_cap: 0,
            first: 0,
            least: max_units,
            wanted: max_units,
        }
    }

    /// The engine's first output limit when `granted` units were reserved.
    pub(crate) fn first_limit(&self, granted: ComputeUnits) -> u64 {
        self.first.min(self.affordable(granted))
    }

    /// The limit to ask for once `seen` tokens came under the present one; `None` while there is
    /// enough, or when the plan is used up.
    pub(crate) fn next_limit(&self, seen: u64, limit: u64) -> Option<u64> {
        if limit >= self.output_cap || limit.saturating_sub(seen) > ASK_AT {
            return None;
        }
        Some(
            limit
                .saturating_add(limit.min(MAX_SLICE))
                .min(self.output_cap),
        )
    }

    /// Units that `output` tokens need in all.
    pub(crate) fn worst(&self, output: u64) -> ComputeUnits {
        // an output below the cap fits, because the cap does
        worst_units(&self.weights, self.input, output).unwrap_or(ComputeUnits(u64::MAX))
    }

    /// Output tokens that `units` pay for.
    pub(crate) fn affordable(&self, units: ComputeUnits) -> u64 {
        output_that_fits(&self.weights, self.input, units)
            .unwrap_or(0)
            .min(self.output_cap)
    }

    /// What is charged: the usage, cut to what was reserved (an outside engine may count
    /// otherwise than its tokenizer promised; the difference is the node's loss).
    pub(crate) fn charge(&self, usage: Usage, reserved: ComputeUnits) -> (Usage, ComputeUnits) {
        let cached_input = usage.cached_input.min(self.input);
        let input = usage.input.min(self.input - cached_input);
        let mut usage = Usage {
            input,
            cached_input,
            ..usage
        };
        loop {
            match self.weights.units(&usage) {
                Some(units) if units <= reserved => return (usage, units),
                _ if usage.output > 0 => {
                    let fits = self.affordable(reserved).min(usage.output - 1);
                    usage.output = fits;
                }
                // reservations cover the worst input, so this is out of reach; it charges nothing
                _ => usage = Usage::default(),
            }
        }
    }
}

fn room_in_context(bounds: &RequestBounds) -> Result<u64, Refusal> {
    let unlimited = |limit: u64| if limit == 0 { u64::MAX } else { limit };
    let context = unlimited(bounds.context);
    let too_long = |limit: u64| {
        let message = format!(
            "the prompt has {} tokens and asks for {} more; the context holds {context}",
            bounds.likely_input,
            bounds.output.unwrap_or(1),
        );
        Err(Refusal::new(RefusalCode::ContextTooLong, message).needed(limit))
    };
    let room = context.saturating_sub(bounds.likely_input);
    if room < bounds.output.unwrap_or(1) {
        return too_long(if room == 0 {
            context.saturating_sub(1)
        } else {
            room
        });
    }
    let max_output = unlimited(bounds.max_output);
    match bounds.output {
        Some(output) if output > max_output => {
            let message = format!("at most {max_output} tokens of output");
            Err(Refusal::new(RefusalCode::InvalidBody, message)
                .param("max_tokens")
                .needed(max_output))
        }
        _ => Ok(room.min(max_output)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bounds(input: u64, output: Option<u64>, max_units: u64) -> RequestBounds {
        RequestBounds {
            input,
            likely_input: input,
            output,
            answers: 1,
            context: 10_000,
            max_output: 0,
            max_units: ComputeUnits(max_units),
        }
    }

    #[test]
    fn a_named_limit_is_reserved_whole() {
        let plan = Plan::new(UnitWeights::TEXT, &bounds(10, Some(3_000), 3_010)).unwrap();
        assert_eq!((plan.least.0, plan.wanted.0), (3_010, 3_010));
        assert_eq!(plan.first_limit(plan.wanted), 3_000);
        assert_eq!(plan.next_limit(2_999, 3_000), None);
        let refusal = Plan::new(UnitWeights::TEXT, &bounds(10, Some(3_000), 3_009)).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.needed),
            (RefusalCode::MaxUnitsTooLow, Some(3_010))
        );
    }

    #[test]
    fn without_a_limit_slices_grow() {
        let plan = Plan::new(UnitWeights::TEXT, &bounds(10, None, 5_000)).unwrap();
        assert_eq!((plan.least.0, plan.wanted.0), (11, 10 + FIRST_SLICE));
        let mut limit = plan.first_limit(plan.wanted);
        let mut limits = vec![limit];
        while let Some(next) = plan.next_limit(limit, limit) {
            limit = next;
            limits.push(limit);
        }
        assert_eq!(limits, [512, 1_024, 2_048, 4_096, 4_990]);
        assert_eq!(plan.next_limit(100, 512), None, "enough left");
        assert_eq!(
            plan.first_limit(ComputeUnits(15)),
            5,
            "less was granted than wanted"
        );
    }

    #[test]
    fn each_of_several_answers_is_reserved_for() {
        let three = RequestBounds {
            answers: 3,
            ..bounds(10, Some(100), 310)
        };
        let plan = Plan::new(UnitWeights::TEXT, &three).unwrap();
        assert_eq!((plan.output_cap, plan.wanted.0), (300, 310));
        let poor = RequestBounds {
            max_units: ComputeUnits(309),
            ..three
        };
        let refusal = Plan::new(UnitWeights::TEXT, &poor).unwrap_err();
        assert_eq!(refusal.needed, Some(310));
        let open = RequestBounds {
            output: None,
            max_units: ComputeUnits(99_999),
            ..three
        };
        let plan = Plan::new(UnitWeights::TEXT, &open).unwrap();
        assert_eq!((plan.least.0, plan.output_cap), (13, 3 * 9_990));
    }

    #[test]
    fn a_prompt_that_only_may_be_too_long_is_tried() {
        let guessed = RequestBounds {
            likely_input: 9_000,
            ..bounds(35_000, Some(100), 99_999)
        };
        let plan = Plan::new(UnitWeights::TEXT, &guessed).unwrap();
        assert_eq!((plan.input, plan.wanted.0), (35_000, 35_100));
    }

    #[test]
    fn the_context_is_a_limit() {
        let refusal =
            Plan::new(UnitWeights::TEXT, &bounds(9_000, Some(1_001), 99_999)).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.needed),
            (RefusalCode::ContextTooLong, Some(1_000))
        );
        let refusal = Plan::new(UnitWeights::TEXT, &bounds(10_000, None, 99_999)).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::ContextTooLong);
        assert!(Plan::input_only(UnitWeights::TEXT, 7, ComputeUnits(7)).is_ok());
        assert!(Plan::input_only(UnitWeights::TEXT, 7, ComputeUnits(6)).is_err());
    }

    proptest! {
        #[test]
        fn never_charged_above_the_reservation(
            weights in (0u64..5_000, 0u64..5_000, 0u64..5_000),
            input in 0u64..2_000,
            used in (0u64..3_000, 0u64..3_000, 0u64..3_000),
            max_units in 1u64..20_000,
        ) {
            let weights = UnitWeights {
                input: weights.0, cached_input: weights.1, output: weights.2, ..UnitWeights::TEXT
            };
            let Ok(plan) = Plan::new(weights, &bounds(input, None, max_units)) else {
                return Ok(());
            };
            prop_assert!(plan.worst(plan.output_cap).0 <= max_units);
            for reserved in [plan.least, plan.wanted] {
                prop_assert!(plan.worst(plan.first_limit(reserved)) <= reserved);
                let usage = Usage {
                    input: used.0, cached_input: used.1, output: used.2, ..Usage::default()
                };
                let (charged, units) = plan.charge(usage, reserved);
                prop_assert!(units <= reserved);
                prop_assert_eq!(weights.units(&charged), Some(units));
                prop_assert!(charged.output <= usage.output);
                let honest = Usage {
                    input, output: plan.first_limit(reserved), ..Usage::default()
                };
                prop_assert_eq!(plan.charge(honest, reserved).0, honest);
            }
        }
    }
}
