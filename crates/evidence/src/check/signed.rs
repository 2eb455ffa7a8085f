//! What the two signed messages say: by whom, about what, for how much.

use super::gathered::{Gap, Gathered, Item, hold, need, own};
use crate::{chain::Chain, pack::SaltedBody, receipt::ReceiptError};
use atoma_types::{hash::Hash32, message::CommitmentKind};

pub(super) fn header(g: &Gathered) -> Item<String> {
    let header = own(&g.header)?;
    let key = own(&g.stack)?.request_key;
    let signed = header.verify(&key).is_ok();
    hold(signed, || format!("it is not signed by {key}"))?;
    Ok(format!("signed by {}", short(&key)))
}

pub(super) fn receipt(g: &Gathered) -> Item<String> {
    let receipt = own(&g.receipt)?;
    own(&g.node)?;
    let key = g
        .receipt_key()
        .ok_or_else(|| Gap::absent("its node isn't known"))?;
    let signed = receipt.verify(&key).is_ok();
    hold(signed, || format!("it is not signed by {key}"))?;
    Ok(format!("signed by {}", short(&key)))
}

pub(super) fn parties(g: &Gathered) -> Item<String> {
    let header = need(&g.header)?.message();
    if let Ok(receipt) = &g.receipt {
        let receipt = receipt.message();
        let same = receipt.network == header.network;
        hold(same, || {
            "request and receipt are of two networks".to_owned()
        })?;
        let same = receipt.stack == header.stack;
        hold(same, || "request and receipt name two stacks".to_owned())?;
        let same = receipt.node == header.node;
        hold(same, || "request and receipt name two nodes".to_owned())?;
    }
    let network = *need(&g.network)?;
    hold(header.network == network, || {
        format!("they are of network {}", header.network)
    })?;
    let stack = need(&g.stack)?;
    hold(header.task == stack.task, || {
        format!(
            "the request is for {}, the stack for {}",
            header.task, stack.task
        )
    })?;
    let leased = stack.lease(header.node).is_some();
    hold(leased, || "the node has no lease of the stack".to_owned())?;
    Ok(format!("network {}", short(&network)))
}

pub(super) fn request(g: &Gathered) -> Item<String> {
    let (header, receipt) = (need(&g.header)?, need(&g.receipt)?.message());
    let (hash, id) = (header.hash(), header.message().request_id);
    hold(receipt.request_id == id, || {
        format!(
            "the request is {id}, the receipt for {}",
            receipt.request_id
        )
    })?;
    hold(receipt.request_hash == hash, || {
        format!(
            "the request's hash is {hash}, the receipt's {}",
            receipt.request_hash
        )
    })?;
    Ok(format!("hash {}", short(&hash)))
}

pub(super) fn body(g: &Gathered) -> Item<String> {
    let promised = need(&g.header)?.message().body_hash;
    commits_to(own(&g.request_body)?, CommitmentKind::Request, promised)
}

pub(super) fn answer(g: &Gathered) -> Item<String> {
    let promised = need(&g.receipt)?.message().response_hash;
    commits_to(own(&g.answer_body)?, CommitmentKind::Answer, promised)
}

fn commits_to(body: &SaltedBody, kind: CommitmentKind, promised: Hash32) -> Item<String> {
    let found = body.commitment(kind);
    hold(found == promised, || {
        format!("with its salt its hash is {found}, not {promised}")
    })?;
    Ok(format!("{} bytes", body.body().len()))
}

pub(super) fn engine(g: &Gathered) -> Item<String> {
    let (found, promised) = (need(&g.receipt)?.message().engine, need(&g.task)?.engine);
    hold(promised.allows(&found), || {
        let [found, promised] = [found, promised].map(|class| {
            let (numerics, rule) = (class.numerics.as_str(), class.rule.as_str());
            format!("{} ({numerics}, {rule})", class.model)
        });
        format!("the receipt names {found}, the task {promised}")
    })?;
    Ok(format!("model {}", short(&promised.model)))
}

pub(super) fn units(g: &Gathered) -> Item<String> {
    let receipt = need(&g.receipt)?.message();
    if let Ok(header) = &g.header {
        let most = header.message().max_units;
        hold(receipt.units <= most, || {
            format!("{} were charged, {most} allowed at most", receipt.units)
        })?;
    }
    let due = own(&g.task)?.weights.units(&receipt.usage);
    let is_due = due.is_some_and(|due| receipt.units <= due);
    hold(is_due, || match due {
        Some(due) => format!("{} were charged, the usage costs {due}", receipt.units),
        None => "the usage is more than can be counted".to_owned(),
    })?;
    let most = need(&g.header)?.message().max_units;
    Ok(format!("{} of at most {}", receipt.units, most.0))
}

pub(super) fn place(g: &Gathered) -> Item<String> {
    let receipt = need(&g.receipt)?;
    // the first of a chain is held against nothing but itself
    let alone = Chain::default().add(receipt).map_err(Gap::broken);
    alone.map(|_| {
        let receipt = receipt.message();
        format!("receipt {}, sum {}", receipt.seq, receipt.cumulative_units)
    })
}

pub(super) fn neighbours(g: &Gathered) -> Item<String> {
    let receipt = need(&g.receipt)?;
    let key = g.receipt_key();
    let by_the_node = g.neighbours.iter().filter(|other| match &key {
        Some(key) => other.receipt.verify(key).is_ok(),
        None => other.kept,
    });
    let ours = receipt.message();
    let mut places = Vec::new();
    // against each by itself: what others have among themselves says nothing about this one
    for other in by_the_node.map(|other| &other.receipt) {
        let theirs = other.message();
        let same_lease = (theirs.stack, theirs.node) == (ours.stack, ours.node);
        let mut chain = Chain::default();
        if !same_lease || other.hash() == receipt.hash() || chain.add(other).is_err() {
            continue;
        }
        chain.add(receipt).map_err(|error| match error {
            ReceiptError::Place => Gap::absent(error),
            error => Gap::broken(error),
        })?;
        places.push(theirs.seq);
    }
    let alone = g
        .settlement
        .as_ref()
        .is_ok_and(|settled| settled.last.seq == 1);
    if places.is_empty() && alone {
        return Ok("the only receipt of its lease".to_owned());
    }
    if places.is_empty() {
        return Err(Gap::absent("no other receipt of the lease is at hand"));
    }
    let next_to = |other: u64| other.abs_diff(ours.seq) == 1;
    let direct = places.iter().filter(|place| next_to(**place)).count();
    Ok(format!("fits {} others, {direct} next to it", places.len()))
}

pub(super) fn second(g: &Gathered) -> Item<String> {
    let absent = || Gap::absent("the request was not passed on");
    let second = g.second.as_ref().ok_or_else(absent)?;
    let (header, receipt) = (need(&g.header)?, need(&g.receipt)?);
    let record = &second.record;
    record
        .check(header, receipt.message())
        .map_err(Gap::broken)?;
    let stack = need(&second.stack)?;
    let lease = stack.lease(record.node());
    let lease = lease.ok_or_else(|| Gap::broken("the second node has no lease of the stack"))?;
    record
        .verify(&stack.request_key, &lease.key)
        .map_err(Gap::broken)?;
    let receipt = record.receipt().message();
    Ok(format!(
        "receipt {} of node {}, {} computed",
        receipt.seq,
        short(&receipt.node),
        receipt.units
    ))
}

/// The beginning of a hash or key: enough to recognise it.
pub(super) fn short(bytes: &impl ToString) -> String {
    bytes.to_string().chars().take(16).collect()
}
