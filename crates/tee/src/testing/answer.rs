//! Stored answers about certificates.

use super::{Authority, CertificateOf, Kind, SigningKey, der};
use aws_lc_rs::digest;

/// What an answer says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerSays {
    /// It is good.
    Good,
    /// It is revoked, for this reason; 6 is "on hold".
    Revoked(u8),
    /// It isn't known.
    Unknown,
}

impl Authority {
    /// An answer about the certificate with this serial number that this authority has issued, signed by a
    /// responder of its own.
    #[must_use]
    pub fn answer(&self, serial: &[u8], says: AnswerSays, from: i64, until: i64) -> Vec<u8> {
        let responder = self.issue(
            SigningKey::p384(),
            &CertificateOf {
                name: "responder",
                serial: &[0x77],
                kind: Kind::Leaf,
                extensions: vec![(vec![0x55, 0x1d, 0x25], purpose())],
                ..CertificateOf::default()
            },
        );
        self.answer_by(&responder, serial, says, from, until)
    }

    /// The same, by a responder of somebody's choice.
    #[must_use]
    pub fn answer_by(
        &self,
        responder: &Authority,
        serial: &[u8],
        says: AnswerSays,
        from: i64,
        until: i64,
    ) -> Vec<u8> {
        let sha256 = |bytes: &[u8]| der::octets(digest::digest(&digest::SHA256, bytes).as_ref());
        let id = der::sequence(&[
            &der::sequence(&[&der::oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]), &[5, 0]]),
            &sha256(&self.name),
            &sha256(&self.key.public()),
            &der::element(2, serial),
        ]);
        let status = match says {
            AnswerSays::Good => vec![0x80, 0],
            AnswerSays::Unknown => vec![0x82, 0],
            AnswerSays::Revoked(reason) => {
                let reason = der::element(0xa0, &der::element(0x0a, &[reason]));
                der::element(0xa1, &[der::time(from), reason].concat())
            }
        };
        let one = der::sequence(&[
            &id,
            &status,
            &der::time(from),
            &der::element(0xa0, &der::time(until)),
        ]);
        let data = der::sequence(&[
            &der::element(0xa1, &responder.name),
            &der::time(from),
            &der::sequence(&[&one]),
        ]);
        let basic = der::sequence(&[
            &data,
            &responder.key.algorithm(),
            &der::bits(&responder.key.sign_certificate(&data)),
            &der::element(0xa0, &der::sequence(&[&responder.certificate])),
        ]);
        let kind = der::oid(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]);
        let bytes = der::sequence(&[&kind, &der::octets(&basic)]);
        der::sequence(&[&der::element(0x0a, &[0]), &der::element(0xa0, &bytes)])
    }
}

fn purpose() -> Vec<u8> {
    der::sequence(&[&der::oid(&[0x2b, 6, 1, 5, 5, 7, 3, 9])])
}
