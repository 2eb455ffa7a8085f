//! The writer's thread: commits many entries at once, those that somebody waits for without delay.

use super::{
    QUEUE,
    rows::{LaneKey, Row, insert, to_sql},
};
use atoma_types::StackId;
use rusqlite::{Connection, params};
use std::time::Duration;
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot},
};

/// Receipts in one commit for which nobody waits.
const BATCH: usize = 512;
/// Receipts are gathered this long: nobody waits for them, they come with every request, and a
/// commit costs far more than a row in it. What a crash takes the node still has.
const GATHER: Duration = Duration::from_millis(50);

/// What is written at once, because somebody waits for it.
pub(super) enum Command {
    Bound(LaneKey, u64, oneshot::Sender<bool>),
    Stack(StackId, oneshot::Sender<bool>),
    Forget(StackId),
    Flush(oneshot::Sender<bool>),
}

enum Entry {
    Receipt(Box<Row>),
    Command(Command),
}

/// The next entries: receipts that have gathered for a while, ended early by a command, which
/// comes after the receipts that were kept before it. Empty when there will be no more.
async fn gather(
    receipts: &mut mpsc::Receiver<Box<Row>>,
    commands: &mut mpsc::Receiver<Command>,
) -> Vec<Entry> {
    let mut batch = Vec::new();
    let command = tokio::select! {
        biased;
        command = commands.recv() => command,
        Some(first) = receipts.recv() => {
            batch.push(Entry::Receipt(first));
            tokio::select! {
                command = commands.recv() => command,
                () = tokio::time::sleep(GATHER) => None,
            }
        }
    };
    // whoever waits for a command waits for all that was kept before it
    let most = if command.is_some() { QUEUE } else { BATCH };
    while batch.len() < most
        && let Ok(next) = receipts.try_recv()
    {
        batch.push(Entry::Receipt(next));
    }
    batch.extend(command.map(Entry::Command));
    batch
}

/// The writer's thread: gathers entries, commits them at once, tells those who wait.
pub(super) fn write(
    runtime: &Runtime,
    mut connection: Connection,
    mut receipts: mpsc::Receiver<Box<Row>>,
    mut commands: mpsc::Receiver<Command>,
) {
    loop {
        let batch = runtime.block_on(gather(&mut receipts, &mut commands));
        if batch.is_empty() {
            return;
        }
        let written = commit(&mut connection, &batch);
        if let Err(error) = &written {
            tracing::error!(%error, "the client's store cannot be written");
        }
        for entry in batch {
            if let Entry::Command(
                Command::Bound(_, _, done) | Command::Stack(_, done) | Command::Flush(done),
            ) = entry
            {
                // who no longer waits needs no answer
                let _ = done.send(written.is_ok());
            }
        }
    }
}

fn commit(connection: &mut Connection, batch: &[Entry]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for entry in batch {
        match entry {
            Entry::Receipt(row) => insert(&transaction, row)?,
            Entry::Command(Command::Bound(key, bound, _)) => {
                transaction
                    .prepare_cached(
                        "INSERT INTO lanes VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT DO UPDATE SET bound = MAX(bound, excluded.bound)",
                    )?
                    .execute(params![
                        key.stack.0.as_bytes(),
                        key.node.0.as_bytes(),
                        key.lane,
                        to_sql(*bound)
                    ])?;
            }
            Entry::Command(Command::Stack(stack, _)) => {
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO stacks VALUES (?1)")?
                    .execute([stack.0.as_bytes()])?;
            }
            Entry::Command(Command::Forget(stack)) => {
                for table in ["stacks", "lanes"] {
                    transaction
                        .prepare_cached(&format!("DELETE FROM {table} WHERE stack = ?1"))?
                        .execute([stack.0.as_bytes()])?;
                }
            }
            Entry::Command(Command::Flush(_)) => {}
        }
    }
    transaction.commit()
}
