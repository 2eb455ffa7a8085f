//! Whether an issuer has frozen an address's dollars: no list of ours says so, but every transaction that moves them
//! is refused.

use crate::{Connection, ExecuteError, build::Work};
use atoma_types::Address;
use futures::future::BoxFuture;
use sui_rpc::proto::sui::rpc::v2::execution_error::ExecutionErrorKind;

impl Connection {
    /// Whether the USDC of an address can't be moved now, as its issuer may decide. Found out by simulating to send a
    /// millionth of it to itself, so the address must have some, and gas.
    ///
    /// # Errors
    /// If nobody answers, or the transfer fails for another reason.
    pub fn is_usdc_frozen(&self, address: Address) -> BoxFuture<'_, Result<bool, ExecuteError>> {
        Box::pin(async move {
            let (to, amount) = (address, 1);
            let moved = self.preview(address, &Work::Transfer { to, amount }).await;
            match moved {
                Ok(_) => Ok(false),
                Err(ExecuteError::Failed { source, .. }) if is_denial(source.kind) => Ok(true),
                Err(error) => Err(error),
            }
        })
    }
}

fn is_denial(kind: ExecutionErrorKind) -> bool {
    matches!(
        kind,
        ExecutionErrorKind::AddressDeniedForCoin | ExecutionErrorKind::CoinTypeGlobalPause
    )
}
