//! Parties that do anything at random, on a real ledger. What the contract refuses is refused; what
//! it allows is in the history.

use atoma_keys::SigningKey;
use atoma_ledger::{ExecuteError, due, required_escrow, top_up_payment};
use atoma_localnet::ClockMode;
use atoma_network::testing::{PRICE, World};
use atoma_types::{
    ComputeUnits, DurationMs, EngineClass, MicroUsdc, NodeId, Numerics, Price, RequestId, Rule,
    StackId, TaskId, TimestampMs, Usage,
    chain::{Call, Clock, Event, Payment, Random, Stack, calls},
    hash::Hash32,
    message::{Domain, Endpoint, Grant, Origin, Receipt, RequestHeader, RequestTimes, Signed},
};

/// Numbers that look random and are the same each time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.roll(from.len().max(1) as u64);
        from.get(place as usize)
    }
}

/// A network of random parties.
pub(crate) struct Parties {
    pub(crate) world: World,
    dice: Dice,
    operators: Vec<(SigningKey, NodeId)>,
    users: Vec<SigningKey>,
    tasks: Vec<TaskId>,
    stacks: Vec<StackId>,
    /// Calls that the contract took.
    pub(crate) taken: usize,
}

impl Parties {
    pub(crate) async fn start(seed: u64) -> Self {
        let world = World::start_with(|config| config.clock = ClockMode::Adjustable).await;
        let mut operators = Vec::new();
        for _ in 0..3 {
            let key = world.party().await;
            let node = world.node(&key).await;
            operators.push((key, node));
        }
        let users = vec![world.party().await, world.party().await];
        let mut tasks = Vec::new();
        for model in ["small", "large"] {
            tasks.push(world.task(&operators[0].0, model).await);
        }
        for (key, node) in &operators {
            let calls = vec![world.subscribe(tasks[0], *node)];
            world.ledger.execute(key, calls).await.unwrap();
        }
        Self {
            world,
            dice: Dice::new(seed),
            operators,
            users,
            tasks,
            stacks: Vec::new(),
            taken: 0,
        }
    }

    /// Does this many things.
    pub(crate) async fn act(&mut self, times: usize) {
        for _ in 0..times {
            if self.dice.roll(12) == 0 {
                self.wait().await;
                continue;
            }
            let Some((operator, key, call)) = self.choose().await else {
                continue;
            };
            let key = if operator {
                &self.operators[key].0
            } else {
                &self.users[key]
            };
            match self.world.ledger.execute(key, vec![call]).await {
                Ok(done) => {
                    self.taken += 1;
                    self.stacks
                        .extend(done.events.iter().filter_map(|e| match e {
                            Event::StackAcquired(e) => Some(e.stack),
                            _ => None,
                        }));
                }
                Err(ExecuteError::Abort { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Mostly less than a stack lives; sometimes longer than any window, after which all that is due is done.
    async fn wait(&mut self) {
        let long = self.dice.roll(8) == 0;
        let most = if long { 200_000_000 } else { 400_000 };
        let by = self.dice.roll(most);
        self.world.advance(by).await;
        if !long {
            return;
        }
        let ledger = &self.world.ledger;
        let now = ledger.clock().await.unwrap();
        for id in &self.stacks {
            let stack = ledger.stack(*id).await.unwrap();
            for due in due(&stack, now) {
                match ledger.execute(&self.users[0], vec![due.call]).await {
                    Ok(_) => self.taken += 1,
                    // an earlier one may have made it needless
                    Err(ExecuteError::Abort { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    /// Who signs (an operator or a user), and what.
    async fn choose(&mut self) -> Option<(bool, usize, Call)> {
        let db = self.world.ledger.deployment().db;
        let place = self.dice.roll(self.operators.len() as u64) as usize;
        let node = self.operators[place].1;
        let user = self.dice.roll(self.users.len() as u64) as usize;
        let task = *self.dice.pick(&self.tasks)?;
        let by_operator = |call: Call| Some((true, place, call));
        match self.dice.roll(24) {
            0 => by_operator(
                calls::SetNodeUrl {
                    node: node.into(),
                    url: format!("http://node.example:{}", self.dice.roll(9)),
                }
                .into(),
            ),
            1 => by_operator(
                calls::AddCollateral {
                    db: db.into(),
                    node: node.into(),
                    collateral: Payment(MicroUsdc(1 + self.dice.roll(1_000))),
                    clock: Clock,
                }
                .into(),
            ),
            2 | 3 => by_operator(
                calls::Subscribe {
                    db: db.into(),
                    task: task.into(),
                    node: node.into(),
                    price: Price(1 + self.dice.roll(PRICE.0)),
                    clock: Clock,
                }
                .into(),
            ),
            4 => by_operator(
                calls::Unsubscribe {
                    task: task.into(),
                    node: node.into(),
                }
                .into(),
            ),
            5 => by_operator(
                calls::SyncSubscription {
                    task: task.into(),
                    node: node.into(),
                    clock: Clock,
                }
                .into(),
            ),
            6 => by_operator(
                calls::CollectFees {
                    db: db.into(),
                    task: task.into(),
                    clock: Clock,
                }
                .into(),
            ),
            7 => by_operator(
                calls::ReportFees {
                    db: db.into(),
                    node: node.into(),
                    clock: Clock,
                }
                .into(),
            ),
            8 => by_operator(
                calls::PayTreasury {
                    db: db.into(),
                    node: node.into(),
                    clock: Clock,
                }
                .into(),
            ),
            9..=12 => Some((false, user, self.acquire(task, user))),
            _ => self.about_a_stack(user).await,
        }
    }

    fn acquire(&mut self, task: TaskId, user: usize) -> Call {
        let ledger = &self.world.ledger;
        let units = ComputeUnits(10 + self.dice.roll(300_000));
        let price = Price(PRICE.0 / 2 + self.dice.roll(PRICE.0 / 2));
        // new nodes weigh nothing yet, so a draw mostly finds nobody
        let nodes = u8::from(self.dice.roll(6) == 0);
        calls::AcquireStack {
            db: ledger.deployment().db.into(),
            task: task.into(),
            payment: Payment(required_escrow(units, price).unwrap()),
            total_units: units,
            max_price: price,
            nodes,
            request_key: self.users[user].public_key(),
            lifetime_ms: DurationMs(3_600_000 + self.dice.roll(5_000_000)),
            random: Random,
            clock: Clock,
        }
        .into()
    }

    async fn about_a_stack(&mut self, stranger: usize) -> Option<(bool, usize, Call)> {
        // mostly one that something is going on with
        let late = self.stacks.len().saturating_sub(6);
        let from = if self.dice.roll(4) == 0 { 0 } else { late };
        let stacks = self.stacks[from..].to_vec();
        let id = *self.dice.pick(&stacks)?;
        let stack = self.world.ledger.stack(id).await.unwrap();
        let address = |key: &SigningKey| key.public_key().address();
        let mut users = self.users.iter();
        let owner = users.position(|key| address(key) == stack.owner)?;
        let leased: Vec<NodeId> = stack.leases.iter().map(|lease| lease.node).collect();
        let node = match self.dice.pick(&leased) {
            Some(node) => *node,
            None => self.dice.pick(&self.operators)?.1,
        };
        let mut operators = self.operators.iter();
        let operator = operators.position(|(_, id)| *id == node)?;
        let db = self.world.ledger.deployment().db;
        let by_owner = |call: Call| Some((false, owner, call));
        let by_anyone = |call: Call| Some((false, stranger, call));
        let settling = stack
            .lease(node)
            .is_some_and(|lease| !lease.tickets.is_empty());
        let choice = match self.dice.roll(2) {
            0 if settling => [14, 14, 15][self.dice.roll(3) as usize],
            _ => self.dice.roll(16),
        };
        match choice {
            0 => {
                let units = ComputeUnits(1 + self.dice.roll(500));
                let payment = top_up_payment(&stack, units)?;
                by_owner(
                    calls::TopUp {
                        stack: id.into(),
                        task: stack.task.into(),
                        payment: Payment(payment),
                        units,
                        clock: Clock,
                    }
                    .into(),
                )
            }
            1 => by_owner(
                calls::Extend {
                    db: db.into(),
                    stack: id.into(),
                    by_ms: DurationMs(1 + self.dice.roll(100_000)),
                    clock: Clock,
                }
                .into(),
            ),
            2 => by_owner(
                calls::RevokeUngranted {
                    stack: id.into(),
                    clock: Clock,
                }
                .into(),
            ),
            3 => by_owner(
                calls::BeginClose {
                    stack: id.into(),
                    clock: Clock,
                }
                .into(),
            ),
            4 => by_owner(
                calls::WithdrawFree {
                    stack: id.into(),
                    to: stack.owner,
                }
                .into(),
            ),
            5 | 6 => {
                let (key, node) = self.dice.pick(&self.operators)?;
                let place = self.operators.iter().position(|(_, id)| id == node)?;
                let (node, _) = (*node, key);
                let held = stack.lease(node).map_or(0, |lease| lease.units.0);
                let units = ComputeUnits(held + 1 + self.dice.roll(100_000));
                Some((true, place, self.grant(&stack, node, owner, units)))
            }
            7..=9 => Some((true, operator, self.settle(&stack, node, owner, operator)?)),
            10..=12 => by_anyone(
                calls::Claim {
                    stack: id.into(),
                    task: stack.task.into(),
                    node: node.into(),
                    clock: Clock,
                }
                .into(),
            ),
            13 => by_anyone(
                calls::ExpireLease {
                    stack: id.into(),
                    node: node.into(),
                    clock: Clock,
                }
                .into(),
            ),
            14 => {
                let claimed = stack.lease(node)?.claimed_units();
                let unit = ComputeUnits(self.dice.roll(claimed.0.max(1)));
                by_owner(self.world.ledger.demand_record(&stack, node, unit))
            }
            _ => {
                let mut tickets = stack.lease(node)?.tickets.iter();
                let demand = tickets.find_map(|ticket| ticket.demands.first());
                match demand {
                    Some(demand) => {
                        by_anyone(self.world.ledger.prove_silence(&stack, node, demand.unit))
                    }
                    // two receipts for one request, now and then
                    None => {
                        if self.dice.roll(3) > 0 {
                            return None;
                        }
                        let (_, one) = self.record(&stack, node, owner, operator, 1);
                        let mut other = one.message().clone();
                        other.units = ComputeUnits(2);
                        let other = Signed::new(other, &self.operators[operator].0);
                        by_anyone(self.world.ledger.prove_equivocation(&stack, &one, &other))
                    }
                }
            }
        }
    }

    fn grant(&self, stack: &Stack, node: NodeId, owner: usize, units: ComputeUnits) -> Call {
        let grant = Grant {
            domain: Domain::default(),
            network: self.world.ledger.network(),
            stack: stack.id,
            node,
            cumulative_units: units,
            max_price: stack.max_price,
            nonce: stack.nonce,
            expires_at_ms: TimestampMs(u64::MAX),
        };
        let grant = Signed::new(grant, &self.users[owner]);
        calls::Lease {
            db: self.world.ledger.deployment().db.into(),
            stack: stack.id.into(),
            task: stack.task.into(),
            node: node.into(),
            grant: grant.bytes().to_vec(),
            signature: grant.signature().to_bytes(),
            clock: Clock,
        }
        .into()
    }

    fn settle(
        &mut self,
        stack: &Stack,
        node: NodeId,
        owner: usize,
        operator: usize,
    ) -> Option<Call> {
        let lease = stack.lease(node)?;
        let left = lease.units.0.saturating_sub(lease.claimed_units().0);
        let units = lease.claimed_units().0 + self.dice.roll(left + 1);
        let (header, receipt) = self.record(stack, node, owner, operator, units);
        let call = calls::Settle {
            stack: stack.id.into(),
            holder: node,
            from_seq: lease.claimed_seq(),
            to_units: ComputeUnits(units),
            to_seq: lease.claimed_seq() + 1,
            headers: vec![header.bytes().to_vec()],
            header_signatures: vec![header.signature().to_bytes()],
            last_receipt: receipt.bytes().to_vec(),
            receipt_signature: receipt.signature().to_bytes(),
            manifest_blob: None,
            clock: Clock,
        };
        Some(call.into())
    }

    /// The next request of a lease and its receipt.
    fn record(
        &self,
        stack: &Stack,
        node: NodeId,
        owner: usize,
        operator: usize,
        units: u64,
    ) -> (Signed<RequestHeader>, Signed<Receipt>) {
        let (network, now) = (self.world.ledger.network(), TimestampMs(7));
        let units = ComputeUnits(units);
        let header = RequestHeader {
            domain: Domain::default(),
            network,
            stack: stack.id,
            node,
            task: stack.task,
            request_id: RequestId([1; 16]),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32::of(b"body"),
            lane: 0,
            ceiling: units,
            max_units: units,
            issued_at_ms: now,
            expires_at_ms: now,
            origin: Origin::Own,
        };
        let header = Signed::new(header, &self.users[owner]);
        let claimed = stack.lease(node).map_or(0, |lease| lease.claimed_seq());
        let receipt = Receipt {
            domain: Domain::default(),
            network,
            stack: stack.id,
            node,
            seq: claimed + 1,
            request_id: header.message().request_id,
            request_hash: header.hash(),
            response_hash: Hash32::of(b"answer"),
            usage: Usage {
                output: units.0,
                ..Usage::default()
            },
            units,
            cumulative_units: units,
            times: RequestTimes {
                started_ms: now,
                first_token_ms: now,
                finished_ms: now,
            },
            engine: EngineClass {
                model: Hash32([1; 32]),
                numerics: Numerics::DetF32V1,
                rule: Rule::Exact,
            },
            output_fingerprint: None,
            previous: Hash32::ZERO,
            base: claimed,
            history: Hash32::ZERO,
        };
        let receipt = Signed::new(receipt, &self.operators[operator].0);
        (header, receipt)
    }
}
