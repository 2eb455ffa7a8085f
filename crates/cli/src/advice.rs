//! What to do about an error, where its cause tells. Libraries say what went wrong; what a user of this
//! command can type against it is known here.

use crate::{config_file::ConfigError, dispute::NotDisputable, free_ports::NotFree};
use atoma_broker::{AskError, BrokerError};
use atoma_client::{ClientError, dispute::DisputeError};
use atoma_engine::{hub::HubError, probe::ProbeFault};
use atoma_gateway::{BudgetError, StartError};
use atoma_index::IndexError;
use atoma_keys::{KeystoreError, SecretKeyError};
use atoma_ledger::{
    Amount, ConnectError, ExecuteError, PublishError, ReadError, TipError, WrongNetwork,
};
use atoma_localnet::LocalnetError;
use atoma_network::NetworkError;
use atoma_node::{NodeError, RegisterError, SealedModelError};
use atoma_store::OpenError;
use atoma_types::chain::AbortCode;
use atoma_walrus_localnet::WalrusLocalnetError;
use std::{error::Error, io::ErrorKind};
use url::{Host, Url};

/// Where another network answers than the one that is meant.
const OTHER_NETWORK: &str = "the URL is another network's, or the network was wiped: correct it with `atoma network add NAME --ledger URL`";

/// Where an engine gives other bits than it must.
const ERRS: &str = "this machine can neither serve exact tasks nor judge answers to them: test its memory and processor, turn overclocking off, try another build, and start again";

/// The error that a cause is, or that it stands for itself: such an error shows the other one's text and causes as its
/// own, so that the other one is none of the causes.
macro_rules! stands_for {
    ($cause:expr, $target:ty: $($outer:ident :: $variant:ident),* $(,)?) => {{
        let cause: &(dyn Error + 'static) = $cause;
        let mut found: Option<&$target> = cause.downcast_ref();
        $(
            if let Some($outer::$variant(error)) = cause.downcast_ref() {
                found = Some(error);
            }
        )*
        found
    }};
}

/// A sentence for the user, from the outermost cause that has one.
pub(crate) fn advice(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(of)
}

fn of(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(help) = of_ledger(cause) {
        return Some(help);
    }
    if let Some(error) = client_error(cause) {
        return of_client(error);
    }
    if let Some(error) = cause.downcast_ref::<NotDisputable>() {
        return Some(error.help());
    }
    if let Some(error) = cause.downcast_ref::<NotFree>() {
        return error.help();
    }
    if let Some(help) = of_file(cause).or_else(|| of_sealed_model(cause)) {
        return Some(help.to_owned());
    }
    if let Some(ProbeFault::Differs { .. } | ProbeFault::Unknown) = cause.downcast_ref() {
        return Some(ERRS.to_owned());
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

/// Of a sealed model whose key isn't given, or of the broker that gives it.
fn of_sealed_model(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(SealedModelError::NotConfidential) = cause.downcast_ref() {
        return Some("add `[confidential]` to the node's file (docs/confidential.md)");
    }
    if let Some(BrokerError::Release(_)) = cause.downcast_ref() {
        return Some("name one of its `[[releases]]`: `atoma tee policy FILE` lists them");
    }
    let error = stands_for!(cause, AskError: SealedModelError::Broker);
    match error? {
        AskError::Refused { code, .. } => of_broker(code),
        AskError::Unreachable { .. } | AskError::Malformed(_) => Some(
            "check `model_keys` in the node's file, or --model-keys, and that the model's owner runs `atoma model \
             serve-keys` there",
        ),
        _ => None,
    }
}

/// What a node's operator can do about a key broker's refusal.
fn of_broker(code: &str) -> Option<&'static str> {
    let help = match code {
        "key_policy" => {
            "the model's owner decides which evidence is good enough: run what their policy accepts, or ask them; their \
             broker's record has the reasons"
        }
        "key_release" => {
            "run a release that the model's owner names with `serve-keys --release`, or ask them to name yours"
        }
        "key_model" => {
            "check that this is the folder that the owner sealed, and that their broker has its key with --key-file"
        }
        "key_nonce" => {
            "start the node again: the broker may have been started anew meanwhile, or several may stand behind one URL"
        }
        "key_nonce_expired" | "key_nonce_used" => "start the node again",
        "key_busy" => {
            "it was asked several times: start the node again later, or tell the model's owner that their broker is overrun"
        }
        "key_record" => "the owner's broker can't write its record: its disk may be full",
        _ => return None,
    };
    Some(help)
}

/// Whether another program has the data folder.
fn is_folder_in_use(cause: &(dyn Error + 'static)) -> bool {
    let opening = stands_for!(cause, OpenError:
        LocalnetError::Open,
        NodeError::Folder,
        WalrusLocalnetError::Open,
    );
    let opening = opening.or_else(|| match cause.downcast_ref() {
        Some(StartError::Budget(BudgetError::Open(error)) | StartError::DataDir(error)) => {
            Some(error)
        }
        _ => None,
    });
    matches!(opening, Some(OpenError::InUse { .. }))
}

/// What the ledger's error says to do, in whichever error it stands for itself.
fn of_ledger(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = read_error(cause) {
        return of_read(error).map(str::to_owned);
    }
    if let Some(error) = execute_error(cause) {
        return of_execute(error);
    }
    if let Some(error) = connect_error(cause) {
        return of_connect(error).map(str::to_owned);
    }
    let other =
        matches!(tip_error(cause), Some(TipError::WrongNetwork(_))) || cause.is::<WrongNetwork>();
    other.then(|| OTHER_NETWORK.to_owned())
}

fn read_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a ReadError> {
    if let Some(ClientError::Ledger(error)) = client_error(cause) {
        return Some(error);
    }
    if let Some(TipError::Read(error)) = tip_error(cause) {
        return Some(error);
    }
    stands_for!(cause, ReadError:
        NodeError::Ledger,
        RegisterError::Ledger,
        StartError::Ledger,
        PublishError::Read,
        DisputeError::Read,
        NetworkError::Ledger,
        WalrusLocalnetError::Ledger,
        IndexError::Ledger,
    )
}

fn tip_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a TipError> {
    match client_error(cause) {
        Some(ClientError::History(error)) => Some(error),
        _ => stands_for!(cause, TipError: IndexError::Tip),
    }
}

fn execute_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a ExecuteError> {
    if let Some(ClientError::Execute(error)) = client_error(cause) {
        return Some(error);
    }
    stands_for!(cause, ExecuteError:
        NodeError::Execute,
        RegisterError::Execute,
        StartError::Execute,
        PublishError::Execute,
        DisputeError::Execute,
        NetworkError::Execute,
        WalrusLocalnetError::Execute,
    )
}

fn connect_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a ConnectError> {
    if let Some(ClientError::Connect(error)) = client_error(cause) {
        return Some(error);
    }
    stands_for!(cause, ConnectError:
        NodeError::Connect,
        StartError::Connect,
        NetworkError::Connect,
        SealedModelError::Connect,
    )
}

fn client_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a ClientError> {
    stands_for!(cause, ClientError: StartError::Client)
}

fn of_connect(error: &ConnectError) -> Option<&'static str> {
    match error {
        ConnectError::Read(error) => of_read(error),
        ConnectError::NoDeployment { .. } => Some(
            "publish the package with `atoma network publish`, or name where it stands: \
             `atoma network add NAME --db 0x…`",
        ),
        ConnectError::WrongNetwork(_) => Some(OTHER_NETWORK),
        _ => None,
    }
}

fn of_read(error: &ReadError) -> Option<&'static str> {
    match error {
        ReadError::Unreachable { url, .. } if is_of_this_machine(url) => Some(
            "start a ledger with `atoma devnet`, or name yours with --ledger or --network; `atoma network doctor` \
             looks closer",
        ),
        ReadError::Unreachable { .. } => Some(
            "check this machine's connection and the URL, or name another endpoint with --ledger; `atoma network doctor` \
             looks closer",
        ),
        ReadError::NotFound { .. } | ReadError::WrongType { .. } => {
            Some("check the id, and that it is of the network in use (`atoma network show`)")
        }
        _ => None,
    }
}

/// Whether a URL names this machine itself.
fn is_of_this_machine(url: &str) -> bool {
    let url = Url::parse(url).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => false,
    }
}

fn of_execute(error: &ExecuteError) -> Option<String> {
    let help = match error {
        ExecuteError::Abort { code, .. } if *code == AbortCode::WrongVersion.code() => {
            "the package was upgraded: `atoma network doctor` says which version is the newest, and \
             `atoma network migrate ID` brings an object over to it"
        }
        ExecuteError::Abort { code, .. } => AbortCode::from_code(*code)?.help(),
        ExecuteError::InsufficientFunds {
            needed: Amount::Sui(_),
            ..
        } => {
            "SUI pays for gas: get some with `atoma wallet fund` on a test network, or let another address pay with \
             --sponsor"
        }
        ExecuteError::InsufficientFunds {
            needed: Amount::Usdc(_),
            ..
        } => {
            "get test money with `atoma wallet fund --usdc 10` on a localnet; Testnet's comes from Circle's faucet; \
             `atoma wallet list` shows what you have"
        }
        ExecuteError::GasBudget { needed, .. } => {
            return Some(format!(
                "allow at least `--gas-budget {needed}` (MIST, billionths of a SUI; or in ATOMA_GAS_BUDGET), or name \
                 no budget"
            ));
        }
        ExecuteError::GasPrice { price, .. } => {
            return Some(format!(
                "is the endpoint honest? Ask another with `--ledger`; if gas costs so much now, allow it with `--gas-price \
                 {price}` (or in ATOMA_GAS_PRICE)"
            ));
        }
        ExecuteError::Timeout { .. } => {
            "the next command first finds out what became of this one, and says so: run yours again after that"
        }
        ExecuteError::Read(error) => of_read(error)?,
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
        ClientError::Unshown { .. } => {
            "name another of the stack's nodes with --node, or buy another stack; the node is asked again, and \
             `atoma stack watch` demands what it claims meanwhile"
        }
        ClientError::NeverCame { .. } => {
            "name another of the stack's nodes with --node, or close the stack with `atoma stack close STACK` and buy \
             another: what was served is paid, and the rest is yours"
        }
        ClientError::NoRoom { .. } => {
            "add units with `atoma stack top-up STACK UNITS`, or ask for fewer with --max-tokens"
        }
        ClientError::Attestation { .. } => {
            "`atoma tee verify NODE --policy FILE` says of each check what was found"
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
    use atoma_broker::KeyFault;

    fn told(error: impl Into<anyhow::Error>) -> Option<String> {
        advice(&Err::<(), _>(error.into()).context("somewhere").unwrap_err())
    }

    #[test]
    fn an_abort_has_the_help_of_its_code_wherever_it_comes_from() {
        let abort = || ExecuteError::Abort {
            code: AbortCode::StackExpired.code(),
            name: AbortCode::StackExpired.name(),
            function: "stack::top_up".to_owned(),
        };
        let help = Some(AbortCode::StackExpired.help().to_owned());
        assert_eq!(told(abort()), help);
        assert_eq!(told(ClientError::from(abort())), help);
        assert_eq!(told(NodeError::from(abort())), help);
        assert_eq!(told(StartError::from(ClientError::from(abort()))), help);
        assert_eq!(told(DisputeError::from(abort())), help);
        assert_eq!(told(NetworkError::from(abort())), help);
        assert_eq!(told(RegisterError::from(abort())), help);
        assert_eq!(told(WalrusLocalnetError::from(abort())), help);
        assert_eq!(told(anyhow!("anything else")), None);
    }

    #[test]
    fn what_the_ledger_has_not_has_the_same_help_whatever_it_was_asked_for() {
        let none = || ReadError::NotFound {
            what: "stack",
            id: "0x1".to_owned(),
        };
        let help = told(none());
        assert!(help.as_ref().unwrap().contains("check the id"));
        assert_eq!(told(ExecuteError::from(none())), help);
        assert_eq!(told(ConnectError::from(none())), help);
        assert_eq!(told(TipError::from(none())), help);
        assert_eq!(told(PublishError::from(none())), help);
        assert_eq!(told(DisputeError::from(none())), help);
        assert_eq!(told(IndexError::from(none())), help);
        assert_eq!(told(NetworkError::from(none())), help);
        assert_eq!(told(NodeError::from(ConnectError::from(none()))), help);
        assert_eq!(told(StartError::from(ConnectError::from(none()))), help);
        assert_eq!(told(ClientError::from(ExecuteError::from(none()))), help);
    }

    #[test]
    fn each_refusal_of_a_key_brokers_says_what_an_operator_can_do() {
        let refused = |code: &str| {
            told(SealedModelError::from(AskError::Refused {
                url: "https://keys.example".to_owned(),
                code: code.to_owned(),
                words: String::new(),
            }))
        };
        for fault in KeyFault::ALL {
            // a node of this program makes none of these
            let ours = [KeyFault::Bundle, KeyFault::Node, KeyFault::Keyset].contains(fault);
            assert_eq!(refused(fault.code()).is_none(), ours, "{fault:?}");
        }
        let away = AskError::Malformed("https://keys.example".to_owned());
        assert!(
            told(SealedModelError::from(away))
                .unwrap()
                .contains("--model-keys")
        );
    }

    #[test]
    fn who_cannot_reach_a_distant_ledger_is_not_told_to_start_one() {
        assert!(is_of_this_machine("http://127.0.0.1:9000"));
        assert!(is_of_this_machine("http://localhost:9000"));
        assert!(is_of_this_machine("http://[::1]:9000"));
        assert!(!is_of_this_machine("https://fullnode.testnet.sui.io:443"));
        assert!(!is_of_this_machine("no URL"));
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
