//! A question that somebody has stopped: what it costs all the same, or may cost at most, and what is left then.

use super::{ask::SHOWN_DIGITS, payer::Choice};
use crate::{
    output::{Output, money, usdc},
    run::told_to_stop,
};
use anyhow::Result;
use atoma_client::Client;
use atoma_types::{ComputeUnits, MicroUsdc, Price, RequestId};
use serde_json::{Value, json};
use std::time::Duration;

/// A node that hears that nobody listens any more stops, and signs for what it has served, within moments.
const PATIENCE: Duration = Duration::from_secs(5);

/// Somebody has stopped a question before its answer was whole.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub(crate) struct Stopped {
    /// What its node charges, by its receipts.
    charged: ComputeUnits,
    /// What it may charge beyond that.
    open: ComputeUnits,
    price: Option<Price>,
    receipt: Option<RequestId>,
    /// What is left of the stack when both are counted.
    left: ComputeUnits,
}

impl Stopped {
    /// How the program ends then: as a shell has it for Ctrl-C.
    pub(crate) const STATUS: u8 = 130;

    /// Before anybody was asked.
    pub(super) const NOTHING: Self = Self {
        charged: ComputeUnits::ZERO,
        open: ComputeUnits::ZERO,
        price: None,
        receipt: None,
        left: ComputeUnits::ZERO,
    };

    fn cost(&self, units: ComputeUnits) -> Option<MicroUsdc> {
        self.price.and_then(|price| price.cost(units))
    }

    fn text(&self) -> String {
        let worth = |units: ComputeUnits| {
            let cost = self.cost(units);
            let cost = cost.map_or_else(|| "?".to_owned(), |cost| usdc(cost.0));
            format!("{cost} USDC ({} units)", units.0)
        };
        let left = format!("{} units are left on the stack", self.left.0);
        match (self.charged, self.open) {
            (ComputeUnits::ZERO, ComputeUnits::ZERO) => "stopped: nothing is charged".to_owned(),
            (charged, ComputeUnits::ZERO) => {
                let request = self.receipt.map(|id| id.to_string()).unwrap_or_default();
                format!(
                    "stopped: what was answered is charged: {}; receipt {}; {left}",
                    worth(charged),
                    &request[..SHOWN_DIGITS.min(request.len())],
                )
            }
            (charged, open) => format!(
                "stopped: the node doesn't say yet what it charges: {} at most; that much is counted as used, and {left}",
                worth(charged.saturating_add(open)),
            ),
        }
    }
}

/// Waits for a moment for what the node charges, now that nobody listens any more; a second Ctrl-C ends that.
pub(super) async fn tell(
    asked: Option<&Choice>,
    client: &Client,
    output: &Output,
) -> Result<Stopped> {
    let Some(Choice { stack, node }) = asked else {
        return Ok(Stopped::NOTHING);
    };
    let open = stack.open_requests(*node);
    let progress = output.progress("the node stops, and says what it charges");
    tokio::select! {
        biased;
        () = stack.settled(*node, &open) => {}
        () = tokio::time::sleep(PATIENCE) => {}
        stopped = told_to_stop() => stopped?,
    }
    progress.finish_and_clear();
    // a receipt is on the disk before it is told, and so is what may still come
    client.receipts().flush().await?;
    let mut stopped = Stopped {
        price: stack.price(*node),
        left: client.units(&stack.view())?.left,
        ..Stopped::NOTHING
    };
    let still = stack.open_requests(*node);
    for (id, most) in open {
        match client.receipts().show(id)? {
            Some(kept) if kept.fault.is_none() => {
                stopped.charged = stopped.charged.saturating_add(kept.units);
                stopped.receipt = Some(id);
            }
            _ if still.iter().any(|(open, _)| *open == id) => {
                stopped.open = stopped.open.saturating_add(most);
            }
            _ => {}
        }
    }
    if output.is_json() {
        let cost = |units| stopped.cost(units).map_or(Value::Null, money);
        output.object(vec![
            ("stopped", json!(true)),
            ("request", json!(stopped.receipt)),
            ("units", json!(stopped.charged.0)),
            ("cost_micro_usdc", cost(stopped.charged)),
            ("open_units", json!(stopped.open.0)),
            ("open_micro_usdc", cost(stopped.open)),
            ("left_units", json!(stopped.left.0)),
        ]);
    }
    Ok(stopped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stops_an_answer_is_told_what_it_costs_or_may_cost_at_most() {
        let stopped = |charged, open| {
            Stopped {
                charged: ComputeUnits(charged),
                open: ComputeUnits(open),
                price: Some(Price(2_000_000)),
                receipt: Some(RequestId([0xab; 16])),
                left: ComputeUnits(4_000),
            }
            .to_string()
        };
        assert_eq!(stopped(0, 0), "stopped: nothing is charged");
        assert_eq!(
            stopped(50, 0),
            "stopped: what was answered is charged: 0.0001 USDC (50 units); receipt abababababababab; 4000 units are left \
             on the stack"
        );
        let unclear = stopped(0, 300);
        assert!(
            unclear.contains("0.0006 USDC (300 units) at most")
                && unclear.contains("4000 units are left"),
            "{unclear}"
        );
    }
}
