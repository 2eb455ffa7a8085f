use crate::{
    scripted::{ANSWER, COST, FRAMES},
    world::World,
};
use atoma_client::{
    ClientError, ReceiptError, RequestOptions, SecondError, StackHandle, lane::LaneError,
};
use atoma_types::{
    ComputeUnits, NodeId,
    message::{Endpoint, Origin},
};
use bytes::Bytes;
use futures::{StreamExt, future::join_all};
use http::StatusCode;
use serde_json::json;

fn body(act: &str) -> Bytes {
    json!({ "act": act, "max_tokens": 50 }).to_string().into()
}

async fn refusal(stack: &StackHandle, node: NodeId, act: &str) -> ReceiptError {
    let answer = stack.chat(node, body(act)).await.unwrap();
    match answer.whole().await.unwrap_err() {
        ClientError::Receipt { reason, .. } => reason,
        other => panic!("{act}: {other}"),
    }
}

#[tokio::test]
async fn answers_pass_unchanged_and_receipts_are_kept() {
    let world = World::start().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    let node = world.node.id;
    assert_eq!(stack.nodes(), [node]);
    assert_eq!(stack.room(node), ComputeUnits(10_000));

    let plain = stack
        .chat(node, body("plain"))
        .await
        .unwrap()
        .whole()
        .await
        .unwrap();
    assert_eq!(
        (plain.status, &plain.body[..]),
        (StatusCode::OK, ANSWER.as_bytes())
    );
    let receipt = plain.receipt.unwrap();
    assert_eq!((receipt.seq, receipt.units), (1, COST));
    assert!(receipt.answer_checked());

    let mut streamed = stack.chat(node, body("stream")).await.unwrap();
    let receipt = streamed.receipt();
    let mut bytes = Vec::new();
    while let Some(piece) = streamed.body.next().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.starts_with(FRAMES) && text.ends_with("\n\ndata: [DONE]\n\n"),
        "{text}"
    );
    assert_eq!(receipt.await.unwrap().seq, 2);
    assert_eq!(stack.room(node), ComputeUnits(10_000 - 2 * COST.0));

    // many at once finish in any order
    let many = (0..15).map(|i| stack.chat(node, body(if i % 2 == 0 { "plain" } else { "stream" })));
    let answers = join_all(many)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().whole());
    for whole in join_all(answers).await {
        assert!(whole.unwrap().receipt.is_some());
    }
    assert_eq!(stack.room(node), ComputeUnits(10_000 - 17 * COST.0));

    client.receipts().flush().await.unwrap();
    let kept = client.receipts().list(Some(stack.id())).unwrap();
    assert_eq!(kept.len(), 17);
    assert!(kept.iter().all(|receipt| receipt.fault.is_none()));
    let shown = client.receipts().show(plain.request_id).unwrap().unwrap();
    assert_eq!(shown.signed().unwrap().message().seq, 1);
}

#[tokio::test]
async fn every_lie_is_caught() {
    let world = World::start().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    let node = world.node.id;
    stack
        .chat(node, body("plain"))
        .await
        .unwrap()
        .whole()
        .await
        .unwrap();
    let fraud = refusal(&stack, node, "twice").await;
    assert!(
        matches!(fraud, ReceiptError::Equivocation { seq: 1, .. }),
        "{fraud}"
    );
    let one = ComputeUnits(1);
    let over = ReceiptError::Units {
        charged: COST.checked_add(one).unwrap(),
        due: COST,
    };
    let lies = [
        ("no_receipt", ReceiptError::Missing),
        ("other_answer", ReceiptError::ResponseHash),
        ("other_key", ReceiptError::Signature),
        ("overcharge", over),
        ("own_record", SecondError::Node.into()),
        ("other_record", SecondError::OtherRequest.into()),
        ("trailing", ReceiptError::TrailingBytes),
    ];
    for (act, error) in lies {
        // what a lie leaves unexplained ends the lease's requests
        let stack = world.leased(&client).await;
        assert_eq!(refusal(&stack, node, act).await, error, "{act}");
    }
    client.receipts().flush().await.unwrap();
    let kept = client.receipts().list(Some(stack.id())).unwrap();
    let twice = kept.iter().filter(|receipt| receipt.seq == 1).count();
    assert_eq!(twice, 2, "both sides of the fraud are kept");
}

#[tokio::test]
async fn nothing_more_is_signed_for_a_node_that_charges_what_cannot_be() {
    for (act, tokens) in [("counts_output", 500), ("counts_input", 5_000)] {
        let world = World::start().await;
        let client = world.client();
        let stack = world.leased(&client).await;
        let node = world.node.id;
        let asked = json!({ "act": act, "max_tokens": 6_000, "n_units": tokens }).to_string();
        let answer = stack.chat(node, asked).await.unwrap();
        let error = answer.whole().await.unwrap_err();
        let ClientError::Receipt { reason, .. } = error else {
            panic!("{act}: {error}");
        };
        assert!(reason.is_overcharge(), "{act}: {reason}");

        // neither here nor by the next program, for requests or grants; another node isn't concerned
        let ask = |stack: StackHandle| async move {
            match stack.chat(node, body("plain")).await.unwrap_err() {
                ClientError::Distrusted { reason, .. } => reason,
                other => panic!("{other}"),
            }
        };
        assert_eq!(ask(stack.clone()).await, reason);
        let granted = stack.grant(node, ComputeUnits(1)).await;
        assert!(matches!(granted, Err(ClientError::Distrusted { .. })));
        let id = stack.id();
        client.receipts().flush().await.unwrap();
        drop((stack, client));
        let client = world.client();
        assert_eq!(ask(client.open(id).await.unwrap()).await, reason);
        let kept = client.receipts().list(Some(id)).unwrap();
        assert_eq!(
            kept[0].fault,
            Some(reason.to_string()),
            "it is kept as evidence"
        );
    }
}

#[tokio::test]
async fn a_refusal_that_names_a_number_is_tried_again_within_limits() {
    let world = World::start().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    let node = world.node.id;
    let ask = |act: &str, units: u64, options: RequestOptions| {
        let body = json!({ "act": act, "n_units": units, "max_tokens": 50 }).to_string();
        stack.request(node, Endpoint::ChatCompletions, body.into(), options)
    };
    let limit = |max: u64, cap: u64| RequestOptions {
        max_units: Some(ComputeUnits(max)),
        cap: Some(ComputeUnits(cap)),
        lane: None,
        ..RequestOptions::default()
    };

    let raised = ask("max_units", 2_000, limit(100, 2_000)).await.unwrap();
    assert_eq!(raised.whole().await.unwrap().status, StatusCode::OK);
    let capped = ask("max_units", 2_000, limit(100, 1_999)).await.unwrap();
    let capped = capped.whole().await.unwrap();
    assert_eq!(capped.status, StatusCode::PAYMENT_REQUIRED);
    assert!(capped.receipt.is_none());
    assert_eq!(
        stack.room(node),
        ComputeUnits(10_000 - COST.0),
        "refusals are free"
    );

    // one lane has its ceiling, others are asked for more than the window explains
    let lane = |lane| RequestOptions {
        lane: Some(lane),
        ..limit(50, 50)
    };
    let window = ask("ceiling", 100, lane(7)).await.unwrap();
    assert_eq!(window.whole().await.unwrap().status, StatusCode::OK);
    let doubtful = ask("ceiling", 101, lane(9)).await.unwrap_err();
    assert!(
        matches!(doubtful, ClientError::Lane(LaneError::Unanswered { .. })),
        "{doubtful}"
    );
    let greedy = ask("ceiling", 151, lane(8)).await.unwrap_err();
    assert!(
        matches!(greedy, ClientError::Lane(LaneError::Disputed { .. })),
        "{greedy}"
    );

    let room = stack.room(node);
    let large = ask("plain", 0, limit(10_001, 10_001)).await.unwrap_err();
    assert!(
        matches!(large, ClientError::NoRoom { room: left, .. } if left == room),
        "{large}"
    );
}

#[tokio::test]
async fn lost_answers_are_found_out() {
    let world = World::start().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    let node = world.node.id;

    // the connection breaks after the commit: the node's receipt tells the cost
    let mut cut = stack.chat(node, body("cut")).await.unwrap();
    let receipt = cut.receipt();
    let id = cut.request_id;
    let broken = cut.whole().await.unwrap_err();
    assert!(matches!(broken, ClientError::Broken { .. }), "{broken}");
    let found = receipt.await.unwrap();
    assert_eq!((found.request_id, found.answer_checked()), (id, false));
    assert_eq!(stack.room(node), ComputeUnits(10_000 - COST.0));

    // it breaks and nothing was ever committed: the request costs nothing
    let mut vanished = stack.chat(node, body("vanish")).await.unwrap();
    let receipt = vanished.receipt();
    drop(vanished);
    assert!(receipt.await.is_none());
    assert_eq!(stack.room(node), ComputeUnits(10_000 - COST.0));
}

#[tokio::test]
async fn a_node_that_says_that_it_cannot_go_on_is_not_accused_of_a_bad_receipt() {
    let world = World::start().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    let node = world.node.id;
    let mut answer = stack.chat(node, body("gives_up")).await.unwrap();
    let receipt = answer.receipt();
    let gave_up = answer.whole().await.unwrap_err();
    assert!(matches!(gave_up, ClientError::GaveUp { .. }), "{gave_up}");
    assert!(receipt.await.is_none());
    assert_eq!(stack.room(node), ComputeUnits(10_000), "it costs nothing");

    // an error without a word to the user cuts no answer off in silence
    let cut = stack.chat(node, body("says_nothing")).await.unwrap();
    let missing = cut.whole().await.unwrap_err();
    assert!(
        matches!(
            missing,
            ClientError::Receipt {
                reason: ReceiptError::Missing,
                ..
            }
        ),
        "{missing}"
    );
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was() {
    let world = World::start().await;
    let node = world.node.id;
    let id = {
        let client = world.client();
        let stack = world.leased(&client).await;
        for _ in 0..3 {
            stack
                .chat(node, body("plain"))
                .await
                .unwrap()
                .whole()
                .await
                .unwrap();
        }
        client.receipts().flush().await.unwrap();
        stack.id()
    };
    {
        let client = world.client();
        let stacks = client.stacks().await.unwrap();
        assert_eq!(stacks.iter().map(StackHandle::id).collect::<Vec<_>>(), [id]);
        let whole = stacks[0]
            .chat(node, body("plain"))
            .await
            .unwrap()
            .whole()
            .await
            .unwrap();
        assert_eq!(whole.receipt.unwrap().seq, 4);
        assert_eq!(stacks[0].room(node), ComputeUnits(10_000 - 4 * COST.0));
    }
    assert_eq!(world.node.highest_lane(), Some(0));
    // with the memory lost, an unused lane is taken
    std::fs::remove_dir_all(world.folder.path().join("client")).unwrap();
    let stack = world.client().open(id).await.unwrap();
    stack
        .chat(node, body("plain"))
        .await
        .unwrap()
        .whole()
        .await
        .unwrap();
    assert_eq!(world.node.highest_lane(), Some(1));
}

#[tokio::test]
async fn who_lets_nobody_else_answer_signs_so() {
    let world = World::start().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    for (no_forward, origin) in [(false, Origin::Own), (true, Origin::Kept)] {
        let options = RequestOptions {
            no_forward,
            ..RequestOptions::default()
        };
        let (node, endpoint) = (world.node.id, Endpoint::ChatCompletions);
        let asked = stack.request(node, endpoint, body("plain"), options);
        let answer = asked.await.unwrap().whole().await.unwrap();
        let receipt = answer.receipt.unwrap();
        assert_eq!(receipt.request().message().origin, origin);
    }
}
