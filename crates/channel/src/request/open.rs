//! The node's side, within its guest.

use super::{head::RequestHead, read::SealedRequest};
use crate::{
    answer::{AnswerKey, AnswerSealer},
    fault::{Fault, Result},
    frame::{FrameOpener, cut},
    hpke::Unwrapping,
    key::Key,
    message_key::MessageKey,
    padding::unpad_request,
    replay::{Admitted, SealId, Seen},
    secret::SealingSecret,
    tags::REQUEST_TAG,
};
use atoma_runtime::Random;
use zeroize::Zeroizing;

/// A request that was opened and found whole, and hasn't been seen to be new yet. Its text comes out once it is
/// [admitted](Self::admitted).
#[derive(Debug)]
pub struct Opening {
    head: RequestHead,
    seen: Seen,
    text: Text,
    answer: AnswerKey,
}

struct Text(Zeroizing<Vec<u8>>);

impl Opening {
    /// What the client says openly, now known to be the client's words. Whether it
    /// [fits](RequestHead::fits) the signed header is for whoever has that.
    #[must_use]
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// What is remembered of the request, so that it isn't answered again.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// The text, and what seals the answer to it. Takes what [`ReplayGuard`](crate::ReplayGuard) or
    /// [`ReplayWindow`](crate::ReplayWindow) gave for this very request. `random` must be good for keys.
    ///
    /// # Errors
    /// [`Fault::NotAdmitted`] if it was given for another.
    #[expect(clippy::needless_pass_by_value, reason = "it is used up")]
    pub fn admitted(
        self,
        admitted: Admitted,
        random: &dyn Random,
    ) -> Result<(Zeroizing<Vec<u8>>, AnswerSealer)> {
        if admitted.id() != self.seen.id {
            return Err(Fault::NotAdmitted);
        }
        let sealer = self.answer.sealer(self.head.padding, random)?;
        Ok((self.text.0, sealer))
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Text")
    }
}

/// Opens a request as the recipient in this place, whose secret this is.
pub(crate) fn open(
    request: &SealedRequest<'_>,
    place: usize,
    secret: &SealingSecret,
) -> Result<Opening> {
    let head = request.head();
    let own = head.recipients.get(place).ok_or(Fault::Recipient)?;
    let wrapped = request.wrapped(place).ok_or(Fault::Truncated)?;
    let unwrapping = Unwrapping::new(
        &secret.secret,
        &REQUEST_TAG,
        own.keyset,
        own.key_id,
        &own.encapsulated,
    )?;
    let head_hash = request.head_hash();
    let content = unwrapping.unwrap(&wrapped, &head_hash.0)?;
    let text = open_frames(request, &content)?;
    Ok(Opening {
        seen: Seen {
            id: SealId(head_hash),
            issued_at: head.issued_at,
            expires_at: head.expires_at,
        },
        text: Text(text),
        answer: AnswerKey {
            node: own.node,
            request: request.hash(),
            secret: unwrapping.answer_secret()?,
        },
        head: head.clone(),
    })
}

fn open_frames(request: &SealedRequest<'_>, content: &Key) -> Result<Zeroizing<Vec<u8>>> {
    let key = MessageKey::derive(content, &REQUEST_TAG, &REQUEST_TAG)?;
    if !key.is_committed_to(&request.head().commitment) {
        return Err(Fault::ContentKey);
    }
    let opener = FrameOpener::new(key, request.binding());
    let mut rest = request.frames();
    let mut padded = Zeroizing::new(Vec::with_capacity(rest.len()));
    // their order was seen when the request was read
    while !rest.is_empty() {
        let (head, sealed) = cut(&mut rest)?;
        let start = padded.len();
        padded.extend_from_slice(sealed);
        let text = opener.open(head, &mut padded[start..])?.len();
        padded.truncate(start + text);
    }
    unpad_request(&mut padded)?;
    Ok(padded)
}
