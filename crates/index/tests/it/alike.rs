//! The ledger's objects rebuilt from the read model, and held against the ledger's.

use atoma_index::{
    Existing, IndexError, IndexReader, Indexer, LeaseStanding, SettlementState, Until,
};
use atoma_ledger::Ledger;
use atoma_store::OpenError;
use atoma_types::{
    ComputeUnits,
    chain::{Lease, Stack},
};
use std::path::Path;
use tokio::sync::watch;

/// More rows than any test makes.
const ALL: usize = 100_000;

/// Brings a file up to the ledger's end.
pub(crate) async fn catch_up(ledger: &Ledger, path: &Path) -> IndexReader {
    let indexer = loop {
        match Indexer::open(ledger, path, Existing::Keep).await {
            // one that was dropped is still at its last commit
            Err(IndexError::Open(OpenError::InUse { .. })) => tokio::task::yield_now().await,
            opened => break opened.unwrap(),
        }
    };
    let (_stop, stopped) = watch::channel(false);
    let run = indexer.run(Until::CaughtUp, stopped, |_| {});
    run.await.unwrap();
    IndexReader::open(path, ledger.deployment()).unwrap()
}

/// Every node, task, stack and lease is the ledger's, field by field.
pub(crate) async fn assert_alike(ledger: &Ledger, reader: &IndexReader) {
    assert_eq!(reader.progress().unwrap().gaps, 0);
    let nodes = ledger.all_nodes().await.unwrap();
    let views = reader.nodes(ALL).unwrap();
    assert_eq!(views.len(), nodes.len());
    for (view, node) in views.into_iter().zip(&nodes) {
        let (row, standing) = (view.row, view.standing.unwrap());
        assert_eq!(
            (row.node, row.number, row.owner),
            (node.id, node.number, node.owner)
        );
        assert_eq!((row.collateral, row.status), (node.collateral, node.status));
        assert_eq!((&row.url, row.response_key), (&node.url, node.response_key));
        assert_eq!(
            (row.settled, row.convicted),
            (node.standing.paid, node.standing.convicted)
        );
        assert_eq!(standing.reputation, node.standing.reputation);
        assert_eq!(
            (standing.at_stake, standing.earnings, standing.pending_fines),
            (node.at_stake, node.earnings, node.pending.fines)
        );
        assert_eq!(
            reader.offers_of(row.node).unwrap().len() as u64,
            node.subscriptions
        );
    }
    for (view, task) in reader
        .tasks(ALL)
        .unwrap()
        .into_iter()
        .zip(ledger.all_tasks().await.unwrap())
    {
        assert_eq!(
            (view.row.task, view.row.deprecated),
            (task.id, task.is_deprecated())
        );
        let mut offers: Vec<_> = task
            .subscriptions
            .iter()
            .map(|s| (s.price, s.node))
            .collect();
        offers.sort_unstable();
        let found = reader.offers(task.id).unwrap().into_iter();
        assert_eq!(
            found
                .map(|offer| (offer.price, offer.node))
                .collect::<Vec<_>>(),
            offers
        );
    }
    for view in reader.stacks(ALL).unwrap() {
        let stack = ledger.stack(view.row.stack).await.unwrap();
        let (row, terms) = (view.row, view.terms.unwrap());
        assert_eq!(
            (row.owner, row.watcher, row.task),
            (stack.owner, stack.watcher, stack.task)
        );
        assert_eq!(
            (row.ungranted, row.live_units),
            (stack.ungranted, stack.live_units())
        );
        assert_eq!((row.escrow, row.nonce), (stack.escrow, stack.nonce));
        assert_eq!(row.expires_at_ms, stack.expires_at_ms);
        assert_eq!(terms.free, stack.free);
        let paid = stack.leases.iter().fold(ComputeUnits::ZERO, |sum, lease| {
            sum.saturating_add(lease.paid_units)
        });
        assert_eq!(row.settled_units, paid);
        leases_alike(reader, &stack);
    }
    money(ledger, reader).await;
}

fn leases_alike(reader: &IndexReader, stack: &Stack) {
    let rows = reader.leases(stack.id).unwrap();
    assert_eq!(rows.len(), stack.leases.len());
    for (row, lease) in rows.into_iter().zip(&stack.leases) {
        assert_eq!(
            (row.node, row.key, row.price),
            (lease.node, lease.key, lease.price)
        );
        assert_eq!(
            (row.units, row.state == LeaseStanding::Closed),
            (lease.units, lease.closed)
        );
        assert_eq!(
            (row.paid_units, row.paid_seq),
            (lease.paid_units, lease.paid_seq)
        );
        tickets_alike(reader, stack, lease);
    }
}

fn tickets_alike(reader: &IndexReader, stack: &Stack, lease: &Lease) {
    let rows = reader
        .settlements_of(stack.id, lease.node)
        .unwrap()
        .into_iter();
    let open: Vec<_> = rows
        .filter(|row| row.state == SettlementState::Open)
        .collect();
    assert_eq!(open.len(), lease.tickets.len());
    for (row, ticket) in open.iter().zip(&lease.tickets) {
        assert_eq!((row.from_seq, row.to_seq), (ticket.from_seq, ticket.to_seq));
        assert_eq!(
            (row.from_units, row.to_units),
            (ticket.from_units, ticket.to_units)
        );
        assert_eq!(
            (row.last, row.base, row.history, row.deadline_ms),
            (ticket.last, ticket.base, ticket.history, ticket.deadline_ms)
        );
    }
    let disputes = reader
        .disputes_of(stack.id, lease.node)
        .unwrap()
        .into_iter();
    let mut demanded: Vec<_> = disputes
        .filter(|d| d.ended_ms.is_none())
        .map(|d| d.unit)
        .collect();
    let demands = lease.tickets.iter().flat_map(|ticket| &ticket.demands);
    let mut expected: Vec<_> = demands.map(|demand| demand.unit).collect();
    demanded.sort_unstable();
    expected.sort_unstable();
    assert_eq!(demanded, expected);
}

/// The sums are those of the objects.
async fn money(ledger: &Ledger, reader: &IndexReader) {
    let overview = reader.overview().unwrap();
    let db = ledger.db().await.unwrap();
    if let Some(treasury) = overview.treasury {
        let flows = treasury.fees.0 + treasury.fines.0 - treasury.paid.0;
        assert_eq!(flows, db.communal_treasury.0);
        let standing = overview.treasury_standing.unwrap();
        assert_eq!(standing.balance, db.communal_treasury);
    }
    let stacks = reader.stacks(ALL).unwrap();
    let held: u64 = stacks.iter().map(|stack| stack.row.escrow.0).sum();
    assert_eq!(overview.escrow.0, held);
    let sums = overview.sums;
    assert_eq!(
        sums.deposited.0,
        sums.paid.0 + sums.fees.0 + sums.dues.0 + sums.freed.0 + held,
        "what went in is out or still there"
    );
    assert_eq!(sums.stacks, stacks.len() as u64);
}
