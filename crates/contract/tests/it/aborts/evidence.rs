//! Evidence of storage, and the treasury.

use super::*;

pub(super) const EVIDENCE: &[Case] = &[
    (NotAllEmpty, || {
        settle(|_, call, _, _| (call.claimed_units, call.count) = (ComputeUnits(0), 0))
    }),
    (NotAllEmpty, || {
        settle(|_, call, stack, node| {
            *call = nothing_call(stack, node);
            call.receipts_root = Hash32([1; 32]);
        })
    }),
    (CountMismatch, || settle(|_, call, _, _| call.count = 8)),
    (CountMismatch, || {
        settle(|world, call, stack, node| {
            call.count = 0;
            set_receipt(call, world.receipt(stack, node, 0, 100), OPERATOR);
        })
    }),
    (ClaimMismatch, || {
        settle_with_receipt(|r| r.cumulative_units = ComputeUnits(99), OPERATOR)
    }),
    (ReceiptInvalid, || {
        settle(|_, call, _, _| call.last_receipt.push(0))
    }),
    (ReceiptWrongNetwork, || {
        settle_with_receipt(|receipt| receipt.network = NetworkId([1; 32]), OPERATOR)
    }),
    (ReceiptWrongStack, || {
        settle_with_receipt(|receipt| receipt.stack = StackId(address(1)), OPERATOR)
    }),
    (ReceiptWrongNode, || {
        settle_with_receipt(|receipt| receipt.node = NodeId(address(1)), OPERATOR)
    }),
    (ReceiptBadSignature, || {
        settle_with_receipt(|_| {}, STRANGER)
    }),
    (ReceiptBadSignature, || {
        settle(|_, call, _, _| call.receipt_signature.clear())
    }),
    // of a batch: another's path, a side that no sibling has, one hash more than any may have, none at all
    (ReceiptBadSignature, || {
        settle_in_batch(|signature, other| *signature = other)
    }),
    (ReceiptBadSignature, || {
        settle_in_batch(|signature, _| signature[128] |= 4)
    }),
    (ReceiptBadSignature, settle_in_a_batch_too_large),
    (ReceiptBadSignature, || {
        settle_in_batch(|signature, _| {
            signature.splice(64.., [0, 0x80]);
        })
    }),
    // the root's own signature is nobody's
    (ReceiptBadSignature, || {
        settle_in_batch(|signature, _| signature.truncate(64))
    }),
    (HeaderCountInvalid, || {
        settle(|_, call, _, _| {
            call.headers.clear();
            call.header_signatures.clear();
        })
    }),
    (HeaderCountInvalid, || {
        settle(|_, call, _, _| call.header_signatures.clear())
    }),
    (HeaderCountInvalid, || {
        settle(|_, call, _, _| {
            call.headers = vec![call.headers[0].clone(); limits::MAX_LANES + 1];
            call.header_signatures = vec![call.header_signatures[0].clone(); limits::MAX_LANES + 1];
        })
    }),
    (HeaderInvalid, || {
        settle(|_, call, _, _| {
            call.headers[0].pop();
        })
    }),
    (HeaderWrongNetwork, || {
        settle_with_header(|header| header.network = NetworkId([1; 32]), USER)
    }),
    (HeaderWrongStack, || {
        settle_with_header(|header| header.stack = StackId(address(1)), USER)
    }),
    (HeaderWrongNode, || {
        settle_with_header(|header| header.node = NodeId(address(1)), USER)
    }),
    (HeaderWrongTask, || {
        settle_with_header(|header| header.task = TaskId(address(1)), USER)
    }),
    (HeaderBadSignature, || settle_with_header(|_| {}, OPERATOR)),
    (HeaderBadSignature, || {
        settle(|_, call, _, _| {
            call.header_signatures[0].pop();
        })
    }),
    (LanesNotRising, || {
        settle(|world, call, stack, node| {
            add_header(call, world.header(stack, node, 0, 100), USER);
        })
    }),
    (ClaimAboveCeilings, || {
        settle_with_header(|header| header.ceiling = ComputeUnits(99), USER)
    }),
];

/// Half a day into the epoch after one in which the node was paid for a hundred units.
fn with_work() -> (World, TaskId, NodeId) {
    let (mut world, stack, node) = with_single();
    world.earn(OPERATOR, stack, node, 100);
    let task = world.stack(stack).task;
    world.now = (world.now / DAY + 1) * DAY;
    (world, task, node)
}

pub(super) const TREASURY: &[Case] = &[
    (NoFees, || {
        let (mut world, task, _) = with_task();
        world.run(STRANGER, collect_call(task))
    }),
    (NothingToReport, || {
        let (mut world, _, node) = with_task();
        world.run(STRANGER, report_call(node))
    }),
    (NothingToReport, || {
        let (mut world, _, node) = with_work();
        world.ok(STRANGER, report_call(node));
        world.run(STRANGER, report_call(node))
    }),
    (NothingToReport, || {
        let mut world = World::new();
        let node = world.register(OPERATOR, 1_000);
        world.now = 0;
        world.run(STRANGER, report_call(node))
    }),
    (ReportsClosed, || {
        let (mut world, _, node) = with_work();
        world.now += DAY / 2;
        world.run(STRANGER, report_call(node))
    }),
    (ReportsClosed, || {
        // the epoch's length changes while shares are being paid: its reports don't open again
        let (mut world, task, node) = with_work();
        let other = world.serve(OTHER, task, 1_000_000, 10_000);
        world.edit_node(other, |other| {
            other.previous.epoch = 1_000;
            other.previous.units = ComputeUnits(1);
        });
        world.ok(STRANGER, report_call(node));
        world.now += DAY / 2;
        world.ok(STRANGER, pay_call(node));
        world.now = 1_001 * DAY;
        world.run(STRANGER, report_call(other))
    }),
    (BookFull, || {
        let (mut world, _, node) = with_work();
        world.ok(STRANGER, report_call(node));
        world.edit(LOCALNET_DB, |object| {
            let Object::Db(db) = object else { panic!() };
            let share = EpochShare {
                node,
                units: ComputeUnits(1),
            };
            db.book.shares = vec![share; limits::MAX_SHARES];
        });
        world.edit_node(node, |node| node.current.units = ComputeUnits(1));
        world.run(STRANGER, report_call(node))
    }),
    (NoShare, || {
        let (mut world, _, node) = with_work();
        world.ok(STRANGER, report_call(node));
        world.now += DAY / 2;
        world.ok(STRANGER, pay_call(node));
        world.run(STRANGER, pay_call(node))
    }),
    (PaymentsNotOpen, || {
        let (mut world, _, node) = with_work();
        world.ok(STRANGER, report_call(node));
        world.now += DAY / 2 - 1;
        world.run(STRANGER, pay_call(node))
    }),
];
