//! A node that has its record certified after it was shown, so that whoever looks early finds nothing and whoever looks
//! late finds all of it: all find the same, and who looked early loses nothing.

use crate::world::Told;
use atoma_evidence::pack::{BodyKeys, Pack, Place, Record, SealContext, Shown};
use atoma_keys::{SigningKey, read_private};
use atoma_ledger::Digest;
use atoma_types::{
    BlobId, NodeId, PublicKey, StackId,
    chain::{
        Call, Clock, Event, Outcome, calls,
        events::{Charge, SettlementOpened},
    },
    history::ReceiptTree,
    message::{EvidenceLeaf, MessageSignature, Receipt, Signed},
};
use atoma_walrus::{
    client::{ClientConfig, StoreRequest, WalrusClient},
    coding::blob_id,
};
use bytes::Bytes;

/// A node that the test plays, with the ticket that it has settled.
struct Late {
    wallet: SigningKey,
    response: SigningKey,
    ticket: SettlementOpened,
    record: Record,
    /// Bytes of a pack that Walrus doesn't have, and the record's place there.
    pack: Bytes,
    place: Place,
    walrus: WalrusClient,
    context: SealContext,
}

impl Late {
    /// Takes the place of a node that has settled one request. Its record is also the beginning of another pack.
    async fn takes_over(told: &mut Told, ticket: SettlementOpened) -> Self {
        let folder = told.network.folder().join("node-1");
        drop(told.network.nodes.remove(0));
        let key = |name: &str| {
            let text = read_private(&folder.join(name)).unwrap().unwrap();
            SigningKey::from_suiprivkey(text.trim()).unwrap()
        };
        let walrus = told.network.walrus.as_ref().unwrap();
        let url = || walrus.url().parse().unwrap();
        let shards = walrus.shards();
        let walrus = ClientConfig::new(Some(url()), url(), shards);
        let walrus = WalrusClient::new(walrus).unwrap();
        let stored = walrus.read_certified(ticket.manifest_blob.unwrap()).await;
        let stored = stored.unwrap();
        let pack = Pack::from_bytes(stored.clone()).unwrap();
        let other = Bytes::from([&stored[..], &[0]].concat());
        let place = Place {
            blob: blob_id(walrus.params(), &other).unwrap(),
            range: pack.catalog().entry(0).unwrap().range(),
        };
        Self {
            wallet: key("wallet.key"),
            response: key("response.key"),
            record: pack.record(0).unwrap(),
            pack: other,
            place,
            walrus,
            context: SealContext {
                network: told.network.ledger.network(),
                stack: ticket.stack,
                node: ticket.node,
            },
            ticket,
        }
    }

    /// What an attester is shown, who may think that the pack was certified by this transaction.
    fn shows(&self, attester: &PublicKey, certified_by: Digest) -> Vec<u8> {
        let request = self.record.signed_request().unwrap().hash();
        let keys = BodyKeys::of(&self.record, &self.response, &self.context, request);
        let wrap = keys.unwrap().wrap_for(&self.context, request, attester);
        let shown = Shown {
            wrap: wrap.unwrap(),
            place: self.place.clone(),
            certified_by,
        };
        shown.to_bytes()
    }

    fn leaf(&self) -> EvidenceLeaf {
        self.record.evidence_leaf().unwrap().unwrap()
    }

    fn proof(&self) -> Vec<u8> {
        let leaf = self.leaf();
        let signature = MessageSignature::try_from(&leaf.receipt_signature[..]).unwrap();
        let receipt = Signed::<Receipt>::decode(leaf.receipt, signature).unwrap();
        let tree = ReceiptTree::new(0, vec![receipt.hash()]).unwrap();
        tree.prove(1).unwrap().to_bytes()
    }

    fn disclose(&self, wrap: Vec<u8>) -> Call {
        let SettlementOpened {
            stack,
            node,
            to_seq,
            ..
        } = self.ticket;
        calls::Disclose {
            stack: stack.into(),
            holder: node,
            ticket: to_seq,
            record: self.leaf().to_bytes(),
            proof: self.proof(),
            wrap,
            clock: Clock,
        }
        .into()
    }

    fn disclose_to_jury(&self, wraps: Vec<Vec<u8>>) -> Call {
        let (stack, node): (StackId, NodeId) = (self.ticket.stack, self.ticket.node);
        calls::DiscloseToJury {
            stack: stack.into(),
            holder: node,
            ticket: self.ticket.to_seq,
            challenge: false,
            record: self.leaf().to_bytes(),
            proof: self.proof(),
            wraps,
            clock: Clock,
        }
        .into()
    }

    /// The transaction that certified a blob of the node's.
    async fn certified(&self, told: &Told, blob: BlobId) -> Digest {
        let ledger = &told.network.ledger;
        let owner = self.wallet.public_key().address();
        let owned = ledger.owned_blobs(owner).await.unwrap();
        let object = owned.iter().find(|owned| owned.blob_id == blob).unwrap().id;
        let digest = ledger.last_change(object).await.unwrap().unwrap();
        let sealed = ledger.sealed(digest).await.unwrap().unwrap();
        assert_eq!(sealed.certified[0].blob_id, blob);
        digest
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_late_is_found_to_withhold_by_all_and_its_examiner_loses_nothing() {
    let mut told = Told::start(None).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    let settled = |event: &Event| matches!(event, Event::SettlementOpened(_));
    let Some(Event::SettlementOpened(ticket)) = told.until(settled).await.pop() else {
        unreachable!("it was waited for");
    };
    let late = Late::takes_over(&mut told, ticket).await;
    let drawn = |event: &Event| matches!(event, Event::ExaminerDrawn(_));
    let Some(Event::ExaminerDrawn(e)) = told.until(drawn).await.pop() else {
        unreachable!("it was waited for");
    };
    let ledger = told.network.ledger.clone();
    let key_of = async |node| ledger.node(node).await.unwrap().response_key;
    // what certified another pack of its own
    let first = late
        .certified(&told, late.ticket.manifest_blob.unwrap())
        .await;
    let shown = late.shows(&key_of(e.examiner).await, first);
    let call = late.disclose(shown);
    ledger.execute(&late.wallet, vec![call]).await.unwrap();
    let said = |event: &Event| matches!(event, Event::VerdictGiven(_));
    let Some(Event::VerdictGiven(e)) = told.until(said).await.pop() else {
        unreachable!("it was waited for");
    };
    assert!(e.bad, "it wasn't kept when it was shown");

    // now that its examiner has spoken it is, and the jury is shown that
    let request = StoreRequest {
        send_object_to: Some(late.wallet.public_key().address()),
        ..StoreRequest::permanent(5)
    };
    late.walrus.store(late.pack.clone(), request).await.unwrap();
    let certified = late.certified(&told, late.place.blob).await;
    let drawn = |event: &Event| matches!(event, Event::JuryDrawn(_));
    let Some(Event::JuryDrawn(jury)) = told.until(drawn).await.pop() else {
        unreachable!("it was waited for");
    };
    let mut wraps = Vec::new();
    for juror in jury.nodes {
        wraps.push(late.shows(&key_of(juror).await, certified));
    }
    let call = late.disclose_to_jury(wraps);
    ledger.execute(&late.wallet, vec![call]).await.unwrap();
    let convicted = |event: &Event| matches!(event, Event::NodeConvicted(_));
    let events = told.until(convicted).await;
    let Some(Event::NodeConvicted(e)) = events.last() else {
        unreachable!("it was waited for");
    };
    assert_eq!(e.charge, Charge::Examined);
    let guilty =
        |event: &Event| matches!(event, Event::JuryDecided(e) if e.outcome == Outcome::Guilty);
    assert!(events.iter().any(guilty));
    crate::all_seven_found_the_same(&events);
    let kinds = events.iter().filter_map(|event| match event {
        Event::Revealed(e) => Some(e.verdict.kind),
        _ => None,
    });
    assert!(kinds.into_iter().all(|kind| kind == 1), "withheld");
    told.network.stop().await;
}
