//! What a task is for, how it is secured, and what a verifier must run to reproduce an answer.

use crate::hash::Hash32;
use serde::{Deserialize, Serialize};

macro_rules! byte_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        ///
        /// BCS: one byte, the variant's place from 0. An unknown byte is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// All variants, in the order of their bytes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The byte that stands for it on the wire.
            #[must_use]
            pub fn to_byte(self) -> u8 {
                self as u8
            }

            /// The variant with this byte.
            #[must_use]
            pub fn from_byte(byte: u8) -> Option<Self> {
                Self::ALL.get(usize::from(byte)).copied()
            }

            /// The name used in configuration, output and metrics.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::role::UnknownName;
            fn from_str(text: &str) -> Result<Self, $crate::role::UnknownName> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text).ok_or_else(|| $crate::role::UnknownName {
                    kind: stringify!($name),
                    text: text.to_owned(),
                    known: Self::ALL.iter().map(|v| v.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}
pub(crate) use byte_enum;

/// A name that none of the variants has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{text}`; known are {known}")]
pub struct UnknownName {
    /// The type that was asked for.
    pub kind: &'static str,
    /// The name that was given.
    pub text: String,
    /// What would have been taken.
    pub known: String,
}

byte_enum!(
    /// What a task computes.
    Role {
        /// Chat and text completion.
        ChatCompletion = "chat-completion",
        /// Makes vectors from text.
        Embedding = "embedding",
        /// Makes images from text.
        ImageGeneration = "image-generation",
        /// Writes down speech.
        SpeechToText = "speech-to-text",
        /// Reads text aloud.
        TextToSpeech = "text-to-speech",
        /// Fine-tuning of a model.
        FineTuning = "fine-tuning",
        /// Training of a model from its beginning.
        Training = "training",
        /// Anything else that node and user agree on.
        Custom = "custom",
    }
);

byte_enum!(
    /// How answers are made trustworthy beyond receipts and collateral.
    SecurityLevel {
        /// Receipts, evidence and collateral only.
        None = "none",
        /// Random audits by other nodes.
        SamplingConsensus = "sampling-consensus",
        /// Served inside a trusted execution environment.
        ConfidentialCompute = "confidential-compute",
        /// Answers are sampled for audits, and nodes run in confidential hardware.
        SamplingAndConfidential = "sampling-and-confidential",
    }
);

impl SecurityLevel {
    /// Whether audits are drawn (and the surcharge is escrowed).
    #[must_use]
    pub fn samples(self) -> bool {
        matches!(
            self,
            Self::SamplingConsensus | Self::SamplingAndConfidential
        )
    }

    /// Whether a live attestation is required.
    #[must_use]
    pub fn confidential(self) -> bool {
        matches!(
            self,
            Self::ConfidentialCompute | Self::SamplingAndConfidential
        )
    }
}

byte_enum!(
    /// The arithmetic an answer was computed in.
    Numerics {
        /// The embedded engine with f32 weights: bit-identical everywhere.
        DetF32V1 = "det-f32-v1",
        /// The embedded engine with bf16 weights: bit-identical everywhere.
        DetBf16V1 = "det-bf16w-v1",
        /// Any other engine: answers are compared with a tolerance, not bit by bit.
        Tolerant = "tolerant",
    }
);

impl Numerics {
    /// Whether two honest runs give the same bits, so that one differing bit is proof of a wrong
    /// answer.
    #[must_use]
    pub fn is_exact(self) -> bool {
        match self {
            Self::DetF32V1 | Self::DetBf16V1 => true,
            Self::Tolerant => false,
        }
    }

    /// The strictest comparison that is fair to a node that computes so.
    #[must_use]
    pub fn strictest_rule(self) -> Rule {
        if self.is_exact() {
            Rule::Exact
        } else {
            Rule::Tolerant
        }
    }
}

byte_enum!(
    /// How a verifier compares.
    Rule {
        /// One differing bit is proof.
        Exact = "exact",
        /// By score and thresholds.
        Tolerant = "tolerant",
    }
);

/// What a verifier must run to reproduce an answer.
/// BCS: `model` 32 bytes ‖ `numerics` 1 byte ‖ `rule` 1 byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EngineClass {
    /// Content hash of the model's weights, configuration and tokenizer.
    pub model: Hash32,
    /// How the engine computes: whether the same bits come out again.
    pub numerics: Numerics,
    /// How two results are compared.
    pub rule: Rule,
}

impl EngineClass {
    /// Whether what `found` computes is as good as what this class promises: the same model under the same rule;
    /// where the rule is tolerant, in whatever arithmetic.
    #[must_use]
    pub fn allows(&self, found: &Self) -> bool {
        found.model == self.model
            && found.rule == self.rule
            && (found.numerics == self.numerics || self.rule == Rule::Tolerant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_class_golden_bytes() {
        let class = EngineClass {
            model: Hash32([1; 32]),
            numerics: Numerics::DetBf16V1,
            rule: Rule::Exact,
        };
        let bytes = bcs::to_bytes(&class).unwrap();
        assert_eq!(hex::encode(&bytes), format!("{}0100", "01".repeat(32)));
        assert_eq!(bcs::from_bytes::<EngineClass>(&bytes).unwrap(), class);
    }

    #[test]
    fn unknown_bytes_and_names_are_refused() {
        assert!(bcs::from_bytes::<Role>(&[8]).is_err());
        assert_eq!(bcs::from_bytes::<Role>(&[7]).unwrap(), Role::Custom);
        assert!("chat".parse::<Role>().is_err());
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().as_ref(), Ok(role));
        }
    }
}
