//! The parts of a running node, and what each task and each group of routes takes of them.

use crate::{
    admin::Operator,
    attest::{AttestTask, Memory, Reader, Remembered},
    billing::Billing,
    cache_secret::CacheSecret,
    concurrency::ConcurrencyLimit,
    confidential::{Guest, Renewal},
    config::{AttestConfig, NodeConfig},
    evidence::{AnswerTask, Builder, EvidenceLog, PackLists, PackStore, PackTask, ReadBack},
    forward::{Forwarder, Stocker},
    identity::Identity,
    journal::Journal,
    leases::Leases,
    ledger::{
        Follower, Granter, LeaseFinder, LeaseKeeper, LedgerLink, SettlementTask, TakenGrants,
        Upkeep,
    },
    metrics::Metrics,
    serve::{
        About, Attestation, Counter, Inference, LeaseRecords, LeaseRoutes, PublicState, Readiness,
        Receipts,
    },
    signer::ResponseKeys,
    tasks::Tasks,
};
use atoma_client::Client;
use atoma_http::server::BodyRoom;
use atoma_ledger::Listener;
use atoma_runtime::SharedClock;
use atoma_types::{DurationMs, StackId};
use atoma_walrus::client::WalrusClient;
use futures::future::BoxFuture;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// Bytes that the bodies of all requests under way may have beyond the first 64 KiB of each: 64 of the longest.
/// With what is free, 2,048 requests at once have 384 MiB of bodies at most.
const LONG_BODIES_BYTES: usize = 256 << 20;

/// Alive only while the node starts: afterwards everyone has what they need.
pub(crate) struct Components {
    pub us: Identity,
    pub url: String,
    pub config: NodeConfig,
    pub response_keys: Arc<ResponseKeys>,
    pub clock: SharedClock,
    pub leases: Arc<Leases>,
    pub journal: Journal,
    pub evidence: Option<Arc<EvidenceLog>>,
    pub tasks: Arc<Tasks>,
    pub link: Arc<LedgerLink>,
    pub keeper: Arc<LeaseKeeper>,
    pub concurrency: Arc<ConcurrencyLimit>,
    pub metrics: Arc<Metrics>,
    pub forward: Option<Forward>,
    pub guest: Option<Arc<Guest>>,
}

/// Passing on: the client of other nodes, and what is ready with them.
pub(crate) struct Forward {
    pub client: Client,
    pub forwarder: Arc<Forwarder>,
}

impl Components {
    /// Follows the ledger, settles, packs, answers and attests, until the handles are dropped.
    pub(crate) fn start_background(
        &self,
        events: Listener,
        duties: mpsc::UnboundedReceiver<StackId>,
        attest: Option<(Memory, Remembered)>,
        renewal: Option<Renewal>,
    ) -> Vec<AbortOnDropHandle<()>> {
        let spawn = |task| AbortOnDropHandle::new(tokio::spawn(task));
        let follower = Follower {
            keeper: self.keeper.clone(),
            link: self.link.clone(),
            metrics: self.metrics.clone(),
            url: self.url.clone(),
            concurrency: self.concurrency.clone(),
        };
        let packs = self.evidence.as_ref().map(|log| PackStore {
            log: log.clone(),
            journal: self.journal.clone(),
            metrics: self.metrics.clone(),
            owner: self.link.owner(),
        });
        let settlement = SettlementTask::new(
            &self.config.settlement,
            self.config.min_grant,
            self.keeper.clone(),
            self.link.clone(),
            self.metrics.clone(),
            packs.clone().map(|packs| PackLists::new(packs, self.us)),
        );
        let upkeep = Upkeep {
            node: self.us.node,
            tasks: self.tasks.clone(),
            link: self.link.clone(),
            leases: self.leases.clone(),
            metrics: self.metrics.clone(),
            config: self.config.upkeep.clone(),
            evidence: self.evidence.clone(),
        };
        let follow: BoxFuture<'static, ()> = Box::pin(follower.run(events));
        let mut tasks = vec![
            spawn(follow),
            spawn(Box::pin(settlement.run())),
            spawn(Box::pin(upkeep.run())),
        ];
        if let Some(renewal) = renewal {
            tasks.push(spawn(Box::pin(renewal.run())));
        }
        if let Some(Forward { client, forwarder }) = &self.forward {
            let stocker = Stocker {
                node: self.us.node,
                forwarder: forwarder.clone(),
                client: client.clone(),
                tasks: self.tasks.clone(),
                metrics: self.metrics.clone(),
                parted: HashMap::new(),
                closing: HashMap::new(),
            };
            tasks.push(spawn(Box::pin(stocker.run())));
        }
        if let Some(packs) = packs {
            let walrus = packs.log.walrus();
            tasks.extend(self.keep_evidence(packs, duties).map(spawn));
            if let (Some((memory, remembered)), Some(config)) = (attest, &self.config.attest) {
                let attest = self.attester(config, memory, walrus);
                tasks.push(spawn(Box::pin(attest.run(remembered))));
            }
        }
        tasks
    }

    /// Packs records for Walrus, and shows those that are demanded.
    fn keep_evidence(
        &self,
        packs: PackStore,
        duties: mpsc::UnboundedReceiver<StackId>,
    ) -> [BoxFuture<'static, ()>; 2] {
        let log = packs.log.clone();
        let builder = Builder::new(&log, self.us, self.response_keys.present.public_key());
        let answer = AnswerTask {
            node: self.us.node,
            response_keys: self.response_keys.clone(),
            keeper: self.keeper.clone(),
            link: self.link.clone(),
            read_back: ReadBack::new(&log, self.us, &self.metrics, &self.keeper.signals.duties),
            log,
            packs: packs.clone(),
            metrics: self.metrics.clone(),
            duties,
        };
        let pack = PackTask::new(builder, packs, self.link.clone(), self.clock.clone());
        [Box::pin(pack.run()), Box::pin(answer.run())]
    }

    /// Examines and judges others' answers.
    fn attester(&self, config: &AttestConfig, memory: Memory, walrus: WalrusClient) -> AttestTask {
        let reader = Reader {
            node: self.us.node,
            keys: self.response_keys.clone(),
            link: self.link.clone(),
            walrus,
        };
        AttestTask {
            node: self.us.node,
            config: config.clone(),
            tasks: self.tasks.clone(),
            link: self.link.clone(),
            concurrency: self.concurrency.clone(),
            metrics: self.metrics.clone(),
            runtime: self.config.runtime.clone(),
            reader: Arc::new(reader),
            memory,
        }
    }

    pub(crate) fn forwarder(&self) -> Option<Arc<Forwarder>> {
        let forward = self.forward.as_ref();
        forward.map(|forward| forward.forwarder.clone())
    }

    pub(crate) fn readiness(&self) -> Arc<Readiness> {
        Arc::new(Readiness {
            concurrency: self.concurrency.clone(),
            journal: self.journal.clone(),
            link: self.link.clone(),
            tasks: self.tasks.clone(),
        })
    }

    pub(crate) fn public_state(&self, readiness: &Arc<Readiness>) -> PublicState {
        let finder = Arc::new(LeaseFinder::new(
            self.keeper.clone(),
            self.link.clone(),
            self.metrics.clone(),
            self.us.hold > DurationMs(0),
        ));
        let billing = Billing {
            clock: self.clock.clone(),
            journal: self.journal.clone(),
            evidence: self.evidence.clone(),
            metrics: self.metrics.clone(),
            concurrency: self.concurrency.clone(),
        };
        PublicState {
            inference: Inference {
                us: self.us,
                concurrency: self.concurrency.clone(),
                forwarder: self.forwarder(),
                limits: self.config.limits.clone(),
                body_room: BodyRoom::new(LONG_BODIES_BYTES),
                finder: finder.clone(),
                tasks: self.tasks.clone(),
                response_key: self.response_keys.present.clone(),
                guest: self.guest.clone(),
                billing: Arc::new(billing),
                cache_secret: CacheSecret::draw(&self.config.runtime),
                counter: Counter::new(self.config.runtime.threads),
                runtime: self.config.runtime.clone(),
            },
            about: About {
                us: self.us,
                url: self.url.clone(),
                response_key: self.response_keys.present.public_key(),
                tasks: self.tasks.clone(),
                concurrency: self.concurrency.clone(),
            },
            attestation: Attestation(self.guest.clone()),
            receipts: Receipts::new(
                self.journal.clone(),
                self.evidence.clone(),
                self.config.runtime.threads,
            ),
            leases: LeaseRoutes {
                granter: Granter {
                    us: self.us,
                    tasks: self.tasks.clone(),
                    finder,
                    keeper: self.keeper.clone(),
                    link: self.link.clone(),
                    clock: self.clock.clone(),
                    metrics: self.metrics.clone(),
                    least: self.config.min_grant,
                    step_permille: self.config.grant_step_permille,
                    taken: TakenGrants::default(),
                },
                concurrency: self.concurrency.clone(),
                limits: self.config.limits.clone(),
                leases: self.leases.clone(),
                records: LeaseRecords::new(self.journal.clone(), self.config.runtime.threads),
            },
            readiness: readiness.clone(),
        }
    }

    pub(crate) fn operator(&self) -> Operator {
        Operator {
            metrics: self.metrics.clone(),
            leases: self.leases.clone(),
            tasks: self.tasks.clone(),
            journal: self.journal.clone(),
            evidence: self.evidence.clone(),
            settle_now: self.keeper.signals.settle_now.clone(),
        }
    }
}
