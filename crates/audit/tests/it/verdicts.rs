//! What jurors put on the ledger.

use atoma_audit::testing::{Answer, Provider, chat, endless, look, options, sign, tiny};
use atoma_audit::{Ballot, Examined, Finding, Reason, Work, verdict};
use atoma_engine::{Engine, testing::Altered};
use atoma_types::{Address, NodeId, StackId, chain::Verdict, hash::Hash32};
use serde_json::json;
use std::sync::Arc;

fn ballot() -> Ballot {
    Ballot {
        stack: StackId(Address::new([1; 32])),
        node: NodeId(Address::new([2; 32])),
        ticket: 3,
        challenge: false,
    }
}

async fn wrong(engine: Arc<dyn Engine>) -> (Provider, Work) {
    let provider = Provider::new(engine);
    let signed = sign(chat(
        "Hello!",
        json!({ "temperature": 1.0, "max_tokens": 20 }),
    ));
    let mut request = provider.request(&signed);
    request.seed += 1;
    let answer = provider.run(request).await;
    let work = provider.work(&signed, &answer);
    (provider, work)
}

#[tokio::test]
async fn all_who_look_say_the_same_and_nobody_else_can() {
    let (provider, work) = wrong(endless(1)).await;
    let examined = look(&*provider.engine, &work).await;
    let said = verdict(&ballot(), &work, &examined);
    assert_eq!(said.kind, Reason::Scores as u8);
    assert_ne!(said.digest, Hash32::ZERO);
    let again = look(&*endless(1), &work).await;
    assert_eq!(verdict(&ballot(), &work, &again), said);

    // what is said to one jury is of no use to another
    let others = [
        Ballot {
            challenge: true,
            ..ballot()
        },
        Ballot {
            ticket: 4,
            ..ballot()
        },
        Ballot {
            node: NodeId(Address::new([4; 32])),
            ..ballot()
        },
        Ballot {
            stack: StackId(Address::new([4; 32])),
            ..ballot()
        },
    ];
    for other in others {
        assert_ne!(verdict(&other, &work, &examined).digest, said.digest);
    }
    // who knows the kind and hasn't computed doesn't know the rest
    let lazy = Examined {
        computed: None,
        ..examined
    };
    assert_ne!(verdict(&ballot(), &work, &lazy).digest, said.digest);
    let salted = Examined {
        computed: work.exchange.receipt().message().output_fingerprint,
        ..examined
    };
    assert_ne!(verdict(&ballot(), &work, &salted).digest, said.digest);
}

#[tokio::test]
async fn nothing_wrong_and_nothing_shown_have_no_digest() {
    let (_, work) = wrong(endless(1)).await;
    let of = |finding| {
        let computed = Some(Hash32([7; 32]));
        verdict(&ballot(), &work, &Examined { finding, computed })
    };
    assert_eq!(of(Finding::Honest), Verdict::OK);
    let withheld = of(Finding::Withheld);
    assert_eq!(
        (withheld.kind, withheld.digest),
        (Finding::WITHHELD, Hash32::ZERO)
    );
    assert!(withheld.is_bad());
}

#[tokio::test]
async fn a_digest_is_of_its_parts() {
    let (_, work) = wrong(endless(1)).await;
    let examined = Examined {
        finding: Finding::Guilty(Reason::Text),
        computed: Some(Hash32([6; 32])),
    };
    let digest = verdict(&ballot(), &work, &examined).digest;
    let expected = Hash32::of_parts(&[
        b"atoma/finding/v1",
        &[1; 32],
        &[2; 32],
        &3u64.to_le_bytes(),
        &[0, 23],
        &work.exchange.receipt().hash().0,
        &[9; 32],
        &[6; 32],
    ]);
    assert_eq!(digest, expected);
}

#[tokio::test]
async fn by_prefill_or_by_generating_the_same_is_found() {
    let provider = Provider::new(tiny(options(2, 128)));
    let plain = Altered::new(tiny(options(1, 9))).unable_to_confirm();
    let mut kinds = Vec::new();
    for (seed, prompt) in (0..).zip(["Hello!", "What is the sun?", "Tell me a story.", "Who?"]) {
        let body = json!({ "temperature": 1.0, "max_tokens": 30, "seed": seed, "stop": ["."] });
        let signed = sign(chat(prompt, body));
        let honest = provider.serve(&signed).await;
        let mut request = provider.request(&signed);
        request.seed += 100;
        let other = provider.run(request).await;
        let more = |answer: &Answer| {
            let mut more = answer.clone();
            more.usage.output += 2;
            more
        };
        let unsigned = |answer: &Answer| Answer {
            fingerprint: None,
            ..answer.clone()
        };
        for answer in [
            &honest,
            &other,
            &more(&honest),
            &unsigned(&other),
            &unsigned(&honest),
        ] {
            let work = provider.work(&signed, answer);
            let quick = look(&*provider.engine, &work).await;
            let slow = look(&plain, &work).await;
            assert_eq!(quick, slow, "{prompt}");
            assert_eq!(
                verdict(&ballot(), &work, &quick),
                verdict(&ballot(), &work, &slow)
            );
            kinds.push(quick.finding);
        }
    }
    let all = [
        Finding::Honest,
        Finding::Guilty(Reason::Scores),
        Finding::Guilty(Reason::Output),
    ];
    for kind in all {
        assert!(kinds.contains(&kind), "{kind} was never found: {kinds:?}");
    }
}
