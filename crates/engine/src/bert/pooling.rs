//! How the vectors of a text's tokens become one.

use serde::Deserialize;

use crate::checkpoint::json;
use crate::load_error::LoadError;
use crate::unsupported::Unsupported;

/// How token vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// The mean of all of them.
    Mean,
    /// The one of the first token, `[CLS]`.
    First,
    /// The largest of each component.
    Max,
}

/// As sentence-transformers writes it: a flag for each way, or, lately, a name.
#[derive(Deserialize, Default)]
#[serde(default)]
struct PoolingConfig {
    pooling_mode: Option<String>,
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
    pooling_mode_weightedmean_tokens: bool,
    pooling_mode_lasttoken: bool,
}

impl Pooling {
    /// From the text of the pooling's `config.json`.
    pub(super) fn parse(text: &[u8]) -> Result<Self, LoadError> {
        let config: PoolingConfig = json("1_Pooling/config.json", text)?;
        let flags = [
            (config.pooling_mode_mean_tokens, "mean"),
            (config.pooling_mode_cls_token, "cls"),
            (config.pooling_mode_max_tokens, "max"),
            (config.pooling_mode_mean_sqrt_len_tokens, "mean_sqrt_len"),
            (config.pooling_mode_weightedmean_tokens, "weightedmean"),
            (config.pooling_mode_lasttoken, "lasttoken"),
        ];
        let set = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name);
        let modes = match &config.pooling_mode {
            Some(mode) => vec![mode.as_str()],
            None => set.collect(),
        };
        match modes[..] {
            // Of unit length, they are the same.
            ["mean" | "mean_sqrt_len"] => Ok(Self::Mean),
            ["cls"] => Ok(Self::First),
            ["max"] => Ok(Self::Max),
            _ => {
                let modes = modes.iter().map(|mode| (*mode).to_owned());
                Err(Unsupported::Pooling(modes.collect()).into())
            }
        }
    }

    /// The direction of the pooled vector, from `[tokens][width]`. Sums go from the first token to the
    /// last.
    pub(super) fn pool(self, tokens: &[f32], width: usize) -> Vec<f32> {
        let mut rows = tokens.chunks_exact(width);
        let mut pooled = rows.next().unwrap_or_default().to_vec();
        if self == Self::First {
            return pooled;
        }
        for row in rows {
            for (pooled, value) in pooled.iter_mut().zip(row) {
                match self {
                    Self::Max if *value > *pooled => *pooled = *value,
                    Self::Mean => *pooled += value,
                    _ => {}
                }
            }
        }
        pooled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_vectors_become_one() {
        let tokens = [1.0, -2.0, 3.0, 0.5, -1.0, 4.0];
        assert_eq!(Pooling::Mean.pool(&tokens, 2), [3.0, 2.5]);
        assert_eq!(Pooling::First.pool(&tokens, 2), [1.0, -2.0]);
        assert_eq!(Pooling::Max.pool(&tokens, 2), [3.0, 4.0]);
    }

    #[test]
    fn both_ways_to_write_it_are_read_and_mixtures_refused() {
        let parse = |text: &str| Pooling::parse(text.as_bytes());
        assert_eq!(
            parse(r#"{"pooling_mode_mean_tokens":true,"pooling_mode_cls_token":false}"#).unwrap(),
            Pooling::Mean
        );
        assert_eq!(parse(r#"{"pooling_mode":"cls"}"#).unwrap(), Pooling::First);
        assert_eq!(
            parse(r#"{"pooling_mode_max_tokens":true}"#).unwrap(),
            Pooling::Max
        );
        for bad in [
            r#"{"pooling_mode_mean_tokens":true,"pooling_mode_max_tokens":true}"#,
            r#"{"pooling_mode_lasttoken":true}"#,
            "{}",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
