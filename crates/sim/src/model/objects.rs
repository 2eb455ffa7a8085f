//! What the ledger's objects hold of money and time.

use super::{DAY, Micro, Ms, NodeIx, Party, TaskIx, cost};
use atoma_types::{MicroUsdc, NodeId, ObjectId, Price, TimestampMs, chain};

/// Fees of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeesOfDay {
    /// Days since 1970.
    pub day: u64,
    /// What was paid.
    pub fees: Micro,
}

/// A node's money, standing and fees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Who acts for it.
    pub owner: Party,
    /// What it stands to lose.
    pub collateral: Micro,
    /// From when on its collateral weighs.
    pub matures: Ms,
    /// What its open leases could cost it.
    pub at_stake: Micro,
    /// What it was paid and hasn't withdrawn.
    pub earnings: Micro,
    /// Fines that wait.
    pub fines: Micro,
    /// Until when they can be pardoned.
    pub fines_until: Ms,
    /// No new leases before it.
    pub jailed_until: Ms,
    /// From 0 to 1000.
    pub reputation: u64,
    /// Fees that are no point yet.
    pub carried: Micro,
    /// The day that `gained` is of.
    pub gained_on: u64,
    /// Points gained on it.
    pub gained: u64,
    /// How often it was convicted.
    pub convicted: u64,
    /// Fees of the running day.
    pub current: FeesOfDay,
    /// Fees of the day before.
    pub previous: FeesOfDay,
    /// Fees that were reported.
    pub reported: FeesOfDay,
}

impl Node {
    /// Whether it may take leases.
    #[must_use]
    pub fn active(&self, now: Ms) -> bool {
        self.jailed_until <= now
    }

    /// Its collateral, once that has matured.
    #[must_use]
    pub fn matured(&self, now: Ms) -> Micro {
        if now >= self.matures {
            self.collateral
        } else {
            0
        }
    }
}

/// An attester's promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attester {
    /// Whether it is drawn.
    pub active: bool,
    /// What is left of its deposit.
    pub stake: Micro,
    /// Fees that it was paid for examining and judging, not yet its node's.
    pub earned: Micro,
    /// What it was drawn for and isn't over.
    pub duties: u64,
    /// When it was made: it counts for stacks that were bought then or later.
    pub since: Ms,
}

/// A node's offer in a task, with copies of its standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Whose it is.
    pub node: NodeIx,
    /// The node's owner.
    pub owner: Party,
    /// Its price for a million units.
    pub price: u64,
    /// Copy of its matured collateral.
    pub matured: Micro,
    /// Copy of its reputation.
    pub reputation: u64,
    /// Whether it is drawn.
    pub active: bool,
    /// The capacity that it claims; counts only under a weaker rule.
    pub claimed: u64,
    /// Its promise to examine.
    pub attester: Option<Attester>,
}

impl Subscription {
    /// Its weight, by the contract's own formula.
    #[must_use]
    pub fn weight(&self) -> u128 {
        atoma_contract::draw::weight(&chain::Subscription {
            node: NodeId(ObjectId::ZERO),
            owner: ObjectId::ZERO,
            price: Price(self.price),
            matured: MicroUsdc(self.matured),
            reputation: self.reputation,
            attested_until_ms: TimestampMs::default(),
            state: chain::SubscriptionState::Active,
            attester: None,
        })
    }
}

/// A task's pools, and the nodes that serve it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Whether its tickets are examined.
    pub sampled: bool,
    /// Protocol fees, fines of attesters and lost bonds.
    pub fees: Micro,
    /// What pays for examinations.
    pub dues: Micro,
    /// Nodes' offers to serve it, in the order in which they came.
    pub subscriptions: Vec<Subscription>,
}

/// What an attester found: nothing, or something with a digest that all honest ones share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The record is what it says.
    Ok,
    /// It is wrong, in the way that this digest names.
    Bad(u64),
}

/// How far an examination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The node must show the record.
    Disclosing,
    /// The examiner works.
    Examining,
    /// It accused the node.
    Accused,
    /// It found nothing.
    Passed,
    /// The jury did not find the node guilty.
    Cleared,
}

/// A ticket that is examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The unit whose record is looked at.
    pub unit: u64,
    /// The attester that was drawn last.
    pub examiner: NodeIx,
    /// Who was silent before.
    pub silent: Option<NodeIx>,
    /// The record, once it was shown; 0 before.
    pub record: u64,
    /// The last moment of the stage.
    pub deadline: Ms,
    /// How far it is.
    pub stage: Stage,
}

/// The examination of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exam {
    /// Its task doesn't sample.
    None,
    /// Nobody has drawn.
    Undrawn,
    /// Drawn: whether it is a hit, and for which unit.
    Drawn {
        /// Whether it is examined.
        hit: bool,
        /// Whose record would be looked at.
        unit: u64,
    },
    /// An examiner was drawn.
    Hit(Hit),
    /// A hit, and nobody was there.
    Unexamined,
}

/// A juror's place in a jury, and what it has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Who it is.
    pub juror: NodeIx,
    /// What it committed to: nothing yet, or a verdict, or what it can't open.
    pub committed: Option<Option<Verdict>>,
    /// What it revealed.
    pub verdict: Option<Verdict>,
}

/// A jury at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jury {
    /// The unit whose record it looks at.
    pub unit: u64,
    /// The record, once it was shown; 0 before.
    pub record: u64,
    /// Its jurors, in the order in which they were drawn.
    pub seats: Vec<Seat>,
    /// The last moment to disclose; then, to commit.
    pub deadline: Ms,
    /// The last moment to reveal.
    pub reveal: Ms,
}

/// An accusation by the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// What is staked on it.
    pub bond: Micro,
    /// The unit whose record is said to be wrong.
    pub unit: u64,
    /// The jury, once drawn.
    pub jury: Option<Jury>,
    /// Whether it is over without a conviction.
    pub over: bool,
}

/// A demand for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The unit whose record is to be shown.
    pub unit: u64,
    /// The last moment to answer.
    pub deadline: Ms,
}

/// A claim for the units `[from, to)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its first unit.
    pub from: u64,
    /// Its last unit, excluded.
    pub to: u64,
    /// The last moment to demand or challenge.
    pub deadline: Ms,
    /// Demands that the node hasn't answered.
    pub demands: Vec<Demand>,
    /// How far its examination is.
    pub exam: Exam,
    /// The examination's jury.
    pub exam_jury: Option<Jury>,
    /// What the examiner staked on its accusation.
    pub exam_bond: Micro,
    /// The one challenge.
    pub challenge: Option<Challenge>,
}

/// Units of a stack that belong to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// The node that may serve it.
    pub node: NodeIx,
    /// Its price when the lease began.
    pub price: u64,
    /// What it may serve.
    pub units: u64,
    /// What of it is paid.
    pub paid: u64,
    /// Fees of answered demands.
    pub fees: Micro,
    /// Claims that wait, the earlier first.
    pub tickets: Vec<Ticket>,
    /// Nothing more comes of it.
    pub closed: bool,
}

impl Lease {
    /// What the units between cost.
    #[must_use]
    pub fn value(&self, from: u64, to: u64) -> Micro {
        cost(to, self.price).saturating_sub(cost(from, self.price))
    }

    /// Units that are paid or claimed.
    #[must_use]
    pub fn claimed(&self) -> u64 {
        self.tickets.last().map_or(self.paid, |ticket| ticket.to)
    }
}

/// Units of a task that were bought, with their escrow and leases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Who bought it.
    pub owner: Party,
    /// What it is for.
    pub task: TaskIx,
    /// No lease costs more.
    pub max_price: u64,
    /// Units that no node has.
    pub ungranted: u64,
    /// The drawn nodes; any node if there are none.
    pub candidates: Vec<NodeIx>,
    /// Units given to nodes.
    pub leases: Vec<Lease>,
    /// What live units may cost.
    pub escrow: Micro,
    /// The owner's credit.
    pub free: Micro,
    /// When it was bought.
    pub bought: Ms,
    /// When it ends.
    pub expires: Ms,
    /// Bonds, and fees of demands that are open.
    pub staked: Micro,
}

impl Stack {
    /// The lease of a node.
    #[must_use]
    pub fn lease(&self, node: NodeIx) -> Option<&Lease> {
        self.leases.iter().find(|lease| lease.node == node)
    }

    /// All the money in it.
    #[must_use]
    pub fn held(&self) -> u128 {
        let fees: u128 = self.leases.iter().map(|lease| u128::from(lease.fees)).sum();
        u128::from(self.escrow) + u128::from(self.free) + u128::from(self.staked) + fees
    }
}

/// The treasury's book of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// The day whose fees these are, counted from 1970.
    pub day: u64,
    /// Fees that were reported.
    pub fees: Micro,
    /// What is shared, once it is fixed.
    pub pool: Option<Micro>,
}

/// The day of a moment.
pub(super) fn day(now: Ms) -> u64 {
    now / DAY
}
