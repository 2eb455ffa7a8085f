//! `atoma audit say`: a verdict by hand, for an attester who was drawn and whose program is away. What is said next follows
//! from how far the examination or the jury is.

use crate::{
    call::call_and_tell,
    client::client_folder,
    named::Named,
    output::{Output, usdc},
    settings::Settings,
    values::Usdc,
};
use anyhow::{Context, Result, bail, ensure};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_types::{
    Address, MicroUsdc, NodeId, RequestId, StackId, TimestampMs,
    chain::{Call, Clock, Exam, HitStage, Jury, Payment, Stack, Ticket, Verdict, calls},
    hash::Hash32,
};
use clap::Args;
use std::str::FromStr;

/// What is said, and about what.
#[derive(Debug, Args)]
pub(crate) struct Say {
    /// The stack's whole id.
    stack: Named,
    /// What you found: `ok`, or the number of a finding and its digest (`3:HEX`; docs/verification.md).
    found: Found,
    /// Only about this ticket, by the number of its last receipt.
    #[arg(long, value_name = "N")]
    ticket: Option<u64>,
    /// The most to stake on an accusation as its examiner, in USDC; what is asked is the parameter `examiner_fine`
    /// (default: that).
    #[arg(long, value_name = "USDC")]
    bond: Option<Usdc>,
}

/// A verdict as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found(Verdict);

impl FromStr for Found {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "ok" {
            return Ok(Self(Verdict::OK));
        }
        let expected = || "expected `ok`, or a number above 0 and 64 hexadecimal digits: 3:HEX";
        let (kind, digest) = text.split_once(':').ok_or_else(expected)?;
        let (kind, digest): (Option<u8>, Option<Hash32>) = (kind.parse().ok(), digest.parse().ok());
        let kind = kind.filter(|kind| *kind > 0);
        let (kind, digest) = kind.zip(digest).ok_or_else(expected)?;
        Ok(Self(Verdict { kind, digest }))
    }
}

/// A jury's vote, as its hash names it: stack, node, ticket, and whether it is of a challenge.
type Ballot = (StackId, NodeId, u64, bool);

/// What somebody who was drawn is to say next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Examines { holder: NodeId, ticket: u64 },
    Commits { ballot: Ballot, juror: NodeId },
    Reveals { ballot: Ballot, juror: NodeId },
}

impl Turn {
    fn ticket(&self) -> u64 {
        match self {
            Self::Examines { ticket, .. } => *ticket,
            Self::Commits { ballot, .. } | Self::Reveals { ballot, .. } => ballot.2,
        }
    }
}

pub(super) async fn say(
    say: &Say,
    ledger: &Ledger,
    settings: &Settings,
    output: &Output,
) -> Result<()> {
    let key = settings.key()?;
    let stack = say
        .stack
        .known_stack(ledger, &client_folder(settings))
        .await?;
    let stack = ledger.stack(stack).await?;
    let turns = turns(&stack, key.public_key().address(), ledger.clock().await?);
    let about = |turn: &&Turn| say.ticket.is_none_or(|ticket| turn.ticket() == ticket);
    let turns: Vec<&Turn> = turns.iter().filter(about).collect();
    let Some(turn) = turns.first() else {
        bail!(
            "nothing is to be said with this key now: `atoma audit show {}` tells who was drawn, and how far it is",
            stack.id
        );
    };
    ensure!(
        turns.iter().all(|other| other.ticket() == turn.ticket()),
        "you were drawn for several tickets of this stack: name one with --ticket, as `atoma audit show` numbers them"
    );
    let verdict = say.found.0;
    let call: Call = match turn {
        Turn::Examines { holder, ticket } => calls::GiveVerdict {
            stack: stack.id.into(),
            holder: *holder,
            ticket: *ticket,
            bad: verdict.is_bad(),
            bond: Payment(bond(&stack, verdict, say.bond, output)?),
            clock: Clock,
        }
        .into(),
        Turn::Commits { ballot, juror } => commits(
            *ballot,
            *juror,
            verdict.commitment(*ballot, *juror, &salt(&key, *ballot, *juror)),
        ),
        Turn::Reveals { ballot, juror } => {
            reveals(*ballot, *juror, verdict, salt(&key, *ballot, *juror))
        }
    };
    call_and_tell(ledger, settings, call, output).await
}

fn commits((stack, holder, ticket, challenge): Ballot, juror: NodeId, commitment: Hash32) -> Call {
    let call = calls::CommitVerdict {
        stack: stack.into(),
        holder,
        ticket,
        challenge,
        juror,
        commitment,
        clock: Clock,
    };
    call.into()
}

fn reveals(
    (stack, holder, ticket, challenge): Ballot,
    juror: NodeId,
    verdict: Verdict,
    salt: Hash32,
) -> Call {
    let call = calls::RevealVerdict {
        stack: stack.into(),
        holder,
        ticket,
        challenge,
        juror,
        verdict: verdict.kind,
        digest: verdict.digest,
        salt,
        clock: Clock,
    };
    call.into()
}

/// What an examiner stakes on what it says.
fn bond(stack: &Stack, verdict: Verdict, most: Option<Usdc>, output: &Output) -> Result<MicroUsdc> {
    if !verdict.is_bad() {
        return Ok(MicroUsdc::ZERO);
    }
    let sampling = stack.terms.sampling.as_ref();
    let asked = sampling
        .context("this stack's task is not examined")?
        .examiner_fine;
    if let Some(Usdc(most)) = most {
        ensure!(
            asked <= most,
            "an accusation stakes {} USDC, you would stake {} USDC at most",
            usdc(asked.0),
            usdc(most.0)
        );
    }
    output.note(format!(
        "{} USDC are at stake: they come back if the jury finds the same",
        usdc(asked.0)
    ));
    Ok(asked)
}

/// What hides a verdict until it is revealed: the same at both times, and nobody else can compute it.
fn salt(key: &SigningKey, (stack, holder, ticket, challenge): Ballot, juror: NodeId) -> Hash32 {
    let named = Hash32::of_parts(&[
        b"atoma/verdict-by-hand/v1",
        stack.0.as_bytes(),
        holder.0.as_bytes(),
        &ticket.to_le_bytes(),
        &[u8::from(challenge)],
        juror.0.as_bytes(),
    ]);
    let (id, _) = named.0.split_first_chunk().expect("32 bytes begin with 16");
    Hash32::of(key.salt_of(RequestId(*id)).reveal())
}

/// All that `me` is to say about a stack now. Pure.
fn turns(stack: &Stack, me: Address, now: TimestampMs) -> Vec<Turn> {
    let mut turns = Vec::new();
    for lease in stack.open_leases() {
        for ticket in &lease.tickets {
            let (holder, number) = (lease.node, ticket.to_seq);
            if examines(ticket, me, now) {
                turns.push(Turn::Examines {
                    holder,
                    ticket: number,
                });
            }
            let challenge = ticket.challenge.iter();
            let challenge = challenge.filter_map(|challenge| challenge.jury.as_ref());
            let juries = ticket.exam_jury.iter().map(|jury| (false, jury));
            for (challenge, jury) in juries.chain(challenge.map(|jury| (true, jury))) {
                let ballot = (stack.id, holder, number, challenge);
                turns.extend(seats(ballot, jury, me, now));
            }
        }
    }
    turns
}

fn examines(ticket: &Ticket, me: Address, now: TimestampMs) -> bool {
    matches!(&ticket.exam, Exam::Hit(hit)
        if hit.stage == HitStage::Examining && hit.examiner.owner == me && now <= hit.deadline_ms)
}

/// What the jurors of `me` do now: commit, or reveal what they have committed to.
fn seats(ballot: Ballot, jury: &Jury, me: Address, now: TimestampMs) -> impl Iterator<Item = Turn> {
    let committing = jury.seq > 0 && now <= jury.deadline_ms;
    let all = jury.jurors.iter().all(|juror| juror.commitment.is_some());
    let over = all || now > jury.deadline_ms;
    let revealing = jury.seq > 0 && now <= jury.reveal_ms && over;
    let mine = jury
        .jurors
        .iter()
        .filter(move |juror| juror.auditor.owner == me);
    mine.filter_map(move |seat| {
        let juror = seat.auditor.node;
        match (seat.commitment, seat.verdict) {
            (None, _) if committing => Some(Turn::Commits { ballot, juror }),
            (Some(_), None) if revealing => Some(Turn::Reveals { ballot, juror }),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_ok_or_a_number_and_a_digest() {
        assert_eq!("ok".parse(), Ok(Found(Verdict::OK)));
        let digest = Hash32([5; 32]);
        let bad = Found(Verdict { kind: 3, digest });
        assert_eq!(format!("3:{digest}").parse(), Ok(bad));
        for wrong in [
            "",
            "OK",
            "3",
            &format!("0:{digest}"),
            "3:55",
            &format!("256:{digest}"),
        ] {
            assert!(wrong.parse::<Found>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_salt_is_of_one_ballot_and_one_key() {
        let [key, other] = [1, 2].map(|byte| SigningKey::from_seed(&[byte; 32]));
        let id = |byte| Address::new([byte; 32]);
        let ballot = (StackId(id(3)), NodeId(id(4)), 5, false);
        let of = |key, ballot| salt(key, ballot, NodeId(id(6)));
        assert_eq!(of(&key, ballot), of(&key, ballot));
        assert_ne!(of(&key, ballot), of(&other, ballot));
        let challenged = (ballot.0, ballot.1, ballot.2, true);
        assert_ne!(of(&key, ballot), of(&key, challenged));
    }
}
