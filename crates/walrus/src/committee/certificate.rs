//! Certificates: confirmations of nodes with more than two thirds of the shards.

use super::{
    bls::{BlsError, BlsPublicKey, BlsSignature},
    message::Confirmation,
};
use crate::coding::Params;

/// A storage node as its peers know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The BLS key by which its confirmations are checked.
    pub key: BlsPublicKey,
    /// How many shards it keeps.
    pub weight: u16,
}

/// The storage nodes of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committee {
    params: Params,
    members: Vec<Member>,
}

/// Why a certificate isn't one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The members don't have all shards between them.
    #[error("the members keep {found} shards of {shards}")]
    Weights {
        /// The weight of those who signed, in shards.
        found: u32,
        /// What it must be.
        shards: u16,
    },
    /// Too few shards are behind it.
    #[error("{found} of the {needed} needed shards confirm")]
    NoQuorum {
        /// Shards of the signers.
        found: usize,
        /// The least that certify.
        needed: usize,
    },
    /// A signer that isn't a member.
    #[error("no member {0}")]
    NoMember(usize),
    /// The signature is not good.
    #[error(transparent)]
    Bls(#[from] BlsError),
}

/// Proof that the committee promised to keep a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// One bit per member, lowest first.
    pub signers: Vec<u8>,
    /// The confirmation that all signers signed.
    pub message: Confirmation,
    /// All their signatures in one.
    pub signature: BlsSignature,
}

impl Committee {
    /// # Errors
    /// If the members' shards don't sum up to all.
    pub fn new(params: Params, members: Vec<Member>) -> Result<Self, CertificateError> {
        let found = members.iter().map(|member| u32::from(member.weight)).sum();
        if found != u32::from(params.shards()) {
            return Err(CertificateError::Weights {
                found,
                shards: params.shards(),
            });
        }
        Ok(Self { params, members })
    }

    /// The members, in the order of the signers' bits.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Puts confirmations together. Each is checked, wrong ones don't count, nor does a second of
    /// the same member.
    ///
    /// # Errors
    /// If too few shards are behind what is right.
    pub fn certify(
        &self,
        message: Confirmation,
        confirmations: &[(usize, BlsSignature)],
    ) -> Result<Certificate, CertificateError> {
        let bytes = message.to_bytes();
        let mut signers = vec![0; self.members.len().div_ceil(8)];
        let mut signatures = Vec::with_capacity(confirmations.len());
        let mut found = 0;
        for (place, signature) in confirmations {
            let Some(member) = self.members.get(*place) else {
                continue;
            };
            let bit = 1 << (place % 8);
            if signers[place / 8] & bit == 0 && member.key.verify(&bytes, signature).is_ok() {
                signers[place / 8] |= bit;
                found += usize::from(member.weight);
                signatures.push(*signature);
            }
        }
        self.quorum(found)?;
        Ok(Certificate {
            signers,
            message,
            signature: BlsSignature::aggregate(&signatures)?,
        })
    }

    /// Whether a certificate is this committee's.
    ///
    /// # Errors
    /// If it isn't.
    pub fn verify(&self, certificate: &Certificate) -> Result<(), CertificateError> {
        let mut keys = Vec::new();
        let mut found = 0;
        for place in certificate.signer_places() {
            let member = self
                .members
                .get(place)
                .ok_or(CertificateError::NoMember(place))?;
            found += usize::from(member.weight);
            keys.push(member.key);
        }
        self.quorum(found)?;
        let message = certificate.message.to_bytes();
        Ok(certificate.signature.verify_aggregate(&message, &keys)?)
    }

    fn quorum(&self, found: usize) -> Result<(), CertificateError> {
        let needed = self.params.quorum();
        (found >= needed)
            .then_some(())
            .ok_or(CertificateError::NoQuorum { found, needed })
    }
}

impl Certificate {
    /// The signers' places in the committee.
    pub fn signer_places(&self) -> impl Iterator<Item = usize> {
        (0..self.signers.len() * 8).filter(|place| self.signers[place / 8] >> (place % 8) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BlobId,
        committee::{BlsSecretKey, Persistence},
    };

    fn committee() -> (Vec<BlsSecretKey>, Committee) {
        let keys: Vec<_> = (0..10)
            .map(|i| BlsSecretKey::from_seed(&[i; 32]).unwrap())
            .collect();
        let members = keys.iter().map(|key| Member {
            key: key.public_key(),
            weight: 1,
        });
        let committee = Committee::new(Params::new(10).unwrap(), members.collect()).unwrap();
        (keys, committee)
    }

    #[test]
    fn seven_of_ten_certify_and_six_do_not() {
        let (keys, committee) = committee();
        let message = Confirmation {
            epoch: 3,
            blob_id: BlobId([7; 32]),
            persistence: Persistence::Permanent,
        };
        let bytes = message.to_bytes();
        let mut signed: Vec<_> = (3..10).map(|i| (i, keys[i].sign(&bytes))).collect();
        let certificate = committee.certify(message, &signed).unwrap();
        assert_eq!(certificate.signers, [0b1111_1000, 0b11]);
        committee.verify(&certificate).unwrap();

        // a signature of something else, and one given twice, don't count
        signed[0] = (3, keys[3].sign(b"something else"));
        signed.push(signed[1]);
        let refused = committee.certify(message, &signed);
        assert_eq!(
            refused,
            Err(CertificateError::NoQuorum {
                found: 6,
                needed: 7
            })
        );

        let mut forged = certificate.clone();
        forged.signers = vec![0xff, 0b11];
        assert_eq!(committee.verify(&forged), Err(BlsError::Wrong.into()));
        forged.signers = vec![0xff, 0xff];
        assert_eq!(
            committee.verify(&forged),
            Err(CertificateError::NoMember(10))
        );
        let mut other = certificate;
        other.message.epoch = 4;
        assert_eq!(committee.verify(&other), Err(BlsError::Wrong.into()));
    }

    #[test]
    fn keys_and_signatures_go_round_and_garbage_is_refused() {
        let key = BlsSecretKey::from_seed(&[1; 32]).unwrap();
        let copy = BlsSecretKey::from_bytes(&key.to_bytes()).unwrap();
        let signature = copy.sign(b"text");
        let read = BlsSignature::from_bytes(&signature.to_bytes()).unwrap();
        let public = BlsPublicKey::from_bytes(&key.public_key().to_bytes()).unwrap();
        public.verify(b"text", &read).unwrap();
        assert_eq!(public.verify(b"another", &read), Err(BlsError::Wrong));
        assert!(BlsPublicKey::from_bytes(&[0; 48]).is_err());
        assert!(BlsSignature::from_bytes(&[0xc0; 96]).is_err());
        assert_eq!(format!("{key:?}"), "BlsSecretKey");
    }
}
