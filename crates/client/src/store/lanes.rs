//! Which lane belongs to which program, and how far its ceilings may rise. All of it within the
//! writer's transactions, which exclude those of other programs.

use super::rows::{KeptLane, LaneKey, from_sql, to_sql};
use atoma_store::{OpenError, Slot};
use atoma_types::{ComputeUnits, NodeId, StackId};
use rusqlite::{Connection, Row, params};
use std::path::Path;

/// A lane as it is kept, with the units of its good receipts.
const LANE: &str =
    "SELECT lane, bound, granted, excused, (SELECT COALESCE(SUM(units), 0) FROM receipts AS r
         WHERE r.stack = l.stack AND r.node = l.node AND r.lane = l.lane AND fault IS NULL)
     FROM lanes AS l WHERE stack = ?1 AND node = ?2";

/// What a program asks for.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// A lane of its own: one that it had before, or else the lowest that nobody has used, as far as
    /// the file and the node (these) know.
    Own { used: Vec<u16> },
    /// The lane with this number.
    Named(u16),
}

/// Why a lane isn't given.
#[derive(Debug)]
pub(super) enum NotGiven {
    /// Another program that lives has it.
    InUse(u16),
    /// All have been used.
    None,
    /// Whether its program lives can't be found out.
    Folder(OpenError),
}

/// Gives a program (the one with this slot) a lane of a lease. A lane that is taken from a program
/// that has died comes with the dead one's slot, to be held until the change is committed.
pub(super) fn claim(
    db: &Connection,
    (stack, node): (StackId, NodeId),
    slot: u16,
    wanted: &Wanted,
    folder: Option<&Path>,
) -> rusqlite::Result<Result<(KeptLane, Option<Slot>), NotGiven>> {
    let owners = owners(db, stack, node)?;
    let lane = match wanted {
        Wanted::Named(lane) => *lane,
        Wanted::Own { used } => {
            if let Some(kept) = of_slot(db, stack, node, slot)?.first() {
                return Ok(Ok((*kept, None)));
            }
            let free =
                |lane: &u16| !used.contains(lane) && !owners.iter().any(|(taken, _)| taken == lane);
            match (0..=u16::MAX).find(free) {
                Some(lane) => lane,
                None => return Ok(Err(NotGiven::None)),
            }
        }
    };
    let owner = owners.iter().find(|(taken, _)| *taken == lane);
    let inherited = match (owner, folder) {
        (Some((_, owner)), Some(folder)) if *owner != slot => {
            match Slot::take_number(folder, *owner) {
                Ok(Some(dead)) => Some(dead),
                Ok(None) => return Ok(Err(NotGiven::InUse(lane))),
                Err(error) => return Ok(Err(NotGiven::Folder(error))),
            }
        }
        _ => None,
    };
    db.prepare_cached(
        "INSERT INTO lanes (stack, node, lane, slot, bound) VALUES (?1, ?2, ?3, ?4, 0)
         ON CONFLICT (stack, node, lane) DO UPDATE SET slot = excluded.slot",
    )?
    .execute(params![stack.0.as_bytes(), node.0.as_bytes(), lane, slot])?;
    let key = LaneKey { stack, node, lane };
    Ok(Ok((kept(db, key)?, inherited)))
}

/// The lanes of a lease that belong to a slot, lowest first.
pub(super) fn of_slot(
    db: &Connection,
    stack: StackId,
    node: NodeId,
    slot: u16,
) -> rusqlite::Result<Vec<KeptLane>> {
    let mut query = db.prepare_cached(&format!("{LANE} AND slot = ?3 ORDER BY lane"))?;
    let lease = params![stack.0.as_bytes(), node.0.as_bytes(), slot];
    query.query_map(lease, read)?.collect()
}

fn kept(db: &Connection, key: LaneKey) -> rusqlite::Result<KeptLane> {
    let mut query = db.prepare_cached(&format!("{LANE} AND lane = ?3"))?;
    let lane = params![key.stack.0.as_bytes(), key.node.0.as_bytes(), key.lane];
    query.query_row(lane, read)
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeptLane> {
    Ok(KeptLane {
        lane: row.get(0)?,
        bound: ComputeUnits(from_sql(row.get(1)?)),
        granted: ComputeUnits(from_sql(row.get(2)?)),
        excused: ComputeUnits(from_sql(row.get(3)?)),
        settled: ComputeUnits(from_sql(row.get(4)?)),
    })
}

/// The lanes of a lease with their slots.
fn owners(db: &Connection, stack: StackId, node: NodeId) -> rusqlite::Result<Vec<(u16, u16)>> {
    let mut query =
        db.prepare_cached("SELECT lane, slot FROM lanes WHERE stack = ?1 AND node = ?2")?;
    let lease = params![stack.0.as_bytes(), node.0.as_bytes()];
    let rows = query.query_map(lease, |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// The program that has a lane ends: what the next one begins with.
pub(super) fn end(
    db: &Connection,
    key: LaneKey,
    slot: u16,
    (bound, granted): (u64, u64),
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE lanes SET bound = MIN(bound, ?5), granted = ?6
         WHERE stack = ?1 AND node = ?2 AND lane = ?3 AND slot = ?4",
    )?
    .execute(params![
        key.stack.0.as_bytes(),
        key.node.0.as_bytes(),
        key.lane,
        slot,
        to_sql(bound),
        to_sql(granted),
    ])?;
    Ok(())
}

/// What a crash would leave of a lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    pub(crate) bound: u64,
    pub(crate) excused: u64,
    pub(crate) granted: u64,
}

/// Raises a lane's bound, and writes down what is granted of its window.
pub(super) fn raise(db: &Connection, key: LaneKey, slot: u16, left: Left) -> rusqlite::Result<()> {
    // the row may be gone: another program has seen that the stack is closed
    db.prepare_cached(
        "INSERT INTO lanes (stack, node, lane, slot, bound, excused, granted)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (stack, node, lane) DO UPDATE SET bound = MAX(bound, excluded.bound),
             excused = MAX(excused, excluded.excused), granted = excluded.granted",
    )?
    .execute(params![
        key.stack.0.as_bytes(),
        key.node.0.as_bytes(),
        key.lane,
        slot,
        to_sql(left.bound),
        to_sql(left.excused),
        to_sql(left.granted),
    ])?;
    Ok(())
}

/// Forgets the lanes of a stack.
pub(super) fn forget(db: &Connection, stack: StackId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM lanes WHERE stack = ?1")?
        .execute([stack.0.as_bytes()])
        .map(drop)
}
