//! Transactions per second of localnet, from many wallets at once through the official client,
//! beside what the disk alone allows: one durable write after the other.

use crate::{
    network::fund,
    process::{Process, measured},
};
use anyhow::{Context, Result};
use atoma_bench_report::{Report, Table};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_runtime::SystemRandom;
use atoma_types::MicroUsdc;
use std::{
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

/// Wallets that send at the same time.
const WALLETS: usize = 32;
/// Durable writes of the disk's figure.
const DISK_WRITES: u32 = 500;

pub(crate) async fn run(atoma: &Path, transactions: usize) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let mut command = measured(atoma);
    command.args([
        "--json",
        "localnet",
        "run",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
    ]);
    let (localnet, ready) = Process::start(command.arg(folder.path().join("ledger")), "ledger")?;
    let url = ready["ledger"]
        .as_str()
        .context("the ledger names its URL")?
        .to_owned();
    let ledger = Ledger::connect(&url).await?;
    let mut wallets = Vec::new();
    for _ in 0..WALLETS {
        let wallet = SigningKey::generate(&SystemRandom);
        fund(&ledger, &wallet).await?;
        wallets.push(wallet);
    }
    let (before, started) = (localnet.cpu()?, Instant::now());
    let mut senders = Vec::new();
    for wallet in wallets {
        let ledger = ledger.clone();
        senders.push(tokio::spawn(async move {
            let to = wallet.public_key().address();
            for _ in 0..transactions / WALLETS {
                ledger.transfer_usdc(&wallet, to, MicroUsdc(1)).await?;
            }
            Ok::<_, anyhow::Error>(())
        }));
    }
    for sender in senders {
        sender.await??;
    }
    let sent = transactions / WALLETS * WALLETS;
    let wall = started.elapsed();
    let cpu = localnet.cpu()?.saturating_sub(before).as_micros() / sent as u128;
    let rate = per_second(sent as u128, wall);
    let disk = per_second(u128::from(DISK_WRITES), disk(folder.path())?);
    println!(
        "localnet, {WALLETS} wallets, {sent} durable USDC transfers (simulated, executed, read back)"
    );
    println!("transactions/s      {rate:>8}");
    println!("CPU-us/transaction  {cpu:>8}");
    println!("limit: durable writes/s of this disk, one by one  {disk:>8}");

    let mut table = Table::new(&["Figure", "Unit"], &["Measured"]);
    for (name, unit, value) in [
        (
            "transfers of USDC, each simulated, executed and read back",
            "a second",
            rate,
        ),
        ("the same", "CPU-µs each", cpu),
        ("the disk's durable writes, one by one", "a second", disk),
    ] {
        table.row([name, unit, &value.to_string()]);
    }
    let setup = format!("{WALLETS} wallets, {sent} transactions");
    Ok(Report::of_today("localnet", setup, table))
}

fn per_second(count: u128, wall: Duration) -> u128 {
    (count * 1_000_000)
        .checked_div(wall.as_micros())
        .unwrap_or(0)
}

fn disk(folder: &Path) -> Result<Duration> {
    let mut file = std::fs::File::create(folder.join("disk"))?;
    let started = Instant::now();
    for _ in 0..DISK_WRITES {
        file.write_all(&[0; 4_096])?;
        file.sync_data()?;
    }
    Ok(started.elapsed())
}
