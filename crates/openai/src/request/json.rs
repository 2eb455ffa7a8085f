//! Reading JSON, and saying which field is wrong.

use atoma_types::refusal::{Refusal, RefusalCode};
use serde::Deserialize;

pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let message = error.to_string();
        let refusal = Refusal::new(
            RefusalCode::InvalidBody,
            format!("invalid JSON body: {message}"),
        );
        match message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'))
        {
            Some((field, _)) => refusal.param(field),
            None => refusal,
        }
    })
}

pub(super) fn bad(param: &str, message: &str) -> Refusal {
    Refusal::new(RefusalCode::InvalidBody, format!("`{param}`: {message}")).param(param)
}

pub(super) fn only<T>(items: Vec<T>) -> Option<T> {
    let mut items = items.into_iter();
    items.next().filter(|_| items.len() == 0)
}
