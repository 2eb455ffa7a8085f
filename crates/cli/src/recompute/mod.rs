//! Answers that are computed again on this machine: what there is to examine of one, and samples of one's own.

mod sample;

use atoma_audit::{Body, Exchange, Promised, Signers, Work};
use atoma_client::evidence::{Gap, Gathered, Item, need};
use atoma_evidence::pack::SaltedBody;

pub(crate) use sample::{SampleArgs, SampleConfig};

/// What there is to examine. What is broken fails a check of its own.
pub(crate) fn work(gathered: &Gathered) -> Item<Work> {
    let exchange = exchange(gathered)?;
    let body = |body: &SaltedBody| Body {
        salt: body.salt(),
        bytes: body.body(),
    };
    let bodies = [
        body(need(&gathered.request_body)?),
        body(need(&gathered.answer_body)?),
    ];
    if is_sealed(gathered) {
        let reason = "the request is sealed to an attested node, and can't be read here";
        return Err(Gap::Absent(reason.to_owned()));
    }
    let task = match &gathered.task {
        Ok(task) => Promised::from(task),
        // then the receipt's own word is held to
        Err(_) => Promised {
            engine: exchange.receipt().message().engine,
            model: None,
            weights: None,
        },
    };
    Ok(Work {
        exchange,
        task,
        bodies: Some(bodies),
    })
}

/// What user and node signed for each other: the rows that say so are held against the same keys.
fn exchange(gathered: &Gathered) -> Item<Exchange> {
    let (header, receipt) = (need(&gathered.header)?, need(&gathered.receipt)?);
    let unknown = || Gap::Absent("nothing says who signs this lease's receipts".to_owned());
    let signers = Signers {
        request: need(&gathered.stack)?.request_key,
        receipt: gathered.receipt_key().ok_or_else(unknown)?,
    };
    let checked = Exchange::checked(header.clone(), receipt.clone(), &signers);
    checked.map_err(|fault| Gap::Absent(fault.to_string()))
}

/// Whether the request's body is one that nobody but its parties can read.
pub(crate) fn is_sealed(gathered: &Gathered) -> bool {
    let body = gathered.request_body.as_ref();
    body.is_ok_and(|body| atoma_channel::is_sealed(&body.body()))
}
