//! What gathering asks of the machine that it runs on and of the nodes: traits, so that it depends
//! on neither a store nor a way to reach nodes.

use crate::{pack::ReceiptProof, second::SecondRecord};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_runtime::Threads;
use atoma_types::{
    RequestId, StackId,
    chain::Node,
    message::{Receipt, RequestHeader, Signed},
};
use atoma_walrus::client::WalrusClient;
use futures::future::BoxFuture;
use std::fmt;

/// Why a source gives nothing.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// What a machine kept about a request, as far as it can still be read.
#[derive(Clone, Debug, Default)]
pub struct KeptExchange {
    /// The request header, as the user signed it.
    pub header: Option<Signed<RequestHeader>>,
    /// The request's receipt, as the node signed it.
    pub receipt: Option<Signed<Receipt>>,
    /// The record of the node that computed the answer, where the request was passed on.
    pub second: Option<SecondRecord>,
}

/// The receipts that this machine keeps.
pub trait KeptReceipts: fmt::Debug + Send + Sync {
    /// What is kept about a request; `None` if nothing is, or the store can't be read.
    fn of_request(&self, request: RequestId) -> Option<KeptExchange>;

    /// The kept receipts of the same lease up to `span` places away, those that can be read.
    fn around(&self, receipt: &Receipt, span: u64) -> Vec<Signed<Receipt>>;
}

/// Asks nodes for what they show about their receipts.
pub trait NodeProofs: fmt::Debug + Send + Sync {
    /// `GET /v1/receipts/{request}/proof?stack={stack}` of a node.
    ///
    /// # Errors
    /// If the node can't be reached, or has no receipt of the request.
    fn proof<'a>(
        &'a self,
        node: &'a Node,
        of: (StackId, RequestId),
    ) -> BoxFuture<'a, Result<ReceiptProof, SourceError>>;
}

/// Where more can be had, or why not.
#[derive(Debug)]
pub struct Sources {
    /// Keys, weights, settlements: what is believed.
    pub ledger: Result<Ledger, SourceError>,
    /// Where packs are read, or why they cannot be.
    pub walrus: Result<WalrusClient, SourceError>,
    /// Nodes may be asked for their proofs.
    pub nodes: Result<Box<dyn NodeProofs>, SourceError>,
    /// What this machine keeps.
    pub receipts: Result<Box<dyn KeptReceipts>, SourceError>,
    /// Open sealed bodies: the user's request keys, or the node's response key.
    pub keys: Vec<SigningKey>,
    /// Shards of the Walrus network: ids depend on it.
    pub shards: u16,
    /// Where packs are taken apart.
    pub threads: Threads,
}
