//! The first page of help: the commands in groups, by what they are for, and what to type first; and the
//! examples of each command. A test holds them against the commands that there are.

use crate::{
    log::wants_colour,
    output::{Output, columns, wrapped},
};
use clap::error::Error;
use std::{io::Write, process::ExitCode};

/// Help is as wide as a terminal, and no wider than is easily read.
const WIDEST: usize = 100;
/// A description that begins further to the right goes on at its line's beginning.
const LAST_COLUMN: usize = 48;
/// What a mistake in the command line ends with, as clap has it.
const MISTAKE: u8 = 2;

/// Shows what clap has to say in place of running a command: a page of help, or what is wrong with the command line.
pub(crate) fn show(error: &Error) -> ExitCode {
    let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(MISTAKE));
    let page = |coloured: bool| {
        let text = match coloured {
            true => error.render().ansi().to_string(),
            false => error.render().to_string(),
        };
        fitting(&text)
    };
    if error.use_stderr() {
        let mut stderr = std::io::stderr();
        let page = page(wants_colour(&stderr));
        // where nobody reads it there is nowhere to say so
        let _ = stderr.write_all(page.as_bytes());
        return code;
    }
    let output = Output::new(false, false);
    output.bytes(page(wants_colour(&std::io::stdout())).as_bytes());
    output.lost().map_or(code, ExitCode::from)
}

/// A page whose lines fit: what belongs to an option goes on below where it begins.
pub(crate) fn fitting(page: &str) -> String {
    let columns = columns().min(WIDEST);
    let lines = page
        .split('\n')
        .map(|line| wrapped(line, columns, column(line)));
    lines.collect::<Vec<_>>().join("\n")
}

/// How far behind a line's first letter its description begins, after two blanks at least.
fn column(line: &str) -> usize {
    let line = line.trim_start();
    let Some(gap) = line.find("  ") else {
        return 0;
    };
    let blanks = line[gap..].len() - line[gap..].trim_start().len();
    Some(gap + blanks)
        .filter(|column| *column < LAST_COLUMN)
        .unwrap_or(0)
}

/// The page without clap's own list of commands.
pub(crate) const TEMPLATE: &str = "\
{about}

{usage-heading} {usage}
{after-help}

Options:
{options}";

/// The commands in groups, then examples.
pub(crate) const AFTER: &str = "
Try it on this machine:
  demo         the whole protocol once, live, and nothing left behind
  devnet       a network that stays up: ledger, Walrus, three nodes, gateway

Ask models:
  wallet       keys, addresses, balances, test money
  task         the models on sale, with their nodes and prices
  stack        prepaid compute units: buy, show, top up, close
  chat         ask a model, paid by a stack
  proxy        an OpenAI endpoint on this machine, paid by your own stacks

Check what you got:
  receipt      the receipts that nodes signed for you
  verify       check everything about a request, trusting nobody who served it
  tee          evidence that a node runs where nobody can look, and policies
  dispute      demand what a node settled, challenge it, prove its fraud
  audit        examinations and challenges of the network, how they ended

Sell and operate:
  node         run a node, or do its operator's steps
  gateway      an OpenAI endpoint for people with an API key
  model        seal a model, give its key to attested nodes alone
  localnet     the development ledger
  walrus       blobs: ids, storing, reading, a store of one's own

Networks:
  network      networks by name, publishing the package, the doctor
  explore      all that happens on a network, live in the terminal
  cost         what a workload costs, and where the money goes
  sim          strategies, simulated; parameters that make honesty pay
  completions  a completion script for a shell
  help         this page, or that of a command

Examples:
  atoma demo
  atoma devnet                                  in one terminal, and in another:
  atoma wallet new && atoma wallet fund --usdc 10
  atoma chat --budget 1 \"What is the sun?\"

Ids may be cut to a beginning that no other has; a model's name is its task's.
Results are on stdout, remarks and errors on stderr. `atoma COMMAND --help` says
more.";

pub(crate) const DEMO: &str = "\
Examples:
  atoma demo                         one question, step by step
  atoma demo \"Say hello.\" --nodes 5  another one, for which five nodes compete
  atoma demo --cheat int8            a node cheats, nine others catch it (none:
                                     everyone is paid)
  atoma demo --json                  one object a line";

pub(crate) const WALLET: &str = "\
Examples:
  atoma wallet new               a key of your own
  atoma wallet fund --usdc 10    test money: gas, and exactly 10 USDC (localnet
                                 only)
  atoma wallet list              addresses and balances
  atoma wallet import < key.txt  a key in Sui's form";

pub(crate) const TASK: &str = "\
Examples:
  atoma task list               the models on sale
  atoma task show atoma-tiny    who serves one, and for how much
  atoma task create ./my-model  offer a model of your own to all nodes
  atoma task create builtin --security sampling-consensus
  atoma task fund atoma-tiny 2  pay for examinations of an examined one";

pub(crate) const STACK: &str = "\
Examples:
  atoma stack buy atoma-tiny --units 100000 --max-price 5
  atoma stack list                     the open ones; --all shows closed ones,
                                       too
  atoma stack top-up atoma-tiny 50000  more units for the newest one
  atoma stack watch                    hold what nodes claim against your
                                       receipts, and act
  atoma stack close 0x1a2b3c4d         the node settles, the rest comes back
  atoma stack due 0x1a2b3c4d           do what anyone may: draw, count, pay,
                                       convict who is late";

pub(crate) const RECEIPT: &str = "\
Examples:
  atoma receipt list               what was asked and charged
  atoma receipt show 019a2b3c4d5e  one of them, checked again";

pub(crate) const VERIFY: &str = "\
Examples:
  atoma verify 019a2b3c4d5e     a request whose receipt is on this machine
  atoma verify BLOB_ID --seq 7  one record of a pack on Walrus
  atoma verify proof.json pack.bin --offline

It ends with 0 where all checks were made and hold, 1 where one fails or the
node was convicted over this lease, 2 where some couldn't be made.";

pub(crate) const TEE: &str = "\
Examples:
  atoma tee policy > policy.toml        a policy to fill in
  atoma tee policy policy.toml          what it accepts, in words
  atoma tee show NODE --save my.bundle  ask a node for evidence, and keep it
  atoma tee verify NODE --policy policy.toml
  atoma tee verify my.bundle --policy policy.toml --nonce HEX
  atoma tee register NODE --release HEX --evidence BLOB_ID --until 2026-12-18T12:00:00Z

`verify` ends with 0 where the policy accepts the evidence, and with 1 where it
doesn't. Of a file it fetches nothing.";

pub(crate) const DISPUTE: &str = "\
Examples:
  atoma dispute demand 019a2b3c4d5e     demand the record of a receipt on this
                                        machine, for a fee
  atoma dispute challenge 019a2b3c4d5e  stake a bond on that its answer is
                                        wrong: a jury decides
  atoma dispute show 0x1a2b3c4d         what is claimed of a stack, and what was
                                        brought against it
  atoma dispute list                    all demands and challenges about your
                                        stacks, and how they ended
  atoma stack watch --challenge 20      look, demand and challenge by itself,
                                        with bonds of 20 USDC at most";

pub(crate) const AUDIT: &str = "\
Examples:
  atoma audit list             every ticket that was drawn to be examined, or
                               challenged
  atoma audit show 0x1a2b3c4d  a stack's audits, step by step
  atoma audit say 0x... ok     what you found, as its examiner or a juror, where
                               your node doesn't say it by itself";

pub(crate) const NODE: &str = "\
Examples:
  atoma node run --config node.toml  registers, subscribes, serves, settles
                                     (docs/node.toml)
  atoma node list                    who is there
  atoma node subscribe NODE atoma-tiny --price 2
  atoma node attest NODE atoma-tiny  promise to examine others' answers, with a
                                     deposit
  atoma node resign NODE atoma-tiny  the deposit, and what was earned, become
                                     credit
  atoma node withdraw NODE           credit becomes coins
  atoma node settle --receipt BASE64 --header BASE64
                                     claim what a user shows of a node that has
                                     lost its journal";

pub(crate) const MODEL: &str = "\
Examples:
  atoma model seal ./my-model --out sealed --key-file my-model.key
  atoma model serve-keys --policy policy.toml --key-file my-model.key --release HEX

A node reads what is sealed with `from = { sealed = ... }` (docs/node.toml), and
asks `serve-keys` for the key when it starts.";

pub(crate) const GATEWAY: &str = "\
Examples:
  atoma gateway new-key  a key for a user, and its hash for the file
  atoma gateway run --config gateway.toml (docs/gateway.toml)";

pub(crate) const LOCALNET: &str = "\
Examples:
  atoma localnet run                     a ledger on 127.0.0.1:9000, kept in
                                         ./atoma-localnet
  atoma localnet config > localnet.toml  every setting, to change and use with
                                         --config";

pub(crate) const WALRUS: &str = "\
Examples:
  atoma walrus store file.txt           on the Walrus of the network in use
  atoma walrus read BLOB_ID > file.txt  checked against the id
  atoma walrus serve                    a store of one's own on 127.0.0.1:31415";

pub(crate) const NETWORK: &str = "\
Examples:
  atoma network use testnet             every command means it from now on
  atoma network add testnet --db 0x...  where the package stands there
  atoma network doctor                  whether all is well, and what to do
                                        where it isn't
  atoma network migrate 0x1a2b...       a stack of before an upgrade over to the
                                        new version";

pub(crate) const SIM: &str = "\
Examples:
  atoma sim run --strategy withholding  one strategy beside honesty
  atoma sim advise --json               each strategy's profit, and the
                                        parameters that it was played under";

pub(crate) const EXPLORE: &str = "\
Examples:
  atoma explore                live, in the terminal; ? lists the keys
  atoma explore stacks --once  a table";

pub(crate) const COST: &str = "\
Examples:
  atoma cost  with the figures of docs/cost.md
  atoma cost --requests-per-day 20000 --plot cost.svg";
