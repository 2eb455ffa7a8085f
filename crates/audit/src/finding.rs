//! What an audit finds.

use std::fmt;

/// What an audit of one answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// It is the model's, and told, counted and charged as it must be.
    Honest,
    /// It isn't, for this reason.
    Guilty(Reason),
    /// What was signed isn't shown: a body is missing, or is another than header or receipt commit to.
    Withheld,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// What is wrong with an answer: of several things the first, in the order of the codes. The code is the
        /// verdict's byte on the ledger; codes are never used again for anything else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Reason {
            $($(#[$doc])* $name = $code,)*
        }

        impl Reason {
            /// All there are, in order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it says, for people.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// The receipt names another model, arithmetic or rule than the task.
    Class = 10, "the receipt names another engine than the task";
    /// It charges more than the task's weights make of its usage, or than the request allows.
    Units = 11, "more units are charged than usage and request allow";
    /// It counts what the endpoint doesn't give: steps of images, seconds of audio.
    NotServed = 12, "the receipt counts what was not served";
    /// The request can't be served on this task: its body can't be read, or asks for another model or for what the
    /// engine doesn't do.
    Request = 13, "the request can't be served, and was";
    /// The answer's body isn't an answer in the form that was asked for.
    Form = 14, "the answer isn't in the form that was asked for";
    /// The answer tells its user another usage than its receipt.
    Told = 15, "the answer tells another usage than its receipt";
    /// It has more output than the request allows, or ends at a limit that it hasn't reached.
    Limit = 16, "the answer ends beyond the request's limit, or before it";
    /// The prompt has another number of tokens.
    Prompt = 20, "the prompt has another number of tokens";
    /// The scores aren't the model's: other weights, another prompt, another way to draw, other tokens.
    Scores = 21, "the scores are not the model's";
    /// The model's answer has another number of tokens.
    Output = 22, "the model's answer has another number of tokens";
    /// The text is another than the computed one.
    Text = 23, "the text is not the one that the model gives";
    /// The calls of tools are others.
    Calls = 24, "the calls of tools are not those that the model makes";
    /// The log probabilities are others.
    Logprobs = 25, "the log probabilities are not the model's";
    /// It ended for another reason.
    Finish = 26, "the answer ends for another reason than it says";
    /// The vectors are others.
    Vectors = 27, "the vectors are not the model's";
}

impl Finding {
    /// The code of what isn't shown.
    pub const WITHHELD: u8 = 1;

    /// The verdict's byte: 0 where nothing is wrong.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Honest => 0,
            Self::Withheld => Self::WITHHELD,
            Self::Guilty(reason) => reason as u8,
        }
    }

    /// The finding of a verdict's byte; none of one that this version doesn't know.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        let known = [Self::Honest, Self::Withheld];
        let guilty = Reason::ALL.iter().copied().map(Self::Guilty);
        let mut all = known.into_iter().chain(guilty);
        all.find(|finding| finding.code() == code)
    }

    /// Whether it speaks against the node.
    #[must_use]
    pub fn is_bad(self) -> bool {
        self != Self::Honest
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Honest => "the answer is the model's",
            Self::Withheld => "what was signed is not shown",
            Self::Guilty(reason) => reason.text(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_golden_and_come_back() {
        let codes: Vec<u8> = Reason::ALL.iter().map(|reason| *reason as u8).collect();
        let expected = [10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 26, 27];
        assert_eq!(codes, expected);
        for code in 0..=u8::MAX {
            let finding = Finding::of_code(code);
            assert!(finding.is_none_or(|finding| finding.code() == code));
        }
        assert_eq!(Finding::of_code(0), Some(Finding::Honest));
        assert_eq!(Finding::of_code(1), Some(Finding::Withheld));
        assert_eq!(Finding::of_code(21), Some(Finding::Guilty(Reason::Scores)));
        assert_eq!(Finding::of_code(2), None);
    }
}
