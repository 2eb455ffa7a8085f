//! What a run of whole answers came to.

use super::WIDE;
use crate::rounds::{CPU_A_REQUEST, Turns, least, median, ratio};
use atoma_bench_report::Table;

/// All that was measured in one run.
pub(super) struct Figures {
    /// Of the upstream itself, a bare proxy, the node, the same with requests signed together, and a
    /// gateway before the node.
    pub(super) turns: [Turns; 5],
    /// Microseconds of one strict verification and one signature, round by round.
    pub(super) ed25519: Vec<f64>,
    /// A node's and a gateway's, after the memory cell.
    pub(super) memory_mib: [u64; 2],
    /// Requests that the memory cell had answered.
    pub(super) wide_answers: usize,
}

impl Figures {
    /// What the proxy and the cryptography cost together, round by round.
    fn limit(&self) -> Vec<f64> {
        let [_, proxy, ..] = &self.turns;
        let both = proxy.totals().into_iter().zip(&self.ed25519);
        both.map(|(proxy, ed25519)| proxy + ed25519).collect()
    }

    /// The node beside the proxy and ed25519, and gateway and node beside twice as much: the median of
    /// the rounds.
    fn beside(&self) -> (f64, f64) {
        let [_, _, node, _, both] = &self.turns;
        let limit = self.limit();
        let twice: Vec<f64> = limit.iter().map(|limit| 2.0 * limit).collect();
        (ratio(&node.totals(), &limit), ratio(&both.totals(), &twice))
    }

    /// The gateway's part of the quietest turn of gateway and node.
    fn gateways(&self) -> f64 {
        let [.., both] = &self.turns;
        both.best().map_or(0.0, |turn| turn.cpu[0])
    }

    pub(super) fn print(&self) {
        for turns in &self.turns {
            turns.print();
        }
        println!(
            "{:34} {:8.1} {:8.1}          one strict verification and one signature, as the node does them",
            "ed25519",
            least(&self.ed25519),
            median(&self.ed25519),
        );
        println!("of gateway + node, the gateway: {:.1}", self.gateways());
        let (node, both) = self.beside();
        println!(
            "beside proxy + ed25519, median of the rounds: node {node:.2}x, gateway + node {both:.2}x of twice that"
        );
        let [node, gateway] = self.memory_mib;
        println!(
            "memory at {WIDE} connections: node {node} MiB, gateway {gateway} MiB ({} requests answered)",
            self.wide_answers
        );
    }

    pub(super) fn table(&self) -> Table {
        let [_, proxy, node, together, both] = &self.turns;
        let mut table = Table::new(
            &["Figure", "Unit"],
            &["Goal", "Best turn", "Median", "Beside proxy and ed25519"],
        );
        let (beside, beside_twice) = self.beside();
        for (name, turns, beside) in [
            ("node, requests signed one by one", node, Some(beside)),
            ("node, requests signed eight at once", together, None),
            (
                "gateway + node, beside twice as much",
                both,
                Some(beside_twice),
            ),
            ("a bare hyper proxy", proxy, None),
        ] {
            let mut row = vec![name.to_owned(), CPU_A_REQUEST.to_owned()];
            row.extend(turns.cells());
            row.extend(beside.map(|beside| format!("{beside:.2} ×")));
            table.row(row);
        }
        let whole = |value: f64| format!("{value:.0}");
        table.row([
            "ed25519: one strict verification and one signature",
            CPU_A_REQUEST,
            "",
            &whole(least(&self.ed25519)),
            &whole(median(&self.ed25519)),
        ]);
        table.row([
            "the gateway alone, of gateway + node",
            CPU_A_REQUEST,
            "",
            &whole(self.gateways()),
        ]);
        for (of, mib) in ["node", "gateway"].into_iter().zip(self.memory_mib) {
            let name = format!("memory of a {of} at {WIDE} connections");
            table.row([&name, "MiB", "", &mib.to_string()].map(str::to_owned));
        }
        table
    }
}
