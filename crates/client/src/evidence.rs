//! Is a request's evidence good? [`gather`] collects what there is about it, [`check`] decides.
//!
//! The checks themselves are in `atoma-evidence`; here are this machine's two sources: the receipts
//! that it keeps, and the nodes it can ask.

use crate::{ClientError, NodeInfo, NodeReach, Receipts, http::Http};
use atoma_runtime::Sockets;
use atoma_types::{
    RequestId, StackId,
    chain::Node,
    message::{Receipt, Signed},
};
use futures::future::BoxFuture;

use atoma_evidence::receipt::proof_path;

pub use atoma_evidence::{
    check::{
        CertifiedObject, Check, CheckKind, Gap, Gathered, Item, Neighbour, Outcome, PackBytes,
        PackPlace, Report, Rerun, Second, Settlement, Subject, Verdict, check, need,
    },
    gather::{
        GatherError, Given, KeptExchange, KeptReceipts, NodeProofs, SourceError, Sources, gather,
    },
    pack::ReceiptProof,
};

impl KeptReceipts for Receipts {
    fn of_request(&self, request: RequestId) -> Option<KeptExchange> {
        let kept = self.show(request).ok()??;
        Some(KeptExchange {
            header: kept.signed_header().ok(),
            receipt: kept.signed().ok(),
            second: kept.second_record().ok().flatten(),
        })
    }

    fn around(&self, receipt: &Receipt, span: u64) -> Vec<Signed<Receipt>> {
        self.kept_around(receipt, span).unwrap_or_default()
    }
}

/// Asks nodes for their proofs over HTTP.
#[derive(Debug)]
pub struct AskNodes(Http);

impl AskNodes {
    /// With connections of its own, through this network.
    ///
    /// # Errors
    /// If TLS can't be set up.
    pub fn new(sockets: Sockets) -> Result<Self, ClientError> {
        Ok(Self(Http::new(sockets, NodeReach::Anywhere)?))
    }
}

impl NodeProofs for AskNodes {
    fn proof<'a>(
        &'a self,
        node: &'a Node,
        (stack, request): (StackId, RequestId),
    ) -> BoxFuture<'a, Result<ReceiptProof, SourceError>> {
        Box::pin(async move {
            let info = NodeInfo::new(node, None, NodeReach::Anywhere)?;
            Ok(self.0.get(&info, &proof_path(stack, request)).await?)
        })
    }
}
