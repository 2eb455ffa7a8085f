//! Serialises byte arrays as themselves in BCS and as hex where people read (JSON, TOML).

use crate::words;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(crate) fn serialize<S: Serializer, const N: usize>(
    bytes: &[u8; N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        return serializer.serialize_str(&hex::encode(bytes));
    }
    words::serialize(bytes, serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    if !deserializer.is_human_readable() {
        return words::deserialize(deserializer);
    }
    let text = String::deserialize(deserializer)?;
    let mut bytes = [0; N];
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(&text), &mut bytes)
        .map_err(|_| D::Error::custom(format!("expected {} hex digits", 2 * N)))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use crate::{NetworkId, hash::Hash32};

    #[test]
    fn bytes_in_bcs_and_hex_in_json() {
        let id = NetworkId([0xab; 32]);
        assert_eq!(bcs::to_bytes(&id).unwrap(), vec![0xab; 32]);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{}\"", "ab".repeat(32)));
        assert_eq!(serde_json::from_str::<NetworkId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<Hash32>("\"ab\"").is_err());
        assert_eq!(
            bcs::from_bytes::<Hash32>(&[1; 32]).unwrap(),
            Hash32([1; 32])
        );
    }
}
