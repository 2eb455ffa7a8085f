//! From a quote's bytes to a guest.

use super::{
    EventLog, TdxFault, TdxGuest,
    events::{payload, replay},
    frame::{Frame, pem},
    guest::Parts,
    platform, statement,
};
use crate::{
    bounded::{Bytes, List},
    fault::Result,
    limits::{
        MAX_CERTIFICATE_BYTES, MAX_QUOTE_BYTES, MAX_REVOCATION_LIST_BYTES, MAX_STATEMENT_BYTES,
    },
    octets::Octets,
    x509::{Chain, Links, Pin, RevocationList},
};
use dcap_qvl::{QuoteCollateralV3, verify::QuoteVerifier};
use serde::{Deserialize, Serialize};

/// Two of Intel's certificates, the root last.
pub type IntelChain = List<Bytes<MAX_CERTIFICATE_BYTES>, 2>;

/// What a TDX guest shows.
///
/// # BCS
/// ```text
/// quote       ULEB128 length, quote without what device files pad it with
/// collateral  see TdxCollateral
/// events      ULEB128 count, at most 1024, then of each see Event
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TdxEvidence {
    /// The quote, as the platform signed it.
    pub quote: Bytes<MAX_QUOTE_BYTES>,
    /// What Intel says of the platform.
    pub collateral: TdxCollateral,
    /// What was measured while the guest started, and since.
    pub events: EventLog,
}

/// What Intel says of a platform, as its service gives it, the certificates in DER.
///
/// # BCS
/// ```text
/// root_revocations      ULEB128 length, DER
/// platform_revocations  ULEB128 length, DER
/// platform_issuers      1 count 2, then of each ULEB128 length, DER
/// signers               1 count 2, then of each ULEB128 length, DER
/// tcb_info              ULEB128 length, JSON as it is signed;  tcb_info_signature 64, r ‖ s
/// qe_identity           ULEB128 length, JSON as it is signed;  qe_identity_signature 64, r ‖ s
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TdxCollateral {
    /// The root's list of revoked authorities.
    pub root_revocations: Bytes<MAX_REVOCATION_LIST_BYTES>,
    /// The authority's list of revoked platforms.
    pub platform_revocations: Bytes<MAX_REVOCATION_LIST_BYTES>,
    /// Who signed that list, and the root.
    pub platform_issuers: IntelChain,
    /// Who signed the statements, and the root.
    pub signers: IntelChain,
    /// The state of platforms of this kind.
    pub tcb_info: Bytes<MAX_STATEMENT_BYTES>,
    /// The signature over `tcb_info`, by `signers`.
    pub tcb_info_signature: Octets<64>,
    /// The state of the enclave that signs quotes.
    pub qe_identity: Bytes<MAX_STATEMENT_BYTES>,
    /// The signature over `qe_identity`, by `signers`.
    pub qe_identity_signature: Octets<64>,
}

/// The event that says what a guest runs.
const COMPOSE: &str = "compose-hash";

impl TdxEvidence {
    /// Checks quote, statements and log at `at`, seconds since 1970; `root` is Intel's. What comes back
    /// is true by Intel's word; whether it is good enough is for a policy to say.
    ///
    /// # Errors
    /// The first thing that doesn't hold.
    pub fn verify(&self, root: Pin, at: i64) -> Result<TdxGuest> {
        let frame = Frame::read(&self.quote, root)?;
        let parts = Parts::read(frame.report).ok_or(TdxFault::Truncated)?;
        parts.check_attributes()?;
        let mut not_after = self.check_chains(&frame, root, at)?;
        let collateral = &self.collateral;
        let mut evaluation = u32::MAX;
        for text in [&collateral.tcb_info, &collateral.qe_identity] {
            let statement = statement::read(text)?;
            if at < statement.issued || at > statement.next_update {
                return Err(TdxFault::StatementTime.into());
            }
            not_after = not_after.min(statement.next_update);
            evaluation = evaluation.min(statement.evaluation);
        }
        let (status, advisories) = self.check_quote(&frame, at)?;
        let registers = replay(&self.events)?;
        if registers != parts.registers {
            return Err(TdxFault::EventLog.into());
        }
        let leaf = crate::x509::Certificate::read(&frame.certificates[0])?;
        let (platform, set_up) = platform::read(&leaf)?;
        Ok(TdxGuest {
            status,
            advisories,
            evaluation,
            platform,
            set_up,
            attributes: parts.attributes,
            mrtd: parts.mrtd,
            registers,
            config_id: parts.config_id,
            report_data: parts.report_data,
            compose: payload(&self.events, COMPOSE)?.map(<[u8]>::to_vec),
            not_after,
        })
    }

    /// All chains and lists, each reason by its code; gives when the first of them ends.
    fn check_chains(&self, frame: &Frame<'_>, root: Pin, at: i64) -> Result<i64> {
        let collateral = &self.collateral;
        let mut links = Links::default();
        let mut check = |certificates: Vec<&[u8]>| -> Result<i64> {
            let chain = Chain::check(certificates, root, &mut links, at)?;
            let mut not_after = chain.not_after();
            let certificates = chain.certificates();
            for pair in certificates.windows(2) {
                let issuer = &pair[1];
                let list = match issuer.subject == issuer.issuer {
                    true => &collateral.root_revocations,
                    false => &collateral.platform_revocations,
                };
                let list = RevocationList::check(list, issuer)?;
                list.valid_at(at)?;
                list.allows(&pair[0])?;
                not_after = not_after.min(list.next_update);
            }
            Ok(not_after)
        };
        let platform = frame.certificates.iter().map(|der| &der[..]).collect();
        let ends = [
            check(platform)?,
            check(check_two(&collateral.platform_issuers)?)?,
            check(check_two(&collateral.signers)?)?,
        ];
        Ok(ends.into_iter().min().unwrap_or(i64::MIN))
    }

    /// Signatures of quote and statements, and what the statements say of this platform.
    fn check_quote(&self, frame: &Frame<'_>, at: i64) -> Result<(String, Vec<String>)> {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec());
            text.map_err(|_| TdxFault::Collateral)
        };
        let chain = |chain: &IntelChain| chain.iter().map(|der| pem(der)).collect::<String>();
        let collateral = &self.collateral;
        let collateral = QuoteCollateralV3 {
            pck_crl_issuer_chain: chain(&collateral.platform_issuers),
            root_ca_crl: collateral.root_revocations.to_vec(),
            pck_crl: collateral.platform_revocations.to_vec(),
            tcb_info_issuer_chain: chain(&collateral.signers),
            tcb_info: text(&collateral.tcb_info)?,
            tcb_info_signature: collateral.tcb_info_signature.0.to_vec(),
            qe_identity_issuer_chain: chain(&collateral.signers),
            qe_identity: text(&collateral.qe_identity)?,
            qe_identity_signature: collateral.qe_identity_signature.0.to_vec(),
            pck_certificate_chain: None,
        };
        let root = frame.certificates.last().ok_or(TdxFault::Certificates)?;
        let now = u64::try_from(at).map_err(|_| TdxFault::StatementTime)?;
        let verified = QuoteVerifier::new(root.clone())
            .verify(&self.quote, &collateral, now)
            .map_err(|_| TdxFault::Quote)?;
        Ok((verified.status, verified.advisory_ids))
    }
}

/// A chain of exactly two.
fn check_two(chain: &IntelChain) -> Result<Vec<&[u8]>> {
    if chain.len() != 2 {
        return Err(TdxFault::Collateral.into());
    }
    Ok(chain.iter().map(|der| &der[..]).collect())
}
