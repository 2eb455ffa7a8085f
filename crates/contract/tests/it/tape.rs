//! Records what worlds do, call by call: what goes in, and all that can be seen of the package
//! afterwards. The Move package is played the same calls, see `conformance`.
//!
//! Every world has a tape of the calls that it did. A call that is refused becomes a scenario of its own at once: what was
//! done before it, and it; what was done becomes one when the world ends. A copy of a world goes on with a copy of the
//! tape. A world that is changed behind the rules' back stops its tape.

use atoma_contract::{Changes, Env, Object};
use atoma_types::{
    chain::{AbortCode, ArgKind, Call, CallArg, FunctionSpec, PureKind},
    hash::Hash32,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{cell::RefCell, rc::Rc};

/// Calls, the last of which may be one that was refused.
pub(crate) type Steps = Vec<Rc<Step>>;

thread_local! {
    static RECORDED: RefCell<Option<Vec<Steps>>> = const { RefCell::new(None) };
}

/// What one world did.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    done: Steps,
    /// Something was done that no scenario has yet.
    fresh: bool,
    /// The world was changed behind the rules' back.
    stopped: bool,
}

impl Clone for Tape {
    fn clone(&self) -> Self {
        Self {
            done: self.done.clone(),
            fresh: false,
            stopped: self.stopped,
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Tape {
    /// A call that was run.
    pub(crate) fn note(
        &mut self,
        env: &Env,
        (function, args): (&FunctionSpec, &[CallArg]),
        outcome: Result<&Changes, AbortCode>,
    ) {
        // the storage network's own functions are not the package's
        if self.stopped || !is_recording() || !is_ours(function) {
            return;
        }
        let step = Rc::new(step(env, (function, args), outcome));
        if outcome.is_ok() {
            self.done.push(step);
            self.fresh = true;
        } else {
            let mut steps = self.done.clone();
            steps.push(step);
            keep(steps);
        }
    }

    /// Nothing that comes later is noted.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
        if std::mem::take(&mut self.fresh) {
            keep(self.done.clone());
        }
    }
}

/// The scenarios of all worlds that `act` makes in this thread.
pub(crate) fn record(act: impl FnOnce()) -> Vec<Steps> {
    RECORDED.set(Some(Vec::new()));
    act();
    RECORDED.take().unwrap_or_default()
}

fn is_recording() -> bool {
    RECORDED.with_borrow(Option::is_some)
}

fn keep(steps: Steps) {
    // a thread that ends has no place for it any more
    let _ = RECORDED.try_with(|recorded| {
        if let Some(scenarios) = recorded.borrow_mut().as_mut() {
            scenarios.push(steps);
        }
    });
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

impl Step {
    /// The call alone, for where another scenario looks at what came of it.
    pub(crate) fn call_alone(&self) -> Value {
        json!({
            "by": self.by, "at_ms": self.at_ms, "transaction": self.transaction, "created": self.created,
            "seed": self.seed, "call": self.call, "args": self.args,
        })
    }
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
    /// Of an object only if it is short: for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    bcs: Option<String>,
    /// BLAKE2b-256 of an object's, which is what Move compares.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

/// Bytes of an object that are written out.
const SHORT: usize = 2_000;

impl Bytes {
    /// Its type within the package, as `module::Name`.
    pub(crate) fn type_(&self) -> &str {
        &self.type_
    }
}

fn is_ours(function: &FunctionSpec) -> bool {
    let listed = |f: &FunctionSpec| f.module == function.module && f.name == function.name;
    Call::FUNCTIONS.iter().any(listed)
}

fn step(
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
            .filter_map(|((name, kind), arg)| describe(env, name, *kind, arg))
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
        bcs: Some(hex::encode(event.to_bytes())),
        hash: None,
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
            bcs: (bytes.len() <= SHORT).then(|| hex::encode(&bytes)),
            hash: Some(hex::encode(Hash32::of(&bytes).0)),
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
fn describe(env: &Env, name: &str, kind: ArgKind, arg: &CallArg) -> Option<Value> {
    Some(match (kind, arg) {
        (_, CallArg::Object(id)) => {
            json!({ "name": name, "object": id.to_string(), "bcs": hex::encode(id.as_bytes()) })
        }
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
