//! What a proxy can be asked with the money that it has, said before anything is asked.

use crate::output::{Output, usdc};
use anyhow::Result;
use atoma_client::{Client, Offer, fair_price};
use atoma_gateway::StackPolicy;
use atoma_types::{
    ComputeUnits, MicroUsdc, Price, Role, UnitWeights, chain::Task, estimate::BodyBounds,
    message::Endpoint,
};

/// A request as long as a page of text: what it costs is counted by its bytes until a node has read it.
const PAGE_BYTES: u64 = 2_048;
/// Models that are looked at: each takes four questions to the ledger, and who starts a proxy waits for them.
const MAX_LOOKED_AT: usize = 16;

/// Says which models the budget pays no usual answer of, and what would do; and where there is nothing to pay with.
pub(super) async fn tell(
    client: &Client,
    budget: Option<MicroUsdc>,
    max_price: Option<Price>,
    output: &Output,
) -> Result<()> {
    let tasks = client.ledger().all_tasks().await?;
    let chats = |task: &&Task| task.role == Role::ChatCompletion && !task.is_deprecated();
    let sealed = client.is_confidential();
    let mut all_sealed = tasks.iter().any(|task| chats(&task));
    for task in tasks.iter().filter(chats).take(MAX_LOOKED_AT) {
        let takes_sealed = task.security_level.confidential();
        all_sealed &= takes_sealed;
        let Some(budget) = budget.filter(|_| takes_sealed == sealed) else {
            continue;
        };
        let offers = client.offers(task.id).await?;
        let cap = max_price.or_else(|| fair_price::of(&offers));
        if let Some(short) = short(&task.weights, &offers, cap, budget) {
            output.note(format!("{}: {}", task.model_name, short.text(budget)));
        }
    }
    if let Some(budget) = budget {
        tell_of_wallet(client, budget, output).await?;
    }
    if all_sealed && !sealed {
        output.note("all models here take sealed requests alone: --confidential and --policy FILE seal them");
    }
    if budget.is_none() && client.remembered_stacks()?.is_empty() {
        output.note(
            "there is no stack yet that pays: --budget buys what is needed, or `atoma stack buy`",
        );
    }
    Ok(())
}

/// Says what the wallet lacks to spend the budget.
async fn tell_of_wallet(client: &Client, budget: MicroUsdc, output: &Output) -> Result<()> {
    let (ledger, owner) = (client.ledger(), client.address());
    let has = MicroUsdc(ledger.usdc_held(owner).await?.total());
    let fill = "`atoma wallet fund` fills it on a test network";
    if has < budget {
        output.note(format!(
            "the wallet {owner} has {} USDC, and --budget is {} USDC: no more is bought than it pays for; {fill}",
            usdc(has.0),
            usdc(budget.0),
        ));
    }
    if ledger.gas_held(owner).await?.total() == 0 {
        output.note(format!(
            "the wallet {owner} has no SUI for gas, so nothing can be bought unless it has a sponsor; {fill}"
        ));
    }
    Ok(())
}

/// A usual answer costs more than there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Short {
    /// What it may cost at the cheapest node.
    worst: MicroUsdc,
    price: Price,
    /// The longest answer that there is money for.
    fits: Option<u64>,
}

impl Short {
    fn text(&self, budget: MicroUsdc) -> String {
        let tokens = StackPolicy::default().default_output_tokens;
        let fits = self.fits.map_or_else(String::new, |fits| {
            format!("; a request with a `max_tokens` of at most {fits} is served")
        });
        format!(
            "an answer may cost up to {} USDC where a request names no `max_tokens` ({tokens} tokens at {} USDC per \
             million units), and --budget is {} USDC: --budget {} would do{fits}",
            usdc(self.worst.0),
            usdc(self.price.0),
            usdc(budget.0),
            usdc(self.worst.0),
        )
    }
}

/// What lacks for an answer of the usual length to a page of text, at the cheapest node that asks no more than `cap`.
fn short(
    weights: &UnitWeights,
    offers: &[Offer],
    cap: Option<Price>,
    budget: MicroUsdc,
) -> Option<Short> {
    let affordable = offers.iter().filter(|offer| Some(offer.price) <= cap);
    let cheapest = affordable.min_by_key(|offer| offer.price)?;
    let page = BodyBounds {
        endpoint: Endpoint::ChatCompletions,
        bytes: PAGE_BYTES,
        max_tokens: None,
        answers: 1,
    };
    let tokens = StackPolicy::default().default_output_tokens;
    let units = page.worst_units(weights, tokens)?;
    let units = ComputeUnits(units.0.min(cheapest.free.0));
    let worst = cheapest.price.cost(units)?;
    (worst > budget).then(|| Short {
        worst,
        price: cheapest.price,
        fits: page.output_that_fits(weights, cheapest.price.affords(budget)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{Address, NodeId};

    fn offer(price: u64) -> Offer {
        Offer {
            node: NodeId(Address::ZERO),
            url: String::new(),
            price: Price(price * 1_000_000),
            free: ComputeUnits(50_000_000),
            reputation: 0,
            collateral: MicroUsdc(1),
            matured: MicroUsdc(1),
        }
    }

    #[test]
    fn a_budget_that_buys_no_usual_answer_is_told_what_would_do() {
        let dear = UnitWeights {
            input: 1_000_000,
            cached_input: 100_000,
            output: 1_000_000,
            ..UnitWeights::TEXT
        };
        let offers = [offer(10), offer(2)];
        let cap = Some(Price(10_000_000));
        let short = |budget| short(&dear, &offers, cap, MicroUsdc(budget));
        // 2,048 bytes, 512 tokens of the template, 2,048 of the answer
        let found = short(6_000_000).unwrap();
        assert_eq!((found.worst, found.fits), (MicroUsdc(9_216_000), Some(440)));
        let text = found.text(MicroUsdc(6_000_000));
        assert!(
            text.contains("--budget 9.216 would do; a request with a `max_tokens` of at most 440"),
            "{text}"
        );
        assert_eq!(short(2_000_000).unwrap().fits, None);
        assert_eq!(short(9_216_000), None);
        assert_eq!(
            super::short(&UnitWeights::TEXT, &offers, cap, MicroUsdc(1_000_000)),
            None
        );
        assert_eq!(super::short(&dear, &[], None, MicroUsdc(0)), None);
    }
}
