//! A request between its signature and its receipt. However it ends, its lane learns of it.
//!
//! Whoever pays for somebody else (a gateway for a key, a node for a user whose request it passed on) watches for the
//! receipt, and has it whenever it comes: until then the request isn't clear, whatever its node says. It is clear once
//!
//! ```text
//! its receipt is here        as the node shows it, or as a record that filled a gap
//! it is refused for good     in the node's words, or because it expired and its node had nothing of it, twice
//! its lease is closed        what it cost is paid, or never will be
//! ```
//!
//! Without a receipt what was signed for it stays good, so that it may be [owed](crate::vouchers).
//!
//! A node that has neither receipt nor work says so twice, and from then on its lane is free for the next request. That is
//! its word against itself: a receipt that it shows all the same is good, for whoever saw the request on its way may have
//! had it served; it is paid, and counts among the answers that [never came](crate::never_came).

use crate::{
    ClientError, NodeInfo, StackHandle, VerifiedReceipt,
    account::ClientInner,
    denials::{Denials, Denied},
    dispute::wrong,
    lane::LaneError,
    records::keep_stray,
    retry::NodeRefusal,
    stack_state::StackState,
    store::{LaneKey, Row},
    told::{Ended, ReceiptWatcher, Told, Voucher},
    usage::{self, Asked, Said},
};
use atoma_evidence::{
    chain::Joined,
    receipt::{self, Expected, ReceiptError},
    second::{SecondError, SecondRecord, split_text},
};
use atoma_types::{
    DurationMs, RequestId,
    hash::Hash32,
    message::{Receipt, RequestHeader, Signed},
};
use http::StatusCode;
use serde::Deserialize;
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::sleep,
};
use tracing::Instrument;

/// First pause before a node is asked what became of a request; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause between two questions.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// So long after that a node that doesn't answer is away for longer, and is asked at [`SLOW_PAUSE`]s.
const LAST_QUESTION: DurationMs = DurationMs(300_000);
/// Pause between two questions to a node that is away: what it can't say counts against it until it is back.
const SLOW_PAUSE: Duration = Duration::from_secs(60);

/// The guard of an open request. Dropped open, it asks the node in the background.
pub(crate) struct InFlight(Option<Box<Open>>);

struct Open {
    handle: StackHandle,
    node: Arc<NodeInfo>,
    key: LaneKey,
    request: Signed<RequestHeader>,
    /// What bounds its usage.
    asked: Asked,
    told: Told,
    /// Its node has said that it has nothing of it, so its lane doesn't count it any more.
    given_up: bool,
}

#[derive(Deserialize)]
struct KeptByNode {
    receipt: String,
}

impl InFlight {
    pub(crate) fn new(
        handle: StackHandle,
        node: Arc<NodeInfo>,
        key: LaneKey,
        (request, asked): (Signed<RequestHeader>, Asked),
    ) -> (Self, oneshot::Receiver<Ended>) {
        let (done, receipt) = oneshot::channel();
        let open = Open {
            handle,
            node,
            key,
            request,
            asked,
            told: Told::by(done),
            given_up: false,
        };
        (Self(Some(Box::new(open))), receipt)
    }

    /// The receipt is told to this one, too.
    pub(crate) fn watched_by(mut self, watcher: Option<ReceiptWatcher>) -> Self {
        if let Some(open) = &mut self.0 {
            open.told.also_by(watcher);
        }
        self
    }

    /// The node refused, or nothing was ever sent: it costs nothing.
    pub(crate) fn refused(mut self) {
        if let Some(open) = self.0.take() {
            open.refused();
        }
    }

    /// The node refused with this. In its own words it costs nothing, and there is no receipt for it; else that is asked for.
    pub(crate) fn refused_by(mut self, refusal: &NodeRefusal) {
        if !refusal.is_final() {
            return self.unanswered();
        }
        if let Some(open) = self.0.take() {
            open.refused_for_good();
        }
    }

    /// The node refused, in words that came with the answer.
    pub(crate) fn was_refused(&mut self) {
        if let Some(open) = self.0.take() {
            open.refused_for_good();
        }
    }

    /// The answer has ended, or won't come, and there is no good receipt: from now on it counts against the node, until
    /// the node is found to have none or shows it.
    pub(crate) fn unanswered(&self) {
        if let Some(open) = &self.0 {
            open.unanswered();
        }
    }

    /// A place among the answers of this stack that are read on although nobody waits for them, if there is one.
    pub(crate) fn place_among_late(&self) -> Option<OwnedSemaphorePermit> {
        let late = Arc::clone(&self.0.as_ref()?.handle.state.late);
        late.try_acquire_owned().ok()
    }

    /// Another guard watches over the request from now on.
    pub(crate) fn hand_over(mut self) {
        self.0 = None;
    }

    /// A receipt's text came with the answer. With a bad one, or one that can't be read, the request is as unanswered as
    /// without: the node may well claim it, and is asked for a good one.
    pub(crate) fn receipt(
        &mut self,
        text: &str,
        (response, said): (Hash32, Said),
    ) -> Result<Arc<VerifiedReceipt>, ReceiptError> {
        let open = self.0.take().ok_or(ReceiptError::Missing)?;
        open.accept(text, Some((response, said)))
            .map_err(|(open, reason)| {
                open.unanswered();
                self.0 = Some(open);
                reason
            })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let Some(open) = self.0.take() else {
            return;
        };
        let asked = open.request.message();
        // this program may end before it is clear what it costs
        let (id, most) = (asked.request_id, asked.max_units);
        open.handle.remember_unclear(open.key, id, most);
        // without a runtime the request just stays open in the account
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let span = tracing::info_span!("find_receipt", request = %id, node = %open.key.node);
            runtime.spawn(open.find_out().instrument(span));
        }
    }
}

impl Open {
    /// In the node's own words: so it can't have a receipt for it.
    fn refused_for_good(self: Box<Self>) {
        self.handle.remember_refused(self.key, self.id());
        self.refused();
        self.owes();
    }

    /// There is no receipt, and what was signed stays good.
    fn owes(self: Box<Self>) {
        let most = self.request.message().max_units;
        let voucher = Voucher::of(&self.handle, self.key.node, most);
        self.told.refused(voucher);
    }

    fn id(&self) -> RequestId {
        self.request.message().request_id
    }

    fn unanswered(&self) {
        let id = self.id();
        let _ = self.handle.with_lane(self.key, |lane, _| lane.lose(id));
        self.handle.remember_lost(self.key, id);
    }

    fn refused(&self) {
        let id = self.id();
        // the lane is there: it was signed in
        let _ = self.handle.with_lane(self.key, |lane, _| lane.refuse(id));
    }

    /// Checks a receipt in every way, takes it into the account and keeps it. With a bad one the request stays open.
    fn accept(
        self: Box<Self>,
        text: &str,
        arrived: Option<(Hash32, Said)>,
    ) -> Result<Arc<VerifiedReceipt>, (Box<Self>, ReceiptError)> {
        let (receipt, other) = match self.check(text, arrived.as_ref()) {
            Ok(checked) => checked,
            Err(error) => return Err((self, error)),
        };
        let open = *self;
        let text = text.to_owned();
        let verified = VerifiedReceipt::new(open.request, receipt, other, text, arrived.is_some());
        let mut told = open.told;
        Ok(told.tell(verified))
    }

    fn check(
        &self,
        text: &str,
        arrived: Option<&(Hash32, Said)>,
    ) -> Result<(Signed<Receipt>, Option<SecondRecord>), ReceiptError> {
        let (first, second) = split_text(text);
        let receipt = Signed::<Receipt>::from_text(first)?;
        let mut verdict = self.judge(&receipt, arrived);
        let mut other = None;
        if let (Ok(()), Some(text)) = (&verdict, second) {
            match self.second(text, receipt.message()) {
                Ok(record) => other = Some(record),
                Err(error) => verdict = Err(error.into()),
            }
        }
        // an unsigned lie proves nothing and isn't kept; a signed one about this request is evidence
        match &verdict {
            Err(ReceiptError::Signature) => {}
            Err(_) if !receipt::is_for(receipt.message(), &self.request) => {
                let lease = (self.key.stack, self.key.node);
                keep_stray(&self.handle.client, lease, receipt.clone());
            }
            verdict => self.keep(&receipt, other.as_ref(), verdict.as_ref().err()),
        }
        if let Err(error) = &verdict
            && error.is_overcharge()
        {
            self.handle.client.distrust(self.key.node, error);
            self.keep_wrong(receipt.message(), error);
        }
        verdict.map(|()| (receipt, other))
    }

    fn judge(
        &self,
        receipt: &Signed<Receipt>,
        arrived: Option<&(Hash32, Said)>,
    ) -> Result<(), ReceiptError> {
        let task = &self.handle.state.task;
        let key = self.handle.response_key(&self.node);
        let verifier = self.node.verifier_of(&key).ok_or(ReceiptError::Signature)?;
        let expected = Expected {
            network: self.handle.client.ledger().network(),
            stack: self.key.stack,
            node: self.key.node,
            response_key: &verifier,
            request: &self.request,
            weights: &task.weights,
            engine: task.engine,
            response_hash: arrived.map(|(response, _)| *response),
        };
        receipt::check(receipt, &expected)?;
        let said = arrived.map(|(_, said)| said);
        usage::check(&receipt.message().usage, &self.asked, said)?;
        let (id, units) = (self.id(), receipt.message().units);
        let settled = self.handle.with_lane(self.key, |lane, chain| {
            let joined = chain.add(receipt)?;
            match lane.settle(id, units) {
                // its node has shown it before it came
                Err(LaneError::NotOpen) if joined == Joined::Again => Ok(()),
                Err(LaneError::NotOpen) if self.given_up => {
                    lane.explain(units, self.request.message().max_units);
                    Ok(())
                }
                settled => settled.map_err(|_| ReceiptError::RequestId),
            }
        });
        let settled = settled.map_err(|_| ReceiptError::RequestId);
        self.handle.watch_gaps(&self.node);
        settled??;
        self.handle.is_charged(self.key.node, id, units);
        Ok(())
    }

    /// The record of the node to which the request was passed on.
    fn second(&self, text: &str, answered: &Receipt) -> Result<SecondRecord, SecondError> {
        let record = SecondRecord::from_text(text).map_err(SecondError::Unreadable)?;
        record.check(&self.request, answered)?;
        Ok(record)
    }

    fn keep(
        &self,
        receipt: &Signed<Receipt>,
        second: Option<&SecondRecord>,
        fault: Option<&ReceiptError>,
    ) {
        let message = receipt.message();
        self.handle.client.inner.store.keep(Row {
            key: self.key,
            seq: message.seq,
            hash: receipt.hash(),
            request: self.request.message().request_id,
            units: message.units,
            received: self.handle.client.runtime().now(),
            header: self.request.to_bytes(),
            receipt: receipt.to_bytes(),
            second: second.map(SecondRecord::to_bytes),
            fault: fault.map(ToString::to_string),
        });
    }

    /// The usage can't be that of the bytes, so whoever computes the answer again finds another.
    fn keep_wrong(&self, receipt: &Receipt, error: &ReceiptError) {
        if let Some(wrong) = wrong(receipt, error.to_string()) {
            self.handle.client.inner.store.keep_wrong(wrong);
        }
    }

    /// Asks the node until it is clear what the request cost. Doesn't keep the client alive.
    async fn find_out(self: Box<Self>) {
        let expires = self.request.message().expires_at_ms;
        let last = expires.saturating_add(LAST_QUESTION);
        let clock = Arc::clone(&self.handle.client.runtime().clock);
        let mut lost = Lost::of(*self);
        let mut pause = FIRST_PAUSE;
        loop {
            sleep(pause).await;
            pause = match clock.now() < last {
                true => (pause * 2).min(LONGEST_PAUSE),
                false => SLOW_PAUSE,
            };
            match lost.ask().await {
                Some(open) => lost = open,
                None => return,
            }
        }
    }
}

/// A request of which nobody here waits any more.
struct Lost {
    client: Weak<ClientInner>,
    state: Arc<StackState>,
    node: Arc<NodeInfo>,
    key: LaneKey,
    request: Signed<RequestHeader>,
    asked: Asked,
    told: Told,
    /// Its node has said twice that it has nothing of it.
    given_up: bool,
    denials: Denials,
}

impl Lost {
    fn of(open: Open) -> Self {
        Self {
            client: Arc::downgrade(&open.handle.client.inner),
            state: open.handle.state,
            node: open.node,
            key: open.key,
            request: open.request,
            asked: open.asked,
            told: open.told,
            given_up: open.given_up,
            denials: Denials::default(),
        }
    }

    /// Asks once. `None` once it is clear, or when nobody can use the answer any more.
    async fn ask(mut self) -> Option<Self> {
        let client = crate::Client {
            inner: self.client.upgrade()?,
        };
        let handle = StackHandle {
            client,
            state: Arc::clone(&self.state),
        };
        let lease = handle.view().lease(self.key.node).map(|lease| lease.closed);
        let id = self.request.message().request_id;
        if lease == Some(true) {
            // whatever it cost is paid or never will be
            if !self.tell_kept(&handle).await {
                self.into_open(handle).owes();
            }
            return None;
        }
        let path = receipt::receipt_path(self.key.stack, id);
        let http = handle.client.inner.http.clone();
        match http.get::<KeptByNode>(&self.node, &path).await {
            Ok(kept) => {
                let Err((open, error)) = self.into_open(handle).accept(&kept.receipt, None) else {
                    return None;
                };
                tracing::warn!(%error, "a lost answer's receipt is bad");
                let handle = open.handle.clone();
                if !error.is_no_word() {
                    // it is kept against its node, which may have a good one all the same, and be paid by that
                    open.unanswered();
                    return Some(Self::of(*open));
                }
                let open = match handle.shown_in_records(&open.node, id).await {
                    Some(text) => open.accept(&text, None).err()?.0,
                    None => open,
                };
                Some(Self::of(*open).unanswered(&handle))
            }
            Err(ClientError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => {
                let is_over = handle.is_over(&self.node, id).await;
                let now = handle.client.runtime().now();
                let expires = self.request.message().expires_at_ms;
                let said = self.denials.look(is_over, expires, now);
                if said == Denied::NotTwice {
                    return Some(self.unanswered(&handle));
                }
                // what fills a gap is a receipt, too
                if self.tell_kept(&handle).await {
                    return None;
                }
                if said == Denied::ForNow {
                    return Some(self.give_up(&handle));
                }
                self.into_open(handle).refused_for_good();
                None
            }
            Err(_) => Some(self.unanswered(&handle)),
        }
    }

    /// The node has no receipt to show: as long as it doesn't, it counts against it.
    fn unanswered(self, handle: &StackHandle) -> Self {
        let id = self.request.message().request_id;
        let _ = handle.with_lane(self.key, |lane, _| lane.lose(id));
        self
    }

    /// The node has nothing of it, in its own words. Whoever has seen it on its way may still have it served until it
    /// expires: then it is charged, to whoever waits for it, and counts as an answer that never came.
    fn give_up(mut self, handle: &StackHandle) -> Self {
        let id = self.request.message().request_id;
        let _ = handle.with_lane(self.key, |lane, _| lane.refuse(id));
        if !self.given_up {
            handle.remember_lost(self.key, id);
        }
        self.given_up = true;
        self.told.none_for_now();
        self
    }

    /// Whether its record has come another way, in this program or another one. Whoever waits is told.
    async fn tell_kept(&mut self, handle: &StackHandle) -> bool {
        let id = self.request.message().request_id;
        let lease = (self.key.stack, self.key.node);
        let kept = handle.kept_receipt(lease, id).await;
        let ours = |kept: &Signed<Receipt>| kept.message().request_hash == self.request.hash();
        let Some(receipt) = kept.filter(ours) else {
            return false;
        };
        let (request, text) = (self.request.clone(), receipt.to_text());
        let verified = VerifiedReceipt::new(request, receipt, None, text, false);
        self.told.tell(verified);
        true
    }

    fn into_open(self, handle: StackHandle) -> Box<Open> {
        Box::new(Open {
            handle,
            node: self.node,
            key: self.key,
            request: self.request,
            asked: self.asked,
            told: self.told,
            given_up: self.given_up,
        })
    }
}
