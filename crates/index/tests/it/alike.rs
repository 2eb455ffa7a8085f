//! The ledger's objects rebuilt from the read model, and held against the ledger's.

use atoma_index::{Existing, IndexError, IndexReader, Indexer, LeaseStanding, Until};
use atoma_ledger::Ledger;
use atoma_store::OpenError;
use atoma_types::{
    ComputeUnits, TimestampMs,
    chain::{
        Dispute, Lease, LeaseState, Node, Stack, Subscription, SubscriptionState, Task, Ticket,
        UnitsInEpoch,
    },
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
    assert_eq!(nodes(reader), ledger.all_nodes().await.unwrap());
    let mut expected = ledger.all_tasks().await.unwrap();
    expected.iter_mut().for_each(without_copies);
    assert_eq!(tasks(reader), expected);
    let mut found = stacks(reader);
    let ids: Vec<_> = found.iter().map(|stack| stack.id).collect();
    let mut expected = ledger.stacks(&ids).await.unwrap();
    found.sort_by_key(|stack| stack.id);
    expected.sort_by_key(|stack| stack.id);
    assert_eq!(found, expected);
    money(ledger, reader).await;
}

/// The sums are those of the objects.
async fn money(ledger: &Ledger, reader: &IndexReader) {
    let overview = reader.overview().unwrap();
    let db = ledger.db().await.unwrap();
    if let Some(treasury) = overview.treasury {
        let flows = treasury.fees.0 + treasury.slashes.0 - treasury.paid.0;
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
        sums.paid.0 + sums.fees.0 + sums.refunded.0 + held,
        "what went in is out or still there"
    );
    assert_eq!(sums.stacks, stacks.len() as u64);
}

fn nodes(reader: &IndexReader) -> Vec<Node> {
    let nodes = reader.nodes(ALL).unwrap().into_iter();
    nodes
        .map(|view| {
            let (row, standing) = (view.row, view.standing.unwrap());
            Node {
                id: row.node,
                number: row.number,
                owner: row.owner,
                collateral: row.collateral,
                status: row.status,
                url: row.url,
                response_key: row.response_key,
                sealing_key: standing.sealing_key,
                reputation: standing.reputation,
                settled: row.settled,
                failed: row.failed,
                subscriptions: reader.offers_of(row.node).unwrap().len() as u64,
                current: UnitsInEpoch {
                    epoch: standing.current_epoch,
                    units: standing.current_units,
                },
                previous: UnitsInEpoch {
                    epoch: standing.previous_epoch,
                    units: standing.previous_units,
                },
            }
        })
        .collect()
}

/// A task without what offers copy from their nodes, in the order of the nodes' ids.
fn without_copies(task: &mut Task) {
    for offer in &mut task.subscriptions {
        offer.collateral = Default::default();
        offer.reputation = 0;
        if offer.state == SubscriptionState::Suspended {
            offer.state = SubscriptionState::Active;
        }
    }
    task.subscriptions.sort_by_key(|offer| offer.node);
}

fn tasks(reader: &IndexReader) -> Vec<Task> {
    let tasks = reader.tasks(ALL).unwrap().into_iter();
    tasks
        .map(|view| {
            let (row, terms) = (view.row, view.terms.unwrap());
            let offers = reader.offers(row.task).unwrap().into_iter();
            let offers = offers.map(|offer| Subscription {
                node: offer.node,
                price: offer.price,
                capacity: offer.capacity,
                leased: offer.leased,
                open_leases: offer.open_leases,
                collateral: Default::default(),
                reputation: 0,
                state: if offer.leaving {
                    SubscriptionState::Leaving
                } else {
                    SubscriptionState::Active
                },
            });
            let mut task = Task {
                id: row.task,
                number: row.number,
                owner: row.owner,
                role: row.role,
                model_name: row.model_name,
                security_level: row.security_level,
                price_ceiling: row.price_ceiling,
                weights: terms.weights,
                engine: terms.engine,
                min_reputation: terms.min_reputation,
                min_collateral: terms.min_collateral,
                allow_list: terms.allow_list,
                deprecated: row.deprecated,
                fees: row.fees,
                subscriptions: offers.collect(),
            };
            without_copies(&mut task);
            task
        })
        .collect()
}

fn stacks(reader: &IndexReader) -> Vec<Stack> {
    let stacks = reader.stacks(ALL).unwrap().into_iter();
    stacks
        .map(|view| {
            let (row, terms) = (view.row, view.terms.unwrap());
            let mut stack = Stack {
                id: row.stack,
                owner: row.owner,
                task: row.task,
                request_key: row.request_key,
                max_price: row.max_price,
                surcharge_permille: terms.surcharge_permille,
                fee_permille: terms.fee_permille,
                total_units: row.total_units,
                closed_units: row.closed_units,
                selection: row.selection,
                candidates: row.candidates,
                leases: Vec::new(),
                escrow: row.escrow,
                created_at_ms: terms.created_at_ms,
                expires_at_ms: row.expires_at_ms,
                settle_grace_ms: row.settle_grace_ms,
                dispute_window_ms: terms.dispute_window_ms,
                answer_window_ms: terms.answer_window_ms,
                dispute_bond: terms.dispute_bond,
                closed: row.closed,
            };
            stack.leases = leases(reader, &stack);
            let settled: ComputeUnits =
                stack
                    .leases
                    .iter()
                    .fold(ComputeUnits::ZERO, |sum, lease| match lease.state {
                        LeaseState::Closed { paid_units, .. } => sum.saturating_add(paid_units),
                        _ => sum,
                    });
            assert_eq!(row.settled_units, settled);
            stack
        })
        .collect()
}

fn leases(reader: &IndexReader, stack: &Stack) -> Vec<Lease> {
    // when a window began: an event tells its end
    let began = |end: TimestampMs, length: u64| TimestampMs(end.0 - length);
    let leases = reader.leases(stack.id).unwrap().into_iter();
    leases
        .map(|row| {
            let state = match row.state {
                LeaseStanding::Open => LeaseState::Open,
                LeaseStanding::Closed => LeaseState::Closed {
                    paid_units: row.paid_units,
                    paid: row.paid,
                },
                LeaseStanding::Settling => {
                    let claim = reader.settlement(stack.id, row.node).unwrap().unwrap();
                    let disputes = reader.disputes_of(stack.id, row.node).unwrap();
                    let open = disputes.into_iter().filter(|d| d.ended_ms.is_none());
                    LeaseState::Settling(Ticket {
                        claimed_units: claim.claimed_units,
                        opened_at_ms: began(claim.deadline_ms, stack.dispute_window_ms.0),
                        deadline_ms: claim.deadline_ms,
                        receipts_root: claim.receipts_root,
                        count: claim.count,
                        manifest_blob: claim.manifest_blob,
                        disputes: open
                            .map(|dispute| Dispute {
                                seq: dispute.seq,
                                receipt: dispute.receipt,
                                bond: dispute.bond,
                                opened_at_ms: began(dispute.deadline_ms, stack.answer_window_ms.0),
                                deadline_ms: dispute.deadline_ms,
                            })
                            .collect(),
                    })
                }
            };
            Lease {
                node: row.node,
                units: row.units,
                price: row.price,
                state,
                convicted: row.convicted,
            }
        })
        .collect()
}
