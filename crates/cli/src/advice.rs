//! What to do about an error, where its cause tells. Libraries say what went wrong; what a user of this
//! command can type against it is known here.

use crate::config_file::ConfigError;
use atoma_client::ClientError;
use atoma_engine::hub::HubError;
use atoma_gateway::{BudgetError, StartError};
use atoma_keys::{KeystoreError, SecretKeyError};
use atoma_ledger::{Amount, LedgerError};
use atoma_localnet::LocalnetError;
use atoma_node::NodeError;
use atoma_store::OpenError;
use atoma_types::chain::AbortCode;
use std::{error::Error, io::ErrorKind};

/// A sentence for the user, from the outermost cause that has one.
pub(crate) fn advice(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(of)
}

fn of(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = ledger_error(cause) {
        return of_ledger(error);
    }
    if let Some(error) = client_error(cause) {
        return of_client(error);
    }
    if let Some(help) = of_file(cause) {
        return Some(help.to_owned());
    }
    if is_folder_in_use(cause) {
        return Some("stop the other one first, or name another --data-dir".to_owned());
    }
    let io: &std::io::Error = cause.downcast_ref()?;
    (io.kind() == ErrorKind::AddrInUse).then(|| {
        "another program listens there: stop it, or name another port (0 takes any free one)"
            .to_owned()
    })
}

/// Of a file that isn't there or isn't what it should be.
fn of_file(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(ConfigError::Read { source, .. }) = cause.downcast_ref()
        && source.kind() == ErrorKind::NotFound
    {
        return Some("check the path; docs/configuration.md says what such a file holds");
    }
    if let Some(
        KeystoreError::NotAList { .. }
        | KeystoreError::Entry { .. }
        | KeystoreError::TooLarge { .. },
    ) = cause.downcast_ref()
    {
        return Some(
            "name the right file with --keystore, or a new one for `atoma wallet new` to write",
        );
    }
    if let Some(SecretKeyError::NotSuiprivkey) = cause.downcast_ref() {
        return Some("`sui keytool export --key-identity ADDRESS` prints a key in this form");
    }
    match cause.downcast_ref()? {
        HubError::BadName(_) => Some("to serve the built-in model, leave --model out"),
        _ => None,
    }
}

/// Whether another program has the data folder. These errors stand for that of the store.
fn is_folder_in_use(cause: &(dyn Error + 'static)) -> bool {
    let opening: Option<&OpenError> = match (cause.downcast_ref(), cause.downcast_ref()) {
        (Some(LocalnetError::Open(error)), _) | (_, Some(NodeError::Folder(error))) => Some(error),
        _ => match cause.downcast_ref() {
            Some(StartError::Budget(BudgetError::Open(error))) => Some(error),
            _ => cause.downcast_ref(),
        },
    };
    matches!(opening, Some(OpenError::InUse { .. }))
}

/// The ledger's error, in whichever error it stands for itself.
fn ledger_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a LedgerError> {
    if let Some(error) = cause.downcast_ref() {
        return Some(error);
    }
    if let Some(ClientError::Ledger(error)) = client_error(cause) {
        return Some(error);
    }
    if let Some(NodeError::Ledger(error)) = cause.downcast_ref() {
        return Some(error);
    }
    match cause.downcast_ref() {
        Some(StartError::Ledger(error)) => Some(error),
        _ => None,
    }
}

fn client_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a ClientError> {
    match cause.downcast_ref() {
        Some(StartError::Client(error)) => Some(error),
        _ => cause.downcast_ref(),
    }
}

fn of_ledger(error: &LedgerError) -> Option<String> {
    let help = match error {
        LedgerError::Abort { code, .. } if *code == AbortCode::WrongVersion.code() => {
            "the package was upgraded: `atoma network doctor` says which version is the newest, and \
             `atoma network migrate ID` brings an object over to it"
        }
        LedgerError::Abort { code, .. } => AbortCode::from_code(*code)?.help(),
        LedgerError::InsufficientFunds {
            needed: Amount::Sui(_),
            ..
        } => {
            "SUI pays for gas: get some with `atoma wallet fund` on a test network, or let another address pay with \
             --sponsor"
        }
        LedgerError::InsufficientFunds {
            needed: Amount::Usdc(_),
            ..
        } => {
            "get test money with `atoma wallet fund --usdc 10` on a localnet; Testnet's comes from Circle's faucet; \
             `atoma wallet list` shows what you have"
        }
        LedgerError::GasBudget { needed, .. } => {
            return Some(format!(
                "allow at least `--gas-budget {needed}` (MIST, billionths of a SUI; or in ATOMA_GAS_BUDGET), or name \
                 no budget"
            ));
        }
        LedgerError::Unreachable { .. } => {
            "start a ledger with `atoma devnet`, or name yours with --ledger or --network; `atoma network doctor` \
             looks closer"
        }
        LedgerError::NoDeployment { .. } => {
            "publish the package with `atoma network publish`, or name where it stands: \
             `atoma network add NAME --db 0x…`"
        }
        LedgerError::WrongNetwork { .. } => {
            "the URL is another network's, or the network was wiped: correct it with \
             `atoma network add NAME --ledger URL`"
        }
        LedgerError::NotFound { .. } | LedgerError::WrongType { .. } => {
            "check the id, and that it is of the network in use (`atoma network show`)"
        }
        LedgerError::Timeout { .. } => {
            "the next command first finds out what became of this one, and says so: order again after that"
        }
        _ => return None,
    };
    Some(help.to_owned())
}

fn of_client(error: &ClientError) -> Option<String> {
    let help = match error {
        ClientError::Unreachable { .. } => {
            "the node may be down for a while: try again, name another of the stack's nodes with --node, or close the \
             stack with `atoma stack close STACK` and buy another"
        }
        ClientError::NoRoom { .. } => {
            "add units with `atoma stack top-up STACK UNITS`, or ask for fewer with --max-tokens"
        }
        ClientError::NotOurs { .. } => {
            "name the address that bought it with --address, and the data folder of that time with --home"
        }
        ClientError::NoWalrus => {
            "name them with --publisher and --aggregator, or keep them with `atoma network add`"
        }
        _ => return None,
    };
    Some(help.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    fn told(error: impl Into<anyhow::Error>) -> Option<String> {
        advice(&Err::<(), _>(error.into()).context("somewhere").unwrap_err())
    }

    #[test]
    fn an_abort_has_the_help_of_its_code_wherever_it_comes_from() {
        let abort = || LedgerError::Abort {
            code: AbortCode::StackExpired.code(),
            name: AbortCode::StackExpired.name(),
            function: "stack::top_up".to_owned(),
        };
        let help = Some(AbortCode::StackExpired.help().to_owned());
        assert_eq!(told(abort()), help);
        assert_eq!(told(ClientError::from(abort())), help);
        assert_eq!(told(NodeError::from(abort())), help);
        assert_eq!(told(StartError::from(ClientError::from(abort()))), help);
        assert_eq!(told(anyhow!("anything else")), None);
    }

    #[test]
    fn a_port_in_use_is_recognised_below_any_error() {
        let error = LocalnetError::Listen {
            address: ([127, 0, 0, 1], 1).into(),
            source: ErrorKind::AddrInUse.into(),
        };
        assert!(told(error).unwrap().contains("another port"));
    }
}
