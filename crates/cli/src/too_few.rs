//! Why fewer nodes can be drawn for a stack than its buyer wants: what the ledger's refusal doesn't say.

use crate::output::{usdc, utc};
use anyhow::Result;
use atoma_ledger::Ledger;
use atoma_types::{
    MicroUsdc, NodeId, Price, TaskId, TimestampMs,
    chain::{Subscription, SubscriptionState},
};

/// The nodes of a task, by what keeps the ledger from drawing them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sorted {
    able: usize,
    dear: usize,
    /// Their collateral hasn't matured, as far as the task knows.
    fresh: Vec<NodeId>,
    /// In jail, leaving, or not good enough for the task.
    others: usize,
}

/// How many of a task's nodes can be drawn at a price, and why not the others.
///
/// # Errors
///
/// If the ledger can't be asked.
pub(crate) async fn why(
    ledger: &Ledger,
    task: TaskId,
    max_price: Price,
    wanted: u8,
) -> Result<String> {
    let task = ledger.task(task).await?;
    let sorted = Sorted::of(&task.subscriptions, max_price);
    let mut matures = TimestampMs::default();
    for node in &sorted.fresh {
        matures = matures.max(ledger.node(*node).await?.matures_at_ms);
    }
    Ok(told(&sorted, max_price, wanted, matures))
}

impl Sorted {
    fn of(offers: &[Subscription], max_price: Price) -> Self {
        let mut sorted = Self::default();
        for offer in offers {
            match () {
                () if offer.state != SubscriptionState::Active => sorted.others += 1,
                () if offer.price > max_price => sorted.dear += 1,
                () if offer.matured == MicroUsdc::ZERO => sorted.fresh.push(offer.node),
                () => sorted.able += 1,
            }
        }
        sorted
    }
}

fn told(sorted: &Sorted, max_price: Price, wanted: u8, matures: TimestampMs) -> String {
    let wanted = match wanted {
        1 => "1 node is".to_owned(),
        wanted => format!("{wanted} nodes are"),
    };
    let mut reasons = Vec::new();
    if sorted.dear > 0 {
        let dear = usdc(max_price.0);
        reasons.push(format!(
            "{} more than {dear} USDC per million units",
            of_others(sorted.dear, ["asks", "ask"])
        ));
    }
    if !sorted.fresh.is_empty() {
        reasons.push(format!(
            "the collateral of {} is too fresh to count in draws (all of it does from {}Z on)",
            sorted.fresh.len(),
            utc(matures.0)
        ));
    }
    if sorted.others > 0 {
        let take = of_others(sorted.others, ["takes", "take"]);
        reasons.push(format!("{take} no new stacks now"));
    }
    if reasons.is_empty() {
        reasons.push("the model has no others".to_owned());
    }
    format!(
        "{wanted} to be drawn, and {} can be: {}; --nodes 0 takes the cheapest that fits",
        sorted.able,
        reasons.join(", ")
    )
}

/// So many of the others do something.
fn of_others(count: usize, [one, many]: [&str; 2]) -> String {
    let does = if count == 1 { one } else { many };
    format!("{count} of the others {does}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    fn offer(number: u8, price: u64, matured: u64) -> Subscription {
        Subscription {
            node: NodeId(Address::new([number; 32])),
            owner: Address::ZERO,
            price: Price(price),
            matured: MicroUsdc(matured),
            reputation: 100,
            attested_until_ms: TimestampMs::default(),
            state: SubscriptionState::Active,
            attester: None,
        }
    }

    #[test]
    fn who_wants_more_nodes_than_can_be_drawn_is_told_why_they_cannot() {
        let mut jailed = offer(4, 2_000_000, 9);
        jailed.state = SubscriptionState::Suspended;
        let offers = [
            offer(1, 2_000_000, 9),
            offer(2, 2_000_000, 0),
            offer(3, 5_000_000, 9),
            jailed,
        ];
        let sorted = Sorted::of(&offers, Price(2_000_000));
        assert_eq!(
            told(&sorted, Price(2_000_000), 2, TimestampMs(951_782_400_000)),
            "2 nodes are to be drawn, and 1 can be: 1 of the others asks more than 2.00 USDC per million units, the \
             collateral of 1 is too fresh to count in draws (all of it does from 2000-02-29 00:00:00Z on), 1 of the others takes no new \
             stacks now; --nodes 0 takes the cheapest that fits"
        );
        assert!(
            told(&Sorted::default(), Price(1), 1, TimestampMs(0))
                .contains("1 node is to be drawn, and 0 can be")
        );
    }
}
