//! The strategies that are tried against honesty.

use std::fmt;

macro_rules! strategies {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $about:literal;)*) => {
        /// What a coalition does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Strategy { $($(#[$doc])* $name),* }

        impl Strategy {
            /// All of them, honesty first.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What it does, in a sentence.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => $about),* }
            }
        }
    };
}

strategies! {
    /// Follows the protocol.
    Honest = "honest", "follows the protocol";
    /// Serves another model.
    CheapModel = "cheap-model", "nodes answer everything with something that costs them nothing";
    /// Cheats where it is worth most.
    Selective = "selective", "nodes cheat on the few largest requests alone, and on those fully";
    /// Charges for what it doesn't deliver.
    Withholding = "withholding", "nodes charge for requests that they don't answer, on a task without examinations";
    /// Charges for more than it delivers.
    Overcounting = "overcounting", "nodes charge more than they computed, just what users tolerate: a tenth";
    /// Takes business that it can't serve.
    CapacityBluff = "capacity-bluff", "nodes claim a thousandfold capacity, take every lease and don't serve a quarter of them";
    /// One wallet under many names.
    Sybil = "sybil", "wallets split into as many nodes as the least collateral allows";
    /// Prefers the cheaper conviction.
    SelfConvicting = "self-convicting", "nodes cheat, and are silent when they are examined, to be convicted of less";
    /// Deals with itself.
    WashTrading = "wash-trading", "nodes buy from themselves to be paid by the treasury";
    /// Nodes and attesters of one party.
    ColludingShare = "colluding-share", "a fifth of the weight cheats as nodes and covers it up as examiners and jurors";
    /// Says that all is well.
    LazyExaminer = "lazy-examiner", "examiners and jurors look at nothing and say that all is well";
    /// Says what the others say.
    CopyingExaminer = "copying-examiner", "jurors vote what the examiner is seen to have said";
    /// Is told what to say.
    HelpedExaminer = "helped-examiner", "examiners take the examined node's word, jurors an honest colleague's";
    /// Is paid to say it.
    BribedExaminers = "bribed-examiners", "a tenth of the nodes cheats and shares the gain with the fifth of the examiners that takes bribes";
    /// Makes nodes answer demands, or be convicted while they are away.
    GriefingUser = "griefing-user", "users demand a record of every ticket, when the node is away if it ever is";
    /// Accuses honest nodes before attesters of its own.
    AccusingOwner = "accusing-owner", "an owner with a third of the attesters accuses honest nodes that served it, to have its money back";
    /// Takes nodes' collateral away from others.
    SquattingUser = "squatting-user", "buyers who want nothing lease from rivals of their own nodes";
    /// Not a strategy: bad luck.
    RegionalOutage = "regional-outage", "a third of the nodes is away for twenty hours";
}

impl Strategy {
    /// The strategy of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|strategy| strategy.name() == name)
    }

    /// How many of a thousand wallets, or of a thousand stacks, take part.
    #[must_use]
    pub fn share_permille(self) -> u64 {
        match self {
            Self::RegionalOutage | Self::AccusingOwner => 333,
            Self::LazyExaminer | Self::CopyingExaminer | Self::HelpedExaminer => 300,
            Self::SquattingUser | Self::GriefingUser => 100,
            _ => 200,
        }
    }

    /// Whose profit counts.
    #[must_use]
    pub fn sides(self) -> Sides {
        let none = Sides {
            serving: false,
            attesting: false,
            using: false,
        };
        match self {
            Self::LazyExaminer | Self::CopyingExaminer | Self::HelpedExaminer => Sides {
                attesting: true,
                ..none
            },
            Self::GriefingUser => Sides {
                using: true,
                ..none
            },
            Self::SquattingUser | Self::WashTrading => Sides {
                serving: true,
                using: true,
                ..none
            },
            Self::AccusingOwner => Sides {
                serving: true,
                attesting: true,
                using: true,
            },
            Self::ColludingShare | Self::BribedExaminers | Self::RegionalOutage => Sides {
                serving: true,
                attesting: true,
                ..none
            },
            _ => Sides {
                serving: true,
                ..none
            },
        }
    }
}

/// Sides of a coalition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// What its nodes earn by serving.
    pub serving: bool,
    /// What they earn by examining.
    pub attesting: bool,
    /// What its users gain.
    pub using: bool,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
