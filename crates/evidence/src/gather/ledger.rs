//! What the ledger says, each thing asked for once.

use super::sources::SourceError;
use crate::check::{CertifiedObject, Gap, Item, Settlement};
use atoma_ledger::{Ledger, ReadError};
use atoma_types::{
    NetworkId, NodeId, ObjectId, StackId, TaskId,
    chain::{Event, Node, Stack, Task},
};
use futures::StreamExt;
use std::{collections::HashMap, hash::Hash, time::Duration};

/// A paid settlement is looked for among the ledger's events for so long: they are read from the
/// beginning.
const SEARCH: Duration = Duration::from_secs(30);

/// Reads, and remembers.
pub(super) struct Reader<'a> {
    ledger: &'a Result<Ledger, SourceError>,
    stacks: HashMap<StackId, Item<Stack>>,
    nodes: HashMap<NodeId, Item<Node>>,
    tasks: HashMap<TaskId, Item<Task>>,
    objects: HashMap<ObjectId, Item<CertifiedObject>>,
    settlements: HashMap<(StackId, NodeId, u64), Item<Settlement>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(ledger: &'a Result<Ledger, SourceError>) -> Self {
        Self {
            ledger,
            stacks: HashMap::new(),
            nodes: HashMap::new(),
            tasks: HashMap::new(),
            objects: HashMap::new(),
            settlements: HashMap::new(),
        }
    }

    fn ledger(&self) -> Item<&'a Ledger> {
        self.ledger.as_ref().map_err(|e| Gap::absent(&**e))
    }

    pub(super) fn network(&self) -> Item<NetworkId> {
        self.ledger().map(|ledger| ledger.network())
    }

    pub(super) async fn stack(&mut self, id: StackId) -> Item<Stack> {
        let ledger = self.ledger()?;
        let read = async { ledger.stack(id).await.map_err(gap) };
        once(&mut self.stacks, id, read).await
    }

    pub(super) async fn node(&mut self, id: NodeId) -> Item<Node> {
        let ledger = self.ledger()?;
        let read = async { ledger.node(id).await.map_err(gap) };
        once(&mut self.nodes, id, read).await
    }

    pub(super) async fn task(&mut self, id: TaskId) -> Item<Task> {
        let ledger = self.ledger()?;
        let read = async { ledger.task(id).await.map_err(gap) };
        once(&mut self.tasks, id, read).await
    }

    pub(super) async fn certified(&mut self, id: ObjectId) -> Item<CertifiedObject> {
        let ledger = self.ledger()?;
        let read = async { certified(ledger, id).await.map_err(gap) };
        once(&mut self.objects, id, read).await
    }

    /// The ticket in which a node settled its receipt of a number: in the stack until it is paid, then in the
    /// ledger's events.
    pub(super) async fn settlement(
        &mut self,
        stack: &Stack,
        node: NodeId,
        seq: u64,
    ) -> Item<Settlement> {
        let ledger = self.ledger()?;
        let lease = stack
            .lease(node)
            .ok_or_else(|| Gap::absent("the node has no lease of the stack"))?;
        let mut tickets = lease.tickets.iter();
        if let Some(ticket) =
            tickets.find(|ticket| (ticket.from_seq..ticket.to_seq).contains(&seq.saturating_sub(1)))
        {
            return Ok(Settlement {
                from_seq: ticket.from_seq,
                last: ticket.last_receipt(),
                units: ticket.to_units,
            });
        }
        if seq > lease.claimed_seq() && !lease.closed {
            return Err(Gap::absent("the node has not settled it yet"));
        }
        let lease = (stack.id, node, seq);
        let search = async {
            let search = tokio::time::timeout(SEARCH, search(ledger, lease)).await;
            let late = |_| Gap::absent("the settlement wasn't found among the events");
            search.map_err(late).flatten()
        };
        once(&mut self.settlements, lease, search).await
    }
}

/// A blob's object.
async fn certified(ledger: &Ledger, id: ObjectId) -> Result<CertifiedObject, ReadError> {
    let blob = ledger.blob(id).await?;
    let now = ledger.walrus_epoch().await?.into();
    Ok(CertifiedObject {
        blob_id: blob.blob_id,
        size: blob.size,
        certified_epoch: blob.certified_epoch,
        end_epoch: blob.storage.end_epoch,
        deletable: blob.deletable,
        now,
    })
}

/// What is known, or else what is read, which is known from then on.
async fn once<K: Eq + Hash, T: Clone>(
    known: &mut HashMap<K, Item<T>>,
    key: K,
    read: impl Future<Output = Item<T>>,
) -> Item<T> {
    if let Some(known) = known.get(&key) {
        return known.clone();
    }
    let read = read.await;
    known.insert(key, read.clone());
    read
}

/// Looks for the settlement of a receipt among all events of the ledger.
async fn search(ledger: &Ledger, (stack, node, seq): (StackId, NodeId, u64)) -> Item<Settlement> {
    let mut events = ledger.events(None);
    let mut from_seq = 0;
    while let Some(event) = events.next().await {
        match event.map_err(Gap::absent)?.event {
            Event::SettlementOpened(e) if (e.stack, e.node) == (stack, node) => {
                if e.to_seq >= seq {
                    return Ok(Settlement {
                        from_seq,
                        last: e.last_receipt(),
                        units: e.to_units,
                    });
                }
                from_seq = e.to_seq;
            }
            Event::LeaseClosed(e) if (e.stack, e.node) == (stack, node) => {
                return Err(Gap::absent("the lease ended, the node never settled it"));
            }
            Event::NodeConvicted(e) if (e.stack, e.node) == (stack, node) => {
                return Err(Gap::absent("the node was convicted before it settled it"));
            }
            _ => {}
        }
    }
    Err(Gap::absent("the ledger's events ended"))
}

/// An object that isn't there is a fault of whoever named it; a ledger that doesn't answer is none.
fn gap(error: ReadError) -> Gap {
    match error {
        ReadError::NotFound { .. } | ReadError::WrongType { .. } => Gap::broken(error),
        error => Gap::absent(error),
    }
}
