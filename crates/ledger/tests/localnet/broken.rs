//! A connection that breaks at every point of a transaction in turn: whatever was on its way, it happens
//! once.

use atoma_keys::SigningKey;
use atoma_ledger::{ExecuteError, GasOptions, Ledger, ReadError};
use atoma_network::testing::World;
use atoma_runtime::SystemRandom;
use atoma_types::MicroUsdc;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A transfer's answers: its coins, its gas, the simulation, the execution. Each comes in a piece or more.
const ANSWERS: i64 = 4;
/// More pieces than they come in.
const PIECES: i64 = 40;

/// Between a client and a ledger. Counts the pieces that the ledger answers, and breaks the connection
/// instead of passing a chosen one on.
struct Proxy {
    address: SocketAddr,
    until: Arc<AtomicI64>,
}

impl Proxy {
    async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let until = Arc::new(AtomicI64::new(0));
        let counted = Arc::clone(&until);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(to).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&counted)));
            }
        });
        Self { address, until }
    }

    fn break_at(&self, piece: i64) {
        self.until.store(piece, Ordering::SeqCst);
    }

    /// Whether it broke since it was told to.
    fn broke(&self) -> bool {
        self.until.load(Ordering::SeqCst) <= 0
    }
}

async fn pass(client: TcpStream, server: TcpStream, until: Arc<AtomicI64>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asking = tokio::io::copy(&mut from_client, &mut to_server);
    let answering = async {
        let mut piece = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut piece).await {
            let last = until.fetch_sub(1, Ordering::SeqCst) == 1;
            if last || to_client.write_all(&piece[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        _ = asking => {}
        () = answering => {}
    }
}

#[tokio::test]
async fn a_lost_answer_at_any_point_loses_and_doubles_nothing() {
    let world = World::own().await;
    let proxy = Proxy::start(world.localnet().address()).await;
    let (payer, sponsor) = (world.party().await, Arc::new(world.party().await));
    let to = SigningKey::generate(&SystemRandom).public_key().address();
    let plain = Ledger::connect(format!("http://{}", proxy.address))
        .await
        .unwrap();
    let sponsored = plain.with_gas(GasOptions {
        sponsor: Some(sponsor),
        ..GasOptions::default()
    });
    let mut sent = 0;
    for ledger in [&plain, &sponsored] {
        let mut breaks = 0;
        for piece in 1..=PIECES {
            proxy.break_at(piece);
            // what failed before it was submitted is for the caller to try again
            loop {
                match ledger.transfer_usdc(&payer, to, MicroUsdc(1)).await {
                    Ok(_) => break,
                    Err(ExecuteError::Read(ReadError::Unreachable { .. })) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            sent += 1;
            breaks += i64::from(proxy.broke());
            proxy.break_at(0);
            assert_eq!(world.ledger.usdc(to).await.unwrap(), MicroUsdc(sent));
        }
        // from some piece on it held to the end: all before were tried
        assert!((ANSWERS..PIECES).contains(&breaks), "{breaks}");
    }
    world.audit();
}
