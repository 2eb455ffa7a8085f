//! Why something sealed is refused.

atoma_tee::faults! {
    /// Why something sealed is refused, or can't be sealed.
    Fault {
        NotSealed = "not_sealed", "the request isn't sealed";
        PlainAnswer = "plain_answer", "the answer isn't sealed";
        RequestForm = "sealed_form", "the sealed request isn't of the one form that it can have";
        Recipients = "sealed_recipients", "a request is sealed to one to four nodes, each once";
        TooLong = "sealed_too_long", "the text is longer than a sealed message may be";
        KeysetRefused = "keyset_refused", "the policy hasn't accepted these keys";
        KeysetEarly = "keyset_early", "the keyset doesn't count yet";
        KeysetEnded = "keyset_ended", "the keyset doesn't count any more";
        SealingKey = "sealing_key", "the keyset has no sealing key that can be used";
        Network = "sealed_network", "the request is sealed for another network";
        Recipient = "sealed_recipient", "the request isn't sealed to this node";
        KeyUnknown = "sealing_key_unknown", "the request is sealed to a key that this node doesn't hold";
        KeyEarly = "sealing_key_early", "the request was sealed before its key counted";
        KeyEnded = "sealing_key_ended", "the request was sealed after its key's end";
        KeyMismatch = "sealing_key_mismatch", "the secret isn't that of the keyset's key";
        RingFull = "sealing_keys_full", "secrets of too many keysets are held";
        WrappedKey = "wrapped_key", "the wrapped key is of another request, for another key, or was changed";
        ContentKey = "content_key", "the wrapped key isn't the one that the head commits to";
        Header = "sealed_header", "the signed header asks for something else than the sealed request";
        Lifetime = "sealed_lifetime", "the request would live longer than requests may, or ends before it begins";
        Expired = "sealed_expired", "the request has expired";
        Future = "sealed_future", "the request is of a later time";
        BeforeStart = "sealed_before_start", "the request is older than what this replica remembers";
        Replayed = "sealed_replayed", "the request was seen before";
        WindowFull = "sealed_window_full", "more requests than can be remembered came at once";
        NotAdmitted = "sealed_not_admitted", "another request was admitted than this one";
        FrameLength = "frame_length", "a frame's length is none that it can have";
        FrameKind = "frame_kind", "a frame is of a kind that doesn't belong there";
        FrameMissing = "frame_missing", "a frame is missing, or came too early";
        FrameRepeated = "frame_repeated", "a frame came again, or too late";
        FrameForged = "frame_forged", "a frame was changed, or is of another message";
        FramesFull = "frames_full", "a message of so many frames isn't made";
        Truncated = "sealed_truncated", "the message ends before its last frame";
        AfterEnd = "sealed_after_end", "something stands behind the message's end";
        Padding = "sealed_padding", "a text isn't padded in the one way that it can be";
        AnswerNode = "answer_node", "a node answers to which the request wasn't sealed";
        AnswerRequest = "answer_request", "the answer is to another request";
        AnswerKey = "answer_key", "the answer's key isn't the one that its head commits to";
        Mixed = "answer_mixed", "an error stands before the answer's end";
        Refusal = "answer_refusal", "a refusal isn't marked as one, or what is marked is none";
        ModelForm = "model_form", "it isn't a sealed model's head, or not of the one form that it can have";
        ModelFiles = "model_files", "a sealed model has 1 to 1,024 files with plain names, each once and in order";
        ModelTooLong = "model_too_long", "a file, or the list of files, is longer than a sealed model's may be";
        ModelKey = "model_key", "the key isn't the one that the sealed model's head commits to";
        ModelFileLength = "model_file_length", "a sealed file isn't as long as it must be";
        ModelFile = "model_file", "a file isn't what it was when it was looked at";
        KeyForm = "model_key_form", "what was released isn't a wrapped key of the one form that it can have";
    }
}

/// What this crate's functions return.
pub(crate) type Result<T> = std::result::Result<T, Fault>;
