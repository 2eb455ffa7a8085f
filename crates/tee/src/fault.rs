//! Why evidence is refused. Every reason is a variant with a stable code and one sentence; the
//! reasons of each format stand beside its parser, and [`Fault`] is any of them.

/// Makes an enum of reasons: `Variant = "stable_code", "what is wrong";`.
macro_rules! faults {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $code, "`: ", $text, ".")] #[error($text)] $variant),*
        }

        impl $name {
            /// All reasons, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable code; it never changes its meaning.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }
        }
    };
}
pub(crate) use faults;

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
    };
}

any_fault! {
    /// The bundle around all evidence.
    Bundle(crate::bundle::BundleFault);
    /// ASN.1.
    Der(crate::der::DerFault);
    /// Certificates, chains and revocation lists.
    Certificate(crate::x509::CertificateFault);
    /// Stored answers about certificates.
    Answer(crate::x509::AnswerFault);
    /// AMD SEV-SNP.
    Snp(crate::snp::SnpFault);
    /// Intel TDX.
    Tdx(crate::tdx::TdxFault);
    /// AWS Nitro.
    Nitro(crate::nitro::NitroFault);
    /// GPUs and switches.
    Device(crate::nvidia::DeviceFault);
    /// NVIDIA's manifests.
    Manifest(crate::nvidia::ManifestFault);
    /// Devices that aren't those of one board.
    Board(crate::nvidia::BoardFault);
    /// What a policy doesn't allow.
    Policy(crate::policy::PolicyFault);
}

/// What checks return.
pub(crate) type Result<T> = std::result::Result<T, Fault>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

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
