//! X.509 as the makers of hardware use it: version 3, ECDSA over P-256 or P-384 or RSA-PSS, a root
//! that is pinned. Everything is read from the bytes as they came.

mod algorithm;
mod answer;
mod certificate;
mod chain;
mod revocation;

pub(crate) use algorithm::Algorithm;
pub use answer::AnswerFault;
pub(crate) use answer::check_answers;
pub(crate) use certificate::Certificate;
pub use chain::Pin;
pub(crate) use chain::{Chain, Links};
pub(crate) use revocation::RevocationList;

use crate::fault::faults;

faults! {
    /// What is wrong with certificates, their chain, or a list that revokes some.
    CertificateFault {
        Version = "certificate_version", "a certificate isn't of version 3";
        Algorithm = "certificate_algorithm", "a certificate is signed by another algorithm than its kind is";
        Key = "certificate_key", "a certificate's key is of another kind than its chain has";
        Extension = "certificate_extension", "an extension of a certificate can't be read, stands there twice, or is critical and unknown";
        Root = "certificate_root", "the chain doesn't end in a pinned root";
        Length = "certificate_chain_length", "the chain has another number of certificates than its maker's chains";
        Issuer = "certificate_issuer", "a certificate's issuer isn't the next certificate's subject";
        MayNotSign = "certificate_may_not_sign", "a certificate signs without being allowed to";
        Signature = "certificate_signature", "a certificate's signature isn't by the next one's key";
        NotYetValid = "certificate_not_yet_valid", "a certificate isn't valid yet";
        Expired = "certificate_expired", "a certificate has expired";
        Revoked = "certificate_revoked", "a certificate is revoked";
        RevocationList = "revocation_list", "the revocation list can't be read";
        RevocationSignature = "revocation_list_signature", "the revocation list isn't signed by its issuer";
        RevocationTime = "revocation_list_time", "the revocation list is of another time";
        RevocationMissing = "revocation_list_missing", "there is no revocation list";
    }
}
