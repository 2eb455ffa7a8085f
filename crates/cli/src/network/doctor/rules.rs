//! What edition 2 of the rules adds to a check-up: parameters and their floors, tasks with who examines them, and how
//! the acting address's own nodes stand.

use super::report::Report;
use crate::{
    output::{usdc, utc},
    settings::Settings,
};
use atoma_ledger::Ledger;
use atoma_runtime::WithCauses;
use atoma_types::{
    MicroUsdc, TimestampMs,
    chain::{AtomaDb, FeesInEpoch, Node, NodeStatus, Params, Task},
};

/// An epoch of the treasury.
const DAY_MS: u64 = 24 * 3_600_000;
/// What a task's pool must hold before an examined stack is sold, in fees of examiners.
const POOL_FEES: u64 = 10;

/// All of it; what can't be read is told once.
pub(super) async fn examine(settings: &Settings, ledger: &Ledger, report: &mut Report) {
    let read = async {
        let db = ledger.db().await?;
        let (tasks, now) = (ledger.all_tasks().await?, ledger.clock().await?);
        Ok::<_, atoma_ledger::ReadError>((db, tasks, ledger.all_nodes().await?, now))
    };
    let (db, tasks, nodes, now) = match read.await {
        Ok(read) => read,
        Err(error) => {
            let found = WithCauses(&error).to_string();
            return report.bad("rules", found, "use another full node");
        }
    };
    parameters(&db, report);
    for task in tasks.iter().filter(|task| !task.is_deprecated()) {
        examiners(task, &db.params, report);
    }
    let Ok(key) = settings.key() else {
        return;
    };
    let owner = key.public_key().address();
    for node in nodes.iter().filter(|node| node.owner == owner) {
        standing(node, now, report);
        treasury(node, &db, now, report);
    }
}

/// Whether anything on this network can be worth something.
fn parameters(db: &AtomaDb, report: &mut Report) {
    let out = |name: &&&str| {
        let bounds = db.params.get(name).zip(Params::bounds(name));
        !bounds.is_some_and(|(value, (floor, cap))| (floor..=cap).contains(&value))
    };
    let out: Vec<&str> = Params::NAMES.iter().filter(out).copied().collect();
    match (db.development, out.is_empty()) {
        (false, true) => report.good("rules", "edition 2, parameters within their bounds"),
        (true, true) => report.warn(
            "rules",
            "a database for development: its administrator may go below the floors at any time",
            "trust it with nothing of worth",
        ),
        (_, false) => report.warn(
            "rules",
            format!(
                "a database for development: out of bounds are {}",
                out.join(", ")
            ),
            "trust it with nothing of worth",
        ),
    }
}

/// Who serves a task, and, where it is examined, whether stacks of it are sold.
fn examiners(task: &Task, params: &Params, report: &mut Report) {
    let sellers = task.subscriptions.len();
    let name = &task.model_name;
    if !task.security_level.samples() {
        return report.good("task", format!("{name}: {sellers} nodes, not examined"));
    }
    let active = task.subscriptions.iter();
    let active = active.filter(|sold| sold.attester.is_some_and(|attester| attester.active));
    let active: Vec<_> = active.collect();
    let mut owners: Vec<_> = active.iter().map(|attester| attester.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    let needed = params.attest_fee.saturating_mul(POOL_FEES);
    let found = format!(
        "{name}: {sellers} nodes, {} attesters of {} owners, {} USDC in the pool",
        active.len(),
        owners.len(),
        usdc(task.dues.0),
    );
    if (active.len() as u64) < params.min_attesters {
        let todo = format!(
            "no stack of it is sold below {} attesters: nodes must promise to examine (`task::attest`)",
            params.min_attesters
        );
        return report.warn("task", found, todo);
    }
    if task.dues.0 < needed {
        let todo = format!(
            "no stack of it is sold below {} USDC: anyone may add to it (`task::fund`)",
            usdc(needed)
        );
        return report.warn("task", found, todo);
    }
    report.good("task", found);
}

/// Whether a node of ours takes leases, and what waits to be taken from it.
fn standing(node: &Node, now: TimestampMs, report: &mut Report) {
    let facts = format!(
        "{}: reputation {} of 1000, {} USDC collateral, {} at stake",
        node.url,
        node.standing.reputation,
        usdc(node.collateral.0),
        usdc(node.at_stake.0),
    );
    match node.status {
        NodeStatus::Jailed { until_ms } if until_ms > now => report.bad(
            "node",
            format!("{facts}; jailed until {}Z", utc(until_ms.0)),
            "it was convicted: `atoma explore disputes` says of what; it takes no leases until then",
        ),
        _ => report.good("node", facts),
    }
    if node.pending.fines > MicroUsdc::ZERO {
        report.warn(
            "fines",
            format!(
                "{}: {} USDC, to be pardoned until {}Z",
                node.url,
                usdc(node.pending.fines.0),
                utc(node.pending.until_ms.0)
            ),
            "the administrator can pardon them until then; after it they are the treasury's",
        );
    }
}

/// Whether a node of ours has fees to report today, or a share to be paid.
fn treasury(node: &Node, db: &AtomaDb, now: TimestampMs, report: &mut Report) {
    let (today, yesterday) = (now.0 / DAY_MS, (now.0 / DAY_MS).saturating_sub(1));
    let is_open =
        |fees: &FeesInEpoch, epoch: u64| fees.epoch == epoch && fees.fees > MicroUsdc::ZERO;
    let unreported = [node.current, node.previous];
    let unreported = unreported.iter().find(|fees| is_open(fees, yesterday));
    let in_first_half = now.0 % DAY_MS < DAY_MS / 2;
    if let Some(fees) = unreported {
        let found = format!(
            "{}: {} USDC of yesterday's fees",
            node.url,
            usdc(fees.fees.0)
        );
        match in_first_half {
            true => report.warn(
                "treasury report",
                format!("{found} are not reported yet"),
                "a node that runs does it by itself, until noon (UTC): is it up?",
            ),
            false => report.warn(
                "treasury report",
                format!("{found} were not reported: overdue"),
                "their rebate is lost; a node that runs reports by itself each morning (UTC)",
            ),
        }
    }
    let reported = node.reported;
    if is_open(&reported, db.book.epoch) && (today > reported.epoch + 1 || !in_first_half) {
        report.warn(
            "treasury share",
            format!(
                "{}: for {} USDC of fees, not paid yet",
                node.url,
                usdc(reported.fees.0)
            ),
            "a node that runs has it paid by itself, before others report anew: is it up?",
        );
    }
}
