//! Plain HTTP beside gRPC: the faucet as Sui has it, test dollars, the clock's hand, the freezing of addresses, and the
//! sum of all money.

use crate::{
    access::LedgerAccess,
    treasury::Gift,
    writer::{Command, Rejected},
};
use atoma_types::{Address, MicroUsdc};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use sui_sdk_types::{Digest, IdOperation, ObjectOut, Owner, TransactionEffects};

/// The faucet's routes, and those of what a localnet alone can do: its clock, its freezing, its own audit.
pub(crate) fn routes(access: Arc<LedgerAccess>) -> Router {
    Router::new()
        .route("/v2/gas", post(gas))
        .route("/faucet/usdc", post(usdc))
        .route("/localnet/clock", get(time).post(advance))
        .route("/localnet/freeze", post(freeze))
        .route("/localnet/audit", get(audit))
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(access)
}

/// Sui's request for a fixed amount.
#[derive(Debug, Deserialize)]
struct GasRequest {
    #[serde(rename = "FixedAmountRequest")]
    fixed: FixedAmount,
    /// Not Sui's: to the address's balance, not as coins.
    #[serde(default)]
    to_balance: bool,
}

#[derive(Debug, Deserialize)]
struct FixedAmount {
    recipient: Address,
}

/// A request for test dollars.
#[derive(Debug, Deserialize)]
struct UsdcRequest {
    recipient: Address,
    amount: MicroUsdc,
    /// To the address's balance, not as a coin.
    #[serde(default)]
    to_balance: bool,
}

/// A coin that was given, as Sui's faucet tells it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Coin {
    amount: u64,
    id: Address,
    transfer_tx_digest: Digest,
}

#[derive(Debug, Serialize)]
struct Given {
    status: &'static str,
    coins_sent: Vec<Coin>,
}

/// A refusal in the faucet's own words.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "status": { "Failure": { "Internal": self.1 } } });
        (self.0, Json(body)).into_response()
    }
}

impl From<Rejected> for Refused {
    fn from(rejected: Rejected) -> Self {
        let status = match rejected {
            Rejected::Refused(_) => StatusCode::BAD_REQUEST,
            Rejected::Busy => StatusCode::TOO_MANY_REQUESTS,
            Rejected::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, rejected.to_string())
    }
}

/// Whether all money is there: 500 and where it is if not.
async fn audit(State(access): State<Arc<LedgerAccess>>) -> (StatusCode, String) {
    match crate::audit::audit(&access.view.read()) {
        Ok(sums) => (StatusCode::OK, format!("{sums:?}\n")),
        Err(wrong) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{wrong}\n")),
    }
}

async fn gas(
    State(access): State<Arc<LedgerAccess>>,
    Json(request): Json<GasRequest>,
) -> Result<Json<Given>, Refused> {
    let faucet = access.config.faucet;
    let gift = Gift {
        to: request.fixed.recipient,
        sui: faucet.sui,
        usdc: faucet.usdc.0,
        to_balance: request.to_balance,
    };
    give(&access, gift).await
}

async fn usdc(
    State(access): State<Arc<LedgerAccess>>,
    Json(request): Json<UsdcRequest>,
) -> Result<Json<Given>, Refused> {
    let gift = Gift {
        to: request.recipient,
        sui: 0,
        usdc: request.amount.0,
        to_balance: request.to_balance,
    };
    give(&access, gift).await
}

async fn give(access: &LedgerAccess, gift: Gift) -> Result<Json<Given>, Refused> {
    if !access.config.faucet.enabled {
        let why = "this localnet has no faucet".to_owned();
        return Err(Refused(StatusCode::FORBIDDEN, why));
    }
    let executed = access
        .execute(|reply| Command::Give { gift, reply })
        .await?;
    let to = gift.to;
    let TransactionEffects::V2(effects) = &executed.effects else {
        return Ok(Json(Given {
            status: "Success",
            coins_sent: Vec::new(),
        }));
    };
    let view = access.view.read();
    let coins_sent = effects
        .changed_objects
        .iter()
        .filter(|changed| {
            changed.id_operation == IdOperation::Created
                && matches!(&changed.output_state,
                    ObjectOut::ObjectWrite { owner: Owner::Address(owner), .. } if *owner == to)
        })
        .map(|changed| Coin {
            // spent already if it is no longer there
            amount: view
                .state
                .object(&changed.object_id)
                .and_then(|object| crate::objects::as_coin(object))
                .map_or(0, |(_, balance)| balance),
            id: changed.object_id,
            transfer_tx_digest: executed.digest,
        })
        .collect();
    Ok(Json(Given {
        status: "Success",
        coins_sent,
    }))
}

/// How far the clock is to be moved.
#[derive(Debug, Deserialize)]
struct Advance {
    advance_ms: u64,
}

/// The ledger's time.
#[derive(Debug, Serialize)]
struct Time {
    now_ms: u64,
}

/// Who is to be frozen, or thawed.
#[derive(Debug, Deserialize)]
struct Freeze {
    address: Address,
    frozen: bool,
}

/// From the next transaction on. Where the clock may be moved, this may be done.
async fn freeze(
    State(access): State<Arc<LedgerAccess>>,
    Json(request): Json<Freeze>,
) -> Result<StatusCode, Refused> {
    if !access.clock.is_adjustable() {
        let why = "this localnet freezes nobody".to_owned();
        return Err(Refused(StatusCode::FORBIDDEN, why));
    }
    access.frozen.set(request.address, request.frozen);
    Ok(StatusCode::NO_CONTENT)
}

async fn time(State(access): State<Arc<LedgerAccess>>) -> Json<Time> {
    Json(Time {
        now_ms: access.clock.now().0,
    })
}

async fn advance(
    State(access): State<Arc<LedgerAccess>>,
    Json(request): Json<Advance>,
) -> Result<Json<Time>, Refused> {
    if !access.clock.is_adjustable() {
        let why = "the clock of this localnet can't be moved".to_owned();
        return Err(Refused(StatusCode::FORBIDDEN, why));
    }
    let by_ms = request.advance_ms;
    let now = access
        .write(|reply| Command::Advance { by_ms, reply })
        .await?;
    Ok(Json(Time { now_ms: now.0 }))
}
