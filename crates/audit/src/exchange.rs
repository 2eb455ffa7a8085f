//! A signed request and the receipt that answers it, which belong together.

use atoma_types::{
    PublicKey,
    message::{Receipt, RequestHeader, Signed},
};

/// Whose signatures an exchange must have: what the ledger says of the lease that it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signers {
    /// The stack's request key, which signs headers.
    pub request: PublicKey,
    /// The key that the lease began with, which signs receipts.
    pub receipt: PublicKey,
}

/// A request header and the receipt for it. There is none whose parts weren't held against each other and against
/// their signers, so nothing that is found of one rests on a header that its user never signed for this receipt.
#[derive(Clone, Debug)]
pub struct Exchange {
    header: Signed<RequestHeader>,
    receipt: Signed<Receipt>,
}

/// Why a header and a receipt are no exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoExchange {
    /// The header isn't signed by the stack's key.
    #[error("the request is not signed by its stack's key")]
    HeaderSignature,
    /// The receipt isn't signed by the lease's key.
    #[error("the receipt is not signed by its lease's key")]
    ReceiptSignature,
    /// The receipt names another header.
    #[error("the receipt is for another request")]
    Request,
    /// They are of different networks, stacks or nodes.
    #[error("request and receipt are of two leases")]
    Lease,
}

impl Exchange {
    /// Holds a header and a receipt against each other and against who must have signed them, as the ledger does
    /// where a record is shown to it: no more, so that what it takes can be judged.
    ///
    /// # Errors
    /// If they aren't one exchange: the first of [`NoExchange`]'s reasons.
    pub fn checked(
        header: Signed<RequestHeader>,
        receipt: Signed<Receipt>,
        signers: &Signers,
    ) -> Result<Self, NoExchange> {
        let require = |holds: bool, fault| if holds { Ok(()) } else { Err(fault) };
        let by_user = header.verify(&signers.request).is_ok();
        require(by_user, NoExchange::HeaderSignature)?;
        let by_node = receipt.verify(&signers.receipt).is_ok();
        require(by_node, NoExchange::ReceiptSignature)?;
        let (asked, answered) = (header.message(), receipt.message());
        let named = answered.request_hash == header.hash();
        require(named, NoExchange::Request)?;
        let same_lease = (answered.network, answered.stack, answered.node)
            == (asked.network, asked.stack, asked.node);
        require(same_lease, NoExchange::Lease)?;
        Ok(Self { header, receipt })
    }

    /// The request header, as the user signed it.
    #[must_use]
    pub fn header(&self) -> &Signed<RequestHeader> {
        &self.header
    }

    /// The receipt, as the node signed it.
    #[must_use]
    pub fn receipt(&self) -> &Signed<Receipt> {
        &self.receipt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_keys::SigningKey;
    use atoma_types::{
        Address, NetworkId, NodeId, StackId,
        hash::Hash32,
        message::{Message, sample},
    };

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_seed(&[byte; 32])
    }

    fn signed<T: Message>(message: T, byte: u8) -> Signed<T> {
        Signed::new(message, &key(byte))
    }

    fn found(header: Signed<RequestHeader>, receipt: Signed<Receipt>) -> Option<NoExchange> {
        let signers = Signers {
            request: key(1).public_key(),
            receipt: key(2).public_key(),
        };
        Exchange::checked(header, receipt, &signers).err()
    }

    #[test]
    fn what_was_not_signed_for_each_other_is_no_exchange() {
        let header = || signed(sample::header(), 1);
        let with = |change: fn(&mut Receipt)| {
            let mut receipt = sample::receipt(header().hash());
            change(&mut receipt);
            receipt
        };
        let receipt = |change| signed(with(change), 2);
        assert_eq!(found(header(), receipt(|_| {})), None);
        let other = RequestHeader {
            body_hash: Hash32([66; 32]),
            ..sample::header()
        };
        let cases = [
            (
                signed(sample::header(), 3),
                receipt(|_| {}),
                NoExchange::HeaderSignature,
            ),
            (
                header(),
                signed(with(|_| {}), 3),
                NoExchange::ReceiptSignature,
            ),
            // another header by the same user, under the same id
            (signed(other, 1), receipt(|_| {}), NoExchange::Request),
            (
                header(),
                receipt(|r| r.network = NetworkId([66; 32])),
                NoExchange::Lease,
            ),
            (
                header(),
                receipt(|r| r.stack = StackId(Address::new([66; 32]))),
                NoExchange::Lease,
            ),
            (
                header(),
                receipt(|r| r.node = NodeId(Address::new([66; 32]))),
                NoExchange::Lease,
            ),
        ];
        for (header, receipt, fault) in cases {
            assert_eq!(found(header, receipt), Some(fault));
        }
    }
}
