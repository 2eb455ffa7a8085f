//! Nodes, tasks, offers, the treasury.

use super::{Rows, Step, count};
use crate::{
    error::IndexError,
    rows::{NodeRow, ObjectName, OfferRow, ParamRow, PriceRow, TaskRow, TreasuryRow},
};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, Price, TaskId,
    chain::{
        NodeStatus,
        events::{
            CollateralAdded, EarningsWithdrawn, FeesCollected, FeesReported, FinesForfeited,
            FinesPardoned, NodeKeysChanged, NodeLeft, NodeMoved, NodeRegistered, NodeStatusChanged,
            ParamSet, Subscribed, TaskCreated, TaskDeprecated, TreasuryPaid, Unsubscribed,
        },
    },
};

type Applied = Result<(), IndexError>;

impl<R: Rows> Step<'_, R> {
    pub(super) fn param_set(&mut self, e: &ParamSet) -> Applied {
        self.rows.put(&ParamRow {
            number: self.place.number,
            name: e.name.clone(),
            value: e.value,
            at_ms: self.place.at,
        })
    }

    pub(super) fn node_registered(&mut self, e: &NodeRegistered) -> Applied {
        self.rows.put(&NodeRow {
            node: e.node,
            number: e.number,
            owner: e.owner,
            collateral: e.collateral,
            status: NodeStatus::Active,
            url: e.url.clone(),
            response_key: e.response_key,
            sealing_key: e.sealing_key,
            settled: 0,
            convicted: 0,
            earned: MicroUsdc::ZERO,
            from_treasury: MicroUsdc::ZERO,
            withdrawn: MicroUsdc::ZERO,
            fined: MicroUsdc::ZERO,
            pardoned: MicroUsdc::ZERO,
            joined_ms: self.place.at,
        })?;
        self.stale(e.node, ObjectName::Node)
    }

    pub(super) fn node_moved(&mut self, e: &NodeMoved) -> Applied {
        self.change(NodeRow::at(e.node), |node| {
            node.url.clone_from(&e.url);
            Ok(())
        })
    }

    pub(super) fn node_keys_changed(&mut self, e: &NodeKeysChanged) -> Applied {
        self.change(NodeRow::at(e.node), |node| {
            node.response_key = e.response_key;
            node.sealing_key = e.sealing_key;
            Ok(())
        })
    }

    pub(super) fn collateral_added(&mut self, e: &CollateralAdded) -> Applied {
        self.change(NodeRow::at(e.node), |node| {
            node.collateral = e.collateral;
            Ok(())
        })?;
        self.stale(e.node, ObjectName::Node)
    }

    pub(super) fn earnings_withdrawn(&mut self, e: &EarningsWithdrawn) -> Applied {
        self.change(NodeRow::at(e.node), |node| {
            count(&mut node.withdrawn, e.amount);
            Ok(())
        })?;
        self.stale(e.node, ObjectName::Node)
    }

    pub(super) fn fines_pardoned(&mut self, e: &FinesPardoned) -> Applied {
        self.change(NodeRow::at(e.node), |node| {
            node.collateral = e.collateral;
            count(&mut node.pardoned, e.amount);
            Ok(())
        })?;
        self.stale(e.node, ObjectName::Node)
    }

    /// Fines whose time for a pardon is over become the treasury's.
    pub(super) fn fines_forfeited(&mut self, e: &FinesForfeited) -> Applied {
        self.stale(e.node, ObjectName::Node)?;
        self.treasury(|treasury| count(&mut treasury.fines, e.amount))
    }

    pub(super) fn node_status_changed(&mut self, e: &NodeStatusChanged) -> Applied {
        self.change(NodeRow::at(e.node), |node| {
            node.status = e.status;
            Ok(())
        })
    }

    pub(super) fn node_left(&mut self, e: &NodeLeft) -> Applied {
        self.change(NodeRow::at(e.node), |node| {
            node.collateral = MicroUsdc::ZERO;
            Ok(())
        })?;
        self.stale(e.node, ObjectName::Node)
    }

    pub(super) fn task_created(&mut self, e: &TaskCreated) -> Applied {
        self.rows.put(&TaskRow {
            task: e.task,
            number: e.number,
            owner: e.owner,
            role: e.role,
            model_name: e.model_name.clone(),
            security_level: e.security_level,
            price_ceiling: e.price_ceiling,
            deprecated: false,
            fees: MicroUsdc::ZERO,
            stacks: 0,
            units_bought: ComputeUnits::ZERO,
            units_settled: ComputeUnits::ZERO,
            requests: 0,
            revenue: MicroUsdc::ZERO,
            created_ms: self.place.at,
        })?;
        self.stale(e.task, ObjectName::Task)
    }

    pub(super) fn task_deprecated(&mut self, e: &TaskDeprecated) -> Applied {
        self.change(TaskRow::at(e.task), |task| {
            task.deprecated = true;
            Ok(())
        })
    }

    pub(super) fn subscribed(&mut self, e: &Subscribed) -> Applied {
        self.rows.put(&OfferRow {
            task: e.task,
            node: e.node,
            price: e.price,
            since_ms: self.place.at,
        })?;
        self.price(e.task, e.node, Some(e.price))
    }

    pub(super) fn unsubscribed(&mut self, e: &Unsubscribed) -> Applied {
        if self.rows.get(OfferRow::at(e.task, e.node))?.is_none() {
            self.whole = false;
        }
        self.rows.remove(OfferRow::at(e.task, e.node))?;
        self.price(e.task, e.node, None)
    }

    fn price(&mut self, task: TaskId, node: NodeId, price: Option<Price>) -> Applied {
        self.rows.put(&PriceRow {
            number: self.place.number,
            task,
            node,
            price,
            at_ms: self.place.at,
        })
    }

    pub(super) fn fees_collected(&mut self, e: &FeesCollected) -> Applied {
        self.treasury(|treasury| count(&mut treasury.fees, e.amount))
    }

    /// The fees leave the node's counter; only its object tells which are left.
    pub(super) fn fees_reported(&mut self, e: &FeesReported) -> Applied {
        self.stale(e.node, ObjectName::Node)?;
        self.stale(self.db, ObjectName::Db)
    }

    pub(super) fn treasury_paid(&mut self, e: &TreasuryPaid) -> Applied {
        self.change(NodeRow::at(e.node), |node| {
            count(&mut node.from_treasury, e.amount);
            Ok(())
        })?;
        self.stale(e.node, ObjectName::Node)?;
        self.today(|day| count(&mut day.treasury_paid, e.amount))?;
        self.treasury(|treasury| count(&mut treasury.paid, e.amount))
    }

    /// Changes the treasury's flows; what is in it its object tells.
    pub(super) fn treasury(&mut self, change: impl FnOnce(&mut TreasuryRow)) -> Applied {
        let row = self.rows.get(TreasuryRow::at(0))?;
        let mut row = row.unwrap_or(TreasuryRow {
            id: 0,
            fees: MicroUsdc::ZERO,
            fines: MicroUsdc::ZERO,
            paid: MicroUsdc::ZERO,
        });
        change(&mut row);
        self.rows.put(&row)?;
        self.stale(self.db, ObjectName::Db)
    }
}
