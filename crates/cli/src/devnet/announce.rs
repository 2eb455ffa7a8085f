//! What a devnet says when it is up: where its parts are, and what to type.

use super::{dead_model::DEAD_MODEL, profile::Announced};
use crate::{
    local_network::Served,
    output::{Output, price},
};
use anyhow::{Context, Result};
use atoma_gateway::RunningGateway;
use atoma_network::ApiKeys;
use serde_json::{Value, json};
use std::path::Path;

/// A devnet that is up.
pub(super) struct Up<'a> {
    pub(super) served: &'a Served,
    pub(super) gateway: &'a RunningGateway,
    pub(super) keys: &'a ApiKeys,
    pub(super) profile: &'a Announced,
    pub(super) has_dead_model: bool,
    /// Accepts the nodes, where the task is confidential.
    pub(super) policy: Option<&'a Path>,
    /// Answers are examined.
    pub(super) examined: bool,
}

impl Up<'_> {
    pub(super) fn announce(&self, output: &Output) -> Result<()> {
        if output.is_json() {
            self.for_programs(output)
        } else {
            self.for_people(output)
        }
    }

    fn for_programs(&self, output: &Output) -> Result<()> {
        let (network, keys) = (&self.served.network, self.keys);
        let deployment = network.ledger.deployment();
        let nodes = network.nodes.iter().map(|node| {
            json!({
                "node": node.id,
                "url": node.running.url(),
                "admin": node.running.admin_url(),
                "price_micro_usdc_per_million_units": price(node.price),
            })
        });
        let walrus = network.walrus.as_ref();
        let mut facts = vec![
            ("step", json!("ready")),
            ("endpoint", json!(format!("{}/v1", self.gateway.url()))),
            ("api_key", json!(keys.normal.reveal())),
            ("poor_key", json!(keys.poor.reveal())),
            ("narrow_key", json!(keys.narrow.reveal())),
            ("admin", json!(self.gateway.admin_url())),
            ("model", json!(self.served.model)),
            ("ledger", json!(network.ledger.url())),
            ("network", json!(network.ledger.network())),
            ("walrus", json!(walrus.map(|walrus| walrus.url()))),
            ("walrus_shards", json!(walrus.map(|walrus| walrus.shards()))),
            ("package", json!(deployment.package)),
            ("db", json!(deployment.db)),
            ("usdc_type", json!(deployment.usdc.to_string())),
            ("task", json!(self.served.task)),
            ("nodes", nodes.collect::<Value>()),
            ("profile", json!(self.profile.name)),
            ("profile_in_use", json!(self.profile.is_used())),
        ];
        if let Some(policy) = self.policy {
            facts.push(("policy", json!(policy)));
        }
        if self.has_dead_model {
            facts.push(("dead_model", json!(DEAD_MODEL)));
        }
        output.object(facts);
        Ok(())
    }

    fn for_people(&self, output: &Output) -> Result<()> {
        let network = &self.served.network;
        let walrus = network.walrus.as_ref();
        let walrus = walrus.context("the network has no Walrus")?.url();
        let endpoint = format!("{}/v1", self.gateway.url());
        let key = self.keys.normal.reveal();
        let listed = |urls: Vec<String>| urls.join("\n              ");
        let nodes = network.nodes.iter().map(|node| node.running.url());
        let nodes = listed(nodes.collect());
        let admins = network.nodes.iter().map(|node| node.running.admin_url());
        let admins = listed(self.gateway.admin_url().into_iter().chain(admins).collect());
        let (ledger, model) = (network.ledger.url(), &self.served.model);
        if let Some(policy) = self.policy {
            let policy = policy.display();
            output.say_whole(format!(
                "\nThe network is up, with a software TEE: software that acts as hardware,\n\
                 which protects against nobody. Ctrl-C stops it.\n\n\
                 \x20   endpoint  {endpoint}\n\
                 \x20   API key   {key}\n\
                 \x20   model     {model}, for sealed requests alone\n\
                 \x20   ledger    {ledger}\n\
                 \x20   walrus    {walrus}\n\
                 \x20   nodes     {nodes}\n\
                 \x20   metrics   {admins}\n\
                 \x20   policy    {policy} accepts the software TEE\n\n\
                 As a user with a wallet, in another terminal:\n\n\
                 atoma wallet new && atoma wallet fund --usdc 10\n\
                 atoma chat --confidential --policy {policy} \\\n\
                 \x20   --budget 1 --max-tokens 64 \"What is the sun?\"\n\
                 atoma proxy --confidential --policy {policy} --budget 1\n\n\
                 Or let the gateway pay, which reads nothing of what it passes on:\n\n\
                 ATOMA_API_KEY={key} \\\n\
                 \x20   atoma proxy --confidential --policy {policy} --gateway {gateway}\n\n\
                 {}",
                self.profile_told(),
                gateway = self.gateway.url(),
            ));
            return Ok(());
        }
        // what an answer may cost, where a token costs a thousand times as much
        let budget = if self.examined { 2 } else { 1 };
        output.say_whole(format!(
            "\nThe network is up. Ctrl-C stops it.\n\n\
             \x20   endpoint  {endpoint}\n\
             \x20   API key   {key}\n\
             \x20   model     {model}\n\
             \x20   ledger    {ledger}\n\
             \x20   walrus    {walrus}\n\
             \x20   nodes     {nodes}\n\
             \x20   metrics   {admins}\n\n\
             Paste this, or give endpoint and key to any OpenAI client:\n\n\
             curl {endpoint}/chat/completions \\\n\
             \x20   -H 'Authorization: Bearer {key}' \\\n\
             \x20   -H 'Content-Type: application/json' \\\n\
             \x20   -d '{{\"model\":\"{model}\",\"max_tokens\":64,\n\
             \x20        \"messages\":[{{\"role\":\"user\",\"content\":\"What is the sun?\"}}]}}'\n\n\
             Or, as a user with a wallet, in another terminal:\n\n\
             atoma wallet new && atoma wallet fund --usdc 10\n\
             atoma chat --budget {budget} --max-tokens 64 \"What is the sun?\"\n\n\
             {}",
            self.profile_told(),
        ));
        Ok(())
    }

    /// Which network commands use meanwhile.
    fn profile_told(&self) -> String {
        let name = self.profile.name;
        if self.profile.is_used() {
            return format!(
                "Until it stops it is the network in use, under the name {name}\n(`atoma network show`)."
            );
        }
        format!(
            "Commands go on using your network {used}: name this one with\n\
             --network {name}, or use it with `atoma network use {name}`.",
            used = self.profile.used
        )
    }
}
