//! Tasks, nodes, stacks and leases.

use crate::held::{
    both::{ANYONE, Both, NETWORK, key},
    records::Chain,
};
use atoma_contract::Object;
use atoma_sim::model::{self, NodeIx, Purchase, StackIx, TaskIx};
use atoma_types::{
    ComputeUnits, DurationMs, EngineClass, MicroUsdc, Numerics, Price, Rule, SecurityLevel,
    TimestampMs,
    chain::{self, Clock, Event, NewTask, Payment, Random, calls},
    hash::Hash32,
    message::{Domain, Draft, Grant},
};

impl Both {
    pub(in crate::held) fn create_task(&mut self, samples: bool) -> TaskIx {
        let engine = EngineClass {
            model: Hash32([7; 32]),
            numerics: Numerics::DetF32V1,
            rule: Rule::Exact,
        };
        let mut task = NewTask::chat("tiny", engine, Price(10_000_000));
        if samples {
            task.security = SecurityLevel::SamplingConsensus;
        }
        let changes = self.contract(ANYONE, task.call(Self::db())).unwrap();
        self.tasks.push(NewTask::created(&changes.events).unwrap());
        self.model.create_task(samples)
    }

    pub(in crate::held) fn fund(&mut self, task: TaskIx, amount: u64) {
        let call = calls::FundTask {
            task: self.tasks[task].into(),
            payment: Payment(MicroUsdc(amount)),
        };
        let contract = self.contract(ANYONE, call);
        self.model.fund(task, amount);
        self.same("fund", &contract, &Ok(()));
    }

    pub(in crate::held) fn register(&mut self, party: u32, collateral: u64) -> NodeIx {
        let call = calls::RegisterNode {
            db: Self::db().into(),
            collateral: Payment(MicroUsdc(collateral)),
            url: "http://192.0.2.1:8000".to_owned(),
            response_key: key(party).public_key(),
            sealing_key: None,
            clock: Clock,
        };
        let contract = self.contract(party, call);
        if let Ok(changes) = &contract {
            let Event::NodeRegistered(event) = &changes.events[0] else {
                panic!("{changes:?}")
            };
            self.nodes.push(event.node);
        }
        let model = self.model.register(self.now, party, collateral);
        self.same("register", &contract, &model);
        self.nodes.len() - 1
    }

    pub(in crate::held) fn subscribe(&mut self, task: TaskIx, node: NodeIx, price: u64) -> bool {
        let call = calls::Subscribe {
            db: Self::db().into(),
            task: self.tasks[task].into(),
            node: self.nodes[node].into(),
            price: Price(price),
            clock: Clock,
        };
        let contract = self.contract(self.model.nodes[node].owner, call);
        let model = self.model.subscribe(self.now, task, node, price);
        self.same("subscribe", &contract, &model)
    }

    pub(in crate::held) fn sync(&mut self, task: TaskIx, node: NodeIx) {
        let call = calls::SyncSubscription {
            task: self.tasks[task].into(),
            node: self.nodes[node].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        if contract.is_ok() {
            self.model.sync(self.now, task, node);
            self.same("sync", &contract, &Ok(()));
        }
    }

    pub(in crate::held) fn attest(&mut self, task: TaskIx, node: NodeIx) {
        let call = calls::EnrollAttester {
            db: Self::db().into(),
            task: self.tasks[task].into(),
            node: self.nodes[node].into(),
            deposit: Payment(MicroUsdc(self.model.rules.params.attest_deposit)),
            clock: Clock,
        };
        let contract = self.contract(self.model.nodes[node].owner, call);
        let model = self.model.attest(self.now, task, node);
        self.same("attest", &contract, &model);
    }

    pub(in crate::held) fn resign(&mut self, task: TaskIx, node: NodeIx) {
        let call = calls::ResignAttester {
            task: self.tasks[task].into(),
            node: self.nodes[node].into(),
        };
        let contract = self.contract(self.model.nodes[node].owner, call);
        let model = self.model.resign(task, node);
        self.same("resign", &contract, &model);
    }

    pub(in crate::held) fn collect(&mut self, task: TaskIx, node: NodeIx) {
        let call = calls::CollectAttesterFees {
            task: self.tasks[task].into(),
            node: self.nodes[node].into(),
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.collect(task, node);
        self.same("collect", &contract, &model);
    }

    pub(in crate::held) fn acquire(&mut self, buy: Purchase) -> Option<StackIx> {
        let escrow = model::cost(buy.units, buy.max_price);
        let call = calls::AcquireStack {
            db: Self::db().into(),
            task: self.tasks[buy.task].into(),
            payment: Payment(MicroUsdc(escrow)),
            total_units: ComputeUnits(buy.units),
            max_price: Price(buy.max_price),
            nodes: buy.draw as u8,
            request_key: key(buy.owner).public_key(),
            lifetime_ms: DurationMs(buy.lifetime),
            random: Random,
            clock: Clock,
        };
        let seed = self.seed();
        let contract = self.contract(buy.owner, call);
        if let Ok(changes) = &contract {
            let Event::StackAcquired(event) = &changes.events[0] else {
                panic!("{changes:?}")
            };
            self.stacks.push(event.stack);
        }
        let model = self.model.acquire(self.now, buy, &seed);
        self.same("acquire", &contract, &model);
        model.ok()
    }

    pub(in crate::held) fn stack(&self, stack: StackIx) -> &chain::Stack {
        match self.state.get(self.stacks[stack].0) {
            Some(Object::Stack(stack)) => stack,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn operator(&self, node: NodeIx) -> u32 {
        self.model.nodes[node].owner
    }

    pub(in crate::held) fn lease(&mut self, stack: StackIx, node: NodeIx, units: u64) {
        let held = self.stack(stack);
        let user = self.model.stacks[stack].owner;
        let grant = Draft::new(Grant {
            domain: Domain::default(),
            network: NETWORK,
            stack: self.stacks[stack],
            node: self.nodes[node],
            cumulative_units: ComputeUnits(units),
            max_price: held.max_price,
            nonce: held.nonce,
            expires_at_ms: TimestampMs(self.now),
        })
        .sign(&key(user));
        let (task, engine) = (held.task, held.engine);
        let call = calls::Lease {
            db: Self::db().into(),
            stack: self.stacks[stack].into(),
            task: task.into(),
            node: self.nodes[node].into(),
            grant: grant.bytes().to_vec(),
            signature: grant.signature().to_bytes(),
            clock: Clock,
        };
        let operator = self.operator(node);
        let contract = self.contract(operator, call);
        let model = self.model.lease(self.now, stack, node, units);
        if self.same("lease", &contract, &model) {
            let ids = (self.stacks[stack], self.nodes[node], task);
            self.chains
                .entry((stack, node))
                .or_insert_with(|| Chain::new(ids, engine, (user, operator)));
        }
    }

    pub(in crate::held) fn release(&mut self, stack: StackIx, node: NodeIx, units: u64) {
        let call = calls::ReleaseUnits {
            stack: self.stacks[stack].into(),
            node: self.nodes[node].into(),
            units: ComputeUnits(units),
            clock: Clock,
        };
        let contract = self.contract(self.operator(node), call);
        let model = self.model.release(self.now, stack, node, units);
        self.same("release", &contract, &model);
    }

    pub(in crate::held) fn revoke(&mut self, stack: StackIx, by: u32) {
        let call = calls::RevokeUngranted {
            stack: self.stacks[stack].into(),
            clock: Clock,
        };
        let contract = self.contract(by, call);
        let model = self.model.revoke(self.now, stack, by);
        self.same("revoke", &contract, &model);
    }
}
