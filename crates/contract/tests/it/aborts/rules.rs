//! What a call may meet anywhere, and the deployment's own parameters.

use super::*;

pub(super) const ANYWHERE: &[Case] = &[
    (ObjectMissing, || {
        let (mut world, _) = with_node();
        world.run(OPERATOR, url_call(NodeId(address(77)), "http://a"))
    }),
    (WrongObjectKind, || {
        let (mut world, _) = with_node();
        world.run(OPERATOR, url_call(LOCALNET_DB, "http://a"))
    }),
    (AmountOverflow, || {
        let (mut world, node) = with_node();
        world.run(OPERATOR, collateral_call(node, u64::MAX))
    }),
    (WrongVersion, || {
        let mut world = World::new();
        world.edit(LOCALNET_DB, |object| match object {
            Object::Db(db) => db.version += 1,
            _ => panic!("not the database"),
        });
        world.run(OPERATOR, register_call(OPERATOR, 1_000))
    }),
    (Paused, || {
        let mut world = World::new();
        world.set_param("paused", 1);
        world.run(OPERATOR, register_call(OPERATOR, 1_000))
    }),
    (Paused, || {
        let mut world = World::new();
        world.set_param("paused", 1);
        world.run(ADMIN, new_task().call(LOCALNET_DB))
    }),
    (Paused, || {
        let (mut world, task, node) = with_task();
        world.set_param("paused", 1);
        world.run(OPERATOR, subscribe_call(task, node, 1, 1))
    }),
    (Paused, || {
        let (mut world, task, _) = with_task();
        world.set_param("paused", 1);
        let call = world.acquire_call(task, 1_000, 1_500_000, Single);
        world.run(USER, call)
    }),
    (Paused, || {
        let (mut world, stack, node) = with_any();
        world.set_param("paused", 1);
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
];

pub(super) const DB: &[Case] = &[
    (NotAdmin, || set_param(USER, "paused", 1)),
    (WrongDatabase, || {
        let mut world = World::new();
        let foreign = address(55);
        let mut objects: Vec<_> = world.state.iter().map(|(o, w)| (o.clone(), w)).collect();
        let cap = AdminCap {
            id: foreign,
            db: foreign,
        };
        objects.push((Object::AdminCap(cap), Owner::Address(address(ADMIN))));
        world.state = State::restore(objects);
        let mut call = world.set_param_call("paused", 1);
        call.cap = foreign.into();
        world.run(ADMIN, call)
    }),
    (UnknownParam, || set_param(ADMIN, "nonsense", 1)),
    (ParamTooLarge, || set_param(ADMIN, "paused", 2)),
    (ParamTooSmall, || set_param(ADMIN, "epoch_ms", 999)),
    (ParamTooSmall, || set_param(ADMIN, "collateral_cap", 0)),
    (ParamsContradict, || {
        set_param(ADMIN, "max_lifetime_ms", 999)
    }),
];
