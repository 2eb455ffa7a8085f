//! The ways to cheat, by name.

use std::{fmt, str::FromStr};

macro_rules! cheats {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $does:literal;)*) => {
        /// What a node may do instead of what it is paid for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Cheat {
            $($(#[$doc])* $name,)*
        }

        impl Cheat {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name, as people type it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What such a node does, for people.
            #[must_use]
            pub fn does(self) -> &'static str {
                match self { $(Self::$name => $does,)* }
            }
        }
    };
}

cheats! {
    /// It computes with other weights than the task's.
    OtherCheckpoint = "other-checkpoint", "computes with another checkpoint of the model";
    /// It computes with weights of 8 bits.
    Int8 = "int8", "computes with weights that are rounded to 8 bits";
    /// It computes with weights of 6 bits.
    Int6 = "int6", "computes with weights that are rounded to 6 bits";
    /// It computes with weights of 4 bits.
    Int4 = "int4", "computes with weights that are rounded to 4 bits";
    /// It takes the likeliest token where it should draw one.
    GreedyForSampled = "greedy-for-sampled", "takes the likeliest token where it should draw one";
    /// It draws at another temperature.
    OtherTemperature = "other-temperature", "draws at half the temperature that was asked for";
    /// It draws with noise of its own.
    WrongSeed = "wrong-seed", "draws with another seed than the request's";
    /// It reads half of what it is told.
    ShorterPrompt = "shorter-prompt", "reads half of each message and charges for all";
    /// It has the model told something else first.
    ChangedSystemPrompt = "changed-system-prompt", "slips a system prompt of its own before the user's messages";
    /// It changes words of the answer.
    EditedTokens = "edited-tokens", "computes the answer and changes a word of it";
    /// It makes an answer up.
    Invented = "invented", "makes an answer up without running the model";
    /// It gives an answer that it has at hand.
    Cached = "cached", "answers with what the model once said to another question";
    /// It stops early and says that the answer is complete.
    Truncated = "truncated", "stops early and says that the model was done";
    /// It makes the answer longer.
    Padded = "padded", "adds words to the answer and charges for them";
    /// It charges for more than it read.
    Overcounted = "overcounted", "counts tokens of the prompt that aren't there";
}

impl Cheat {
    /// Whether it is about how tokens are drawn: it shows only where the model isn't sure of them.
    #[must_use]
    pub fn is_about_draws(self) -> bool {
        matches!(
            self,
            Self::GreedyForSampled | Self::OtherTemperature | Self::WrongSeed
        )
    }
}

impl fmt::Display for Cheat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no such way to cheat.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such way to cheat")]
pub struct UnknownCheat;

impl FromStr for Cheat {
    type Err = UnknownCheat;

    fn from_str(text: &str) -> Result<Self, UnknownCheat> {
        let mut all = Self::ALL.iter().copied();
        all.find(|cheat| cheat.as_str() == text).ok_or(UnknownCheat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cheat_has_a_name_that_comes_back() {
        for &cheat in Cheat::ALL {
            assert_eq!(cheat.as_str().parse(), Ok(cheat));
        }
        assert_eq!("none".parse::<Cheat>(), Err(UnknownCheat));
    }
}
