//! A maker of evidence under roots of its own: what tests of this and other crates judge. Nothing
//! that it makes is accepted under the makers' own roots.

mod answer;
mod authority;
pub mod der;
mod keys;
mod manifest;
mod nitro;
mod nvidia;
mod sample;
mod snp;
mod tdx;

pub use answer::AnswerSays;
pub use authority::{Authority, CertificateOf, Kind, Usage};
pub use keys::SigningKey;
pub use manifest::{ManifestClaims, ManifestMaker};
pub use nitro::{NitroClaims, NitroMaker};
pub use nvidia::{DeviceClaims, DeviceMaker};
pub use sample::{AT, bundle, freshness, keyset, no_roots, now, policy, policy_text, release};
pub use snp::{SnpClaims, SnpMaker};
pub use tdx::{TdxClaims, TdxMaker};
