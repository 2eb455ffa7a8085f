//! Records what worlds do, call by call: what goes in, and all that can be seen of the package
//! afterwards. The Move package is played the same calls, see `conformance`.

use atoma_contract::{Changes, Env, Object, State};
use atoma_types::chain::{AbortCode, ArgKind, Call, CallArg, FunctionSpec, PureKind};
use serde::Serialize;
use serde_json::{Value, json};
use std::cell::RefCell;

thread_local! {
    static TAPES: RefCell<Option<Vec<Tape>>> = const { RefCell::new(None) };
}

/// What one world did, until somebody changed it behind the rules' back.
#[derive(Debug)]
struct Tape {
    steps: Vec<Step>,
    /// As the last step left it.
    state: State,
    spoiled: bool,
}

/// One call of a world's story, with all that Move needs to repeat it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    /// Who signs: an address.
    pub(crate) by: String,
    pub(crate) at_ms: String,
    /// The transaction's digest and the ids made in it before: new ids follow from them.
    pub(crate) transaction: String,
    pub(crate) created: u64,
    /// What the beacon says.
    pub(crate) seed: String,
    pub(crate) call: String,
    pub(crate) args: Vec<Value>,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Aborts(Abort),
    Done {
        events: Vec<Bytes>,
        /// To whom, how much.
        paid: Vec<(String, String)>,
        objects: Vec<Bytes>,
    },
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Abort {
    pub(crate) code: u64,
    pub(crate) name: &'static str,
}

/// Something with its Move type and its BCS.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bytes {
    #[serde(rename = "type")]
    type_: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    bcs: String,
}

impl Bytes {
    /// Its type within the package, as `module::Name`.
    pub(crate) fn type_(&self) -> &str {
        &self.type_
    }
}

/// What the worlds that `act` makes do in this thread, world by world.
pub(crate) fn record(act: impl FnOnce()) -> Vec<Vec<Step>> {
    TAPES.set(Some(Vec::new()));
    act();
    let tapes = TAPES.take().unwrap_or_default();
    tapes.into_iter().map(|tape| tape.steps).collect()
}

/// A fresh world.
pub(crate) fn begin(state: &State) {
    TAPES.with_borrow_mut(|tapes| {
        if let Some(tapes) = tapes {
            tapes.push(Tape {
                steps: Vec::new(),
                state: state.clone(),
                spoiled: false,
            });
        }
    });
}

/// A call that was run on `before` and led to `after`.
pub(crate) fn note(
    before: &State,
    after: &State,
    env: &Env,
    (function, args): (&FunctionSpec, &[CallArg]),
    outcome: Result<&Changes, AbortCode>,
) {
    TAPES.with_borrow_mut(|tapes| {
        let Some(tape) = tapes.as_mut().and_then(|tapes| tapes.last_mut()) else {
            return;
        };
        tape.spoiled |= tape.state != *before;
        if !tape.spoiled {
            tape.state = after.clone();
            // the storage network's own functions are not the package's
            if is_ours(function) {
                tape.steps
                    .push(step(before, env, (function, args), outcome));
            }
        }
    });
}

fn is_ours(function: &FunctionSpec) -> bool {
    let listed = |f: &FunctionSpec| f.module == function.module && f.name == function.name;
    Call::FUNCTIONS.iter().any(listed)
}

fn step(
    before: &State,
    env: &Env,
    (function, args): (&FunctionSpec, &[CallArg]),
    outcome: Result<&Changes, AbortCode>,
) -> Step {
    let args = function.args.iter().zip(args);
    Step {
        by: env.sender.to_string(),
        at_ms: env.now.0.to_string(),
        transaction: hex::encode(env.transaction.into_inner()),
        created: env.created,
        seed: hex::encode(env.seed),
        call: format!("{}::{}", function.module, function.name),
        args: args
            .filter_map(|((name, kind), arg)| describe(before, env, name, *kind, arg))
            .collect(),
        outcome: match outcome {
            Err(code) => Outcome::Aborts(Abort {
                code: code.code(),
                name: code.name(),
            }),
            Ok(changes) => done(changes),
        },
    }
}

fn done(changes: &Changes) -> Outcome {
    let events = changes.events.iter().map(|event| Bytes {
        type_: format!("{}::{}", event.module(), event.name()),
        id: None,
        bcs: hex::encode(event.to_bytes()),
    });
    let paid = changes.payouts.iter();
    let paid = paid.map(|payout| (payout.to.to_string(), payout.amount.0.to_string()));
    let objects = changes.written.values().filter_map(|(object, _)| {
        let (module, name) = object.kind()?.move_name();
        let mut bytes = object.to_bcs();
        if let Object::Db(db) = object {
            hide_ids(&mut bytes, db);
        }
        Some(Bytes {
            type_: format!("{module}::{name}"),
            id: Some(object.id().to_string()),
            bcs: hex::encode(bytes),
        })
    });
    Outcome::Done {
        events: events.collect(),
        paid: paid.collect(),
        objects: objects.collect(),
    }
}

/// The database's own ids are made up here and real ones in Move.
fn hide_ids(bytes: &mut [u8], db: &atoma_types::chain::AtomaDb) {
    for id in [db.id, db.nodes.id, db.models.id, db.tasks.id] {
        let at = bytes.windows(32).position(|window| window == id.as_bytes());
        let at = at.expect("an object has its ids in it");
        bytes[at..at + 32].fill(0);
    }
}

/// An argument, for people and in BCS. The clock stands at the step's time.
fn describe(before: &State, env: &Env, name: &str, kind: ArgKind, arg: &CallArg) -> Option<Value> {
    Some(match (kind, arg) {
        (_, CallArg::Object(id)) => match before.get(*id) {
            Some(Object::Blob(blob)) => {
                json!({ "name": name, "blob": id.to_string(), "bcs": hex::encode(blob_bytes(blob)) })
            }
            _ => {
                json!({ "name": name, "object": id.to_string(), "bcs": hex::encode(id.as_bytes()) })
            }
        },
        (_, CallArg::Payment(amount)) => json!({
            "name": name, "payment": amount.0.to_string(), "bcs": hex::encode(amount.0.to_le_bytes()),
        }),
        (ArgKind::Pure(kind), CallArg::Pure(bytes)) => {
            let mut value = json!({ "name": name, "bcs": hex::encode(bytes) });
            if let Some(readable) = readable(kind, bytes) {
                value["value"] = readable;
            }
            value
        }
        (_, CallArg::Random) => json!({
            "name": name, "bcs": hex::encode(bcs::to_bytes(&env.seed.to_vec()).unwrap()),
        }),
        _ => return None,
    })
}

/// What the package reads of a blob: its id, length, whether and when it was certified, its end, and
/// whether it can be deleted.
fn blob_bytes(blob: &atoma_types::chain::Blob) -> Vec<u8> {
    bcs::to_bytes(&(
        blob.blob_id.0,
        blob.size,
        blob.certified_epoch,
        blob.storage.end_epoch,
        blob.deletable,
    ))
    .unwrap()
}

fn readable(kind: PureKind, bytes: &[u8]) -> Option<Value> {
    let value = match kind {
        PureKind::U8 => json!(bcs::from_bytes::<u8>(bytes).ok()?),
        PureKind::U32 => json!(bcs::from_bytes::<u32>(bytes).ok()?),
        // beyond what every reader of JSON takes as a number
        PureKind::U64 => json!(bcs::from_bytes::<u64>(bytes).ok()?.to_string()),
        PureKind::Bool => json!(bcs::from_bytes::<bool>(bytes).ok()?),
        PureKind::String => json!(bcs::from_bytes::<String>(bytes).ok()?),
        _ => return None,
    };
    Some(value)
}
