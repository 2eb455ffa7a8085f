//! The attester: looks at others' answers where the ledger has drawn this node to, and says what it found.
//!
//! ```text
//! ledger's events ──> step ──> look at stacks ──> judge in the background ──> say / commit ──> reveal
//!                       │                              │
//!                   attest.sqlite               record from Walrus, keys from the ledger, the node's own engine
//! ```
//!
//! * [`step`] decides; this module carries out, in order. A finding is durable before the ledger hears of it.
//! * [`duty`] says what a stack's object wants of us, [`read`] reads what was shown, [`judge`] computes it again.
//! * [`enrol`] looks after the promise: deposit, fees; [`hear`] takes events in.
//! * Paying requests come first: a record waits while the engine has a queue, until half of its time is over, and only
//!   so many are computed at once.

mod act;
mod duty;
mod enrol;
mod hear;
mod judge;
mod read;
mod step;
mod store;
mod watched;

use crate::{
    concurrency::ConcurrencyLimit,
    config::AttestConfig,
    ledger::{Ear, LedgerLink},
    metrics::Metrics,
    tasks::Tasks,
};
use atoma_ledger::{Cursor, EventStart, ReadError};
use atoma_runtime::{Runtime, WithCauses};
use atoma_types::{DurationMs, MicroUsdc, NodeId, StackId, TaskId, TimestampMs, hash::Hash32};
use duty::Duty;
use futures::StreamExt;
use judge::{Judged, WITHHELD};
pub(crate) use read::Reader;
use read::Unread;
use std::{pin::pin, sync::Arc, time::Duration};
use step::{Act, Attester, Command, Event, Note, Summons};
pub use store::AttestStoreError;
pub(crate) use store::{Memory, Remembered};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tracing::Instrument;
use watched::Now;

/// The shortest time between two looks at the ledger's clock.
const MIN_TICK_MS: u64 = 20;
/// The promise is looked after once in so many ticks.
const LOOK_AFTER_EVERY: u64 = 16;
/// A record waits so long before it asks again whether paying requests leave it room.
const ROOM_PAUSE: Duration = Duration::from_millis(100);
/// A record has one of the places that `at_once` allows for so long; what takes longer goes on beside others, until its
/// deadline.
const LONGEST_PLACE: Duration = Duration::from_secs(600);

/// Attests in the background.
#[derive(Debug)]
pub(crate) struct AttestTask {
    pub node: NodeId,
    pub config: AttestConfig,
    pub tasks: Arc<Tasks>,
    pub link: Arc<LedgerLink>,
    pub concurrency: Arc<ConcurrencyLimit>,
    pub metrics: Arc<Metrics>,
    pub runtime: Runtime,
    pub reader: Arc<Reader>,
    pub memory: Memory,
}

/// What one run has beside the task.
struct Running {
    attester: Attester,
    /// Records that are looked at: whose, and what came of it.
    judging: JoinSet<(Duty, Judged)>,
    room: Arc<Semaphore>,
    ear: Arc<Ear>,
    /// How often nothing was told since the start.
    quiet: u32,
}

impl AttestTask {
    /// Runs until it is dropped.
    pub(crate) async fn run(self, remembered: Remembered) {
        let Remembered { kept, cursor } = remembered;
        let start = cursor.map_or(EventStart::Beginning, EventStart::After);
        // what was shown to whom stands in events alone: of what was missed it hears all that the ledger still has
        let mut events = self.link.ledger.listen(start, EventStart::Beginning);
        let mut running = Running {
            attester: Attester::new(self.node, DurationMs(self.config.spread_ms), kept),
            judging: JoinSet::new(),
            room: Arc::new(Semaphore::new(self.config.at_once.max(1))),
            ear: self.link.ear(),
            quiet: 0,
        };
        let mut ticks =
            tokio::time::interval(Duration::from_millis(self.config.tick_ms.max(MIN_TICK_MS)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut count: u64 = 0;
        loop {
            tokio::select! {
                // what was found is said before more is heard, and fees can wait for both
                biased;
                Some(judged) = running.judging.join_next() => {
                    // one that panicked is found again by its stack's deadline
                    if let Ok((duty, judged)) = judged {
                        self.judged(&mut running, duty, judged).await;
                    }
                }
                Some(told) = events.next() => {
                    if !self.hear(&mut running, told, &mut events).await {
                        continue;
                    }
                }
                _ = ticks.tick() => {
                    if count.is_multiple_of(LOOK_AFTER_EVERY) {
                        self.look_after().await;
                    }
                    count = count.wrapping_add(1);
                }
            }
            self.round(&mut running).await;
        }
    }

    /// Tries until it is on disk: without that nothing may follow.
    async fn keep(&self, notes: Vec<Note>, cursor: Option<Cursor>) {
        let notes: Arc<[Note]> = notes.into();
        while let Err(error) = self.memory.keep(notes.clone(), cursor.clone()).await {
            tracing::error!(error = %WithCauses(&error), "the attester's memory can't be written");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Looks at what has changed, and does what follows, until nothing more follows.
    async fn round(&self, running: &mut Running) {
        let Some(now) = self.now().await else {
            return;
        };
        let commands = running.attester.step(Event::Round(now));
        self.carry_out(running, commands).await;
        self.metrics
            .attest_seats
            .set(running.attester.seats() as i64);
    }

    async fn now(&self) -> Option<Now> {
        let ledger = self.link.ledger.clock().await.ok()?;
        Some(Now {
            ledger,
            at: Instant::now(),
        })
    }

    async fn judged(&self, running: &mut Running, duty: Duty, judged: Judged) {
        let unknown = Now {
            ledger: TimestampMs(0),
            at: Instant::now(),
        };
        let now = self.now().await.unwrap_or(unknown);
        let salt = Hash32(self.runtime.random.bytes());
        let judged = Event::Judged {
            duty,
            judged,
            salt,
            now,
        };
        let commands = running.attester.step(judged);
        self.carry_out(running, commands).await;
    }

    async fn carry_out(&self, running: &mut Running, commands: Vec<Command>) {
        let mut commands = std::collections::VecDeque::from(commands);
        while let Some(command) = commands.pop_front() {
            match command {
                Command::Keep(note) => self.keep(vec![note], None).await,
                Command::Look(stack) => {
                    // what follows from it comes before other stacks
                    for command in self.look(running, stack).await.into_iter().rev() {
                        commands.push_front(command);
                    }
                }
                Command::Judge(summons) => self.begin(running, *summons),
                Command::Act(act) => self.act(running, act).await,
            }
        }
    }

    async fn look(&self, running: &mut Running, stack: StackId) -> Vec<Command> {
        let read = match self.link.ledger.stack(stack).await {
            Ok(read) => read,
            Err(error) => {
                self.metrics.ledger_errors.inc();
                tracing::debug!(error = %WithCauses(&error), %stack, "a stack can't be read yet");
                return Vec::new();
            }
        };
        if read.terms.sampling.is_none() || !self.attests(read.task) {
            return running.attester.step(Event::NotOurs(stack));
        }
        match self.now().await {
            Some(now) => running.attester.step(Event::Looked(&read, now)),
            None => Vec::new(),
        }
    }

    fn attests(&self, task: TaskId) -> bool {
        let named = self.config.tasks.is_empty() || self.config.tasks.contains(&task);
        named && self.tasks.get(task).is_ok()
    }

    /// Looks at a record in the background.
    fn begin(&self, running: &mut Running, summons: Summons) {
        let duty = summons.duty;
        let looking = Looking {
            reader: self.reader.clone(),
            link: self.link.clone(),
            concurrency: self.concurrency.clone(),
            tasks: self.tasks.clone(),
            metrics: self.metrics.clone(),
            room: running.room.clone(),
        };
        let ticket = duty.ticket;
        let span = tracing::info_span!(
            "audit", stack = %ticket.stack, node = %ticket.holder, ticket = ticket.to_seq, seat = duty.seat.as_str()
        );
        let look = async move { (duty, looking.look(&summons).await) };
        running.judging.spawn(look.instrument(span));
    }

    async fn act(&self, running: &mut Running, act: Act) {
        let stack = act.stack();
        let call = |bond| act::call(self.node, &act, bond);
        let name = call(MicroUsdc::ZERO).function().name;
        let done = async {
            let bond = self.bond(&act).await?;
            self.link.execute(vec![call(bond)]).await
        };
        let taken = match done.await {
            Ok(_) => {
                self.metrics.attest_act(name);
                tracing::info!(%stack, name, "attested");
                true
            }
            Err(error) => {
                if error.is_transient() {
                    self.metrics.ledger_errors.inc();
                }
                if matches!(act, Act::Say { bad: true, .. }) {
                    // the bond must be in the wallet
                    tracing::warn!(error = %WithCauses(&error), %stack, "an accusation isn't taken");
                }
                // often somebody else was faster
                tracing::debug!(error = %WithCauses(&error), %stack, name, "the ledger doesn't take it");
                false
            }
        };
        let now = Now {
            ledger: TimestampMs(0),
            at: Instant::now(),
        };
        running.attester.step(Event::Acted { stack, taken, now });
    }

    /// What is staked on an accusation; nothing on anything else.
    async fn bond(&self, act: &Act) -> Result<MicroUsdc, ReadError> {
        let Act::Say { ticket, bad: true } = act else {
            return Ok(MicroUsdc::ZERO);
        };
        let stack = self.link.ledger.stack(ticket.stack).await?;
        Ok(act::bond(stack.terms.sampling.as_ref(), self.config.bond))
    }

    /// The promise to attest: makes it, and takes the fees.
    async fn look_after(&self) {
        for served in self.tasks.iter().filter(|task| self.attests(task.id)) {
            let looked = enrol::look_after(&self.link, self.node, served.id, &self.config).await;
            match looked {
                Ok(Some(name)) => tracing::info!(task = %served.id, name, "done"),
                Ok(None) => {}
                Err(error) => {
                    self.metrics.ledger_errors.inc();
                    tracing::warn!(error = %WithCauses(&error), task = %served.id, "the promise to attest isn't looked after");
                }
            }
        }
    }
}

/// What looking at one record takes.
struct Looking {
    reader: Arc<Reader>,
    link: Arc<LedgerLink>,
    concurrency: Arc<ConcurrencyLimit>,
    tasks: Arc<Tasks>,
    metrics: Arc<Metrics>,
    room: Arc<Semaphore>,
}

impl Looking {
    async fn look(self, summons: &Summons) -> Judged {
        let started = Instant::now();
        let judged = self.judged(summons).await;
        let outcome = match judged {
            Judged::Found(verdict) if verdict == WITHHELD => "withheld",
            Judged::Found(verdict) if verdict.is_bad() => "guilty",
            Judged::Found(_) => "honest",
            Judged::Unheard { .. } => "unheard",
            Judged::TooLong => "too_long",
            Judged::Unknown => "unknown",
        };
        self.metrics.audited(outcome, started.elapsed());
        tracing::info!(outcome, "a record was looked at");
        judged
    }

    async fn judged(&self, summons: &Summons) -> Judged {
        let record = match self.reader.read(summons).await {
            Ok(record) => record,
            Err(unread) => return found_unread(&unread, summons.last_call),
        };
        let Ok(task) = self.tasks.get(summons.claimed.task) else {
            return Judged::Unknown;
        };
        let about = (&summons.duty, &summons.claimed);
        let judging = judge::judge(&*task.engine, &task.model, about, record);
        let may_begin = || self.may_begin(&*task.engine, summons);
        match in_time(&self.room, summons.left.into(), may_begin, judging).await {
            Some(Ok(verdict)) => Judged::Found(verdict),
            Some(Err(error)) => {
                tracing::warn!(error = %WithCauses(&error), "nothing can be said of the record yet");
                Judged::Unknown
            }
            None => {
                tracing::error!(
                    "the record wasn't computed again by its deadline: this attester is silent on it"
                );
                Judged::TooLong
            }
        }
    }

    /// Behind paying requests, as long as there is time.
    async fn may_begin(&self, engine: &dyn atoma_engine::Engine, summons: &Summons) -> bool {
        let full = self.concurrency.running() >= self.concurrency.size() as usize;
        if engine.load().waiting == 0 && !full {
            return true;
        }
        let now = self.link.ledger.clock().await;
        now.is_ok_and(|now| now >= summons.urgent_from)
    }
}

/// Does what takes one of the places, once it may begin and for as long as there's time; after [`LONGEST_PLACE`] the
/// place is another's. `None` if the time is over.
async fn in_time<T, Begins: Future<Output = bool>>(
    room: &Semaphore,
    left: Duration,
    may_begin: impl Fn() -> Begins,
    work: impl Future<Output = T>,
) -> Option<T> {
    let placed = async {
        let place = loop {
            // the semaphore is never closed
            let place = room.acquire().await;
            if may_begin().await {
                break place;
            }
            drop(place);
            tokio::time::sleep(ROOM_PAUSE).await;
        };
        let mut work = pin!(work);
        let done = tokio::time::timeout(LONGEST_PLACE, &mut work).await;
        drop(place);
        match done {
            Ok(done) => done,
            Err(_) => work.await,
        }
    };
    tokio::time::timeout(left, placed).await.ok()
}

/// What follows where a record can't be read: some of that is the node's fault, for everyone to see.
fn found_unread(unread: &Unread, last_call: TimestampMs) -> Judged {
    tracing::warn!(error = %WithCauses(unread), "a record can't be read");
    match unread {
        Unread::Withheld(_) | Unread::Garbage(_) | Unread::Uncertified(_) | Unread::NotThere => {
            Judged::Found(WITHHELD)
        }
        Unread::NoTransaction(_) => Judged::Unheard { last_call },
        Unread::Ledger(_)
        | Unread::Walrus(_)
        | Unread::Forgotten(_)
        | Unread::NoRecord
        | Unread::NotShown
        | Unread::KeyGone(_) => Judged::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_evidence::pack::Uncertified;
    use atoma_ledger::Digest;
    use atoma_types::BlobId;
    use atoma_walrus::client::ClientError;

    /// A record that was kept when it was shown is never withheld for what Walrus does.
    #[test]
    fn what_walrus_says_convicts_nobody_and_what_the_ledger_says_convicts_for_all() {
        let digest = Digest::new([1; 32]);
        let last_call = TimestampMs(7);
        let found = |unread| found_unread(&unread, last_call);
        let gone = ClientError::NotFound(BlobId([2; 32]));
        assert_eq!(found(Unread::Walrus(gone)), Judged::Unknown);
        assert_eq!(found(Unread::Forgotten(digest)), Judged::Unknown);
        let unheard = found(Unread::NoTransaction(digest));
        assert_eq!(unheard, Judged::Unheard { last_call });
        let (certified, shown) = (8, 7);
        for uncertified in [
            Uncertified::OtherBlob,
            Uncertified::Late { certified, shown },
            Uncertified::Deletable,
            Uncertified::EndsSoon { end: 8, shown: 7 },
        ] {
            let judged = found(Unread::Uncertified(uncertified));
            assert_eq!(judged, Judged::Found(WITHHELD), "{uncertified:?}");
        }
        assert_eq!(found(Unread::NotThere), Judged::Found(WITHHELD));
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_has_until_its_deadline_and_doesnt_keep_the_only_place_from_others() {
        let (room, hour) = (Semaphore::new(1), Duration::from_secs(3_600));
        let started = Instant::now();
        let at_once = || std::future::ready(true);
        let heavy = in_time(&room, 12 * hour, at_once, tokio::time::sleep(2 * hour));
        let endless = in_time(&room, 3 * hour, at_once, std::future::pending::<()>());
        let busy = in_time(&room, hour, || std::future::ready(false), async {});
        let light = async {
            // behind them
            tokio::task::yield_now().await;
            let done = in_time(&room, hour, at_once, async {}).await;
            done.map(|()| started.elapsed())
        };
        let (busy, heavy, endless, light) = tokio::join!(busy, heavy, endless, light);
        assert_eq!(busy, None, "paying requests leave it no room");
        assert_eq!((heavy, endless), (Some(()), None));
        assert_eq!(light, Some(2 * LONGEST_PLACE));
        assert_eq!(started.elapsed(), 3 * hour);
    }
}
