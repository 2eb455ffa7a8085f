//! What can be said about a question on the command line.

use super::payer::Payer;
use crate::{confidential::Seal, walrus::WalrusNetwork};
use clap::{Args, ValueEnum};

/// Tokens at which an answer ends where nobody says otherwise.
pub(crate) const USUAL_TOKENS: u32 = 256;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Chat {
    /// What to ask; `-` reads it from standard input (default: standard input, or a conversation in a
    /// terminal).
    pub(super) prompt: Option<String>,
    /// A conversation: each line is asked, with all that was said before.
    #[arg(long, short, conflicts_with = "prompt")]
    pub(super) interactive: bool,
    #[command(flatten)]
    pub(super) payer: Payer,
    /// A system message before the prompt.
    #[arg(long)]
    pub(super) system: Option<String>,
    /// Stop after this many tokens.
    #[arg(long, default_value_t = USUAL_TOKENS, value_name = "N")]
    pub(super) max_tokens: u32,
    /// 0 always takes the likeliest token (default: as the model's makers advise).
    #[arg(long, value_name = "T")]
    pub(super) temperature: Option<f32>,
    /// Fixes the choice of tokens.
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Say all that the receipt says, on stderr.
    #[arg(long)]
    pub(super) receipt: bool,
    /// How the request becomes evidence on Walrus.
    #[arg(long, value_enum, default_value = "sealed")]
    pub(super) evidence: EvidenceChoice,
    /// Only the node that is asked may answer: it must not pass the request on to another when it is full.
    #[arg(long)]
    pub(super) no_forward: bool,
    #[command(flatten)]
    pub(super) seal: Seal,
    #[command(flatten)]
    pub(super) walrus: WalrusNetwork,
}

const EXAMPLES: &str = "\
Examples:
  atoma chat \"What is the sun?\"               paid by the stack bought last
  atoma chat --budget 0.50 \"What is the sun?\"
                                              buys a stack first where none has
                                              room
  cat question.txt | atoma chat > answer.txt  the answer alone; the cost is on
                                              stderr
  atoma chat --confidential --policy p.toml \"Hello\"
                                              only a node that p.toml accepts
                                              can read it
  atoma chat                                  a conversation; an empty line or
                                              Ctrl-D ends it";

/// How a request becomes evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvidenceChoice {
    /// The node stores it afterwards; only you and the node can read it.
    Sealed,
    /// The node stores it afterwards; everyone can read it.
    Open,
    /// It is stored before it is sent, sealed; the node reads it there first.
    Immediate,
}

impl From<EvidenceChoice> for atoma_client::Evidence {
    fn from(choice: EvidenceChoice) -> Self {
        match choice {
            EvidenceChoice::Sealed => Self::Sealed,
            EvidenceChoice::Open => Self::Open,
            EvidenceChoice::Immediate => Self::Immediate,
        }
    }
}
