//! One record out of a pack on Walrus, without fetching the pack.

use super::{catalog::Catalog, error::PackError, footer::Footer, header::Header, record::Record};
use atoma_types::hash::Hash32;
use atoma_walrus::{
    BlobId,
    client::{ClientError, WalrusClient},
};
use bytes::Bytes;
use std::ops::Range;

/// A pack of which ranges are fetched. Aggregators may lie about ranges, so it takes a root that is
/// known from elsewhere: then no record is believed that isn't the pack's. Without such a root the
/// whole blob is to be [read](WalrusClient::read), and taken with
/// [`Pack::from_bytes`](super::Pack::from_bytes).
#[derive(Clone, Debug)]
pub struct RemotePack {
    client: WalrusClient,
    blob: BlobId,
    catalog: Catalog,
}

impl RemotePack {
    /// Fetches the directory of the pack with that root.
    ///
    /// # Errors
    /// If it can't be had, or is of another pack.
    pub async fn open(client: WalrusClient, blob: BlobId, root: Hash32) -> Result<Self, PackError> {
        let length = client.lookup(blob).await?;
        let length = length.ok_or(ClientError::NotFound(blob))?;
        let fetch = async |range: Range<u64>| client.read_range_unchecked(blob, range).await;
        let footer = Footer::from_bytes(&fetch(Footer::range(length)?).await?, length)?;
        if footer.root() != root {
            return Err(PackError::WrongRoot {
                wanted: root,
                found: footer.root(),
            });
        }
        let header = fetch(Header::RANGE).await?;
        let index = fetch(footer.index_range()).await?;
        let catalog = Catalog::from_parts(&header, &index, &footer)?;
        Ok(Self {
            client,
            blob,
            catalog,
        })
    }

    /// The pack's header and the place of each record in it.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The bytes of the record at a place, checked: what goes with a path.
    ///
    /// # Errors
    /// If there's none, or it can't be had.
    pub async fn record_bytes(&self, place: usize) -> Result<Bytes, PackError> {
        Ok(self.fetch(place).await?.0)
    }

    /// The record at a place.
    ///
    /// # Errors
    /// If there's none, or it can't be had.
    pub async fn record(&self, place: usize) -> Result<Record, PackError> {
        Ok(self.fetch(place).await?.1)
    }

    async fn fetch(&self, place: usize) -> Result<(Bytes, Record), PackError> {
        let range = self.catalog.entry(place)?.range();
        let bytes = self.client.read_range_unchecked(self.blob, range).await?;
        let record = self.catalog.check(place, &bytes)?;
        Ok((bytes, record))
    }
}
