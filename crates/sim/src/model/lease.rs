//! Leases: taken by nodes, given back, and what their escrow and stake must be.

use super::{Done, Lease, Ledger, Micro, Ms, NodeIx, Stack, StackIx, cost, ensure};
use atoma_contract::limits::MAX_LEASES;
use atoma_types::chain::AbortCode;

impl Ledger {
    /// A node takes units, up to so many in all.
    ///
    /// # Errors
    /// If it may not, or its collateral doesn't cover the fines that could come of it.
    pub fn lease(&mut self, now: Ms, stack: StackIx, node: NodeIx, units: u64) -> Done {
        let params = &self.rules.params;
        let held = &self.stacks[stack];
        let live = &self.nodes[node];
        ensure(now < held.expires, AbortCode::StackExpired)?;
        ensure(live.active(now), AbortCode::NodeNotActive)?;
        ensure(
            live.collateral >= params.min_collateral,
            AbortCode::CollateralTooLow,
        )?;
        let may = held.candidates.is_empty() || held.candidates.contains(&node);
        ensure(may, AbortCode::NotCandidate)?;
        let open = held.lease(node);
        let (price, before) = match open {
            Some(lease) => {
                ensure(!lease.closed, AbortCode::LeaseClosed)?;
                (lease.price, lease.units)
            }
            None => {
                let mut offers = self.tasks[held.task].subscriptions.iter();
                let offer = offers.find(|offer| offer.node == node);
                let price = offer.ok_or(AbortCode::NotSubscribed)?.price;
                ensure(held.leases.len() < MAX_LEASES, AbortCode::LeasesFull)?;
                (price, 0)
            }
        };
        ensure(price <= held.max_price, AbortCode::PriceAboveMax)?;
        let added = units.saturating_sub(before);
        ensure(added > 0, AbortCode::GrantNotHigher)?;
        ensure(added <= held.ungranted, AbortCode::LeasesExceedStack)?;
        let stake = self.rules.fine(cost(units, price) - cost(before, price));
        let most = live.collateral.saturating_mul(self.rules.weaker.leverage);
        // a lease that exists counts at what it has at stake now; what is added comes on top
        let after = live.at_stake.saturating_add(stake);
        ensure(after <= most, AbortCode::CollateralBusy)?;
        let held = &mut self.stacks[stack];
        held.ungranted -= added;
        match held.leases.iter_mut().find(|lease| lease.node == node) {
            Some(lease) => lease.units = units,
            None => held.leases.push(Lease {
                node,
                price,
                units,
                ..Lease::default()
            }),
        }
        self.nodes[node].at_stake = after;
        held.fit();
        Ok(())
    }

    /// A node gives units back, down to so many.
    ///
    /// # Errors
    /// If they are claimed, or not its own.
    pub fn release(&mut self, now: Ms, stack: StackIx, node: NodeIx, units: u64) -> Done {
        let lease = self.open_lease(stack, node)?;
        ensure(
            lease.claimed() <= units && units < lease.units,
            AbortCode::ReleaseInvalid,
        )?;
        let before = self.stake(stack, node);
        let held = &mut self.stacks[stack];
        let over = now >= held.expires;
        let lease = held.lease_mut(node)?;
        let freed = lease.units - units;
        lease.units = units;
        if !over {
            held.ungranted += freed;
        }
        self.restake(stack, node, before);
        self.stacks[stack].fit();
        if self.is_done(now, stack, node) {
            self.close_lease(stack, node);
        }
        Ok(())
    }

    /// Takes back what no node has.
    ///
    /// # Errors
    /// If it isn't the owner's to take before the expiry.
    pub fn revoke(&mut self, now: Ms, stack: StackIx, by: u32) -> Done {
        let held = &mut self.stacks[stack];
        ensure(
            held.owner == by || now >= held.expires,
            AbortCode::StackNotExpired,
        )?;
        held.ungranted = 0;
        held.fit();
        Ok(())
    }

    pub(super) fn open_lease(&self, stack: StackIx, node: NodeIx) -> Done<&Lease> {
        let lease = self.stacks[stack]
            .lease(node)
            .ok_or(AbortCode::NoSuchLease)?;
        ensure(!lease.closed, AbortCode::LeaseClosed)?;
        Ok(lease)
    }

    /// What an open lease has its node at stake for.
    pub(super) fn stake(&self, stack: StackIx, node: NodeIx) -> Micro {
        let lease = self.stacks[stack].lease(node);
        lease.filter(|lease| !lease.closed).map_or(0, |lease| {
            self.rules.fine(lease.value(lease.paid, lease.units))
        })
    }

    pub(super) fn restake(&mut self, stack: StackIx, node: NodeIx, before: Micro) {
        let after = self.stake(stack, node);
        let live = &mut self.nodes[node];
        live.at_stake = live.at_stake - before + after;
    }

    /// Whether nothing more can come of a lease.
    pub(super) fn is_done(&self, now: Ms, stack: StackIx, node: NodeIx) -> bool {
        let held = &self.stacks[stack];
        let end = held
            .expires
            .saturating_add(self.rules.params.settle_grace_ms);
        held.lease(node).is_some_and(|lease| {
            let all_paid = now >= held.expires && lease.units == lease.paid;
            !lease.closed && lease.tickets.is_empty() && (all_paid || now > end)
        })
    }

    /// Closes a lease; returns what it freed.
    pub(super) fn close_lease(&mut self, stack: StackIx, node: NodeIx) -> Micro {
        let before = self.stake(stack, node);
        let mut fees = 0;
        if let Ok(lease) = self.stacks[stack].lease_mut(node) {
            lease.closed = true;
            lease.tickets.clear();
            fees = std::mem::take(&mut lease.fees);
        }
        self.nodes[node].earnings += fees;
        self.restake(stack, node, before);
        self.stacks[stack].fit()
    }
}

impl Stack {
    pub(super) fn lease_mut(&mut self, node: NodeIx) -> Done<&mut Lease> {
        let mut leases = self.leases.iter_mut();
        leases
            .find(|lease| lease.node == node)
            .ok_or(AbortCode::NoSuchLease)
    }

    /// Frees what the escrow no longer needs; returns how much.
    pub(super) fn fit(&mut self) -> Micro {
        let open = || self.leases.iter().filter(|lease| !lease.closed);
        let live = self.ungranted + open().map(|lease| lease.units).sum::<u64>();
        let paid: Micro = open().map(|lease| cost(lease.paid, lease.price)).sum();
        let needed = cost(live, self.max_price) - paid;
        let surplus = self.escrow - needed;
        self.escrow = needed;
        self.free += surplus;
        surplus
    }
}
