//! Asking nodes for what is missing of their tickets.

use super::{
    decide::Unseen,
    fetch::{Shown, fetch},
    watcher::Watcher,
};
use crate::{Client, ClientError, records::MAX_ASKING};
use atoma_types::{
    TimestampMs,
    chain::{Lease, Stack, Ticket},
};
use tokio::time::Instant;

impl Watcher {
    /// Asks a lease's node for what is missing of its tickets, as long as something comes of it and there is time.
    pub(super) async fn ask(
        &mut self,
        stack: &Stack,
        lease: &Lease,
        now: TimestampMs,
    ) -> Result<(), ClientError> {
        let Some(client) = self.asks.clone() else {
            return Ok(());
        };
        let until = Instant::now() + MAX_ASKING;
        for ticket in &lease.tickets {
            let (node, key) = (lease.node, (stack.id, lease.node, ticket.to_seq));
            while let Some(missing) = self.roots.missing(stack.id, node, ticket) {
                // nothing can be demanded any more
                if now > ticket.deadline_ms {
                    break;
                }
                let of = (stack, node, ticket);
                let shown = fetch(&client, of, &self.receipts, (missing.seq, until)).await?;
                self.learn(stack, lease).await?;
                let still = self.roots.missing(stack.id, node, ticket);
                let stays = still.is_some_and(|still| still.seq >= missing.seq);
                match shown {
                    Shown::Unknown => break,
                    // it may have shown one that is of no use
                    Shown::Here | Shown::Denied => self.roots.is_denied(key, stays),
                }
                if stays {
                    break;
                }
            }
            if now <= ticket.deadline_ms {
                self.ask_for_unseen(&client, (stack, lease, ticket), until)
                    .await?;
            }
        }
        Ok(())
    }

    /// Asks a ticket's node for the records of which only the hashes are known.
    async fn ask_for_unseen(
        &mut self,
        client: &Client,
        (stack, lease, ticket): (&Stack, &Lease, &Ticket),
        until: Instant,
    ) -> Result<(), ClientError> {
        let node = lease.node;
        let mut denied = Some(false);
        let numbers = self.roots.unseen_numbers(stack.id, node, ticket);
        for seq in &numbers {
            // it came with another one
            if !self.receipts.kept_at(stack.id, node, *seq)?.is_empty() {
                continue;
            }
            let of = (stack, node, ticket);
            match fetch(client, of, &self.receipts, (*seq, until)).await? {
                Shown::Here => continue,
                Shown::Denied => denied = Some(true),
                Shown::Unknown => denied = None,
            }
            break;
        }
        if numbers.is_empty() {
            return Ok(());
        }
        self.learn(stack, lease).await?;
        if let Some(denied) = denied {
            let key = (stack.id, node, ticket.to_seq);
            let stays = self.roots.unseen(stack.id, node, ticket).is_some();
            self.roots.is_denied(key, denied && stays);
        }
        Ok(())
    }

    /// The records that only their hashes are known of, where their node can be asked for them.
    pub(super) fn unseen(&self, stack: &Stack, lease: &Lease, of: &Ticket) -> Option<Unseen> {
        let key = self.asks.as_ref()?.request_key();
        let unseen = self.roots.unseen(stack.id, lease.node, of);
        unseen.filter(|_| stack.request_key == key)
    }
}
