//! All ways to cheat that are tried.

use atoma_network::cheat::Cheat;

/// Whether an audit can see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Whenever it changes anything.
    Always,
    /// Where the words show it: so much is left to be seen, for this reason.
    Sometimes(&'static str),
    /// Never, for this reason.
    Never(&'static str),
}

/// One way to cheat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What a cheating node's engine does: that of `atoma demo --cheat`.
    Engine(Cheat),
    /// What is done to an answer or its record.
    Record(Record),
}

macro_rules! records {
    ($($name:ident = $text:literal, $does:literal, $seen:expr;)*) => {
        /// What is done to an answer or its record, by whoever takes care that all else fits.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Record {
            $(#[doc = $does] $name,)*
        }

        impl Record {
            const ALL: &[Self] = &[$(Self::$name),*];

            fn words(self) -> (&'static str, &'static str, Seen) {
                match self { $(Self::$name => ($text, $does, $seen),)* }
            }
        }
    };
}

use Seen::{Always, Never, Sometimes};

records! {
    ChangedPrompt = "changed-prompt", "answers another question, and charges for the user's", Always;
    CheapWords = "cheap-words", "has weights of 4 bits write, and the true model score what they wrote", Always;
    Edited1 = "edited-1", "changes 1 % of the tokens (one at least), and has the true model score them", Always;
    Edited5 = "edited-5", "changes 5 % of the tokens, and has the true model score them", Always;
    Edited20 = "edited-20", "changes 20 % of the tokens, and has the true model score them", Always;
    NonCanonical = "non-canonical", "charges for the same words in more tokens: letter by letter", Always;
    Hidden = "hidden", "charges for tokens that it doesn't show", Always;
    Unreported = "unreported", "reports a token less than it shows", Always;
    SkippedInput = "skipped-input", "doesn't compute one of a batch's vectors, and repeats another", Always;
    Logprobs = "logprobs", "halves the log probabilities", Always;
    OtherCall = "other-call", "calls a tool with another argument than the model's", Always;
    OtherEngine = "other-engine", "signs for another model than the task's", Always;
    Overcharged = "overcharged", "charges a unit more than the usage makes", Always;
    OtherUsage = "other-usage", "tells its user less usage than it charges", Always;
    OtherBody = "other-body", "shows another answer than it has signed for", Always;
    CoarseLeft = "int8-left", "computes with 8 bits, and says that its client left before the receipt",
        Sometimes("no scores are promised to who has left; where the words are the model's own, so is the answer");
    Unsent = "unsent", "sends half of the answer, and says that its client has left",
        Never("it was computed; who got no receipt sees it in the settlement");
    CachedAsNew = "cached-as-new", "charges for cached tokens of the prompt as for new ones",
        Never("nobody can say afterwards what a cache held");
    EndsEarly = "ends-early", "ends an answer early, where the request names no limit",
        Never("a lease may have had no more room; less is charged for it");
}

impl Kind {
    /// All there are: those that are found first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let engines = Cheat::ALL.iter().copied().map(Self::Engine);
        engines
            .chain(Record::ALL.iter().copied().map(Self::Record))
            .collect()
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Engine(cheat) => cheat.as_str(),
            Self::Record(record) => record.words().0,
        }
    }

    /// What whoever cheats so does.
    #[must_use]
    pub fn does(self) -> &'static str {
        match self {
            Self::Engine(cheat) => cheat.does(),
            Self::Record(record) => record.words().1,
        }
    }

    /// Whether an audit can see it.
    #[must_use]
    pub fn seen(self) -> Seen {
        match self {
            Self::Engine(_) => Always,
            Self::Record(record) => record.words().2,
        }
    }
}
