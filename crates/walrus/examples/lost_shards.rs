//! Encodes a blob, loses the slivers of six shards of ten, and gets the blob back from the rest.
//!
//! ```text
//! cargo run -p atoma-walrus --example lost_shards
//! ```

use atoma_walrus::coding::{Params, decode, encode};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let params = Params::new(10)?;
    let blob = b"a blob that must not get lost, ".repeat(100);

    // one pair of slivers for each shard; the id follows from the bytes and the number of shards
    let encoded = encode(params, &blob)?;
    println!("{} bytes, id {}", blob.len(), encoded.metadata.blob_id());

    // each sliver is checked against the metadata, so a lying node is as one that is lost
    let left: Vec<_> = encoded
        .pairs
        .into_iter()
        .skip(6)
        .map(|pair| pair.primary)
        .collect();
    let found = decode(&encoded.metadata, &left)?;
    assert_eq!(found, blob);
    println!("read back from {} slivers", left.len());
    Ok(())
}
