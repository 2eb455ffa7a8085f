//! A node whose every answer is scripted by the request's body: `{"act": "..."}`.

mod acts;
mod routes;

use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_runtime::SystemRandom;
use atoma_types::{
    Address, ComputeUnits, EngineClass, NetworkId, NodeId, Numerics, RequestId, Rule, StackId,
    Usage,
    chain::{Clock, Jury, Stack, calls},
    hash::Hash32,
    history::{History, ReceiptTree},
    merkle::Proof,
    message::{
        CommitmentKind, Domain, Endpoint, EvidenceLeaf, MessageSignature, Origin, Receipt,
        RequestHeader, RequestTimes, Salt, Signed,
    },
};
use axum::body::Bytes;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tokio::sync::Notify;

pub(crate) const ENGINE: EngineClass = EngineClass {
    model: Hash32([1; 32]),
    numerics: Numerics::DetF32V1,
    rule: Rule::Exact,
};
/// What every honest answer costs.
pub(crate) const COST: ComputeUnits = ComputeUnits(30);
pub(crate) const ANSWER: &str = r#"{"choices":[]}"#;
pub(crate) const FRAMES: &str = "data: {\"a\":1}\n\ndata: {\"a\":2}\n\n";

pub(crate) struct Scripted {
    pub(crate) id: NodeId,
    pub(crate) network: NetworkId,
    pub(crate) response_key: SigningKey,
    pub(crate) owner: Arc<SigningKey>,
    pub(crate) ledger: Ledger,
    account: Mutex<Account>,
    /// Somebody waits for a page that never comes.
    pub(crate) stalled: Notify,
}

/// Changes a receipt that is signed anew then.
pub(crate) type Change = fn(&mut Receipt);

/// Records that say whatever their node likes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Junk {
    /// Nobody has signed anything of them.
    Unsigned,
    /// Of requests that their user hasn't signed.
    Unasked,
    /// Of one that they have, with a receipt for another stack.
    OtherStack,
    /// Of one that they have, at a wrong price.
    Overcharged,
}

#[derive(Default)]
struct Account {
    seq: u64,
    sum: u64,
    previous: Hash32,
    lanes: BTreeMap<u16, u64>,
    kept: HashMap<(StackId, RequestId), String>,
    /// What it changes in whatever it shows of a request.
    shows: Option<Change>,
    /// What it shows in the place of its records, so many at once.
    junk: Option<(Junk, usize)>,
    last: Option<Signed<Receipt>>,
    /// All that was served or is said to have been, in order.
    records: Vec<(Signed<RequestHeader>, Signed<Receipt>)>,
    /// What it settles and shows in their place, if it does.
    forged: Option<Vec<(Signed<RequestHeader>, Signed<Receipt>)>>,
    vouchers: BTreeMap<u16, Signed<RequestHeader>>,
    /// What it answers to whatever is sealed.
    sealed: Bytes,
    /// It says nothing of what became of a request.
    is_silent: bool,
    /// It has no receipt for who asks for one.
    hides_receipts: bool,
    /// It says that it can't answer questions now.
    is_away: bool,
    /// How often it was asked for records.
    pages: u64,
    /// It answers no such question.
    stalls: bool,
    /// Each page is a copy of its last record, so much further on.
    drips: Option<u64>,
    /// The highest ceiling of all headers that it was sent, whatever it answered.
    ceiling: ComputeUnits,
    /// A request that it refused, and has answered all the same.
    refused: Option<Signed<RequestHeader>>,
    /// It shows its users no records.
    withholds: bool,
    /// A request of which it has nothing, in its own words.
    denied: Option<(Signed<RequestHeader>, Salt)>,
}

impl Scripted {
    pub(crate) fn new(
        id: NodeId,
        response_key: SigningKey,
        owner: Arc<SigningKey>,
        ledger: Ledger,
    ) -> Arc<Self> {
        let account = Mutex::default();
        Arc::new(Self {
            id,
            network: ledger.network(),
            response_key,
            owner,
            ledger,
            account,
            stalled: Notify::new(),
        })
    }

    /// It answers so to what is sealed, and to no question about it.
    pub(crate) fn answers_sealed(&self, answer: Bytes) {
        let mut account = self.account.lock();
        account.sealed = answer;
        account.is_silent = true;
    }

    /// It shows a receipt to nobody who asks for it by its request.
    pub(crate) fn hides_receipts(&self) {
        self.account.lock().hides_receipts = true;
    }

    /// The highest ceiling that was signed for it.
    pub(crate) fn highest_ceiling(&self) -> ComputeUnits {
        self.account.lock().ceiling
    }

    /// It can't answer questions now, in its own words; or can again.
    pub(crate) fn is_away(&self, is_away: bool) {
        self.account.lock().is_away = is_away;
    }

    pub(crate) fn pages(&self) -> u64 {
        self.account.lock().pages
    }

    /// Whoever asks for records waits for ever.
    pub(crate) fn stalls(&self) {
        self.account.lock().stalls = true;
    }

    /// Shows a changed receipt to whoever asks for one; or again the true one.
    pub(crate) fn shows(&self, change: Option<Change>) {
        self.account.lock().shows = change;
    }

    /// Shows so many such records in the place of those that it has.
    pub(crate) fn shows_junk(&self, junk: Junk, many: usize) {
        self.account.lock().junk = Some((junk, many));
    }

    /// Signs a receipt anew, changed.
    fn changed(
        &self,
        receipt: &Signed<Receipt>,
        change: impl FnOnce(&mut Receipt),
    ) -> Signed<Receipt> {
        let mut message = receipt.message().clone();
        change(&mut message);
        Signed::new(message, &self.response_key)
    }

    /// A record of that kind, of its last one, as if it came after a number.
    fn junk(
        &self,
        junk: Junk,
        (header, last): &(Signed<RequestHeader>, Signed<Receipt>),
        after: u64,
    ) -> EvidenceLeaf {
        let new = self.ledger.runtime().request_id();
        let nobody = SigningKey::generate(&SystemRandom);
        let header = match junk {
            Junk::Unsigned | Junk::Unasked => {
                let mut message = header.message().clone();
                message.request_id = new;
                Signed::new(message, &nobody)
            }
            Junk::OtherStack | Junk::Overcharged => header.clone(),
        };
        let receipt = self.changed(last, |receipt| {
            receipt.seq = after + 1;
            receipt.request_id = header.message().request_id;
            receipt.request_hash = header.hash();
            // none is like another
            receipt.response_hash = Hash32::of(&new.0);
            match junk {
                Junk::OtherStack => receipt.stack = StackId(Address::new([9; 32])),
                Junk::Overcharged => receipt.units = ComputeUnits(31),
                Junk::Unsigned | Junk::Unasked => {}
            }
        });
        let receipt = match junk {
            Junk::Unsigned => Signed::new(receipt.message().clone(), &nobody),
            _ => receipt,
        };
        EvidenceLeaf::new(&header, &receipt)
    }

    /// Shows a copy of its last record a page, each under a number that is so much higher than the last page's.
    pub(crate) fn drips(&self, step: u64) {
        self.account.lock().drips = Some(step);
    }

    /// Leaves so many numbers out, of which there are no records.
    pub(crate) fn jumps(&self, numbers: u64) {
        self.account.lock().seq += numbers;
    }

    pub(crate) fn highest_lane(&self) -> Option<u16> {
        self.account.lock().vouchers.keys().max().copied()
    }

    /// Settles what was served, as the last receipt has it.
    pub(crate) fn settle(&self, stack: StackId) -> calls::Settle {
        let account = self.account.lock();
        let last = account.last.as_ref();
        let lanes = &account.vouchers;
        let bytes = |signature: &MessageSignature| signature.to_bytes();
        calls::Settle {
            stack: stack.into(),
            holder: self.id,
            from_seq: 0,
            to_units: ComputeUnits(account.sum),
            to_seq: account.seq,
            headers: lanes
                .values()
                .map(|header| header.bytes().to_vec())
                .collect(),
            header_signatures: lanes.values().map(|h| bytes(h.signature())).collect(),
            last_receipt: last.map(|r| r.bytes().to_vec()).unwrap_or_default(),
            receipt_signature: last.map(|r| bytes(r.signature())).unwrap_or_default(),
            manifest_blob: None,
            clock: Clock,
        }
    }

    /// Gives back what was not served.
    pub(crate) fn release(&self, stack: StackId) -> calls::ReleaseUnits {
        calls::ReleaseUnits {
            stack: stack.into(),
            node: self.id.into(),
            units: ComputeUnits(self.account.lock().sum),
            clock: Clock,
        }
    }

    /// Commits and signs. `lie` changes the receipt before it is signed.
    fn commit(
        &self,
        header: &Signed<RequestHeader>,
        (salt, answer): (&Salt, &[u8]),
        lie: impl FnOnce(&mut Receipt),
    ) -> String {
        let mut account = self.account.lock();
        let asked = header.message();
        account.seq += 1;
        account.sum += COST.0;
        *account.lanes.entry(asked.lane).or_default() += COST.0;
        let now = self.ledger.runtime().now();
        let mut receipt = Receipt {
            domain: Domain::default(),
            network: self.network,
            stack: asked.stack,
            node: self.id,
            seq: account.seq,
            request_id: asked.request_id,
            request_hash: header.hash(),
            response_hash: salt.commit(CommitmentKind::Answer, answer),
            usage: Usage {
                input: 10,
                output: 20,
                ..Usage::default()
            },
            units: COST,
            cumulative_units: ComputeUnits(account.sum),
            times: RequestTimes {
                started_ms: now,
                first_token_ms: now,
                finished_ms: now,
            },
            engine: ENGINE,
            output_fingerprint: None,
            previous: account.previous,
            base: 0,
            history: account.history(),
        };
        lie(&mut receipt);
        account.sum = receipt.cumulative_units.0;
        let signed = Signed::new(receipt, &self.response_key);
        account.previous = signed.hash();
        let kept = (asked.stack, asked.request_id);
        account.kept.insert(kept, signed.to_text());
        let known = account
            .vouchers
            .get(&asked.lane)
            .map(|h| h.message().ceiling);
        if known.is_none_or(|ceiling| ceiling < asked.ceiling) {
            account.vouchers.insert(asked.lane, header.clone());
        }
        let text = signed.to_text();
        if let Some(forged) = &mut account.forged {
            forged.push((header.clone(), signed.clone()));
        }
        account.records.push((header.clone(), signed.clone()));
        account.last = Some(signed);
        text
    }

    /// Claims what it served, and more of which it says so.
    pub(crate) async fn settles(&self, stack: StackId) {
        let settle = self.settle(stack);
        let executed = self.ledger.execute(&self.owner, vec![settle.into()]);
        executed.await.unwrap();
    }

    fn will_serve(&self, header: &Signed<RequestHeader>, salt: &Salt) {
        self.account.lock().denied = Some((header.clone(), salt.clone()));
    }

    /// Signs a receipt for what it had nothing of.
    pub(crate) fn serves_denied(&self) {
        let denied = self.account.lock().denied.take();
        let (header, salt) = denied.unwrap();
        self.commit(&header, (&salt, ANSWER.as_bytes()), |_| {});
    }

    /// Signs its last receipt so many times more, under the numbers that follow.
    pub(crate) fn repeats_last(&self, times: u64) {
        for _ in 0..times {
            let account = &mut *self.account.lock();
            let (header, last) = account.records.last().unwrap().clone();
            account.seq += 1;
            account.sum += COST.0;
            let again = Receipt {
                seq: account.seq,
                cumulative_units: ComputeUnits(account.sum),
                previous: last.hash(),
                history: account.history(),
                ..last.message().clone()
            };
            let again = Signed::new(again, &self.response_key);
            account.previous = again.hash();
            account.last = Some(again.clone());
            account.records.push((header, again));
        }
    }

    /// Puts its first record in the place of each: signed again, under the numbers and for the units of the others. What
    /// it serves from now on names them.
    pub(crate) fn forges_records(&self) {
        let account = &mut *self.account.lock();
        let (header, good) = account.records[0].clone();
        let forged = account.records.iter().map(|(_, real)| {
            let real = real.message();
            let again = Receipt {
                seq: real.seq,
                units: real.units,
                cumulative_units: real.cumulative_units,
                previous: real.previous,
                ..good.message().clone()
            };
            (header.clone(), Signed::new(again, &self.response_key))
        });
        account.forged = Some(forged.collect());
    }

    /// Shows its users no records from now on; or does so again.
    pub(crate) fn withholds(&self, withholds: bool) {
        self.account.lock().withholds = withholds;
    }

    /// Lets so many numbers pass that charge nothing and that nobody ever sees.
    pub(crate) fn skips(&self, numbers: u64) {
        let account = &mut *self.account.lock();
        for _ in 0..numbers {
            let (header, last) = account.records.last().unwrap().clone();
            account.seq += 1;
            let empty = Receipt {
                seq: account.seq,
                usage: Usage::default(),
                units: ComputeUnits::ZERO,
                previous: last.hash(),
                history: account.history(),
                ..last.message().clone()
            };
            let empty = Signed::new(empty, &self.response_key);
            account.previous = empty.hash();
            account.records.push((header, empty));
        }
    }

    /// Puts a good record of a request that it refused in the place of each: signed again, under the numbers and for the
    /// units of the others. What it serves from now on names them.
    pub(crate) fn forges_refused(&self) {
        let account = &mut *self.account.lock();
        let header = account.refused.clone().unwrap();
        let forged = account.records.iter().map(|(_, real)| {
            let again = Receipt {
                request_id: header.message().request_id,
                request_hash: header.hash(),
                ..real.message().clone()
            };
            (header.clone(), Signed::new(again, &self.response_key))
        });
        account.forged = Some(forged.collect());
    }

    /// Serves a request of which its user learns nothing.
    pub(crate) fn serves_unseen(&self, stack: &Stack, request_key: &SigningKey) {
        let now = self.ledger.runtime().now();
        let request_id = self.ledger.runtime().request_id();
        let salt = request_key.salt_of(request_id);
        let header = RequestHeader {
            domain: Domain::default(),
            network: self.network,
            stack: stack.id,
            node: self.id,
            task: stack.task,
            request_id,
            endpoint: Endpoint::ChatCompletions,
            body_hash: salt.commit(CommitmentKind::Request, b"{}"),
            lane: 9,
            ceiling: ComputeUnits(5_000),
            max_units: COST,
            issued_at_ms: now,
            expires_at_ms: now,
            origin: Origin::Own,
        };
        let header = Signed::new(header, request_key);
        self.commit(&header, (&salt, ANSWER.as_bytes()), |_| {});
    }

    /// Shows the record that covers a unit, as the rules ask.
    pub(crate) async fn answers(&self, stack: StackId, unit: ComputeUnits) {
        let (leaf, path) = self.record_of(unit);
        let lease = (stack, self.id);
        let bodies = (None, vec![7; 10]);
        let call = self
            .ledger
            .answer_demand(lease, unit, (&leaf, &path), bodies);
        self.ledger.execute(&self.owner, vec![call]).await.unwrap();
    }

    /// Shows a challenge's jury the record of this unit.
    pub(crate) async fn discloses_to_jury(&self, stack: StackId, jury: &Jury) {
        let (leaf, path) = self.record_of(jury.unit);
        let ticket = self.account.lock().seq;
        let call = calls::DiscloseToJury {
            stack: stack.into(),
            holder: self.id,
            ticket,
            challenge: true,
            record: leaf.to_bytes(),
            proof: path.to_bytes(),
            wraps: vec![vec![1; 80]; jury.jurors.len()],
            clock: Clock,
        };
        let executed = self.ledger.execute(&self.owner, vec![call.into()]);
        executed.await.unwrap();
    }

    /// The record that covers a unit, and its path to the last receipt.
    fn record_of(&self, unit: ComputeUnits) -> (EvidenceLeaf, Proof) {
        let records = self.settled();
        let place = records
            .iter()
            .position(|(_, receipt)| receipt.message().cumulative_units > unit);
        let place = place.unwrap();
        let (header, receipt) = &records[place];
        let tree = ReceiptTree::new(0, records.iter().map(|(_, receipt)| receipt.hash()));
        let path = tree.unwrap().prove(place as u64 + 1).unwrap();
        (EvidenceLeaf::new(header, receipt), path)
    }

    /// What it says that it has served.
    fn settled(&self) -> Vec<(Signed<RequestHeader>, Signed<Receipt>)> {
        self.account.lock().settled().to_vec()
    }
}

impl Account {
    fn settled(&self) -> &[(Signed<RequestHeader>, Signed<Receipt>)] {
        self.forged.as_ref().unwrap_or(&self.records)
    }

    /// What the next receipt names.
    fn history(&self) -> Hash32 {
        let mut history = History::default();
        let receipts = self.settled().iter();
        receipts.for_each(|(_, receipt)| history.push(receipt.hash()));
        history.root()
    }
}
