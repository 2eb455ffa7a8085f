//! Records that are none.

use super::*;

#[test]
pub(super) fn forged_records() {
    type Forge = fn(&Scene) -> Vec<u8>;
    let forgeries: [Forge; 8] = [
        // an order that the owner never signed
        |scene| forge(scene, |_| {}, STRANGER, |_| {}, OPERATOR),
        // an order to somebody else
        |scene| {
            forge(
                scene,
                |header| header.node = NodeId(address(7)),
                USER,
                |_| {},
                OPERATOR,
            )
        },
        // a receipt that the node didn't sign
        |scene| forge(scene, |_| {}, USER, |_| {}, STRANGER),
        // a receipt of another place
        |scene| forge(scene, |_| {}, USER, |receipt| receipt.seq = 1, OPERATOR),
        // a receipt for another order
        |scene| {
            forge(
                scene,
                |_| {},
                USER,
                |receipt| receipt.request_hash.0[0] ^= 1,
                OPERATOR,
            )
        },
        // a record at a place that isn't its
        |scene| scene.records[0].to_bytes(),
        // bytes that are no record at all
        |_| b"nothing".to_vec(),
        |_| Vec::new(),
    ];
    for (index, forge) in forgeries.into_iter().enumerate() {
        let mut scene = Scene::served();
        let mut records = scene.bytes();
        records[1] = forge(&scene);
        let mut call = settle_records(scene.stack, scene.node, &scene.records);
        call.receipts_root = root_of(&records);
        scene.world.ok(OPERATOR, call);
        for seq in [1, 3] {
            let call = scene
                .world
                .forged_call(scene.stack, scene.node, &records, seq);
            assert_eq!(
                scene.world.run(STRANGER, call).err(),
                Some(AbortCode::RecordGenuine)
            );
        }
        // it is no answer either
        let blob = scene.world.blob(OPERATOR);
        scene.open(2);
        let call = answer_call(scene.stack, scene.node, blob, &records, 2);
        assert!(scene.world.run(OPERATOR, call).is_err(), "case {index}");
        let call = scene
            .world
            .forged_call(scene.stack, scene.node, &records, 2);
        let changes = scene.world.ok(STRANGER, call);
        scene.assert_fraud(&changes, Charge::ForgedRequest, ESCROW, BOND);
    }
}

/// The second record, with header and receipt changed and signed by these.
fn forge(
    scene: &Scene,
    change_header: fn(&mut RequestHeader),
    by: u8,
    change_receipt: fn(&mut Receipt),
    receipt_by: u8,
) -> Vec<u8> {
    let mut header: RequestHeader = bcs::from_bytes(&scene.header(2).0).unwrap();
    change_header(&mut header);
    let header = signed(header, by);
    let mut receipt: Receipt = bcs::from_bytes(&scene.receipt(2).0).unwrap();
    receipt.request_hash = header.hash();
    change_receipt(&mut receipt);
    EvidenceLeaf::new(&header, &signed(receipt, receipt_by)).to_bytes()
}
