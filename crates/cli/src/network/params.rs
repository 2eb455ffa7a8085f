//! The parameters of a network: reading them, and setting one as its administrator.

use super::admin::right;
use crate::{
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::{Context, Result};
use atoma_types::chain::{Params, calls};
use serde_json::json;

pub(super) async fn list(settings: &Settings, output: &Output) -> Result<()> {
    let params = settings.ledger().await?.db().await?.params;
    let names = Params::NAMES.iter();
    if output.is_json() {
        let facts: Facts = names.map(|name| (*name, json!(params.get(name)))).collect();
        output.object(facts);
        return Ok(());
    }
    // names and numbers as `set-param` takes them
    let row = |name: &&str| {
        vec![
            ("parameter", json!(name)),
            ("value", json!(params.get(name))),
        ]
    };
    output.table(names.map(row).collect(), "no parameters");
    Ok(())
}

pub(super) async fn set(
    settings: &Settings,
    name: &str,
    value: u64,
    output: &Output,
) -> Result<()> {
    let (least, most) = Params::bounds(name).with_context(|| {
        format!(
            "no parameter is called `{name}`; there are {}",
            Params::NAMES.join(", ")
        )
    })?;
    let ledger = settings.ledger().await?;
    // a network on which nothing is worth anything has no floors
    let least = if ledger.db().await?.development {
        0
    } else {
        least
    };
    anyhow::ensure!(
        (least..=most).contains(&value),
        "`{name}` is from {least} to {most}"
    );
    let call = calls::SetParam {
        cap: right(&ledger, settings).await?.id.into(),
        db: ledger.deployment().db.into(),
        name: name.to_owned(),
        value,
    };
    let done = ledger.execute(&settings.key()?, vec![call.into()]).await?;
    output.object(vec![
        ("parameter", json!(name)),
        ("value", json!(value)),
        ("transaction", json!(done.digest.to_string())),
        ("gas_mist", json!(done.gas_used)),
    ]);
    Ok(())
}
