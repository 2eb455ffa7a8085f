//! A record with the proof that its node has settled it: what answers a demand, and what proves a
//! forgery.

use crate::pack::ReceiptProof;
use atoma_types::{DecodeError, merkle::Proof, message::EvidenceLeaf};
use base64::{DecodeError as Base64Error, Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// Why a file isn't a settled record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettledRecordError {
    /// It isn't a JSON object of `record` and `proof`.
    #[error("not {{\"record\": base64, \"proof\": base64}}")]
    Json(#[source] serde_json::Error),
    /// One of the two isn't base64.
    #[error("`{field}` is not base64")]
    Base64 {
        /// Its name in the file.
        field: &'static str,
        /// What is wrong with the text.
        #[source]
        source: Base64Error,
    },
    /// The proof's bytes aren't a path of a Merkle tree.
    #[error("`proof` is not a path")]
    Path(#[source] DecodeError),
}

/// A record and its path to the settlement's last receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledRecord {
    /// BCS of an [`EvidenceLeaf`], if the node is honest: a forged one may be any bytes.
    pub record: Vec<u8>,
    /// The path from its receipt to the last one that was settled.
    pub path: Proof,
}

/// As a file: base64 of both.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    record: String,
    proof: String,
}

impl SettledRecord {
    /// Reads the JSON form: `{"record": base64, "proof": base64}`, of the BCS of both.
    ///
    /// # Errors
    /// If it isn't that.
    pub fn from_json(text: &str) -> Result<Self, SettledRecordError> {
        let file: File = serde_json::from_str(text).map_err(SettledRecordError::Json)?;
        let path = base64("proof", &file.proof)?;
        Ok(Self {
            record: base64("record", &file.record)?,
            path: Proof::from_bytes(&path).map_err(SettledRecordError::Path)?,
        })
    }

    /// The record and its path as JSON, as files and nodes hand them on.
    #[must_use]
    pub fn to_json(&self) -> String {
        let file = File {
            record: BASE64_STANDARD.encode(&self.record),
            proof: BASE64_STANDARD.encode(self.path.to_bytes()),
        };
        serde_json::to_string(&file).expect("two texts are JSON")
    }

    /// What a node shows about a receipt, once it is settled.
    #[must_use]
    pub fn of_proof(proof: &ReceiptProof) -> Option<Self> {
        let settlement = proof.settlement.as_ref()?;
        Some(Self {
            record: EvidenceLeaf::new(&proof.header, &proof.receipt).to_bytes(),
            path: settlement.path.clone(),
        })
    }
}

fn base64(field: &'static str, text: &str) -> Result<Vec<u8>, SettledRecordError> {
    let decoded = BASE64_STANDARD.decode(text);
    decoded.map_err(|source| SettledRecordError::Base64 { field, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Plan, Sample};

    #[test]
    fn a_nodes_proof_becomes_a_file_that_is_read_again() {
        let proof = Sample::new(&Plan::default()).proof();
        let record = SettledRecord::of_proof(&proof).unwrap();
        assert_eq!(SettledRecord::from_json(&record.to_json()).unwrap(), record);
        let leaf = EvidenceLeaf::from_bytes(&record.record).unwrap();
        let settlement = proof.settlement.as_ref().unwrap();
        let place = settlement.last.place_of(leaf.receipt_hash(), &record.path);
        assert_eq!(place, Some(proof.receipt.message().seq));
        let unsettled = ReceiptProof {
            settlement: None,
            ..proof
        };
        assert_eq!(SettledRecord::of_proof(&unsettled), None);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let reason = |text: &str| SettledRecord::from_json(text).unwrap_err().to_string();
        assert!(reason("{}").starts_with("not {\"record\""));
        assert!(reason(r#"{"record": "", "proof": "", "more": 1}"#).starts_with("not {\"record\""));
        let text = r#"{"record": "!", "proof": ""}"#;
        assert_eq!(reason(text), "`record` is not base64");
        let text = r#"{"record": "", "proof": ""}"#;
        assert_eq!(reason(text), "`proof` is not a path");
        let text = r#"{"record": "", "proof": "!"}"#;
        assert_eq!(reason(text), "`proof` is not base64");
    }
}
