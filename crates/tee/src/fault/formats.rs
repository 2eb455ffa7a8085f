//! What is wrong with bundles, encodings and certificates.

use super::table::faults;

faults! {
    /// What is wrong with a bundle as a whole.
    BundleFault {
        TooLong = "bundle_too_long", "the bundle is longer than any is";
        Encoding = "bundle_encoding", "the bundle isn't the BCS of one, or isn't all of it";
        Keys = "bundle_keys", "the keyset has no sealing key, one of a wrong length, or an id twice";
        FreshnessNode = "bundle_freshness_node", "the freshness is of another node than the keyset";
        ReportData = "bundle_report_data", "the report's data isn't the statement over this keyset, these devices and this freshness";
        Digest = "bundle_digest", "the bundle isn't the one that is registered";
    }
}

faults! {
    /// What is wrong with an ASN.1 encoding.
    DerFault {
        Truncated = "der_truncated", "an encoding ends too early";
        Length = "der_length", "a length isn't in its shortest form";
        Tag = "der_tag", "an element has another tag than it must have";
        Trailing = "der_trailing", "bytes stand behind an element that must be the last";
        Bits = "der_bits", "a bit string isn't made of whole bytes";
        Time = "der_time", "a time isn't in the one form that certificates use";
    }
}

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

faults! {
    /// What is wrong with a stored answer about a certificate, or what it says.
    AnswerFault {
        Form = "ocsp_form", "an answer about a certificate can't be read";
        Unrelated = "ocsp_unrelated", "an answer is about no certificate of the chain";
        Responder = "ocsp_responder", "an answer isn't by the certificate's issuer, nor by whom it may be";
        Signature = "ocsp_signature", "an answer isn't signed by its responder";
        Time = "ocsp_time", "an answer about a certificate is of another time";
        OnHold = "ocsp_on_hold", "a certificate is on hold";
        Revoked = "ocsp_revoked", "a certificate is revoked";
        Unknown = "ocsp_unknown", "a certificate's issuer doesn't know it";
    }
}
