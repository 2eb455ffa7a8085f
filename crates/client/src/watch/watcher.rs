//! Doing what is decided: reads stacks, fetches what was shown, executes.

use super::{
    decide::{Act, Doubt, Held, WatchPolicy, decide},
    looked::{Did, Looked, SeenTicket},
    root::Roots,
    shown,
    twice::{self, OF_ONE_REQUEST, Pair, is_of},
};
use crate::{
    Client, ClientError, Receipts,
    dispute::{Dispute, DisputeError, History},
};
use atoma_keys::SigningKey;
use atoma_ledger::{Digest, ExecuteError, Ledger, LedgerEvent};
use atoma_types::{
    MicroUsdc, NodeId, StackId, TimestampMs,
    chain::{Event, Exam, HitStage, Lease, Stack, Ticket},
    message::{Receipt, Signed},
};
use futures::future::BoxFuture;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

/// Receipts that are remembered of a lease: two tickets have a last receipt each, and few records are shown.
const MAX_SHOWN: usize = 64;

/// Watches settlements of stacks with the key of their owner or watcher, and the receipts of a data folder.
pub struct Watcher {
    pub(super) ledger: Ledger,
    pub(super) key: Arc<SigningKey>,
    pub(super) receipts: Receipts,
    /// Who asks nodes for records that never came.
    pub(super) asks: Option<Client>,
    shown: BTreeMap<(StackId, NodeId), Vec<Signed<Receipt>>>,
    /// Answers that were heard of, by lease: each by its transaction and its place there.
    answers: BTreeMap<(StackId, NodeId), BTreeSet<(Digest, u32)>>,
    /// Demands that were paid for, by stack.
    fees: BTreeMap<StackId, u32>,
    /// What the kept receipts say of tickets' histories.
    pub(super) roots: Roots,
    /// Two kept receipts for one request, by lease, if there are any; of each lease that was looked through.
    twice: BTreeMap<(StackId, NodeId), Option<Pair>>,
    /// Stacks of which nothing was shown that wasn't heard or looked for.
    known: BTreeSet<StackId>,
}

impl Watcher {
    /// With the key that pays and signs.
    #[must_use]
    pub fn new(ledger: Ledger, key: Arc<SigningKey>, receipts: Receipts) -> Self {
        Self {
            ledger,
            key,
            receipts,
            asks: None,
            shown: BTreeMap::new(),
            answers: BTreeMap::new(),
            fees: BTreeMap::new(),
            roots: Roots::default(),
            twice: BTreeMap::new(),
            known: BTreeSet::new(),
        }
    }

    /// Has this client ask nodes for the records without which a claim can't be told to be of the kept receipts. Its
    /// wallet must be the one that signs the stack's requests, and its data folder that of the receipts.
    #[must_use]
    pub fn asking(mut self, client: Client) -> Self {
        self.asks = Some(client);
        self
    }

    /// The stack that an event should have looked at, where it is about a settlement.
    #[must_use]
    pub fn concerns(event: &Event) -> Option<StackId> {
        match event {
            Event::SettlementOpened(e) => Some(e.stack),
            Event::DemandAnswered(e) => Some(e.stack),
            Event::RecordDemanded(e) => Some(e.stack),
            Event::Challenged(e) => Some(e.stack),
            Event::Disclosed(e) => Some(e.stack),
            Event::DisclosedToJury(e) => Some(e.stack),
            Event::Revealed(e) => e.challenge.then_some(e.stack),
            Event::JuryDecided(e) => e.challenge.then_some(e.stack),
            Event::NodeConvicted(e) => Some(e.stack),
            _ => None,
        }
    }

    /// Events may have been missed, as between two subscriptions: the past of each stack is looked through again
    /// before what is known of it counts.
    pub fn missed_events(&mut self) {
        self.known.clear();
    }

    /// Takes in what an event shows of a stack. From a stack's first settlement on, whoever hears all events needs to
    /// look for nothing.
    pub fn hear(&mut self, stack: &Stack, event: &LedgerEvent) {
        let Some((of, receipt)) = shown::receipt(&event.event) else {
            return;
        };
        let Some(lease) = stack.lease(of.1).filter(|_| of.0 == stack.id) else {
            return;
        };
        if matches!(event.event, Event::DemandAnswered(_)) {
            let place = (event.transaction, event.index);
            self.answers.entry(of).or_default().insert(place);
        }
        let known = self.shown.entry(of).or_default();
        let network = self.ledger.network();
        // an endpoint may make an event up, and can't sign for the node
        let good = receipt.filter(|receipt| is_of(receipt, (network, stack.id), lease));
        known.extend(good.filter(|receipt| !known.contains(receipt)));
        // what is paid can't be disputed any more
        known.retain(|receipt| receipt.message().seq > lease.paid_seq);
        let excess = known.len().saturating_sub(MAX_SHOWN);
        known.drain(..excess);
        if is_first(stack, &event.event) {
            self.known.insert(stack.id);
        }
    }

    /// Looks at a stack and does what is to be done about its open tickets.
    ///
    /// # Errors
    ///
    /// If the ledger can't be asked, or the receipts can't be read.
    pub fn look<'a>(
        &'a mut self,
        stack: &'a Stack,
        policy: WatchPolicy,
    ) -> BoxFuture<'a, Result<Looked, ClientError>> {
        Box::pin(self.look_at(stack, policy))
    }

    async fn look_at(&mut self, stack: &Stack, policy: WatchPolicy) -> Result<Looked, ClientError> {
        let now = self.ledger.clock().await?;
        let mut looked = Looked {
            now,
            next: next_deadline(stack),
            ..Looked::default()
        };
        for (bond, end) in self.ended(stack, now).await? {
            looked.did(stack.id, bond.node, Did::ChallengeEnded(end));
        }
        for lease in stack.open_leases() {
            looked.searched |= self.search(stack, lease).await?;
            self.learn(stack, lease).await?;
            self.ask(stack, lease, now).await?;
            self.compare(stack, lease).await?;
            self.look_at_lease(stack, lease, &policy, &mut looked)
                .await?;
        }
        Ok(looked)
    }

    /// Holds the histories of a lease's tickets against the kept receipts.
    pub(super) async fn learn(&mut self, stack: &Stack, lease: &Lease) -> Result<(), ClientError> {
        let shown = self.shown.get(&(stack.id, lease.node));
        let shown = shown.map_or(&[][..], Vec::as_slice);
        let roots = &mut self.roots;
        roots.learn(&self.receipts, (stack.id, lease), shown).await
    }

    /// Holds all that is kept of a lease against each other: what is paid once, for then it was looked at.
    async fn compare(&mut self, stack: &Stack, lease: &Lease) -> Result<(), ClientError> {
        let of = (stack.id, lease.node);
        let known = self.twice.get(&of);
        if lease.tickets.is_empty() || matches!(known, Some(Some(_))) {
            return Ok(());
        }
        let above = known.map(|_| lease.paid_seq);
        let network = self.ledger.network();
        let found = twice::kept(&self.receipts, (network, stack.id), lease, above).await?;
        self.twice.insert(of, found);
        Ok(())
    }

    async fn look_at_lease(
        &mut self,
        stack: &Stack,
        lease: &Lease,
        policy: &WatchPolicy,
        looked: &mut Looked,
    ) -> Result<(), ClientError> {
        let now = looked.now;
        let acts = self.decided(stack, lease, policy, now)?;
        let mut wrongs = Vec::new();
        for (ticket, held) in lease.tickets.iter().zip(self.held(stack, lease)?) {
            let wrong = self.wrong(stack, lease, (ticket, &held), (policy, now))?;
            let doubt = super::decide::doubt(ticket, &held, policy, now);
            self.part(lease.node, doubt);
            looked.tickets.push(SeenTicket {
                node: lease.node,
                ticket: ticket.to_seq,
                to_units: ticket.to_units,
                deadline: ticket.deadline_ms,
                doubt,
                wrong: wrong.clone(),
            });
            wrongs.extend(wrong.map(|wrong| (ticket, wrong)));
        }
        for act in acts {
            let did = self.act(stack, act).await;
            if let Did::Demanded { until, .. } = &did {
                looked.next = Some(looked.next.map_or(*until, |next| next.min(*until)));
            }
            // nothing is left to be challenged
            if matches!(did, Did::Convicted(_)) {
                wrongs.clear();
            }
            looked.did(stack.id, lease.node, did);
        }
        self.move_on(stack, lease, now).await;
        for (ticket, wrong) in wrongs {
            if let Some(did) = self.challenge(stack, (lease, ticket), &wrong).await? {
                looked.did(stack.id, lease.node, did);
            }
        }
        Ok(())
    }

    /// Nothing more is signed for a node that claims what its receipts don't show. One that only doesn't show a receipt is held to
    /// that on the stack where it lacks.
    fn part(&self, node: NodeId, doubt: Option<Doubt>) {
        if let (Some(client), Some(Doubt::AnotherChain | Doubt::Unexplained(_))) =
            (&self.asks, doubt)
        {
            client.doubts(node);
        }
    }

    /// What is to be done about a lease.
    fn decided(
        &self,
        stack: &Stack,
        lease: &Lease,
        policy: &WatchPolicy,
        now: TimestampMs,
    ) -> Result<Vec<Act>, ClientError> {
        let fees = self.fees_of(stack);
        let held = self.held(stack, lease)?;
        let acts = decide(stack, lease, &held, policy, fees, now);
        let awaits = self.awaits(stack, lease);
        let acts = acts.into_iter();
        let now = acts.filter(|act| !awaits || !matches!(act, Act::Demand(..)));
        Ok(now.collect())
    }

    /// Whether a record was shown that wasn't heard of yet: it may make a further demand needless.
    fn awaits(&self, stack: &Stack, lease: &Lease) -> bool {
        let heard = self.answers.get(&(stack.id, lease.node));
        let heard = heard.map_or(0, BTreeSet::len) as u64;
        answered(stack, lease) > heard
    }

    /// Looks through the past for what was shown of a stack with an open ticket, unless all of it is known; says
    /// whether it did. It may convict for nothing what a demand would cost a fee for, or what is too little for one.
    async fn search(&mut self, stack: &Stack, lease: &Lease) -> Result<bool, ClientError> {
        if lease.tickets.is_empty() || self.known.contains(&stack.id) {
            return Ok(false);
        }
        let history = match History::of(&self.ledger, stack.id).await {
            Ok(history) => history,
            Err(error) if error.is_transient() => return Err(error.into()),
            // a refusal: the past is looked through later, and a fee that is paid again is all that it costs
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, stack = %stack.id, "what was shown before can't be read");
                return Ok(false);
            }
        };
        // a long one is looked through as far as it goes: what is missing costs a fee at most
        for event in &history.events {
            self.hear(stack, event);
        }
        self.known.insert(stack.id);
        Ok(true)
    }

    /// Fees that were paid for the stack: what this watcher paid, or what the ledger still shows of them.
    fn fees_of(&self, stack: &Stack) -> u32 {
        let shown = stack.open_leases().map(|lease| {
            let tickets = lease.tickets.iter();
            let open: u64 = tickets.map(|ticket| ticket.demands.len() as u64).sum();
            answered(stack, lease).saturating_add(open)
        });
        let shown = u32::try_from(shown.sum::<u64>()).unwrap_or(u32::MAX);
        let paid = self.fees.get(&stack.id).copied().unwrap_or(0);
        paid.max(shown)
    }

    fn held(&self, stack: &Stack, lease: &Lease) -> Result<Vec<Held>, ClientError> {
        let tickets = lease.tickets.iter();
        let held = tickets.map(|ticket| self.held_of(stack, lease, ticket));
        held.collect()
    }

    fn held_of(&self, of_stack: &Stack, lease: &Lease, of: &Ticket) -> Result<Held, ClientError> {
        let (stack, node) = (of_stack.id, lease.node);
        let shown = self.shown.get(&(stack, node)).cloned().unwrap_or_default();
        let mut same_requests = Vec::new();
        for shown in &shown {
            let request = shown.message().request_id;
            same_requests.extend(self.receipts.of_request(
                (stack, node),
                request,
                OF_ONE_REQUEST,
            )?);
        }
        same_requests.retain(|kept| is_of(kept, (self.ledger.network(), stack), lease));
        let twice = self.twice.get(&(stack, node)).cloned().flatten();
        same_requests.extend(twice.into_iter().flatten());
        let next = of.to_seq.saturating_add(1);
        let random = &self.ledger.runtime().random;
        Ok(Held {
            last: self.receipts.kept_at(stack, node, of.to_seq)?,
            next: self.receipts.kept_at(stack, node, next)?,
            before: self.receipts.kept_before(stack, node, of.to_seq)?,
            other_records: self.has_other_records((stack, lease), of, &shown)?,
            missing: self.roots.missing(stack, node, of),
            unseen: self.unseen(of_stack, lease, of),
            lots: std::array::from_fn(|_| random.next_u64()),
            shown,
            same_requests,
        })
    }

    /// Whether a ticket's records are others than those that are kept.
    fn has_other_records(
        &self,
        (stack, lease): (StackId, &Lease),
        of: &Ticket,
        shown: &[Signed<Receipt>],
    ) -> Result<bool, ClientError> {
        if self.roots.is_another(stack, lease.node, of) {
            return Ok(true);
        }
        for shown in shown {
            let seq = shown.message().seq;
            if seq <= of.from_seq || of.to_seq < seq {
                continue;
            }
            let mut kept = self.receipts.kept_at(stack, lease.node, seq)?;
            kept.retain(|kept| is_of(kept, (self.ledger.network(), stack), lease));
            if !kept.is_empty() && kept.iter().all(|kept| kept.bytes() != shown.bytes()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn act(&mut self, stack: &Stack, act: Act) -> Did {
        let (step, doubt) = match act {
            Act::Equivocation(pair) => {
                let [first, second] = *pair;
                (Dispute::Equivocation { first, second }, None)
            }
            Act::Demand(claimed, doubt) => (Dispute::Demand(claimed), Some((claimed.unit, doubt))),
            Act::Overdue(due) => {
                let executed = self.ledger.execute(&self.key, vec![due.call]).await;
                return convicted(executed.map(|done| done.events));
            }
        };
        let Some((unit, doubt)) = doubt else {
            let call = match step.call(&self.ledger).await {
                Ok(call) => call,
                Err(error) => return Did::Refused(error),
            };
            let executed = self.ledger.execute(&self.key, vec![call]).await;
            return convicted(executed.map(|done| done.events));
        };
        match step.submit(&self.ledger, &self.key).await {
            Ok(_) => {
                *self.fees.entry(stack.id).or_default() += 1;
                let until = self.ledger.clock().await.ok();
                let until = until.unwrap_or_default();
                let until = until.saturating_add(stack.terms.answer_window_ms);
                Did::Demanded { unit, doubt, until }
            }
            Err(error) => Did::Refused(error),
        }
    }
}

fn convicted(events: Result<Vec<Event>, ExecuteError>) -> Did {
    let events = match events {
        Ok(events) => events,
        Err(error) => return Did::Refused(error.into()),
    };
    let mut events = events.into_iter();
    let convicted = events.find_map(|event| match event {
        Event::NodeConvicted(event) => Some(Box::new(event)),
        _ => None,
    });
    // a call that convicts has no other end
    convicted.map_or(Did::Refused(DisputeError::NoConviction), Did::Convicted)
}

/// Whether an event is a settlement before which nothing was shown of the stack's open leases.
fn is_first(stack: &Stack, event: &Event) -> bool {
    let Event::SettlementOpened(opened) = event else {
        return false;
    };
    stack.open_leases().all(|lease| {
        let unpaid = lease.paid_seq == 0 && lease.fees == MicroUsdc::ZERO;
        let its = |ticket: &Ticket| lease.node == opened.node && ticket.to_seq == opened.to_seq;
        unpaid && lease.tickets.iter().all(its)
    })
}

/// Demands that were answered since the lease was last paid.
fn answered(stack: &Stack, lease: &Lease) -> u64 {
    lease.fees.0 / stack.terms.demand_fee.0.max(1)
}

/// When a node, or a challenge's jury, is late next.
fn next_deadline(stack: &Stack) -> Option<TimestampMs> {
    let tickets = stack.open_leases().flat_map(|lease| &lease.tickets);
    let deadlines = tickets.flat_map(|ticket| {
        let exam = match &ticket.exam {
            Exam::Hit(hit) if hit.stage == HitStage::Disclosing => Some(hit.deadline_ms),
            _ => None,
        };
        let hidden = ticket.exam_jury.iter().filter(|jury| jury.seq == 0);
        let challenge = ticket.challenge.as_ref().and_then(|c| c.jury.as_ref());
        let challenge = challenge.map(|jury| match jury.seq {
            0 => jury.deadline_ms,
            _ => jury.reveal_ms,
        });
        let demands = ticket.demands.iter().map(|demand| demand.deadline_ms);
        demands
            .chain(exam)
            .chain(challenge)
            .chain(hidden.map(|jury| jury.deadline_ms))
    });
    deadlines.min()
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}
