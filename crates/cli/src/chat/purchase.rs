//! What is bought for a question within a budget: so many units, at such a price, that its worst case fits. Pure.
//!
//! A stack that is too small for the question answers nothing, and the next try would buy another. So either all
//! that the question may need is bought, or nothing. Where the fair price is too much for that, a lower one does, as
//! long as somebody asks no more.
//!
//! No more is bought than that, for what is bought is locked until the stack is closed: or a [cent's worth](WORTHWHILE), if
//! that is more. A stack that is there and lacks units gets those, and no second one is bought beside it.

use crate::output::usdc;
use atoma_client::Offer;
use atoma_types::{ComputeUnits, MicroUsdc, Price, UnitWeights, estimate::BodyBounds};

/// A purchase is worth so much, where the budget has it: it costs gas, and so does the grant, and nodes take no grants that
/// aren't worth a transaction.
const WORTHWHILE: MicroUsdc = MicroUsdc(10_000);

/// What may be spent on stacks, and what was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) all: MicroUsdc,
    pub(super) spent: MicroUsdc,
}

impl Budget {
    fn left(self) -> MicroUsdc {
        MicroUsdc(self.all.0.saturating_sub(self.spent.0))
    }

    /// Whether so much is left.
    pub(super) fn covers(self, price: MicroUsdc) -> bool {
        price <= self.left()
    }

    /// So much is spent.
    pub(super) fn spend(&mut self, price: MicroUsdc) {
        self.spent = MicroUsdc(self.spent.0.saturating_add(price.0));
    }

    /// So much wasn't spent after all.
    pub(super) fn take_back(&mut self, price: MicroUsdc) {
        self.spent = MicroUsdc(self.spent.0.saturating_sub(price.0));
    }
}

/// A question, as far as it decides what it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) bounds: BodyBounds,
    pub(super) weights: UnitWeights,
    /// The most that it may cost, where a node has said so.
    pub(super) said: Option<ComputeUnits>,
}

/// What is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Purchase {
    pub(super) units: ComputeUnits,
    pub(super) max_price: Price,
    /// What the question may cost of it: a node must take so many.
    pub(super) needed: ComputeUnits,
}

/// Why nothing is bought.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NothingBought {
    /// No node sells it.
    #[error("no node sells this model now")]
    NoSeller,
    /// The budget doesn't cover the worst case even at the lowest price.
    #[error(
        "the answer may cost up to {} USDC ({} units at {} USDC per million){}: use --budget {}{}",
        usdc(.worst.0), .needed.0, usdc(.price.0), but_spent(*.spent), usdc(.worst.0.saturating_add(.spent.0)),
        or_shorter(*.fits)
    )]
    Budget {
        needed: ComputeUnits,
        price: Price,
        worst: MicroUsdc,
        /// What was spent of it before.
        spent: MicroUsdc,
        /// Tokens of an answer that the budget covers.
        fits: Option<u64>,
    },
    /// No node has collateral for a lease of so many units.
    #[error(
        "the answer may cost up to {} units, and no node can take on more than {} now: try later{}",
        .needed.0, .most.0, or_shorter(*.fits)
    )]
    Collateral {
        needed: ComputeUnits,
        most: ComputeUnits,
        /// Tokens of an answer that a node can take on.
        fits: Option<u64>,
    },
}

fn or_shorter(tokens: Option<u64>) -> String {
    tokens.map_or_else(String::new, |tokens| format!(", or --max-tokens {tokens}"))
}

fn but_spent(spent: MicroUsdc) -> String {
    match spent {
        MicroUsdc::ZERO => String::new(),
        spent => format!(", and {} USDC of the budget are spent", usdc(spent.0)),
    }
}

impl Question {
    /// The most that it may cost.
    pub(super) fn needed(&self) -> ComputeUnits {
        // more than can be counted is more than anyone can pay
        self.said
            .or_else(|| self.estimate())
            .unwrap_or(ComputeUnits(u64::MAX))
    }

    fn estimate(&self) -> Option<ComputeUnits> {
        self.bounds.worst_units(&self.weights, 0)
    }

    /// How long an answer so many units cover, if any. What a node has said of the input counts.
    fn fits(&self, units: ComputeUnits) -> Option<u64> {
        let estimate = self.estimate()?;
        let units = units
            .0
            .checked_add(estimate.0)?
            .checked_sub(self.needed().0)?;
        self.bounds
            .output_that_fits(&self.weights, ComputeUnits(units))
    }
}

/// What is bought for a question within a budget, of nodes that take new leases now. No price above `fair` is signed.
///
/// # Errors
///
/// If the budget or what nodes can take on doesn't cover the question's worst case.
pub(super) fn purchase(
    question: &Question,
    offers: &[Offer],
    fair: Price,
    budget: Budget,
) -> Result<Purchase, NothingBought> {
    let (needed, left) = (question.needed(), budget.left());
    let asked: Vec<&Offer> = offers.iter().filter(|offer| offer.price <= fair).collect();
    let most = asked.iter().map(|offer| offer.free).max();
    let most = most.ok_or(NothingBought::NoSeller)?;
    let able = asked.iter().filter(|offer| offer.free >= needed);
    let prices = able.map(|offer| offer.price);
    let Some(cheapest) = prices.clone().min() else {
        return Err(NothingBought::Collateral {
            needed,
            most,
            fits: question.fits(most),
        });
    };
    let affordable = prices.filter(|price| price.affords(left) >= needed).max();
    let Some(max_price) = affordable else {
        return Err(NothingBought::Budget {
            needed,
            price: cheapest,
            worst: cheapest.cost(needed).unwrap_or(MicroUsdc(u64::MAX)),
            spent: budget.spent,
            fits: question.fits(cheapest.affords(left)),
        });
    };
    let sellers = asked.iter().filter(|offer| offer.price <= max_price);
    let most = sellers.map(|offer| offer.free).max().unwrap_or(needed);
    Ok(Purchase {
        units: worthwhile(needed, max_price, left).min(most),
        max_price,
        needed,
    })
}

/// A stack that lacks units for a question, as the node sees it that serves on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lacking {
    /// What the node has left, and what nobody has.
    pub(super) units: ComputeUnits,
    /// The price of the node's lease.
    pub(super) price: Price,
    /// The price that units more are paid in at; the difference comes back.
    pub(super) max_price: Price,
    /// What the node can take on now.
    pub(super) free: ComputeUnits,
}

/// How many units more a stack gets for a question within a budget; none where another one is bought instead.
pub(super) fn top_up(
    question: &Question,
    stack: &Lacking,
    fair: Price,
    budget: Budget,
) -> Option<ComputeUnits> {
    let lacks = question.needed().saturating_sub(stack.units);
    let affords = stack.max_price.affords(budget.left());
    let fits =
        ComputeUnits::ZERO < lacks && lacks <= affords.min(stack.free) && stack.price <= fair;
    let units = worthwhile(lacks, stack.max_price, budget.left());
    fits.then(|| units.min(stack.free))
}

/// So many units, or a cent's worth if that is more, as far as the money goes.
fn worthwhile(needed: ComputeUnits, price: Price, left: MicroUsdc) -> ComputeUnits {
    needed
        .max(price.affords(WORTHWHILE))
        .min(price.affords(left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{Address, NodeId, message::Endpoint};

    /// A node that asks so many USDC per million units, and can take on so many units.
    fn offer(price: u64, free: u64) -> Offer {
        Offer {
            node: NodeId(Address::ZERO),
            url: String::new(),
            price: Price(price * 1_000_000),
            free: ComputeUnits(free),
            reputation: 0,
            collateral: MicroUsdc(1),
            matured: MicroUsdc(1),
        }
    }

    /// An answer of 256 tokens at most: with its input of 744 that makes 1,000 units.
    const QUESTION: Question = Question {
        bounds: BodyBounds {
            endpoint: Endpoint::ChatCompletions,
            bytes: 744 - atoma_types::estimate::TEMPLATE_TOKENS,
            max_tokens: Some(256),
            answers: 1,
        },
        weights: UnitWeights::TEXT,
        said: None,
    };

    fn of(all: u64) -> Budget {
        Budget {
            all: MicroUsdc(all),
            ..Budget::default()
        }
    }

    fn bought(offers: &[Offer], fair: u64, budget: u64) -> Result<(u64, u64), NothingBought> {
        let fair = Price(fair * 1_000_000);
        let bought = purchase(&QUESTION, offers, fair, of(budget))?;
        Ok((bought.units.0, bought.max_price.0 / 1_000_000))
    }

    #[test]
    fn a_budget_is_no_reason_to_buy_more_than_the_question_may_need() {
        let offers = [offer(2, 900_000_000)];
        // a cent's worth, and not the ten dollars
        assert_eq!(bought(&offers, 2, 10_000_000), Ok((5_000, 2)));
        let long = Question {
            said: Some(ComputeUnits(70_000)),
            ..QUESTION
        };
        let bought = purchase(&long, &offers, Price(2_000_000), of(10_000_000)).unwrap();
        assert_eq!(bought.units, ComputeUnits(70_000));
    }

    #[test]
    fn what_was_spent_of_a_budget_is_not_spent_again() {
        let offers = [offer(2, 900_000)];
        let spent = |spent| Budget {
            spent: MicroUsdc(spent),
            ..of(10_000)
        };
        let fair = Price(2_000_000);
        let rest = purchase(&QUESTION, &offers, fair, spent(7_000)).unwrap();
        assert_eq!(rest.units, ComputeUnits(1_500));
        let short = purchase(&QUESTION, &offers, fair, spent(8_001)).unwrap_err();
        let said = short.to_string();
        assert!(
            said.contains("0.008001 USDC of the budget are spent: use --budget 0.010001"),
            "{said}"
        );
    }

    #[test]
    fn a_stack_that_lacks_units_gets_those_as_long_as_its_node_takes_them_at_a_fair_price() {
        let stack = Lacking {
            units: ComputeUnits(400),
            price: Price(2_000_000),
            max_price: Price(3_000_000),
            free: ComputeUnits(9_000),
        };
        let units = |stack: Lacking, budget: u64| {
            let fair = Price(2_000_000);
            top_up(&QUESTION, &stack, fair, of(budget)).map(|units| units.0)
        };
        assert_eq!(units(stack, 1_000_000), Some(3_333), "a cent's worth");
        assert_eq!(units(stack, 1_800), Some(600), "what is lacking");
        assert_eq!(units(stack, 1_799), None, "the budget is short");
        let free = |free| Lacking {
            free: ComputeUnits(free),
            ..stack
        };
        assert_eq!(units(free(700), 1_000_000), Some(700));
        assert_eq!(units(free(599), 1_000_000), None, "the node is full");
        let dear = Lacking {
            price: Price(2_000_001),
            ..stack
        };
        assert_eq!(units(dear, 1_000_000), None);
        let enough = Lacking {
            units: ComputeUnits(1_000),
            ..stack
        };
        assert_eq!(units(enough, 1_000_000), None);
    }

    #[test]
    fn the_dearest_price_is_never_signed() {
        let offers = [offer(2, 9_000), offer(3, 9_000), offer(50, 9_000)];
        assert_eq!(bought(&offers, 3, 9_000), Ok((3_000, 3)));
        // no more than somebody can take on
        let offers = [offer(2, 2_000), offer(3, 2_500), offer(50, 9_000)];
        assert_eq!(bought(&offers, 3, 1_000_000), Ok((2_500, 3)));
    }

    #[test]
    fn a_lower_price_does_where_the_budget_is_short() {
        let offers = [offer(2, 9_000), offer(3, 9_000)];
        assert_eq!(bought(&offers, 3, 2_999), Ok((1_499, 2)));
        // who is cheap and can't take it on is no help
        let offers = [offer(1, 999), offer(3, 9_000)];
        assert_eq!(bought(&offers, 3, 3_000), Ok((1_000, 3)));
    }

    #[test]
    fn what_would_not_do_is_not_bought() {
        let offers = [offer(2, 9_000), offer(3, 9_000)];
        let short = bought(&offers, 3, 1_999).unwrap_err();
        assert_eq!(
            short.to_string(),
            "the answer may cost up to 0.002 USDC (1000 units at 2.00 USDC per million): use --budget 0.002, \
             or --max-tokens 255"
        );
        let small = bought(&[offer(2, 800), offer(3, 750)], 3, 9_000).unwrap_err();
        assert_eq!(
            small.to_string(),
            "the answer may cost up to 1000 units, and no node can take on more than 800 now: try later, or \
             --max-tokens 56"
        );
        assert_eq!(bought(&[], 3, 9_000), Err(NothingBought::NoSeller));
        assert_eq!(
            bought(&[offer(5, 9_000)], 3, 9_000),
            Err(NothingBought::NoSeller)
        );
    }

    #[test]
    fn a_nodes_own_number_counts_instead() {
        let said = Question {
            said: Some(ComputeUnits(300)),
            ..QUESTION
        };
        let offers = [offer(2, 9_000)];
        let fair = Price(2_000_000);
        let bought = purchase(&said, &offers, fair, of(600)).unwrap();
        assert_eq!(
            (bought.units, bought.needed),
            (ComputeUnits(300), ComputeUnits(300))
        );
        let short = purchase(&said, &offers, fair, of(598)).unwrap_err();
        assert!(
            matches!(
                short,
                NothingBought::Budget {
                    fits: Some(255),
                    ..
                }
            ),
            "{short:?}"
        );
    }
}
