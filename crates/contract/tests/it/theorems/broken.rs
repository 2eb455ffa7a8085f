//! Rules that are broken on purpose, one for each theorem: the state is changed behind the contract's back, before a call or after it.

use crate::world::*;
use atoma_contract::{Changes, Object, State};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, ObjectId, StackId,
    chain::{Call, Event, LOCALNET_DB, Lease, Node, NodeStatus, Params, Stack},
};

/// What is changed before a call, and after it, once it is done; of a call that is refused nothing stays.
#[derive(Clone, Copy)]
pub(super) struct Broken {
    before: fn(&mut State, &Call),
    after: fn(&mut State, &State, &Call, &Changes),
    /// What is shown of a node that is away is divided by it.
    pub(super) shown: u64,
}

const NOTHING: Broken = Broken {
    before: |_, _| {},
    after: |_, _, _, _| {},
    shown: 1,
};

impl World {
    /// Runs a call under a broken rule; invariants of the state are not looked at.
    pub(super) fn run_broken(&mut self, rule: Broken, sender: u8, call: &Call) -> Outcome {
        let before = self.state.clone();
        (rule.before)(&mut self.state, call);
        let outcome = self.run_unchecked(sender, call.clone());
        match &outcome {
            Ok(changes) => (rule.after)(&mut self.state, &before, call, changes),
            Err(_) => self.state = before,
        }
        outcome
    }
}

fn change(state: &mut State, id: ObjectId, change: impl FnOnce(&mut Object)) {
    let (mut object, owner) = state.get_owned(id).unwrap().clone();
    change(&mut object);
    let mut changes = Changes::default();
    changes.written.insert(id, (object, owner));
    state.commit(changes);
}

fn change_stack(state: &mut State, id: StackId, of: impl FnOnce(&mut Stack)) {
    change(state, id.0, |object| match object {
        Object::Stack(stack) => of(stack),
        _ => panic!("not a stack"),
    });
}

fn change_lease(state: &mut State, id: StackId, node: NodeId, of: impl FnOnce(&mut Lease)) {
    change_stack(state, id, |stack| {
        let lease = stack.leases.iter_mut().find(|lease| lease.node == node);
        of(lease.unwrap());
    });
}

fn change_node(state: &mut State, id: NodeId, of: impl FnOnce(&mut Node)) {
    change(state, id.0, |object| match object {
        Object::Node(node) => of(node),
        _ => panic!("not a node"),
    });
}

fn node_of(state: &State, id: ObjectId) -> &Node {
    match state.get(id) {
        Some(Object::Node(node)) => node,
        other => panic!("{other:?}"),
    }
}

fn change_params(state: &mut State, of: impl FnOnce(&mut Params)) {
    change(state, LOCALNET_DB, |object| match object {
        Object::Db(db) => of(&mut db.params),
        _ => panic!("not the database"),
    });
}

fn params_of(state: &State) -> Params {
    match state.get(LOCALNET_DB) {
        Some(Object::Db(db)) => db.params.clone(),
        other => panic!("{other:?}"),
    }
}

/// Theorem 1.
pub(super) const DEMANDS_ARE_FORGOTTEN: Broken = Broken {
    after: |state, _, call, _| {
        let Call::DemandRecord(call) = call else {
            return;
        };
        let stack = StackId(call.stack.id());
        let (unit, fee) = (call.unit, call.fee.0);
        change_lease(state, stack, call.holder, |lease| {
            let tickets = lease.tickets.iter_mut();
            tickets.for_each(|ticket| ticket.demands.retain(|demand| demand.unit != unit));
        });
        change_stack(state, stack, |stack| stack.free.0 += fee.0);
    },
    ..NOTHING
};

/// Theorem 2, for nodes that follow the protocol and are away for 22 hours.
pub(super) const ANSWERS_HAVE_TWELVE_HOURS: Broken = Broken {
    after: |state, _, _, changes| {
        for event in &changes.events {
            if let Event::StackAcquired(event) = event {
                change_stack(state, event.stack, |stack| {
                    stack.terms.answer_window_ms.0 = 12 * HOUR;
                });
            }
        }
    },
    ..NOTHING
};

/// Theorem 2, for one that stays away.
pub(super) const HALF_IS_SHOWN: Broken = Broken {
    shown: 2,
    ..NOTHING
};

/// Theorem 3.
pub(super) const OWNERS_SHARE_FINES: Broken = Broken {
    after: |state, _, _, changes| {
        for event in &changes.events {
            if let Event::NodeConvicted(event) = event {
                let share = event.fine.0 / 10;
                change_node(state, event.node, |node| node.pending.fines.0 -= share);
                change_stack(state, event.stack, |stack| stack.free.0 += share);
            }
        }
    },
    ..NOTHING
};

/// Theorem 4.
pub(super) const COLLATERAL_LEAVES_AT_ANY_TIME: Broken = Broken {
    before: |state, call| {
        if let Call::LeaveNode(call) = call {
            let id = NodeId(call.node.id());
            change_node(state, id, |node| node.at_stake = MicroUsdc::ZERO);
        }
    },
    ..NOTHING
};

/// Theorem 5.
pub(super) const ONE_TICKET_IS_FINED: Broken = Broken {
    before: |state, call| {
        let (stack, node) = match call {
            Call::ProveSilence(call) => (call.stack.id(), call.node.id()),
            Call::ProveEquivocation(call) => (call.stack.id(), call.node.id()),
            Call::ProveUndisclosed(call) => (call.stack.id(), call.node.id()),
            _ => return,
        };
        change_lease(state, StackId(stack), NodeId(node), |lease| {
            lease.tickets.truncate(1);
        });
    },
    ..NOTHING
};

/// Theorem 6.
pub(super) const TOP_UPS_RAISE_LEASES: Broken = Broken {
    after: |state, _, call, _| {
        let Call::TopUp(call) = call else {
            return;
        };
        let mut raised = None;
        change_stack(state, StackId(call.stack.id()), |stack| {
            let multiple = stack.terms.fine_multiple;
            if let Some(lease) = stack.leases.iter_mut().find(|lease| !lease.closed) {
                let old = lease.units;
                lease.units = ComputeUnits(old.0 + call.units.0);
                stack.ungranted.0 -= call.units.0;
                let added = lease.value(old, lease.units).unwrap();
                raised = Some((lease.node, multiple * added.0));
            }
        });
        if let Some((node, stake)) = raised {
            change_node(state, node, |node| node.at_stake.0 += stake);
        }
    },
    ..NOTHING
};

/// Theorem 7.
pub(super) const THE_JAILED_LEASE: Broken = Broken {
    before: |state, call| {
        if let Call::Lease(call) = call {
            let id = NodeId(call.node.id());
            change_node(state, id, |node| {
                if matches!(node.status, NodeStatus::Jailed { .. }) {
                    node.status = NodeStatus::Active;
                }
            });
        }
    },
    after: |state, before, call, _| {
        if let Call::Lease(call) = call {
            let status = node_of(before, call.node.id()).status;
            change_node(state, NodeId(call.node.id()), |node| node.status = status);
        }
    },
    ..NOTHING
};

/// Theorem 8.
pub(super) const COLLATERAL_COUNTS_TWICE: Broken = Broken {
    before: |state, call| {
        if let Call::Lease(call) = call {
            let id = NodeId(call.node.id());
            change_node(state, id, |node| node.collateral.0 *= 2);
        }
    },
    after: |state, before, call, _| {
        if let Call::Lease(call) = call {
            let collateral = node_of(before, call.node.id()).collateral;
            let id = NodeId(call.node.id());
            change_node(state, id, |node| node.collateral = collateral);
        }
    },
    ..NOTHING
};

/// Theorem 9.
pub(super) const ANSWERS_EXTEND_WINDOWS: Broken = Broken {
    after: |state, _, call, _| {
        let Call::AnswerDemand(call) = call else {
            return;
        };
        let unit = call.unit;
        change_lease(state, StackId(call.stack.id()), call.holder, |lease| {
            let mut tickets = lease.tickets.iter_mut();
            let ticket = tickets.find(|ticket| ticket.claims(unit));
            ticket.unwrap().deadline_ms.0 += DAY;
        });
    },
    ..NOTHING
};

/// Theorem 10.
pub(super) const ONE_ATTESTER_IS_ENOUGH: Broken = Broken {
    before: |state, call| {
        if matches!(call, Call::AcquireStack(_)) {
            change_params(state, |params| params.min_attesters = 1);
        }
    },
    after: |state, before, call, _| {
        if matches!(call, Call::AcquireStack(_)) {
            let old = params_of(before).min_attesters;
            change_params(state, |params| params.min_attesters = old);
        }
    },
    ..NOTHING
};

/// Theorem 11.
pub(super) const REBATES_ARE_ABOVE_FEES: Broken = Broken {
    before: |state, call| {
        if matches!(call, Call::PayTreasury(_)) {
            change_params(state, |params| params.rebate_permille = 1_100);
        }
    },
    after: |state, before, call, _| {
        if matches!(call, Call::PayTreasury(_)) {
            let old = params_of(before).rebate_permille;
            change_params(state, |params| params.rebate_permille = old);
        }
    },
    ..NOTHING
};
