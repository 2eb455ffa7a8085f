//! What is wrong with processors' evidence.

use super::table::faults;

faults! {
    /// What is wrong with an SEV-SNP report or what comes with it.
    SnpFault {
        Length = "snp_length", "the report hasn't 1,184 bytes";
        Version = "snp_version", "the report's version is none that is known";
        Reserved = "snp_reserved", "bytes that must be zero aren't";
        SignatureForm = "snp_signature_form", "the report's signature isn't ECDSA over P-384 in its fixed form";
        SignatureKey = "snp_signature_key", "the report isn't signed by a chip's own key (VCEK)";
        Signature = "snp_signature", "the report isn't signed by the certificate's key";
        ChipMissing = "snp_chip_missing", "the certificate names no chip";
        Chip = "snp_chip", "the report is of another chip than the certificate";
        TcbMissing = "snp_tcb_missing", "the certificate lacks a version of the firmware, or has it in another form";
        Tcb = "snp_tcb", "the report claims other versions of the firmware than the certificate";
        GuestPolicy = "snp_guest_policy", "the guest's policy lacks the bit that is always set, or has unknown ones";
    }
}

faults! {
    /// What is wrong with a TDX quote or what comes with it.
    TdxFault {
        Truncated = "tdx_truncated", "the quote ends too early";
        Kind = "tdx_kind", "the quote isn't a TDX quote with an ECDSA P-256 key";
        Version = "tdx_version", "the quote's version is none that is known";
        Reserved = "tdx_reserved", "bytes of the quote that must be zero aren't";
        Trailing = "tdx_trailing", "bytes stand behind the quote's end";
        Certification = "tdx_certification", "the quote's certification data isn't in its one form";
        Certificates = "tdx_certificates", "the certificates in the quote aren't three in their one form";
        Root = "tdx_root", "the root in the quote isn't Intel's";
        Collateral = "tdx_collateral", "Intel's statements about the platform can't be read";
        StatementTime = "tdx_statement_time", "one of Intel's statements about the platform is of another time";
        Attributes = "tdx_attributes", "the guest's attributes let the host look into it or let it be moved, or lack a bit that every guest has";
        Quote = "tdx_quote", "the quote doesn't hold by Intel's certificates and statements";
        Platform = "tdx_platform", "the certificate of the platform's key says nothing of the platform";
        EventForm = "tdx_event_form", "an event of the log isn't in its one form";
        EventDigest = "tdx_event_digest", "an event's digest isn't that of its name and payload";
        EventLog = "tdx_event_log", "the log doesn't lead to the quote's registers";
        EventTwice = "tdx_event_twice", "an event that must be there once is there more often";
    }
}

faults! {
    /// What is wrong with a Nitro document.
    NitroFault {
        Cbor = "nitro_cbor", "the document isn't CBOR in its shortest form";
        Shape = "nitro_shape", "the document isn't a COSE signature with AWS's headers over AWS's fields";
        Field = "nitro_field", "a field of the document is missing, stands twice, is unknown or can't be read";
        Digest = "nitro_digest", "the document measures by something else than SHA-384";
        Signature = "nitro_signature", "the document isn't signed by its certificate's key";
        Time = "nitro_time", "the document is of a later time";
    }
}
