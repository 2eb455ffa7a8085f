//! Why evidence is refused. Every reason is a variant with a stable code and one sentence; the
//! tables stand in this folder, and [`Fault`] is any of them.

mod devices;
mod formats;
mod platforms;
mod policy;
mod table;

pub use devices::{BoardFault, DeviceFault, ManifestFault};
pub use formats::{AnswerFault, BundleFault, CertificateFault, DerFault};
pub use platforms::{NitroFault, SnpFault, TdxFault};
pub use policy::PolicyFault;

use serde::{Serialize, Serializer, ser::SerializeStruct};

macro_rules! any_fault {
    ($($(#[$doc:meta])* $variant:ident($inner:ty);)*) => {
        /// Any reason for which a piece of evidence, or a whole bundle, is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
        #[non_exhaustive]
        pub enum Fault {
            $($(#[$doc])* #[error(transparent)] $variant(#[from] $inner)),*
        }

        impl Fault {
            /// Every reason of every kind.
            #[must_use]
            pub fn all() -> Vec<Self> {
                let mut all = Vec::new();
                $(all.extend(<$inner>::ALL.iter().map(|fault| Self::$variant(*fault)));)*
                all
            }

            /// The stable code of the reason.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self { $(Self::$variant(fault) => fault.code()),* }
            }
        }

        /// Its code, and the reason in words.
        impl Serialize for Fault {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                let mut fields = serializer.serialize_struct("Fault", 2)?;
                fields.serialize_field("code", self.code())?;
                fields.serialize_field("reason", &self.to_string())?;
                fields.end()
            }
        }
    };
}

any_fault! {
    /// The bundle around all evidence.
    Bundle(BundleFault);
    /// The encoding of certificates and lists (DER).
    Der(DerFault);
    /// Certificates, chains and revocation lists.
    Certificate(CertificateFault);
    /// Stored answers about certificates.
    Answer(AnswerFault);
    /// Reports of AMD SEV-SNP.
    Snp(SnpFault);
    /// Quotes of Intel TDX, and what Intel says of their platforms.
    Tdx(TdxFault);
    /// Documents of AWS Nitro.
    Nitro(NitroFault);
    /// GPUs and switches.
    Device(DeviceFault);
    /// NVIDIA's manifests of what drivers and firmware measure.
    Manifest(ManifestFault);
    /// Devices that aren't those of one board.
    Board(BoardFault);
    /// What a policy doesn't allow.
    Policy(PolicyFault);
}

/// What checks return.
pub(crate) type Result<T> = std::result::Result<T, Fault>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Outcome;
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn a_refusal_is_told_by_its_code_and_in_words() {
        let refused = Outcome::Refused {
            fault: PolicyFault::Nonce.into(),
        };
        let told = json!({
            "outcome": "refused",
            "code": "policy_nonce",
            "reason": PolicyFault::Nonce.to_string(),
        });
        assert_eq!(serde_json::to_value(&refused).unwrap(), told);
    }

    #[test]
    fn codes_are_unique_and_plain() {
        let mut seen = BTreeSet::new();
        for fault in Fault::all() {
            let code = fault.code();
            assert!(seen.insert(code), "{code}");
            assert!(
                code.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{code}"
            );
        }
    }
}
