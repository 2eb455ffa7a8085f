//! Whether the ports are free that a command is to listen on: looked at before anything is started, for a model may take
//! minutes to load.

use anyhow::Result;
use atoma_runtime::Sockets;
use std::{io, net::SocketAddr};

/// Where a part is to listen.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Which part it is.
    pub(crate) what: String,
    pub(crate) at: SocketAddr,
    /// The flag or key that names another place.
    pub(crate) named_by: &'static str,
}

/// A part can't listen where it is to.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot listen on {at}")]
pub(crate) struct NotFree {
    what: String,
    at: SocketAddr,
    named_by: &'static str,
    /// What takes any free port instead, if there is such a flag.
    any: Option<&'static str>,
    #[source]
    source: io::Error,
}

impl NotFree {
    /// What to do.
    pub(crate) fn help(&self) -> Option<String> {
        let Self { named_by, any, .. } = self;
        let any = any.map_or_else(
            || "; port 0 takes any free one".to_owned(),
            |any| format!(", or let {any} take free ones"),
        );
        (self.source.kind() == io::ErrorKind::AddrInUse).then(|| {
            format!(
                "another program listens there: stop it, name another place with {named_by}{any}"
            )
        })
    }
}

/// That all of these can be listened on. Any port is free.
///
/// # Errors
///
/// [`NotFree`], of the first that can't.
pub(crate) async fn ensure_free(places: Vec<Place>, any: Option<&'static str>) -> Result<()> {
    // held until all were tried, so that two parts at one place are found, too
    let mut held = Vec::new();
    for Place { what, at, named_by } in places {
        if at.port() == 0 {
            continue;
        }
        let listener = Sockets::Tcp.listen(at).await;
        held.push(listener.map_err(|source| NotFree {
            what,
            at,
            named_by,
            any,
            source,
        })?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_port_that_is_taken_is_named_before_anything_is_started() {
        let place = |what: &str, at| Place {
            what: what.to_owned(),
            at,
            named_by: "--here",
        };
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let taken = Sockets::Tcp.listen(any).await.unwrap();
        let at = taken.local_addr().unwrap();
        let places = vec![place("the first", any), place("the second", at)];
        let error = ensure_free(places, Some("--any")).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the second cannot listen on {at}")
        );
        let help = error.downcast_ref::<NotFree>().unwrap().help().unwrap();
        assert!(help.contains("--here") && help.contains("--any"), "{help}");
        drop(taken);
        // two parts of one's own at one place
        let places = vec![place("the first", at), place("the second", at)];
        let error = ensure_free(places, None).await.unwrap_err();
        assert!(error.to_string().starts_with("the second"), "{error}");
        ensure_free(vec![place("alone", at)], None).await.unwrap();
    }
}
