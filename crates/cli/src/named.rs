//! What people write where an id is wanted: the id, a beginning of it that no other has, or a name.
//!
//! A whole id is taken as it is, without asking anybody whether it exists. Anything else is looked for
//! among what there is. A name may stand for several things: who only looks gets the newest or the best, and whoever
//! [changes](Several::Refused) one must say which: else a command that is typed twice would take another one for it.

use crate::output::{ELLIPSIS, short, utc};
use anyhow::{Result, bail};
use atoma_client::{Client, KnownNetwork, Receipts, StackHandle, known_networks};
use atoma_ledger::Ledger;
use atoma_types::{
    Address, NetworkId, NodeId, RequestId, StackId, TaskId,
    chain::{Node, NodeStatus, SubscriptionState, Task},
    ids::ParseIdError,
};
use std::{cmp::Reverse, convert::Infallible, fmt::Display, path::Path, str::FromStr};

/// Hexadecimal digits of an id on the ledger.
const OBJECT_DIGITS: usize = 64;
/// Hexadecimal digits of a request's id.
const REQUEST_DIGITS: usize = 32;
/// Of closed stacks the latest so many are looked at for a model's name: each takes two reads.
const MOST_CLOSED: usize = 16;
/// Of many that fit, an error names so many.
const MOST_TOLD: usize = 4;

/// What a name stands for that several things have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Several {
    /// The newest, or the best.
    First,
    /// None of them: they are named.
    Refused,
}

/// An id, a beginning of one, or a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named(String);

impl FromStr for Named {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        // as tables cut ids
        Ok(Self(text.trim().trim_end_matches(ELLIPSIS).to_owned()))
    }
}

impl Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Named {
    /// The task of this id, or the best one for a model of this name: open for business, with nodes,
    /// the oldest.
    pub(crate) async fn task(&self, ledger: &Ledger) -> Result<TaskId> {
        self.task_of(ledger, Several::First).await
    }

    /// The task of this id, or the only one for a model of this name that is open for business.
    pub(crate) async fn only_task(&self, ledger: &Ledger) -> Result<TaskId> {
        self.task_of(ledger, Several::Refused).await
    }

    async fn task_of(&self, ledger: &Ledger, several: Several) -> Result<TaskId> {
        if let Some(id) = self.whole(OBJECT_DIGITS) {
            return Ok(id);
        }
        let tasks = ledger.all_tasks().await?;
        let of_the_model = tasks.iter().filter(|task| task.model_name == self.0);
        if several == Several::Refused {
            let open = of_the_model.clone().filter(|task| !task.is_deprecated());
            let open: Vec<String> = open.map(|task| task.id.to_string()).collect();
            match (&open[..], of_the_model.clone().next()) {
                ([], Some(_)) => bail!(
                    "the tasks of `{self}` have all ended: name one by its id, as `atoma task list --all` shows it"
                ),
                ([_, _, ..], _) => bail!(self.names_several("tasks", &open)),
                _ => {}
            }
        }
        if let Some(task) = of_the_model.min_by_key(|task| preference(task)) {
            return Ok(task.id);
        }
        self.one_of(
            "task or model",
            "atoma task list",
            tasks.iter().map(|task| task.id),
        )
    }

    /// The node of this id, or the only one of this URL that hasn't left.
    pub(crate) async fn node(&self, ledger: &Ledger) -> Result<NodeId> {
        if let Some(id) = self.whole(OBJECT_DIGITS) {
            return Ok(id);
        }
        let nodes = ledger.all_nodes().await?;
        let url = |url: &str| url.trim_end_matches('/') == self.0.trim_end_matches('/');
        let there = nodes.iter().filter(|node| url(&node.url));
        let (left, there): (Vec<&Node>, Vec<&Node>) =
            there.partition(|node| node.status == NodeStatus::Left);
        match (&there[..], &left[..]) {
            ([node], _) | ([], [node]) => return Ok(node.id),
            ([], []) => {}
            ([], several) | (several, _) => {
                let ids: Vec<String> = several.iter().map(|node| node.id.to_string()).collect();
                bail!(self.names_several("nodes", &ids));
            }
        }
        self.one_of("node", "atoma node list", nodes.iter().map(|node| node.id))
    }

    /// The stack of this id, or the newest open one of a model of this name; of those that the client
    /// remembers, closed ones too.
    pub(crate) async fn stack(&self, client: &Client) -> Result<StackId> {
        self.stack_of(client, Several::First).await
    }

    /// The same, of a model's name the only open one: for what changes a stack.
    pub(crate) async fn only_stack(&self, client: &Client) -> Result<StackId> {
        self.stack_of(client, Several::Refused).await
    }

    async fn stack_of(&self, client: &Client, several: Several) -> Result<StackId> {
        let (here, folder) = (client.ledger().network(), client.data_dir());
        if let Some(id) = self.whole(OBJECT_DIGITS) {
            folder.map_or(Ok(()), |folder| ensure_of(here, id, folder))?;
            return Ok(id);
        }
        let stacks = client.stacks().await?;
        let of_the_model = stacks.iter().rev();
        let of_the_model = of_the_model.filter(|stack| stack.task().model_name == self.0);
        let of_the_model: Vec<&StackHandle> = of_the_model.collect();
        match of_the_model[..] {
            [] => {}
            [_, _, ..] if several == Several::Refused => {
                let each = of_the_model.iter().map(|stack| {
                    let ends = utc(stack.expires_at().0);
                    format!("{} (ends {ends}Z)", short(stack.id()))
                });
                bail!(self.names_several("open stacks", &each.collect::<Vec<_>>()));
            }
            [newest, ..] => return Ok(newest.id()),
        }
        let ids = stacks.iter().map(StackHandle::id);
        let closed = client.closed_stacks()?;
        let found = self.one_of(
            "stack",
            "atoma stack list --all",
            ids.chain(closed.iter().copied()),
        );
        if found.is_err() && self.is_model_of_one(&closed, client.ledger()).await? {
            bail!(
                "your stacks of `{self}` are all closed: `atoma stack list --all` shows them, `atoma stack buy {self}` \
                 buys another"
            );
        }
        if let (Err(_), Some(folder)) = (&found, folder)
            && let Ok(other) = self.kept_stack(folder)
        {
            ensure_of(here, other, folder)?;
        }
        found
    }

    /// Whether it is the model of one of these stacks, of the latest.
    async fn is_model_of_one(&self, stacks: &[StackId], ledger: &Ledger) -> Result<bool> {
        for stack in stacks.iter().rev().take(MOST_CLOSED) {
            let task = ledger.stack(*stack).await?.task;
            if ledger.task(task).await?.model_name == self.0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The request of this id, of those whose receipts are kept.
    pub(crate) fn request(&self, receipts: &Receipts) -> Result<RequestId> {
        if let Some(id) = self.whole(REQUEST_DIGITS) {
            return Ok(id);
        }
        let kept = receipts.list(None)?;
        let ids = kept.iter().map(|receipt| receipt.request_id);
        self.one_of("receipt of a request", "atoma receipt list", ids)
    }

    /// The stack of this id, of those of which a client's folder keeps anything: without a ledger.
    pub(crate) fn kept_stack(&self, folder: &Path) -> Result<StackId> {
        if let Some(id) = self.whole(OBJECT_DIGITS) {
            return Ok(id);
        }
        let receipts = Receipts::open(folder)?.list(None)?;
        let open = known_networks(folder)?;
        let open = open.into_iter().flat_map(|network| network.stacks);
        let ids = receipts.into_iter().map(|receipt| receipt.stack);
        self.one_of("stack", "atoma stack list --all", open.chain(ids))
    }

    /// The stack of this id, or the newest of a model of this name, of those of which a client's folder keeps anything;
    /// closed ones too.
    pub(crate) async fn known_stack(&self, ledger: &Ledger, folder: &Path) -> Result<StackId> {
        self.known_stack_of(ledger, folder, Several::First).await
    }

    /// The same, of a model's name the only one that wasn't seen closed: for what is brought against a node.
    pub(crate) async fn only_known_stack(&self, ledger: &Ledger, folder: &Path) -> Result<StackId> {
        self.known_stack_of(ledger, folder, Several::Refused).await
    }

    async fn known_stack_of(
        &self,
        ledger: &Ledger,
        folder: &Path,
        several: Several,
    ) -> Result<StackId> {
        if let Some(id) = self.whole(OBJECT_DIGITS) {
            ensure_of(ledger.network(), id, folder)?;
            return Ok(id);
        }
        let tasks = ledger.all_tasks().await?;
        let of_the_model = tasks.into_iter().filter(|task| task.model_name == self.0);
        let tasks: Vec<TaskId> = of_the_model.map(|task| task.id).collect();
        if tasks.is_empty() {
            let id = self.kept_stack(folder)?;
            ensure_of(ledger.network(), id, folder)?;
            return Ok(id);
        }
        let here = known_networks(folder)?.into_iter();
        let here = here.filter(|known| known.network == ledger.network());
        let (mut newest, mut open) = (None, Vec::new());
        for (id, is_open) in here.flat_map(of_both) {
            let stack = ledger.stack(id).await?;
            if !tasks.contains(&stack.task) {
                continue;
            }
            open.extend(is_open.then_some(id));
            newest = newest.max(Some((stack.expires_at_ms, id)));
        }
        match open[..] {
            _ if several == Several::First => {}
            [] => {}
            [only] => return Ok(only),
            _ => {
                let open: Vec<String> = open.iter().map(short).collect();
                bail!(self.names_several("open stacks", &open));
            }
        }
        match newest {
            Some((_, id)) => Ok(id),
            None => bail!("you have no stack of `{self}`: `atoma stack list --all` shows yours"),
        }
    }

    /// That a name stands for several things, of which one is to be changed.
    fn names_several(&self, what: &str, all: &[String]) -> String {
        let told = &all[..all.len().min(MOST_TOLD)];
        format!(
            "there are {} {what} of `{self}`, so name the one that is meant by its id: {}",
            all.len(),
            told.join(", ")
        )
    }

    /// The address, of those that there are.
    pub(crate) fn address(&self, all: impl Iterator<Item = Address>) -> Result<Address> {
        match self.whole(OBJECT_DIGITS) {
            Some(address) => Ok(address),
            None => self.one_of("address", "atoma wallet list", all),
        }
    }

    /// The whole id, if this is one.
    fn whole<T: FromStr>(&self, digits: usize) -> Option<T> {
        let hex = self.0.strip_prefix("0x").unwrap_or(&self.0);
        (hex.len() == digits).then(|| self.0.parse().ok()).flatten()
    }

    /// The one that begins so.
    fn one_of<T: Copy + Display + PartialEq>(
        &self,
        kind: &str,
        list: &str,
        all: impl Iterator<Item = T>,
    ) -> Result<T> {
        let beginning = self.0.to_lowercase();
        let plain = beginning.strip_prefix("0x").unwrap_or(&beginning);
        let begins = |id: &T| {
            let id = id.to_string();
            !plain.is_empty() && id.strip_prefix("0x").unwrap_or(&id).starts_with(plain)
        };
        let mut found: Vec<T> = Vec::new();
        for id in all.filter(begins) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        match found[..] {
            [one] => Ok(one),
            [] => bail!("there is no {kind} `{self}`: `{list}` shows all"),
            _ => {
                let told: Vec<String> = found.iter().take(MOST_TOLD).map(T::to_string).collect();
                bail!(
                    "`{self}` begins {} ids, so write more of it: {}",
                    found.len(),
                    told.join(", ")
                )
            }
        }
    }
}

/// A network's stacks, and which of them weren't seen closed.
fn of_both(known: KnownNetwork) -> impl Iterator<Item = (StackId, bool)> {
    let closed = known.closed.into_iter().map(|id| (id, false));
    closed.chain(known.stacks.into_iter().map(|id| (id, true)))
}

/// That a stack isn't known to be of another network than the one in use, whose ledger can know nothing of it.
pub(crate) fn ensure_of(here: NetworkId, stack: StackId, folder: &Path) -> Result<()> {
    let has = |stacks: &[StackId]| stacks.contains(&stack);
    let networks = known_networks(folder)?.into_iter();
    let its: Vec<NetworkId> = networks
        .filter(|known| has(&known.stacks) || has(&known.closed))
        .map(|known| known.network)
        .collect();
    match its[..] {
        [other] if other != here => bail!(
            "stack {stack} is of another network ({other}) than the one in use: name that one with --network; if it was \
             a devnet that has ended, it is gone, with all that was on it"
        ),
        _ => Ok(()),
    }
}

/// Whole addresses alone: where money goes nothing is guessed.
pub(crate) fn whole_address(text: &str) -> Result<Address, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text).len();
    let address = (digits == OBJECT_DIGITS).then(|| text.parse().ok());
    address.flatten().ok_or_else(|| {
        format!(
            "expected {}, as `atoma wallet list` shows for an address",
            ParseIdError::OBJECT_FORM
        )
    })
}

/// The lowest is the best of a model's tasks.
fn preference(task: &Task) -> (bool, Reverse<bool>, u64) {
    let sells = |state| state == SubscriptionState::Active;
    let nodes = task.subscriptions.iter().any(|s| sells(s.state));
    (task.is_deprecated(), Reverse(nodes), task.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8, last: u8) -> NodeId {
        let mut bytes = [byte; 32];
        bytes[31] = last;
        NodeId(Address::new(bytes))
    }

    fn find(text: &str) -> Result<NodeId, String> {
        let all = [id(0xab, 1), id(0xab, 2), id(0xcd, 3)];
        let named: Named = text.parse().unwrap();
        let found = named.one_of("node", "atoma node list", all.into_iter());
        found.map_err(|error| error.to_string())
    }

    #[test]
    fn a_beginning_that_no_other_has_is_enough() {
        for text in ["0xcd", "cd", "CDCD", "0xcdcdcdcdcd…"] {
            assert_eq!(find(text), Ok(id(0xcd, 3)), "{text}");
        }
        let several = find("0xab").unwrap_err();
        assert!(several.contains("2 ids") && several.contains(&id(0xab, 2).to_string()));
        let none = find("0x12").unwrap_err();
        assert!(
            none.contains("no node `0x12`") && none.contains("node list"),
            "{none}"
        );
        assert!(find("").is_err() && find("0x").is_err());
    }

    #[test]
    fn a_whole_id_is_taken_as_it_is_and_a_short_one_is_none() {
        let whole = id(7, 7).to_string();
        let named = |text: &str| text.parse::<Named>().unwrap();
        assert_eq!(named(&whole).whole(OBJECT_DIGITS), Some(id(7, 7)));
        assert_eq!(named("0x1234").whole::<NodeId>(OBJECT_DIGITS), None);
        assert_eq!(named("llama").whole::<NodeId>(OBJECT_DIGITS), None);
    }

    #[test]
    fn money_goes_to_whole_addresses() {
        let whole = id(7, 7).to_string();
        assert!(whole_address(&whole).is_ok());
        assert!(whole_address("0x1234").is_err() && whole_address("me").is_err());
    }
}
