//! What must hold of the parsers that this crate keeps to itself, for whatever bytes users send. Each function
//! panics where something doesn't; the fuzz targets of `tests/fuzz` call them.

use crate::body::read;
use atoma_client::estimate;
use atoma_types::{ComputeUnits, UnitWeights, message::Endpoint};

/// A request's body: what is held for it covers its length and all the output that it asks for, and what a
/// node may raise that to is never less.
pub fn body(bytes: &[u8]) {
    let Ok(asked) = read(bytes) else {
        return;
    };
    let weights = UnitWeights::TEXT;
    for endpoint in [
        Endpoint::ChatCompletions,
        Endpoint::Completions,
        Endpoint::Embeddings,
    ] {
        let held = asked.max_units(endpoint, &weights, 100);
        assert!(held >= ComputeUnits(bytes.len() as u64), "{asked:?}");
        let most = estimate::most_units(endpoint, bytes, &weights, 100);
        assert!(most.is_ok_and(|most| most >= held), "{asked:?}");
        if endpoint != Endpoint::Embeddings {
            assert!(held.0 >= asked.output_tokens(100), "{asked:?}");
        }
    }
}
