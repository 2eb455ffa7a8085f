//! Walrus, natively: the coding that makes a blob's id, the formats of what storage nodes keep and
//! sign, quilts.
//!
//! * [`coding`] turns a blob into slivers and an id, and slivers back into the blob.
//! * [`committee`] signs and checks the storage nodes' confirmations.
//! * [`quilt`] puts many small blobs into one.
//! * [`client`] stores and reads through Walrus's HTTP API, whose JSON is in [`api`], and trusts
//!   neither publisher nor aggregator.
//!
//! With the feature `server` there is a Walrus of one's own beside them: `store`, storage nodes in
//! one process, and `http`, which serves them through the same API.
//!
//! Of Atoma it knows the ids of blobs and objects, which the ledger's calls have in them as well.
//!
//! The formats are Walrus's own, byte for byte; `docs/walrus.md` says which.
//!
//! # Example
//!
//! A blob's id depends on its bytes and on the number of shards alone, and whoever has enough of its
//! slivers has the blob:
//!
//! ```
//! use atoma_walrus::coding::{Params, blob_id};
//!
//! let params = Params::new(10)?;
//! let id = blob_id(params, b"a blob")?;
//! assert_eq!(id, blob_id(params, b"a blob")?);
//! assert_ne!(id, blob_id(params, b"another")?);
//! # Ok::<(), atoma_walrus::CodingError>(())
//! ```
//!
//! Reading a blob by its id from an aggregator, which isn't trusted: bytes that don't give the id
//! are refused.
//!
//! ```no_run
//! use atoma_walrus::{BlobId, client::{ClientConfig, WalrusClient}};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let aggregator = "https://aggregator.walrus-mainnet.walrus.space".parse()?;
//! let client = WalrusClient::new(ClientConfig::new(None, aggregator, 1_000))?;
//! let id: BlobId = "M4hsZGQ1oCktdzegB6HnI6Mi28S2nqOPHxK-W7_4BUk".parse()?;
//! println!("{} bytes", client.read(id).await?.len());
//! # Ok(())
//! # }
//! ```

pub mod api;
mod blob_object;
pub mod client;
pub mod coding;
pub mod committee;
#[cfg(feature = "server")]
pub mod http;
pub mod quilt;
#[cfg(feature = "server")]
pub mod store;
mod token;
pub mod wire;

pub use atoma_types::{BlobId, ObjectId};
pub use blob_object::{BlobObject, EncodingType, StorageResource};
pub use coding::CodingError;
pub use token::{Claims, sign_token};
