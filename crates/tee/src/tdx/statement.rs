//! When Intel's statements were made and how long they hold. What they say of a platform is read by
//! `dcap-qvl`, from the same bytes.

use super::TdxFault;
use crate::{
    der::{Element, tag},
    fault::Result,
};
use serde::Deserialize;

/// Of a statement, what is read here.
#[derive(Debug)]
pub(super) struct Statement {
    /// Seconds since 1970.
    pub(super) issued: i64,
    /// Seconds since 1970.
    pub(super) next_update: i64,
    /// Which of Intel's evaluations it is of.
    pub(super) evaluation: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dates {
    issue_date: String,
    next_update: String,
    tcb_evaluation_data_number: u32,
}

/// Reads a statement's dates; whether it is Intel's isn't looked at here.
pub(super) fn read(text: &[u8]) -> Result<Statement> {
    let dates: Dates = serde_json::from_slice(text).map_err(|_| TdxFault::Collateral)?;
    Ok(Statement {
        issued: seconds(&dates.issue_date)?,
        next_update: seconds(&dates.next_update)?,
        evaluation: dates.tcb_evaluation_data_number,
    })
}

/// Seconds since 1970 of `2026-11-18T12:00:00Z`, the one form that Intel writes.
fn seconds(text: &str) -> Result<i64> {
    let shape: Vec<char> = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let as_written = text.get(4..5) == Some("-") && text.get(10..11) == Some("T");
    if shape != ['-', '-', 'T', ':', ':', 'Z'] || !as_written {
        return Err(TdxFault::Collateral.into());
    }
    let body = format!("{digits}Z");
    let element = Element {
        tag: tag::GENERALIZED_TIME,
        body: body.as_bytes(),
        raw: body.as_bytes(),
    };
    element.time().map_err(|_| TdxFault::Collateral.into())
}
