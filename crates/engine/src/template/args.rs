//! Arguments as Python's callers give them: by position, then by name.

use std::collections::VecDeque;

use minijinja::value::{Kwargs, Rest};
use minijinja::{Error, ErrorKind, Value};

/// What a filter or method was called with.
pub(super) struct Args {
    by_position: VecDeque<Value>,
    by_name: Option<Kwargs>,
}

impl Args {
    pub(super) fn new(args: &[Value]) -> Result<Self, Error> {
        let (by_name, rest) = match args.split_last() {
            Some((last, rest)) if last.is_kwargs() => (Some(Kwargs::try_from(last.clone())?), rest),
            _ => (None, args),
        };
        Ok(Self {
            by_position: rest.iter().cloned().collect(),
            by_name,
        })
    }

    /// The next argument, which may also be given as `name`; None and undefined are none.
    pub(super) fn next(&mut self, name: &str) -> Option<Value> {
        let named = || {
            self.by_name
                .as_ref()
                .and_then(|k| k.get::<Value>(name).ok())
        };
        let value = self.by_position.pop_front().or_else(named);
        value.filter(|value| !value.is_none() && !value.is_undefined())
    }

    /// As [`next`](Self::next), where the caller must give it.
    pub(super) fn required(&mut self, name: &str) -> Result<Value, Error> {
        self.next(name).ok_or_else(|| {
            Error::new(
                ErrorKind::MissingArgument,
                format!("argument {name} is missing"),
            )
        })
    }

    /// The next argument, a text.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        match self.next(name) {
            None => Ok(None),
            Some(value) => text(&value).map(|text| Some(text.to_owned())),
        }
    }

    /// The next argument, a whole number.
    pub(super) fn int(&mut self, name: &str) -> Result<Option<i64>, Error> {
        self.next(name).map(i64::try_from).transpose()
    }

    /// What is left of those by position, and those by name as the last.
    pub(super) fn rest(self) -> Vec<Value> {
        self.by_position
            .into_iter()
            .chain(self.by_name.map(Value::from))
            .collect()
    }

    /// The next argument's truth.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.next(name).is_some_and(|value| value.is_true())
    }
}

impl TryFrom<Rest<Value>> for Args {
    type Error = Error;

    fn try_from(args: Rest<Value>) -> Result<Self, Error> {
        Self::new(&args)
    }
}

/// A text, or Python's complaint.
pub(super) fn text(value: &Value) -> Result<&str, Error> {
    value
        .as_str()
        .ok_or_else(|| wrong(format!("expected a string, not {}", value.kind())))
}

/// Texts of a sequence, or the one text.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Error> {
    match value.as_str() {
        Some(text) => Ok(vec![text.to_owned()]),
        None => value
            .try_iter()?
            .map(|item| text(&item).map(str::to_owned))
            .collect(),
    }
}

/// What Python says of values of the wrong kind.
pub(super) fn wrong(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.into())
}
