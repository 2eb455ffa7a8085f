//! Keys, addresses, balances.

use crate::{
    named::whole_address,
    output::{Facts, Output, millis, money},
    settings::Settings,
    values::{Usdc, some_usdc},
};
use anyhow::{Context, Result};
use atoma_keys::SigningKey;
use atoma_ledger::Connection;
use atoma_runtime::{SystemRandom, WithCauses};
use atoma_types::{Address, MicroUsdc};
use clap::Subcommand;
use serde_json::json;
use std::io::Read;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// A key's text is far shorter; whatever is longer isn't one.
const MAX_KEY_TEXT: u64 = 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Make a key.
    New,
    /// Import a secret key in Sui's form (suiprivkey…), read from standard input.
    Import,
    /// List addresses and balances.
    List,
    /// Get test money from the ledger's faucet (localnet, devnet, testnet).
    Fund {
        /// USDC as well, this much (localnet only).
        #[arg(long, value_name = "USDC", value_parser = some_usdc)]
        usdc: Option<Usdc>,
        /// To the address's balance instead of as coins (localnet only).
        #[arg(long)]
        to_balance: bool,
    },
    /// Send USDC to another address.
    Send {
        /// The address that gets it, whole.
        #[arg(value_parser = whole_address)]
        to: Address,
        /// How much, in USDC.
        #[arg(value_parser = some_usdc)]
        amount: Usdc,
    },
}

pub(crate) async fn run(command: WalletCommand, settings: Settings, output: &Output) -> Result<()> {
    match command {
        WalletCommand::New => add(&settings, SigningKey::generate(&SystemRandom), output),
        WalletCommand::Import => {
            let mut text = Zeroizing::new(String::new());
            std::io::stdin()
                .take(MAX_KEY_TEXT)
                .read_to_string(&mut text)?;
            let key = SigningKey::from_suiprivkey(&text)
                .context("cannot read a key from standard input")?;
            add(&settings, key, output)
        }
        WalletCommand::List => list(&settings, output).await,
        WalletCommand::Fund { usdc, to_balance } => fund(&settings, usdc, to_balance, output).await,
        WalletCommand::Send { to, amount } => {
            let connection = settings.connection().await?;
            let done = connection
                .transfer_usdc(&settings.key()?, to, amount.0)
                .await?;
            output.object(vec![
                ("sent_micro_usdc", money(amount.0)),
                ("to", json!(to)),
                ("transaction", json!(done.digest.to_string())),
                ("gas_mist", json!(done.gas_used)),
            ]);
            Ok(())
        }
    }
}

fn add(settings: &Settings, key: SigningKey, output: &Output) -> Result<()> {
    let address = key.public_key().address();
    let mut store = settings.open_keystore()?;
    store.add(key)?;
    output.object(vec![
        ("address", json!(address)),
        ("keystore", json!(settings.keystore)),
    ]);
    let used = settings.key().map(|key| key.public_key().address()).ok();
    if used.is_none_or(|used| used == address) {
        output.say("next: `atoma wallet fund --usdc 10` gets test money from a local ledger");
    } else {
        output.say(format!(
            "commands go on using your first address: `--address {address}` uses this one, as in\n\
             `atoma wallet fund --usdc 10 --address {address}`"
        ));
    }
    Ok(())
}

async fn list(settings: &Settings, output: &Output) -> Result<()> {
    let store = settings.open_keystore()?;
    // balances need a ledger; addresses don't
    let connection = match settings.connection().await {
        Ok(connection) => Some(connection),
        Err(error) => {
            let causes = WithCauses(error.as_ref());
            output.note(format!("balances can't be asked: {causes}"));
            None
        }
    };
    let mut rows = Vec::new();
    for key in store.keys() {
        let address = key.public_key().address();
        let mut row: Facts = vec![("address", json!(address))];
        if let Some(connection) = &connection {
            row.extend(held(connection, address).await?);
        }
        rows.push(row);
    }
    output.table(rows, "no keys yet: make one with `atoma wallet new`");
    Ok(())
}

/// What an address has: all of it, and how much of that is in its balance and in no coin.
async fn held(connection: &Connection, address: Address) -> Result<Facts> {
    let usdc = connection.usdc_held(address).await?;
    let gas = connection.gas_held(address).await?;
    Ok(vec![
        ("balance_micro_usdc", money(MicroUsdc(usdc.total()))),
        ("in_address_micro_usdc", money(MicroUsdc(usdc.in_balance))),
        ("gas_mist", json!(gas.total())),
        ("gas_in_address_mist", json!(gas.in_balance)),
    ])
}

async fn fund(
    settings: &Settings,
    usdc: Option<Usdc>,
    to_balance: bool,
    output: &Output,
) -> Result<()> {
    let connection = settings.connection().await?;
    let address = settings.key()?.public_key().address();
    let started = Instant::now();
    let progress = output.progress("asking the faucet");
    if to_balance {
        connection.faucet_to_balance(address).await?;
    } else {
        connection.faucet(address).await?;
    }
    match usdc {
        Some(amount) if to_balance => connection.mint_usdc_to_balance(address, amount.0).await?,
        Some(amount) => connection.mint_usdc(address, amount.0).await?,
        None => {}
    }
    progress.finish_and_clear();
    let mut facts: Facts = vec![("address", json!(address))];
    facts.extend(held(&connection, address).await?);
    facts.push(("took_ms", millis(started.elapsed())));
    output.object(facts);
    Ok(())
}
