//! The ledger's terms for transactions: what gas costs, and the epoch, which says how long they are good for.

use crate::{Connection, ReadError, epoch::Terms, malformed::MalformedAnswer, mask::mask};
use std::time::Duration;
use sui_rpc::proto::sui::rpc::v2::GetEpochRequest;
use tokio::time::Instant;

/// Both change once an epoch. Asking this often is enough: an epoch that is just over still gives transactions
/// that are good for the next one.
const AGE: Duration = Duration::from_secs(60);

impl Connection {
    pub(crate) async fn terms(&self) -> Result<Terms, ReadError> {
        if let Some((asked, terms)) = *self.inner.terms.lock()
            && asked.elapsed() < AGE
        {
            return Ok(terms);
        }
        let request =
            GetEpochRequest::default().with_read_mask(mask(&["epoch", "reference_gas_price"]));
        let mut client = self.inner.client.clone();
        let answer = client.ledger_client().get_epoch(request).await;
        let epoch = answer.map_err(|status| self.refused(&status))?.into_inner();
        let epoch = epoch.epoch.unwrap_or_default();
        let price = epoch.reference_gas_price;
        let price = price.ok_or(MalformedAnswer::Missing("reference gas price"))?;
        let terms = Terms {
            epoch: epoch.epoch(),
            price,
        };
        *self.inner.terms.lock() = Some((Instant::now(), terms));
        Ok(terms)
    }
}
