//! API keys. A key is a secret text that only its holder has; the gateway keeps its hash. Finding
//! the account by that hash takes the same time whatever the text, because whoever guesses can't
//! choose what their guess hashes to.

use atoma_runtime::Random;
use atoma_types::{
    hash::Hash32,
    refusal::{Refusal, RefusalCode},
};
use http::{HeaderMap, header};
use std::{collections::HashMap, fmt};
use zeroize::Zeroizing;

/// Every key begins so: secret scanners and people recognise it.
pub(crate) const PREFIX: &str = "atoma-";
/// Random bytes in a key: 256 bits can't be guessed.
const SECRET_BYTES: usize = 32;
/// No key is longer: a longer text is refused before it is hashed.
const MAX_KEY_LENGTH: usize = 256;
/// Keeps these hashes apart from every other use of the hash.
const DOMAIN: &[u8] = b"atoma/api-key/v1";

/// The secret a user holds. Wiped when dropped; shown only by [`ApiKey::reveal`].
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// A fresh key: `atoma-` and 64 hex digits.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        random.fill(secret.as_mut());
        let digits = Zeroizing::new(hex_of(secret.as_ref()));
        Self(Zeroizing::new([PREFIX, &digits].concat()))
    }

    /// The text, to hand it to its holder once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the gateway keeps of it.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }
}

impl std::str::FromStr for ApiKey {
    type Err = ParseApiKeyError;
    fn from_str(text: &str) -> Result<Self, ParseApiKeyError> {
        if text.starts_with(PREFIX) && text.len() <= MAX_KEY_LENGTH {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(ParseApiKeyError)
        }
    }
}

/// The text is not an API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an API key begins with `{PREFIX}`")]
pub struct ParseApiKeyError;

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(elided)")
    }
}

/// BLAKE2b-256 of the domain and a key's text. Text: 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(Hash32);

impl KeyHash {
    fn of(text: &str) -> Self {
        Self(Hash32::of_parts(&[DOMAIN, text.as_bytes()]))
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({self})")
    }
}

/// The text is not 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's hash is 64 hex digits")]
pub struct ParseKeyHashError;

impl std::str::FromStr for KeyHash {
    type Err = ParseKeyHashError;

    fn from_str(text: &str) -> Result<Self, ParseKeyHashError> {
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(ParseKeyHashError);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16).ok_or(ParseKeyHashError);
            let value = digit(pair[0])? * 16 + digit(pair[1])?;
            // two hex digits make at most 255
            *byte = u8::try_from(value).map_err(|_| ParseKeyHashError)?;
        }
        Ok(Self(Hash32(bytes)))
    }
}

impl serde::Serialize for KeyHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for KeyHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Which value belongs to which key.
#[derive(Debug)]
pub(crate) struct KeyRing<T> {
    by_hash: HashMap<KeyHash, T>,
    /// Whose key everyone is taken to have.
    everyones: Option<KeyHash>,
}

impl<T> KeyRing<T> {
    /// A ring of these keys.
    ///
    /// # Errors
    ///
    /// The hash that two of them share.
    pub(crate) fn new(keys: impl IntoIterator<Item = (KeyHash, T)>) -> Result<Self, KeyHash> {
        let mut by_hash = HashMap::new();
        for (hash, value) in keys {
            if by_hash.insert(hash, value).is_some() {
                return Err(hash);
            }
        }
        Ok(Self {
            by_hash,
            everyones: None,
        })
    }

    /// The same ring, which takes everyone for the holder of this key, whatever key they send.
    pub(crate) fn open_to_all(mut self, key: KeyHash) -> Self {
        self.everyones = Some(key);
        self
    }

    /// What belongs to the key in `Authorization: Bearer`.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Result<&T, Refusal> {
        let refused = |message: &str| Err(Refusal::new(RefusalCode::InvalidApiKey, message));
        if let Some(found) = self.everyones.and_then(|key| self.by_hash.get(&key)) {
            // a page that a browser shows must not spend the money of whoever looks at it
            if headers.contains_key(header::ORIGIN) {
                return refused("this endpoint is not for web pages");
            }
            return Ok(found);
        }
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return refused("no API key: send it as `Authorization: Bearer atoma-...`");
        };
        let key = value
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key.trim())
            .filter(|key| key.len() <= MAX_KEY_LENGTH);
        match key.and_then(|key| self.by_hash.get(&KeyHash::of(key))) {
            Some(found) => Ok(found),
            None => refused("the API key is not known here"),
        }
    }
}

fn hex_of(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let pairs = bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]);
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_runtime::SystemRandom;

    fn with(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        headers
    }

    #[test]
    fn found_by_its_text_only() {
        let key = ApiKey::generate(&SystemRandom);
        let ring = KeyRing::new([(key.hash(), 7)]).unwrap();
        assert_eq!(
            ring.find(&with(&format!("Bearer {}", key.reveal()))),
            Ok(&7)
        );
        assert_eq!(
            ring.find(&with(&format!("bearer  {}", key.reveal()))),
            Ok(&7)
        );
        for wrong in [
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            key.reveal().to_owned(),
            format!("Basic {}", key.reveal()),
            format!("Bearer {}", key.hash()),
            format!("Bearer {}x", key.reveal()),
            format!("Bearer {}", "a".repeat(100_000)),
        ] {
            let refusal = ring.find(&with(&wrong)).unwrap_err();
            assert_eq!(refusal.code, RefusalCode::InvalidApiKey);
        }
        assert!(ring.find(&HeaderMap::new()).is_err());
    }

    #[test]
    fn an_open_ring_takes_everyone_but_web_pages() {
        let key = ApiKey::generate(&SystemRandom);
        let ring = KeyRing::new([(key.hash(), 7)]).unwrap();
        let ring = ring.open_to_all(key.hash());
        assert_eq!(ring.find(&HeaderMap::new()), Ok(&7));
        assert_eq!(ring.find(&with("Bearer anything")), Ok(&7));
        let mut page = HeaderMap::new();
        page.insert(header::ORIGIN, "https://example.com".parse().unwrap());
        assert!(ring.find(&page).is_err());
    }

    #[test]
    fn two_accounts_never_share_a_key() {
        let hash = ApiKey::generate(&SystemRandom).hash();
        assert_eq!(KeyRing::new([(hash, 1), (hash, 2)]).unwrap_err(), hash);
    }

    #[test]
    fn hashes_have_a_text_and_secrets_have_none() {
        let key = ApiKey::generate(&SystemRandom);
        assert_eq!(key.hash().to_string().parse(), Ok(key.hash()));
        assert!("12".parse::<KeyHash>().is_err());
        assert!("zz".repeat(32).parse::<KeyHash>().is_err());
        assert!(!format!("{key:?}").contains(&key.reveal()[PREFIX.len()..]));
        assert_eq!(key.reveal().len(), PREFIX.len() + 64);
    }

    #[test]
    fn golden_hash() {
        assert_eq!(
            KeyHash::of("atoma-test").to_string(),
            Hash32::of(b"atoma/api-key/v1atoma-test").to_string()
        );
    }
}
