//! How many connections may be open, in all and from one address.
//!
//! Whoever comes on top is closed at once. They could wait in the kernel's queue instead, but there
//! nobody tells them anything: they would time out much later, while a client whose connection is
//! closed tries another server at once. And accepting is the only way to learn an address, without
//! which one address could fill the queue for everybody.

use super::counters::{Closed, Counters};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

/// The door of a server.
#[derive(Debug)]
pub(crate) struct Admission {
    max: usize,
    max_per_address: usize,
    counters: Arc<Counters>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    /// Connections by where they come from; no entry where there are none.
    by_source: HashMap<IpAddr, usize>,
}

/// A connection's permit to be open, given back when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    admission: Arc<Admission>,
    source: IpAddr,
}

impl Admission {
    pub(crate) fn new(max: usize, max_per_address: usize, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_per_address,
            counters,
            open: Mutex::default(),
        })
    }

    /// Lets a connection in, or counts why not.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<ConnectionPermit, Closed> {
        let source = source(address);
        let admitted = self.open.lock().enter(source, self);
        match admitted {
            Ok(()) => {
                self.counters.opened();
                Ok(ConnectionPermit {
                    admission: Arc::clone(self),
                    source,
                })
            }
            Err(reason) => {
                self.counters.count(reason);
                Err(reason)
            }
        }
    }
}

impl Open {
    fn enter(&mut self, source: IpAddr, admission: &Admission) -> Result<(), Closed> {
        if self.total >= admission.max {
            return Err(Closed::Full);
        }
        let here = self.by_source.get(&source).copied().unwrap_or_default();
        if here >= admission.max_per_address {
            return Err(Closed::AddressFull);
        }
        self.by_source.insert(source, here + 1);
        self.total += 1;
        Ok(())
    }

    fn leave(&mut self, source: IpAddr) {
        self.total -= 1;
        if let Some(here) = self.by_source.get_mut(&source) {
            *here -= 1;
            if *here == 0 {
                self.by_source.remove(&source);
            }
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.admission.open.lock().leave(self.source);
        self.admission.counters.ended();
    }
}

/// What counts as one address: an IPv6 user has a whole /64 to choose from.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            const NETWORK: u128 = !(u64::MAX as u128);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_cannot_take_everything() {
        let counters = Arc::new(Counters::default());
        let admission = Admission::new(3, 2, Arc::clone(&counters));
        let loud = address("192.0.2.1");
        let first = admission.enter(loud).unwrap();
        let _second = admission.enter(address("::ffff:192.0.2.1")).unwrap();
        assert_eq!(admission.enter(loud).unwrap_err(), Closed::AddressFull);
        let _other = admission.enter(address("192.0.2.2")).unwrap();
        let late = address("192.0.2.3");
        assert_eq!(admission.enter(late).unwrap_err(), Closed::Full);
        assert_eq!(counters.open(), 3);
        drop(first);
        let _late = admission.enter(late).unwrap();
        assert_eq!(counters.open(), 3);
        assert_eq!(counters.closed(Closed::Full), 1);
        assert_eq!(counters.closed(Closed::AddressFull), 1);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let admission = Admission::new(9, 1, Arc::default());
        let _first = admission.enter(address("2001:db8::1")).unwrap();
        let neighbour = admission.enter(address("2001:db8::ffff:2"));
        assert_eq!(neighbour.unwrap_err(), Closed::AddressFull);
        assert!(admission.enter(address("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn whoever_leaves_is_forgotten() {
        let admission = Admission::new(9, 9, Arc::default());
        drop(admission.enter(address("192.0.2.1")));
        assert!(admission.open.lock().by_source.is_empty());
    }
}
