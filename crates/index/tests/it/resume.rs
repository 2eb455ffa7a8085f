use crate::{
    alike::{assert_alike, catch_up},
    parties::Parties,
};
use atoma_index::{DisputeState, Existing, IndexError, IndexReader, Indexer, Progress, Until};
use atoma_network::testing::{DAY, Trial};
use atoma_store::OpenError;
use std::collections::BTreeSet;
use tokio::sync::watch;

#[tokio::test]
async fn whatever_parties_do_the_read_model_says_what_the_objects_say() {
    let mut parties = Parties::start(1).await;
    let path = parties.world.folder.path().join("index.sqlite");
    parties.act(500).await;
    let reader = catch_up(&parties.world.ledger, &path).await;
    assert_alike(&parties.world.ledger, &reader).await;

    // stopped and started again: nothing twice, nothing lost
    for _ in 0..3 {
        parties.act(500).await;
        let reader = catch_up(&parties.world.ledger, &path).await;
        assert_alike(&parties.world.ledger, &reader).await;
    }

    // from the beginning it is the same
    let again = catch_up(&parties.world.ledger, &path.with_extension("2")).await;
    assert_alike(&parties.world.ledger, &again).await;
    let events = |reader: &IndexReader| reader.events(usize::MAX).unwrap();
    assert_eq!(events(&reader), events(&again));
    assert_eq!(reader.days(100).unwrap(), again.days(100).unwrap());

    // the run was worth comparing
    let names: BTreeSet<String> = events(&again).into_iter().map(|e| e.name).collect();
    for name in [
        "Claimed",
        "CollateralAdded",
        "ExpiryChanged",
        "FeesCollected",
        "FreeWithdrawn",
        "LeaseClosed",
        "Leased",
        "NodeConvicted",
        "NodeMoved",
        "NodeStatusChanged",
        "RecordDemanded",
        "SettlementOpened",
        "StackAcquired",
        "ToppedUp",
        "UngrantedRevoked",
        "Unsubscribed",
    ] {
        assert!(names.contains(name), "no {name} among {names:?}");
    }
    assert!(parties.taken > 100, "{}", parties.taken);
}

#[tokio::test]
async fn it_follows_live_and_one_program_writes() {
    let mut parties = Parties::start(2).await;
    let path = parties.world.folder.path().join("index.sqlite");
    let ledger = parties.world.ledger.clone();
    let indexer = Indexer::open(&ledger, &path, Existing::Keep).await.unwrap();
    let second = Indexer::open(&ledger, &path, Existing::Keep).await;
    assert!(matches!(
        second,
        Err(IndexError::Open(OpenError::InUse { .. }))
    ));

    let (stop, stopped) = watch::channel(false);
    let (seen, mut progress) = watch::channel(0);
    let run = tokio::spawn(async move {
        let report = |progress: atoma_index::Progress| {
            seen.send_replace(progress.events);
        };
        indexer.run(Until::Stopped, stopped, report).await
    });
    parties.act(80).await;
    let expected = {
        let whole = catch_up(&ledger, &path.with_extension("whole")).await;
        whole.progress().unwrap().events
    };
    // the writer says when it has come as far
    progress.wait_for(|seen| *seen == expected).await.unwrap();
    stop.send(true).unwrap();
    run.await.unwrap().unwrap();
    let reader = catch_up(&ledger, &path).await;
    assert_alike(&ledger, &reader).await;
}

/// A proxy's 404 used to end a program that follows.
#[tokio::test]
async fn it_goes_on_after_its_events_were_refused() {
    let mut parties = Parties::start(4).await;
    let path = parties.world.folder.path().join("index.sqlite");
    let ledger = parties.world.ledger.clone();
    let indexer = Indexer::open(&ledger, &path, Existing::Keep).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let (told, mut progress) = watch::channel(Progress::default());
    let run = tokio::spawn(async move {
        let report = |progress| {
            told.send_replace(progress);
        };
        indexer.run(Until::Stopped, stopped, report).await
    });
    progress.wait_for(|seen| seen.caught_up).await.unwrap();
    parties.world.localnet().refuse_events(12);
    let troubled = progress.wait_for(|seen| seen.trouble.is_some()).await;
    drop(troubled.unwrap());
    parties.world.localnet().tell_events();
    parties.act(20).await;
    let whole = catch_up(&ledger, &path.with_extension("whole")).await;
    let expected = whole.progress().unwrap().events;
    let caught_up = progress.wait_for(|seen| seen.events == expected).await;
    drop(caught_up.unwrap());
    stop.send(true).unwrap();
    run.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_writer_that_is_killed_at_any_moment_goes_on_where_it_was() {
    let mut parties = Parties::start(3).await;
    let path = parties.world.folder.path().join("index.sqlite");
    let ledger = parties.world.ledger.clone();
    parties.act(120).await;
    for polls in 1..40 {
        let indexer = loop {
            match Indexer::open(&ledger, &path, Existing::Keep).await {
                // the one before is still at its last commit
                Err(IndexError::Open(OpenError::InUse { .. })) => tokio::task::yield_now().await,
                opened => break opened.unwrap(),
            }
        };
        let (_stop, stopped) = watch::channel(false);
        // dropped after so many turns of the runtime, wherever it then is
        let mut run = Box::pin(indexer.run(Until::CaughtUp, stopped, |_| {}));
        for _ in 0..polls {
            if futures::poll!(&mut run).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let reader = catch_up(&ledger, &path).await;
    assert_alike(&ledger, &reader).await;
}

#[tokio::test]
async fn an_answered_demand_is_one() {
    let trial = Trial::start().await;
    let ledger = &trial.world.ledger;
    let path = trial.world.folder.path().join("index.sqlite");
    trial.settle().await;
    trial.demand(2).await;
    let reader = catch_up(ledger, &path).await;
    assert_alike(ledger, &reader).await;
    assert_eq!(reader.overview().unwrap().open_disputes, 1);

    let blob = Some(atoma_types::BlobId([7; 32]));
    let (record, proof) = trial.prove(2);
    let lease = (trial.stack, trial.node);
    let shown = (&record, &proof);
    let answer = ledger.answer_demand(lease, trial.unit(2), shown, (blob, Vec::new()));
    trial.run(&trial.operator, answer).await.unwrap();
    trial.advance(DAY + 1).await;
    trial.claim().await.unwrap();
    let reader = catch_up(ledger, &path).await;
    assert_alike(ledger, &reader).await;
    let disputes = reader.disputes(10).unwrap();
    assert_eq!(disputes.len(), 1);
    assert_eq!(
        (disputes[0].seq, disputes[0].state),
        (Some(2), DisputeState::Answered)
    );
    assert!(disputes[0].blob.is_some());
    let sums = reader.overview().unwrap().sums;
    assert_eq!((sums.requests, sums.disputes, sums.convictions), (3, 1, 0));
}
