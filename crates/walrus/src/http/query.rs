//! Query parameters. Unknown ones are refused, as Walrus's daemons do.

use super::error::ApiError;
use crate::{
    ObjectId,
    store::{Check, PutOptions},
};
use axum::{extract::Query, http::Uri};
use serde::{Deserialize, de::DeserializeOwned};

/// How a blob or a quilt is to be stored.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PutQuery {
    pub(super) epochs: Option<u32>,
    permanent: Option<bool>,
    /// Without effect: deletable is the default.
    deletable: Option<bool>,
    #[serde(default)]
    force: bool,
    /// There's nothing here to be used again.
    #[serde(default, rename = "reuse_resources")]
    _reuse_resources: bool,
    pub(super) send_object_to: Option<ObjectId>,
    #[serde(default)]
    share: bool,
    encoding_type: Option<String>,
    quilt_version: Option<String>,
}

/// How much is checked on a read.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetQuery {
    #[serde(default)]
    strict_consistency_check: bool,
    #[serde(default)]
    skip_consistency_check: bool,
}

/// Some of a blob.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RangeQuery {
    pub(super) start: u64,
    pub(super) length: u64,
}

/// The query of a route that takes none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoQuery {}

/// Reads a query.
pub(super) fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, ApiError> {
    let query = Query::<T>::try_from_uri(uri);
    query
        .map(|query| query.0)
        .map_err(|error| ApiError::malformed(error.body_text()))
}

impl PutQuery {
    /// Epochs asked for; one by default.
    pub(super) fn epochs(&self) -> u32 {
        self.epochs.unwrap_or(1)
    }

    pub(super) fn options(&self, quilt: bool) -> Result<PutOptions, ApiError> {
        let permanent = self.permanent.unwrap_or(false);
        if permanent && self.deletable == Some(true) {
            return Err(ApiError::persistence());
        }
        if self.share && self.send_object_to.is_some() {
            let message = "`share` and `send_object_to` exclude each other";
            return Err(ApiError::malformed(message));
        }
        if self
            .encoding_type
            .as_deref()
            .is_some_and(|kind| kind != "RS2")
        {
            return Err(ApiError::malformed("the encoding type is RS2"));
        }
        match self.quilt_version.as_deref() {
            None => {}
            Some("V1" | "v1") if quilt => {}
            Some(_) => return Err(ApiError::malformed("the quilt version is V1, of quilts")),
        }
        let mut options = PutOptions {
            epochs: self.epochs(),
            deletable: !permanent,
            force: self.force,
            owner: self.send_object_to,
            share: self.share,
            ..PutOptions::default()
        };
        if quilt {
            let (name, value) = ("_walrusBlobType".to_owned(), "quilt".to_owned());
            options.attributes.insert(name, value);
        }
        Ok(options)
    }
}

impl GetQuery {
    pub(super) fn check(&self) -> Result<Check, ApiError> {
        match (self.strict_consistency_check, self.skip_consistency_check) {
            (true, true) => Err(ApiError::malformed(
                "a consistency check can't be both strict and skipped",
            )),
            (true, false) => Ok(Check::Strict),
            // slivers are checked in any case: it costs little
            (false, _) => Ok(Check::Slivers),
        }
    }
}
