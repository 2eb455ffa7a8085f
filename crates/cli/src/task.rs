//! Tasks: listing, creating, ending.

use crate::{
    call::call_and_tell,
    model,
    named::Named,
    output::{Facts, Output, money, price},
    settings::Settings,
    values::{Usdc, some_usdc},
};
use anyhow::{Context, Result, ensure};
use atoma_engine::EmbeddedOptions;
use atoma_ledger::Ledger;
use atoma_network::{engine_class, natural_role};
use atoma_types::{
    EngineClass, Numerics, Price, Role, Rule, SecurityLevel,
    chain::{Clock, NewTask, Payment, SubscriptionState, Task, calls},
    hash::Hash32,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// List the tasks with their nodes and prices.
    List {
        /// Those that take no new business as well.
        #[arg(long)]
        all: bool,
    },
    /// Show one task.
    Show {
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
    },
    /// Create a task for a model.
    Create(CreateTask),
    /// End new business on a task of yours.
    Deprecate {
        /// The task's id or a beginning of it, or its model's name if it has one open task.
        task: Named,
    },
    /// Add to the pool that pays for examinations; without ten fees in it no stack is sold. Anyone may.
    Fund {
        /// The task's id or a beginning of it, or its model's name if it has one open task.
        task: Named,
        /// How much, in USDC.
        #[arg(value_parser = some_usdc)]
        amount: Usdc,
    },
    /// Announce a release that nodes of a confidential task of yours may attest, after the delay.
    Release {
        /// The task's id or a beginning of it, or its model's name if it has one open task.
        task: Named,
        /// Digest of the release (64 hex digits).
        release: Hash32,
    },
    /// Withdraw a release, at once.
    WithdrawRelease {
        /// The task's id or a beginning of it, or its model's name if it has one open task.
        task: Named,
        /// Digest of the release (64 hex digits).
        release: Hash32,
    },
    /// Move the task's fees and fines into the communal treasury, and its pool once it is long deprecated. Anyone may.
    Collect {
        /// The task's id or a beginning of it, or its model's name if it has one open task.
        task: Named,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateTask {
    /// The model: `builtin`, a Hugging Face folder, a hub's name, or any name together with --revision.
    model: String,
    /// The model runs on a server: its revision is that of the hub's repository, and no weights are
    /// fetched.
    #[arg(long, conflicts_with = "revision")]
    upstream: bool,
    /// Name in requests (default: the model's own).
    #[arg(long)]
    name: Option<String>,
    /// Content hash of a model that is not on this machine (hex).
    #[arg(long, value_name = "HEX")]
    revision: Option<String>,
    /// What it computes (default: `embedding` for a model that only embeds, else `chat-completion`).
    #[arg(long)]
    role: Option<Role>,
    /// How it is secured.
    #[arg(long, default_value = "none")]
    security: SecurityLevel,
    /// The highest price, USDC per million units.
    #[arg(long, value_name = "USDC", default_value = "10")]
    price_ceiling: Usdc,
    /// Least reputation of its nodes (0 to 1000).
    #[arg(long, default_value_t = 0)]
    min_reputation: u64,
    /// Least collateral of its nodes, USDC.
    #[arg(long, value_name = "USDC", default_value = "0")]
    min_collateral: Usdc,
}

pub(crate) async fn run(command: TaskCommand, settings: Settings, output: &Output) -> Result<()> {
    let ledger = settings.ledger().await?;
    match command {
        TaskCommand::List { all } => {
            let tasks = ledger.all_tasks().await?;
            let shown = tasks.iter().filter(|task| all || !task.is_deprecated());
            let only_wide: &[&str] = if all { &["security"] } else { &ONLY_WIDE };
            output.narrow_table(
                shown.map(summary).collect(),
                only_wide,
                "no tasks yet: create one with `atoma task create builtin`",
            );
        }
        TaskCommand::Show { task } => {
            let task = ledger.task(task.task(&ledger).await?).await?;
            output.object(summary(&task));
            output.table(offers(&task), "no node is subscribed");
        }
        TaskCommand::Create(create) => {
            create_task(&ledger, &settings, &create, output).await?;
        }
        TaskCommand::Deprecate { task } => {
            let call = calls::DeprecateTask {
                db: ledger.deployment().db.into(),
                task: task.only_task(&ledger).await?.into(),
                clock: Clock,
            };
            call_and_tell(&ledger, &settings, call, output).await?;
        }
        TaskCommand::Fund { task, amount } => {
            let call = calls::FundTask {
                task: task.only_task(&ledger).await?.into(),
                payment: Payment(amount.0),
            };
            call_and_tell(&ledger, &settings, call, output).await?;
        }
        TaskCommand::Release { task, release } => {
            let call = calls::AnnounceRelease {
                db: ledger.deployment().db.into(),
                task: task.only_task(&ledger).await?.into(),
                release,
                clock: Clock,
            };
            call_and_tell(&ledger, &settings, call, output).await?;
        }
        TaskCommand::WithdrawRelease { task, release } => {
            let call = calls::WithdrawRelease {
                task: task.only_task(&ledger).await?.into(),
                release,
            };
            call_and_tell(&ledger, &settings, call, output).await?;
        }
        TaskCommand::Collect { task } => {
            let call = calls::CollectFees {
                db: ledger.deployment().db.into(),
                task: task.only_task(&ledger).await?.into(),
                clock: Clock,
            };
            call_and_tell(&ledger, &settings, call, output).await?;
        }
    }
    Ok(())
}

async fn create_task(
    ledger: &Ledger,
    settings: &Settings,
    create: &CreateTask,
    output: &Output,
) -> Result<()> {
    let call = new_task(create).await?.call(ledger.deployment().db);
    let done = ledger.execute(&settings.key()?, vec![call]).await?;
    let task = NewTask::created(&done.events).context("the ledger reported no new task")?;
    output.object(vec![
        ("task", json!(task)),
        ("transaction", json!(done.digest.to_string())),
        ("gas_mist", json!(done.gas_used)),
    ]);
    output.say("next: a node subscribes to it, with `atoma node subscribe` or in its node.toml");
    Ok(())
}

async fn new_task(create: &CreateTask) -> Result<NewTask> {
    let remote = match &create.revision {
        Some(hex) => {
            let model = hex.parse::<Hash32>();
            Some(model.context("--revision takes 64 hex digits")?.0)
        }
        None if create.upstream => Some(model::remote_revision(&create.model).await?),
        None => None,
    };
    let (name, engine, natural) = match remote {
        Some(revision) => {
            let engine = EngineClass {
                model: Hash32(revision),
                numerics: Numerics::Tolerant,
                rule: Rule::Tolerant,
            };
            (create.model.clone(), engine, Role::ChatCompletion)
        }
        None => {
            let model = (create.model != "builtin").then(|| create.model.clone());
            let model = model::load(model.as_deref(), EmbeddedOptions::default()).await?;
            let info = model.info();
            let natural = natural_role(info);
            ensure!(
                !info.only_embeds || create.role.is_none_or(|role| role == natural),
                "{} only embeds: its task's role is `{natural}`, without --role, too",
                info.id
            );
            (info.id.clone(), engine_class(info), natural)
        }
    };
    Ok(NewTask {
        role: create.role.unwrap_or(natural),
        security: create.security,
        min_reputation: create.min_reputation,
        min_collateral: create.min_collateral.0,
        ..NewTask::chat(
            create.name.clone().unwrap_or(name),
            engine,
            Price(create.price_ceiling.0.0),
        )
    })
}

/// What a list shows only where there is room.
const ONLY_WIDE: [&str; 4] = [
    "security",
    "deprecated",
    "pool_micro_usdc",
    "fees_micro_usdc",
];

fn summary(task: &Task) -> Facts {
    let active = task
        .subscriptions
        .iter()
        .filter(|s| s.state == SubscriptionState::Active)
        .collect::<Vec<_>>();
    vec![
        ("task", json!(task.id)),
        ("model", json!(task.model_name)),
        ("role", json!(task.role.as_str())),
        ("security", json!(task.security_level.as_str())),
        ("nodes", json!(active.len())),
        (
            "cheapest_micro_usdc_per_million_units",
            json!(active.iter().map(|s| s.price.0).min()),
        ),
        (
            "ceiling_micro_usdc_per_million_units",
            price(task.price_ceiling),
        ),
        ("deprecated", json!(task.is_deprecated())),
        ("pool_micro_usdc", money(task.dues)),
        ("fees_micro_usdc", money(task.fees)),
    ]
}

fn offers(task: &Task) -> Vec<Facts> {
    task.subscriptions
        .iter()
        .map(|s| {
            vec![
                ("node", json!(s.node)),
                ("price_micro_usdc_per_million_units", price(s.price)),
                ("matured_collateral_micro_usdc", money(s.matured)),
                ("reputation", json!(s.reputation)),
                ("state", json!(format!("{:?}", s.state).to_lowercase())),
                ("attests", json!(s.attester.map(|attester| attester.active))),
                (
                    "deposit_micro_usdc",
                    s.attester.map_or(Value::Null, |a| money(a.stake)),
                ),
            ]
        })
        .collect()
}
