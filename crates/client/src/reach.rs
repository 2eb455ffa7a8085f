//! Where a node's URL may lead. Anyone can register a node with any URL, and a gateway sends its users'
//! requests there: with a path and a query of the owner's choice, or a host that only the gateway can
//! reach, it would ask services for strangers that trust it.
//!
//! A node's URL is `http` or `https`, a host, perhaps a port, and perhaps a plain path (for a node behind a
//! proxy); nothing else. Where only public nodes are wanted, the host is no name for this machine or its
//! network, and every address that it resolves to is [public](is_public); that is looked at when the
//! connection is made, since names change.

use atoma_http::is_public;
use http::{Uri, uri::Scheme};
use std::net::IpAddr;

/// Which nodes are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodeReach {
    /// All: for a user on their own machine, who could open the URL as well, and for local networks.
    #[default]
    Anywhere,
    /// Those at public addresses: for who asks on behalf of others.
    Public,
}

/// A node's URL leads where it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadNodeUrl {
    /// It can't be read, or isn't of the web.
    #[error("it is no http or https URL with a host")]
    NoServer,
    /// A name and password stand in it.
    #[error("it has a user name")]
    User,
    /// The path isn't plain, or a query or fragment follows it.
    #[error("it has more than a plain path behind the host")]
    Path,
    /// Its host is this machine or its network.
    #[error("its host is not a public one")]
    Private,
}

impl NodeReach {
    /// Whether a node at this URL may be asked.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL.
    pub fn check(self, url: &str) -> Result<(), BadNodeUrl> {
        let uri: Uri = url.parse().map_err(|_| BadNodeUrl::NoServer)?;
        let web = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&uri.scheme());
        let host = uri.host().filter(|host| web && !host.is_empty());
        let host = host.ok_or(BadNodeUrl::NoServer)?;
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(BadNodeUrl::User);
        }
        // a fragment is dropped by the parser
        if uri.query().is_some() || url.contains('#') || !is_plain(uri.path()) {
            return Err(BadNodeUrl::Path);
        }
        match self {
            Self::Public if is_local(host) => Err(BadNodeUrl::Private),
            Self::Public | Self::Anywhere => Ok(()),
        }
    }

    /// Whether a connection to this address may be made.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        self == Self::Anywhere || is_public(address)
    }
}

fn is_plain(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    path.bytes().all(plain) && !path.split('/').any(|part| part == "." || part == "..")
}

/// An address that isn't public, or a name that is never a stranger's.
fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return !is_public(address);
    }
    let name = bare.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    // a name without a dot is looked up in the machine's own domain; a number is an address in disguise
    !name.contains('.')
        || ["localhost", "local", "internal", "lan", "home", "arpa"].contains(&last)
        || last.bytes().all(|byte| byte.is_ascii_digit())
        || last.starts_with("0x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_server_and_a_plain_path() {
        use BadNodeUrl as Bad;
        let check = |url| NodeReach::Anywhere.check(url);
        for url in [
            "http://127.0.0.1:8080",
            "https://node.example",
            "https://node.example/",
            "https://node.example/eu/node-1",
            "http://[2606:4700::1111]:80",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for (url, bad) in [
            ("", Bad::NoServer),
            ("node.example", Bad::NoServer),
            ("ftp://node.example", Bad::NoServer),
            ("http://me@node.example", Bad::User),
            ("http://me:secret@node.example", Bad::User),
            ("http://node.example/admin?x=", Bad::Path),
            ("http://node.example?x", Bad::Path),
            ("http://node.example/a#b", Bad::Path),
            ("http://node.example/a/../b", Bad::Path),
            ("http://node.example/%2e%2e/b", Bad::Path),
            ("http://node.example/a;b", Bad::Path),
        ] {
            assert_eq!(check(url), Err(bad), "{url}");
        }
    }

    #[test]
    fn public_nodes_are_on_nobodys_own_network() {
        for url in [
            "http://1.1.1.1",
            "https://node.example.com:8443/a",
            "http://[2606:4700::1]",
        ] {
            assert_eq!(NodeReach::Public.check(url), Ok(()), "{url}");
        }
        for url in [
            "http://127.0.0.1:9080",
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.7",
            "http://[::1]:80",
            "http://[::ffff:10.0.0.1]",
            "http://localhost:9080",
            "http://LOCALHOST.:9080",
            "http://a.localhost",
            "http://metadata.google.internal",
            "http://printer.local",
            "http://intranet",
            "http://2130706433",
            "http://127.1",
            "http://0x7f.1",
            "http://0x7f000001",
        ] {
            assert_eq!(
                NodeReach::Public.check(url),
                Err(BadNodeUrl::Private),
                "{url}"
            );
        }
        assert!(!NodeReach::Public.allows([127, 0, 0, 1].into()));
        assert!(NodeReach::Anywhere.allows([127, 0, 0, 1].into()));
    }
}
