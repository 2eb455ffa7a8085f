//! Starting and stopping.

use crate::{
    access::LedgerAccess,
    config::{CheckpointMode, LocalnetConfig},
    error::LocalnetError,
    faucet, grpc,
    open::{Opened, open},
    trouble::Deaf,
    writer::{Command, seal_in_time},
};
use atoma_http::server::Server;
use atoma_keys::SigningKey;
use atoma_runtime::WithCauses;
use atoma_store::WriterThread;
use atoma_types::{
    NetworkId,
    chain::{Deployment, LOCALNET_PACKAGE},
};
use axum::Router;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// How long open connections get to end when the localnet stops.
const GRACE: Duration = Duration::from_secs(2);

/// A Sui-compatible ledger on this machine; [`Localnet::start`] runs one.
#[derive(Debug)]
pub struct Localnet;

/// A localnet that runs. Dropping it stops it without waiting; see [`Self::shutdown`].
#[derive(Debug)]
pub struct RunningLocalnet {
    access: Arc<LedgerAccess>,
    address: SocketAddr,
    admin: SigningKey,
    server: Option<Server>,
    writer: Option<WriterThread>,
    /// Seals checkpoints in time, where they aren't one for each transaction.
    sealer: Option<JoinHandle<()>>,
}

impl Localnet {
    /// Starts a localnet in its data folder, or makes one there.
    ///
    /// # Errors
    /// If the folder is in use or broken, or the address cannot be listened on.
    pub async fn start(config: LocalnetConfig) -> Result<RunningLocalnet, LocalnetError> {
        let address = config.listen;
        let unusable = |source| LocalnetError::Listen { address, source };
        let sockets = config.runtime.sockets.clone();
        let listener = sockets.listen(address).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let threads = config.runtime.threads;
        let opened = threads.blocking(move || open(config)).await;
        let Opened {
            access,
            writer,
            admin,
            bell,
        } = opened??;
        // what a crash left unsealed
        let sealed = access.write(|reply| Command::Seal { reply }).await;
        sealed.map_err(|_| LocalnetError::Writer)?;
        let sealer = match access.config.checkpoint {
            CheckpointMode::PerTransaction => None,
            CheckpointMode::EveryMs(every) => {
                let every = Duration::from_millis(every);
                let seal = seal_in_time(access.writes.clone(), bell, every);
                Some(tokio::spawn(seal))
            }
        };
        let limits = access.config.limits.clone();
        let server = Server::start(listener, routes(&access), limits, Arc::default());
        let server = server.map_err(|source| LocalnetError::Listen { address, source })?;
        tracing::info!(%address, chain = %access.chain, "localnet runs");
        Ok(RunningLocalnet {
            access,
            address,
            admin,
            server: Some(server),
            writer: Some(writer),
            sealer,
        })
    }
}

impl RunningLocalnet {
    /// The URL at which the ledger and its faucet answer, `http://ADDRESS:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its gRPC services as they are, without a server around them.
    #[cfg(feature = "fuzzing")]
    #[must_use]
    pub fn services(&self) -> tonic::service::Routes {
        grpc::routes(self.access.clone())
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Which ledger this is.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        self.access.network()
    }

    /// Where the package stands, or will once it is published.
    #[must_use]
    pub fn deployment(&self) -> Deployment {
        Deployment::localnet(self.network())
    }

    /// Whether the package stands there: it does from the start, unless it was left to be published.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.access.view.read().state.is_package(&LOCALNET_PACKAGE)
    }

    /// The administrator's key, as kept in the data folder. It holds the `AdminCap` unless another
    /// address was configured.
    #[must_use]
    pub fn admin_key(&self) -> &SigningKey {
        &self.admin
    }

    /// Checks that all money is accounted for.
    ///
    /// # Errors
    /// What does not add up, in words.
    pub fn audit(&self) -> Result<crate::audit::Audit, String> {
        crate::audit::audit(&self.access.view.read())
    }

    /// Has the next so many transactions that change a shared object given up for congestion, as a busy Sui does:
    /// they cost gas and do nothing else.
    pub fn congest(&self, transactions: u32) {
        self.access.trouble.congest(transactions);
    }

    /// Has the next so many submissions turned away, as a Sui does that has too much to do: nothing of them is
    /// executed, and they may be submitted again.
    pub fn turn_away(&self, submissions: u32) {
        self.access.trouble.turn_away(submissions);
    }

    /// From now on whoever follows events is refused, with this gRPC status code: streams that run end with it.
    pub fn refuse_events(&self, code: i32) {
        let code = tonic::Code::from(code);
        self.access.trouble.deafen(Deaf::Refused(code));
    }

    /// Tells events again, but to nobody who goes on from a place before the last checkpoint: as a full node that has
    /// forgotten its history.
    pub fn forget_places(&self) {
        let tip = self.access.view.read().tip.sequence_number;
        self.access.trouble.deafen(Deaf::Forgotten(tip));
    }

    /// Tells events again to everybody.
    pub fn tell_events(&self) {
        self.access.trouble.deafen(Deaf::No);
    }

    /// Stops: what was accepted is finished, streams end, the database is closed.
    pub async fn shutdown(mut self) {
        self.access.stopping.send_replace(true);
        if let Some(server) = self.server.take() {
            server.close(GRACE).await;
        }
        if let Some(sealer) = self.sealer.take() {
            sealer.abort();
            // that it was aborted is no news
            let _ = sealer.await;
        }
        if let Some(writer) = self.writer.take() {
            // an error means that it has stopped already
            let _ = self.access.write(|reply| Command::Seal { reply }).await;
            self.access.writes.close();
            let threads = self.access.config.runtime.threads;
            if let Err(error) = threads.blocking(move || writer.join()).await {
                tracing::error!(error = %WithCauses(&error), "the writer ended badly");
            }
        }
    }
}

impl Drop for RunningLocalnet {
    fn drop(&mut self) {
        self.access.stopping.send_replace(true);
        self.access.writes.close();
        if let Some(sealer) = &self.sealer {
            sealer.abort();
        }
    }
}

/// gRPC, gRPC-web and the plain routes on one port.
fn routes(access: &Arc<LedgerAccess>) -> Router {
    let grpc = tower::ServiceBuilder::new()
        .layer(tonic_web::GrpcWebLayer::new())
        .service(grpc::routes(Arc::clone(access)).prepare());
    faucet::routes(Arc::clone(access)).fallback_service(grpc)
}
