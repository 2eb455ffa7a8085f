//! Where a devnet's parts listen: the same ports each time, so that they can be written down, unless any
//! free ones are asked for.

use crate::{free_ports::Place, local_network::Ports};
use anyhow::{Context, Result};
use atoma_network::any_port;
use clap::Args;
use std::net::{Ipv4Addr, SocketAddr};

/// The gateway's port, as it is in documentation everywhere.
const GATEWAY: u16 = 8080;
const GATEWAY_ADMIN: u16 = 8081;
/// The first node's; the others have the next ones.
const NODES: u16 = 8101;
const NODES_ADMIN: u16 = 8201;
/// As Sui's full nodes have it.
const LEDGER: u16 = 9000;
/// As Walrus's own daemon has it.
const WALRUS: u16 = 31415;

/// Addresses, where they aren't to be the usual ones.
#[derive(Debug, Default, Args)]
pub(super) struct Listen {
    /// Where the gateway listens (default: 127.0.0.1:8080).
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the gateway's metrics are (default: 127.0.0.1:8081).
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<SocketAddr>,
    /// Where the ledger listens (default: 127.0.0.1:9000).
    #[arg(long, value_name = "ADDRESS")]
    ledger_listen: Option<SocketAddr>,
    /// Where Walrus listens (default: 127.0.0.1:31415).
    #[arg(long, value_name = "ADDRESS")]
    walrus_listen: Option<SocketAddr>,
    /// Where the first node listens; the others take the next ports (default: 127.0.0.1:8101).
    #[arg(long, value_name = "ADDRESS")]
    nodes_listen: Option<SocketAddr>,
    /// Where the first node's operator reaches it; likewise (default: 127.0.0.1:8201).
    #[arg(long, value_name = "ADDRESS")]
    nodes_admin_listen: Option<SocketAddr>,
    /// Any free port for whatever isn't named.
    #[arg(long)]
    any_port: bool,
}

impl Listen {
    /// The gateway's, for users and its operator.
    pub(super) fn gateway(&self) -> (SocketAddr, SocketAddr) {
        (
            self.named_or(self.listen, GATEWAY),
            self.named_or(self.admin_listen, GATEWAY_ADMIN),
        )
    }

    /// Those of everything else, for so many nodes.
    pub(super) fn network(&self, nodes: u16) -> Result<Ports> {
        let first = self.named_or(self.nodes_listen, NODES);
        let first_admin = self.named_or(self.nodes_admin_listen, NODES_ADMIN);
        let nodes = (0..nodes).map(|place| Ok((after(first, place)?, after(first_admin, place)?)));
        Ok(Ports {
            ledger: self.named_or(self.ledger_listen, LEDGER),
            walrus: self.named_or(self.walrus_listen, WALRUS),
            nodes: nodes.collect::<Result<_>>()?,
        })
    }

    /// All places, with the flags that name others.
    pub(super) fn places(&self, ports: &Ports) -> Vec<Place> {
        let place = |what: String, at, named_by| Place { what, at, named_by };
        let (gateway, admin) = self.gateway();
        let mut places = vec![
            place("the gateway".to_owned(), gateway, "--listen"),
            place("the gateway's metrics".to_owned(), admin, "--admin-listen"),
            place("the ledger".to_owned(), ports.ledger, "--ledger-listen"),
            place("Walrus".to_owned(), ports.walrus, "--walrus-listen"),
        ];
        for (number, (public, admin)) in (1..).zip(&ports.nodes) {
            let operator = format!("the operator's side of node {number}");
            places.push(place(format!("node {number}"), *public, "--nodes-listen"));
            places.push(place(operator, *admin, "--nodes-admin-listen"));
        }
        places
    }

    fn named_or(&self, named: Option<SocketAddr>, usual: u16) -> SocketAddr {
        named.unwrap_or_else(|| match self.any_port {
            true => any_port(),
            false => (Ipv4Addr::LOCALHOST, usual).into(),
        })
    }
}

/// The address so many ports later; any port stays any.
fn after(mut address: SocketAddr, place: u16) -> Result<SocketAddr> {
    if address.port() != 0 {
        let port = address.port().checked_add(place);
        address.set_port(port.context("there is no port for the last node")?);
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_the_same_each_time_unless_any_are_asked_for() {
        let usual = Listen::default();
        assert_eq!(usual.gateway().0.to_string(), "127.0.0.1:8080");
        let network = usual.network(3).unwrap();
        assert_eq!(network.ledger.port(), LEDGER);
        let ports = network
            .nodes
            .iter()
            .map(|(public, admin)| (public.port(), admin.port()));
        let ports: Vec<_> = ports.collect();
        assert_eq!(ports, [(8101, 8201), (8102, 8202), (8103, 8203)]);
        let places = usual.places(&network);
        let places: Vec<u16> = places.iter().map(|place| place.at.port()).collect();
        let all = [8080, 8081, 9000, 31415, 8101, 8201, 8102, 8202, 8103, 8203];
        assert_eq!(places, all, "each is looked at");

        let any = Listen {
            any_port: true,
            ledger_listen: Some(([127, 0, 0, 1], 7).into()),
            ..Listen::default()
        };
        let network = any.network(2).unwrap();
        assert_eq!((network.ledger.port(), network.walrus.port()), (7, 0));
        assert!(
            network
                .nodes
                .iter()
                .all(|(public, admin)| public.port() + admin.port() == 0)
        );

        let last = Listen {
            nodes_listen: Some(([127, 0, 0, 1], u16::MAX).into()),
            ..Listen::default()
        };
        assert!(last.network(1).is_ok() && last.network(2).is_err());
    }
}
