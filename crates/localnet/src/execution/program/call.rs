//! Calls of the package's Move functions, which are the contract's.

use super::{
    Program,
    slots::{Slot, bad},
};
use atoma_types::{
    Address, MicroUsdc, ObjectId,
    chain::{
        AbortCode, ArgKind, CLOCK_OBJECT, Call, CallArg, CallError, FunctionSpec, ObjectKind,
        RANDOM_OBJECT,
    },
};
use sui_sdk_types::{
    Argument, CommandArgumentError, ExecutionError, MoveCall, MoveLocation, Object,
};

impl Program<'_> {
    pub(super) fn call(&mut self, call: &MoveCall) -> Result<Vec<Slot>, ExecutionError> {
        if call.package == Address::TWO {
            return self.framework(call);
        }
        let (module, function) = (call.module.as_str(), call.function.as_str());
        let package = self.state.deployment().package_at(call.package);
        let spec = package
            .and_then(|package| Call::spec(package, module, function))
            .ok_or(ExecutionError::FunctionNotFound)?;
        if !call.type_arguments.is_empty() {
            return Err(ExecutionError::TypeArityMismatch);
        }
        if call.arguments.len() != spec.args.len() {
            return Err(ExecutionError::ArityMismatch);
        }
        let arguments = self.arguments(spec, &call.arguments)?;
        let aborts = |code: AbortCode| ExecutionError::MoveAbort {
            location: MoveLocation {
                package: call.package,
                module: call.module.clone(),
                function: 0,
                instruction: 0,
                function_name: Some(call.function.clone()),
            },
            code: code.code(),
        };
        let decoded = Call::decode(spec, arguments).map_err(|error| match error {
            CallError::Refused { code } => aborts(code),
            // kinds were checked one by one, so what doesn't decode is a plain value
            error => bad(
                wrong_at(spec, &error),
                CommandArgumentError::InvalidBcsBytes,
            ),
        })?;
        self.txn
            .call(&decoded)
            .map_err(|abort| aborts(abort.code))?;
        Ok(Vec::new())
    }

    /// The arguments of a call of the package, each checked against its kind.
    fn arguments(
        &mut self,
        spec: &FunctionSpec,
        given: &[Argument],
    ) -> Result<Vec<CallArg>, ExecutionError> {
        let mut arguments = Vec::with_capacity(given.len());
        for (at, ((_, kind), argument)) in spec.args.iter().zip(given).enumerate() {
            let mismatch = || bad(at, CommandArgumentError::TypeMismatch);
            arguments.push(match kind {
                ArgKind::Payment => {
                    let key = self.slots.coin(at, *argument)?;
                    if self.coins.type_of(key)? != self.state.deployment().usdc {
                        return Err(mismatch());
                    }
                    self.slots.take(at, *argument)?;
                    CallArg::Payment(MicroUsdc(self.coins.consume(key)?.balance))
                }
                ArgKind::Pure(_) => match self.slots.get(at, *argument)? {
                    Slot::Pure(bytes) => CallArg::Pure(bytes.clone()),
                    _ => return Err(mismatch()),
                },
                ArgKind::Mutable(kind) => match self.slots.get(at, *argument)?.clone() {
                    Slot::Shared { mutable: false, .. } => {
                        return Err(bad(at, CommandArgumentError::InvalidObjectByMutRef));
                    }
                    Slot::Shared { id, .. } if self.is_a(id, *kind) => CallArg::Object(id),
                    _ => return Err(mismatch()),
                },
                ArgKind::Read(kind) => match self.slots.get(at, *argument)?.clone() {
                    Slot::Shared { id, .. } if self.is_a(id, *kind) => CallArg::Object(id),
                    _ => return Err(mismatch()),
                },
                ArgKind::Owned(kind) | ArgKind::OwnedMut(kind) | ArgKind::Consumed(kind) => {
                    let id = match self.slots.get(at, *argument)?.clone() {
                        Slot::Owned(id) if self.is_a(id, *kind) => id,
                        Slot::Taken => {
                            return Err(bad(at, CommandArgumentError::InvalidValueUsage));
                        }
                        _ => return Err(mismatch()),
                    };
                    if matches!(spec.args[at].1, ArgKind::Consumed(_)) {
                        self.slots.take(at, *argument)?;
                    }
                    CallArg::Object(id)
                }
                ArgKind::Clock => match *self.slots.get(at, *argument)? {
                    Slot::Shared { id, .. } if id == CLOCK_OBJECT => CallArg::Clock,
                    _ => return Err(mismatch()),
                },
                ArgKind::Random => match *self.slots.get(at, *argument)? {
                    Slot::Shared { id, .. } if id == RANDOM_OBJECT => CallArg::Random,
                    _ => return Err(mismatch()),
                },
            });
        }
        Ok(arguments)
    }

    fn is_a(&self, id: ObjectId, kind: ObjectKind) -> bool {
        let object = self
            .state
            .object(&id)
            .and_then(|o: &std::sync::Arc<Object>| o.as_struct());
        object.is_some_and(|data| *data.object_type() == self.state.deployment().type_of(kind))
    }
}

/// Which argument an error is about.
fn wrong_at(spec: &FunctionSpec, error: &CallError) -> usize {
    match error {
        CallError::WrongArgument { name, .. } => spec
            .args
            .iter()
            .position(|(argument, _)| argument == name)
            .unwrap_or_default(),
        _ => 0,
    }
}
