//! Why a broker keeps a key.

atoma_tee::faults! {
    /// Why a broker keeps a key.
    KeyFault {
        Model = "key_model", "this broker has no key of that model";
        Bundle = "key_bundle", "what was sent isn't a bundle of evidence";
        Nonce = "key_nonce", "the evidence doesn't answer a nonce of this broker's for this model";
        NonceExpired = "key_nonce_expired", "the nonce is too old: ask for another";
        NonceUsed = "key_nonce_used", "the nonce was answered already: ask for another";
        Node = "key_node", "the keyset is a node's: one of no node is made for the key alone";
        Policy = "key_policy", "the owner's policy doesn't accept the evidence";
        Release = "key_release", "the owner doesn't give the key to that release";
        Keyset = "key_keyset", "the keyset has no sealing key that can be used";
        Busy = "key_busy", "too many ask at once: try again";
        Record = "key_record", "the broker can't record what it decides";
    }
}

impl KeyFault {
    /// The HTTP status that it is answered with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Model => 404,
            Self::Bundle | Self::Nonce | Self::NonceExpired | Self::Node | Self::Keyset => 400,
            Self::NonceUsed => 409,
            Self::Policy | Self::Release => 403,
            Self::Busy => 429,
            Self::Record => 503,
        }
    }

    /// The class of error in OpenAI's error object.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Policy | Self::Release => "permission_error",
            Self::Busy => "rate_limit_error",
            Self::Record => "server_error",
            Self::Model
            | Self::Bundle
            | Self::Nonce
            | Self::NonceExpired
            | Self::NonceUsed
            | Self::Node
            | Self::Keyset => "invalid_request_error",
        }
    }
}
