//! Sealing a request, as a client does: to keys of nodes that it has verified.

use super::head::{Recipient, RequestHead, RequestTerms, check_lifetime};
use crate::{
    answer::{AnswerOpener, Asked},
    fault::{Fault, Result},
    frame::{FrameSealer, Kind},
    hpke::Wrapping,
    key::Key,
    limits::{CHUNK_BYTES, MAX_RECIPIENTS},
    message_key::MessageKey,
    padding::pad_request,
    recipient::VerifiedKeyset,
    tags::REQUEST_TAG,
};
use atoma_runtime::Random;
use atoma_types::hash::Hash32;
use zeroize::Zeroizing;

/// Seals a request's body to the nodes whose keysets were accepted, any of which may answer. Gives the sealed body, to
/// be signed for and sent in the place of the text, and what opens the answer.
///
/// `random` must be good for keys. Every call draws a new content key: to ask again is to seal again.
///
/// # Errors
/// If there are no recipients or too many, a keyset is another network's or doesn't count at `terms.issued_at`, or the
/// text is too long.
pub fn seal_request(
    terms: &RequestTerms,
    recipients: &[VerifiedKeyset],
    text: &[u8],
    random: &dyn Random,
) -> Result<(Vec<u8>, AnswerOpener)> {
    if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS {
        return Err(Fault::Recipients);
    }
    check_lifetime(terms.issued_at, terms.expires_at)?;
    for keyset in recipients {
        if keyset.network != terms.network {
            return Err(Fault::Network);
        }
        keyset.counts_at(terms.issued_at)?;
    }
    let padded = Zeroizing::new(pad_request(text)?);
    let content = Key::new(random.bytes());
    let key = MessageKey::derive(&content, &REQUEST_TAG, &REQUEST_TAG)?;

    let (mut wrappings, listed) = agree(recipients, random)?;
    let head = RequestHead {
        network: terms.network,
        task: terms.task,
        endpoint: terms.endpoint,
        max_units: terms.max_units,
        issued_at: terms.issued_at,
        expires_at: terms.expires_at,
        padding: terms.padding,
        commitment: key.commitment,
        recipients: listed.try_into().map_err(|_| Fault::Recipients)?,
    };
    head.check()?;
    let mut sealed = head_bytes(&head);
    let head_hash = Hash32::of(&sealed);
    for wrapping in &mut wrappings {
        let wrapped = wrapping.wrap(&content, &head_hash.0)?;
        sealed.extend_from_slice(&wrapped.0);
    }
    seal_frames(key, &padded, &mut sealed)?;

    let mut asked = Vec::with_capacity(recipients.len());
    for (keyset, wrapping) in recipients.iter().zip(&wrappings) {
        asked.push(Asked {
            node: keyset.node,
            secret: wrapping.answer_secret()?,
        });
    }
    let opener = AnswerOpener::new(asked, Hash32::of(&sealed), terms.padding);
    Ok((sealed, opener))
}

/// A secret with each recipient, and what stands of it in the head.
fn agree(
    recipients: &[VerifiedKeyset],
    random: &dyn Random,
) -> Result<(Vec<Wrapping>, Vec<Recipient>)> {
    let mut wrappings = Vec::with_capacity(recipients.len());
    let mut listed = Vec::with_capacity(recipients.len());
    for keyset in recipients {
        let (wrapping, encapsulated) = Wrapping::new(
            &keyset.key,
            &REQUEST_TAG,
            keyset.digest,
            keyset.key_id,
            random,
        )?;
        wrappings.push(wrapping);
        listed.push(Recipient {
            node: keyset.node,
            keyset: keyset.digest,
            key_id: keyset.key_id,
            encapsulated,
        });
    }
    Ok((wrappings, listed))
}

/// Tag, length, head.
fn head_bytes(head: &RequestHead) -> Vec<u8> {
    let bytes = bcs::to_bytes(head).expect("a head has BCS");
    // a head is at most 8 KiB long
    let length = (bytes.len() as u32).to_le_bytes();
    [&REQUEST_TAG[..], &length, &bytes].concat()
}

fn seal_frames(key: MessageKey, padded: &[u8], sealed: &mut Vec<u8>) -> Result<()> {
    let mut frames = FrameSealer::new(key, Hash32::of(sealed));
    let mut chunks = padded.chunks(CHUNK_BYTES).peekable();
    while let Some(chunk) = chunks.next() {
        let kind = if chunks.peek().is_some() {
            Kind::More
        } else {
            Kind::Last
        };
        frames.seal(kind, |out| out.extend_from_slice(chunk), sealed)?;
    }
    Ok(())
}
