//! Records of one's own leases, as their nodes show them to the owner of the stack: what was lost on the way, and what
//! other programs asked for. Each is held against the header that this wallet's request key has signed.

use crate::{
    Client, ClientError, MalformedAnswer, NodeInfo,
    http::bad_url,
    store::{LaneKey, Row, Stray},
};
use atoma_evidence::receipt::{self, Expected, ReceiptError};
use atoma_http::client::AnswerLimits;
use atoma_keys::Verifier;
use atoma_types::{
    EngineClass, NodeId, StackId, UnitWeights,
    chain::Stack,
    http::QUERY,
    message::{Domain, EvidenceLeaf, LeaseQuery, MessageSignature, Receipt, RequestHeader, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// A page of records: nodes send half of that at most.
const PAGE: AnswerLimits = AnswerLimits::within(Duration::from_secs(30), 2 << 20);
/// Records of one lease that are asked for at once, all pages together: 80 MiB, and some seconds of work for both. Who
/// lacks more waits until some of them are claimed.
pub(crate) const MAX_ASKED: usize = 1 << 16;
/// So long the node of one lease is asked at each look, all pages together: an honest one shows 65,536 records in some
/// seconds. Meanwhile a watcher's other stacks wait, and a client signs on.
pub(crate) const MAX_ASKING: Duration = Duration::from_secs(20);
/// Signatures that are checked before others have a turn: about a millisecond.
pub(crate) const CHECKED_AT_ONCE: usize = 16;

/// Where the records of one lease come from.
pub(crate) struct RecordSource {
    client: Client,
    stack: StackId,
    node: Arc<NodeInfo>,
    verifier: Arc<Verifier>,
    weights: UnitWeights,
    engine: EngineClass,
}

/// A receipt that a lease's node has signed and that was shown for another request than its own. It is kept where it convicts
/// its node, beside another one for the same request, and never under the request that it was shown for: that one's true
/// receipt would be a second one.
pub(crate) fn keep_stray(
    client: &Client,
    (stack, node): (StackId, NodeId),
    stray: Signed<Receipt>,
) {
    let said = stray.message();
    if (said.stack, said.node) == (stack, node) && said.network == client.ledger().network() {
        let received = client.runtime().now();
        client.inner.store.keep_stray(Stray { stray, received });
    }
}

/// A request's header and the receipt for it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) header: Signed<RequestHeader>,
    pub(crate) receipt: Signed<Receipt>,
}

#[derive(Deserialize)]
struct Page {
    records: Vec<String>,
}

/// A question about a lease that its node answers to the stack's owner alone.
pub(crate) fn lease_question(
    client: &Client,
    stack: StackId,
    node: &NodeInfo,
    what: &str,
) -> Result<Request<Full<Bytes>>, ClientError> {
    let query = LeaseQuery {
        domain: Domain::default(),
        network: client.ledger().network(),
        stack,
        node: node.id,
        asked_at_ms: client.runtime().now(),
    };
    let query = Signed::new(query, client.inner.signer.key());
    let url = node.at(&format!("/v1/leases/{stack}{what}"));
    let question = Request::get(url).header(QUERY, query.to_text());
    question.body(Full::default()).map_err(|_| bad_url(node))
}

// === impl RecordSource ===

impl RecordSource {
    /// Of a node's lease on a stack; `None` where the stack's requests are signed by another key, whose owner alone may ask.
    pub(crate) fn of(client: &Client, stack: &Stack, node: &Arc<NodeInfo>) -> Option<Self> {
        if stack.request_key != client.request_key() {
            return None;
        }
        let lease = stack.lease(node.id);
        let key = lease.map_or(node.response_key, |lease| lease.key);
        Some(Self {
            client: client.clone(),
            stack: stack.id,
            verifier: node.verifier_of(&key)?,
            node: Arc::clone(node),
            weights: stack.weights,
            engine: stack.engine,
        })
    }

    /// The lease that they are of.
    pub(crate) fn lease(&self) -> (StackId, NodeId) {
        (self.stack, self.node.id)
    }

    /// Asks the node for what comes after a number.
    pub(crate) async fn after(&self, seq: u64) -> Result<Vec<Record>, ClientError> {
        let what = format!("/records?after={seq}");
        let question = lease_question(&self.client, self.stack, &self.node, &what)?;
        let http = self.client.inner.http.clone();
        let page: Page = http.ask_within(&self.node, question, PAGE).await?;
        let records = page.records.iter().map(|text| Record::read(text));
        let records: Option<Vec<Record>> = records.collect();
        records.ok_or(ClientError::Malformed {
            node: self.node.id,
            reason: MalformedAnswer::Record,
        })
    }

    /// Holds a record against what was signed here and what is kept. One that isn't good is kept as evidence. Says
    /// whether a receipt for the request is kept already.
    pub(crate) fn verify(&self, record: &Record) -> Result<bool, ReceiptError> {
        let judged = self.judge(record);
        if let Err(error) = &judged {
            let seq = record.receipt.message().seq;
            tracing::warn!(node = %self.node.id, stack = %self.stack, seq, error = error as &dyn std::error::Error,
                "a node shows a record that is not good");
            self.keep_faulty(record, error);
            if *error == ReceiptError::Refused {
                self.client.distrust(self.node.id, error);
            }
        }
        judged
    }

    /// Whether a record is good, whoever showed it, by what is on the disk; says whether it is kept already.
    pub(crate) fn judge(&self, record: &Record) -> Result<bool, ReceiptError> {
        self.check(record)?;
        let id = record.receipt.message().request_id;
        let disk = self.client.inner.store.kept();
        // what can't be read can't contradict it
        if disk.is_refused(self.stack, id).unwrap_or(false) {
            return Err(ReceiptError::Refused);
        }
        let kept = disk.find(self.lease(), id).ok().flatten();
        match kept {
            Some(kept) if kept.hash != record.receipt.hash() => Err(ReceiptError::Twice {
                first: kept.hash,
                second: record.receipt.hash(),
            }),
            kept => Ok(kept.is_some()),
        }
    }

    /// Whether both signatures are right, and what the record says fits the lease.
    pub(crate) fn check(&self, record: &Record) -> Result<(), ReceiptError> {
        let header = record.header.message();
        let network = self.client.ledger().network();
        let ours = (header.network, header.stack, header.node)
            == (network, self.stack, self.node.id)
            && record.header.verify(&self.client.request_key()).is_ok();
        if !ours {
            return Err(ReceiptError::Header);
        }
        let expected = Expected {
            network,
            stack: self.stack,
            node: self.node.id,
            response_key: &self.verifier,
            request: &record.header,
            weights: &self.weights,
            engine: self.engine,
            response_hash: None,
        };
        receipt::check(&record.receipt, &expected)
    }

    /// Keeps what is wrong with a record as evidence: an unsigned lie proves nothing, and neither does what its node signed for
    /// requests that nobody here has signed. Whoever shows records can make up any number of either.
    fn keep_faulty(&self, record: &Record, error: &ReceiptError) {
        let is_signed = || record.receipt.verify(&*self.verifier).is_ok();
        match error {
            ReceiptError::Signature => {}
            ReceiptError::Header if !is_signed() => {}
            ReceiptError::Header => self.keep_stray(record),
            _ if !receipt::is_for(record.receipt.message(), &record.header) => {
                self.keep_stray(record);
            }
            _ => self.keep(record, Some(error)),
        }
    }

    fn keep_stray(&self, record: &Record) {
        keep_stray(&self.client, self.lease(), record.receipt.clone());
    }

    /// Keeps a record as a receipt whose answer isn't here.
    pub(crate) fn keep(&self, record: &Record, fault: Option<&ReceiptError>) {
        let receipt = record.receipt.message();
        self.client.inner.store.keep(Row {
            key: LaneKey {
                stack: self.stack,
                node: self.node.id,
                lane: record.header.message().lane,
            },
            seq: receipt.seq,
            hash: record.receipt.hash(),
            request: receipt.request_id,
            units: receipt.units,
            received: self.client.runtime().now(),
            header: record.header.to_bytes(),
            receipt: record.receipt.to_bytes(),
            second: None,
            fault: fault.map(ToString::to_string),
        });
    }
}

// === impl Record ===

impl Record {
    fn read(text: &str) -> Option<Self> {
        let leaf = EvidenceLeaf::from_bytes(&BASE64_STANDARD.decode(text).ok()?).ok()?;
        let signature = |bytes: &[u8]| MessageSignature::try_from(bytes).ok();
        let header = Signed::decode(leaf.header, signature(&leaf.header_signature)?);
        let receipt = Signed::decode(leaf.receipt, signature(&leaf.receipt_signature)?);
        Some(Self {
            header: header.ok()?,
            receipt: receipt.ok()?,
        })
    }

    /// One that is kept.
    pub(crate) fn of(row: Row) -> Option<Self> {
        Some(Self {
            header: Signed::from_bytes(row.header).ok()?,
            receipt: Signed::from_bytes(row.receipt).ok()?,
        })
    }
}
