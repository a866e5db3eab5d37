//! What was typed. What it means is worked out in the commands' own modules.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Keeps user profiles in DynamoDB in step with Cognito, and runs both on this machine.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve Cognito, Lambda, API Gateway, EventBridge, SQS, SES, DynamoDB, CloudWatch Logs, Parameter Store and Secrets
    /// Manager on one port.
    Dev(Box<Dev>),
    /// Find what is wrong with a stack and its handlers, before it is deployed. Exit code 1 means that there is something.
    Check(Check),
    /// Print what happened to a user.
    Trace(Trace),
    /// Print what functions printed. Exit code 1 means that there was nothing.
    Logs(Logs),
    /// List dead letters and why they are dead, and give them to their targets once more.
    #[command(subcommand)]
    Dlq(Dlq),
    /// Show everything that is held of a person, and remove it. Exit code 1 means that something is held.
    Erase(Box<Erase>),
    /// Compare profiles with the user pool, and repair what differs. Exit code 1 means that something still differs.
    Reconcile(Box<Reconcile>),
    /// Make profiles for the users who were there before the table was. Exit code 1 means that some could not be made.
    Backfill(Box<Backfill>),
    /// Print the Profile API's OpenAPI document.
    Openapi,
    /// List the AWS operations that work.
    Operations {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what was typed: a flag is there or it is not")]
pub struct Dev {
    /// A stack's file (serverless.yml, template.yaml, cdk.out/….template.json, …). Without one: serverless.yml or
    /// template.yaml in this folder, or else the built-in stack.
    pub file: Option<PathBuf>,
    /// Where to listen; 0 picks a free port and prints it.
    #[arg(long, default_value_t = 4566)]
    pub port: u16,
    /// The address to listen on; anything but loopback needs --allow-remote.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: IpAddr,
    /// Let other machines in; requests must be signed then, with the key that is printed.
    #[arg(long)]
    pub allow_remote: bool,
    /// Where data is kept.
    #[arg(long, default_value = ".tandem", value_name = "DIR")]
    pub state: PathBuf,
    /// Keep nothing.
    #[arg(long, conflicts_with = "state")]
    pub in_memory: bool,
    /// Make every acknowledged call survive a power cut, not only the death of the process.
    #[arg(long)]
    pub durable: bool,
    /// The region to pretend to be in.
    #[arg(long, default_value = "us-east-1")]
    pub region: String,
    /// The account to pretend to be: twelve digits.
    #[arg(long, default_value = "000000000000")]
    pub account: String,
    /// Sign users up through the API and print what happened to them; then go on serving.
    #[arg(long)]
    pub demo: bool,
    /// Divide the waits between retries by this.
    #[arg(long, default_value_t = 1.0, value_name = "N")]
    pub time_scale: f64,
    /// Let things go wrong as they do on AWS, by this seed: the same seed, the same faults.
    #[arg(long, value_name = "SEED")]
    pub chaos: Option<u64>,
    /// A value of Parameter Store, there before the stack is made; may be given several times.
    #[arg(long, value_name = "/NAME=VALUE")]
    pub ssm: Vec<String>,
    /// A parameter of the template; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub parameter: Vec<String>,
    /// The stage of serverless.yml.
    #[arg(long)]
    pub stage: Option<String>,
    /// A parameter of serverless.yml, ${param:name}; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub param: Vec<String>,
    /// A further option of serverless.yml, ${opt:name}; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub opt: Vec<String>,
    /// A file of environment variables for serverless.yml, beside .env; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub env_file: Vec<PathBuf>,
    /// What the stack is called; else like its folder, or as serverless.yml has it.
    #[arg(long, value_name = "NAME")]
    pub stack_name: Option<String>,
    /// What the stack imports from one that is not here; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub import: Vec<String>,
    /// Pass mail on: smtp://[user:password@]host[:port] or smtps://…
    #[arg(long, value_name = "URL")]
    pub smtp: Option<String>,
}

#[derive(Args, Debug)]
pub struct Check {
    /// A stack's file, or the folder that it lies in: serverless.yml, template.yaml, cdk.out/*.template.json.
    pub file: Option<PathBuf>,
    /// A template's parameter. One that has no value is taken for unknown.
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// The stage that a serverless.yml is checked for.
    #[arg(long)]
    pub stage: Option<String>,
    /// Rules that do not matter here; `# tandem-ignore: RULE` does so for one line.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// As JSON.
    #[arg(long, conflicts_with = "sarif")]
    pub json: bool,
    /// As SARIF 2.1.0, for code scanning.
    #[arg(long)]
    pub sarif: bool,
    /// List the rules.
    #[arg(long)]
    pub list_rules: bool,
    /// Tell more about a rule: what happens, how that is known, what to do.
    #[arg(long, value_name = "RULE")]
    pub explain: Option<String>,
}

#[derive(Args, Debug)]
pub struct Trace {
    /// Any name of the user: e-mail address, user name or sub.
    pub user: String,
    /// Where the local cloud listens.
    #[arg(long, env = "AWS_ENDPOINT_URL", default_value = "http://127.0.0.1:4566", value_name = "URL")]
    pub endpoint_url: String,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Logs {
    /// A function or a log group; without one, all functions, each line with its name.
    pub function: Option<String>,
    /// Go on printing what comes.
    #[arg(long, short)]
    pub follow: bool,
    /// How far back to begin: 30s, 10m, 2h, 1d.
    #[arg(long, default_value = "10m", value_name = "TIME")]
    pub since: String,
    /// A filter pattern of CloudWatch Logs: 'ERROR -timeout', '{ $.level = "error" }'
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// As JSON, one event per line.
    #[arg(long)]
    pub json: bool,
    /// Where the local cloud listens.
    #[arg(long, env = "AWS_ENDPOINT_URL", default_value = "http://127.0.0.1:4566", value_name = "URL")]
    pub endpoint_url: String,
}

/// Where AWS's APIs are, and by which key.
#[derive(Args, Debug)]
pub struct Reach {
    /// Where AWS's APIs are, if not on AWS.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// The region; else as the AWS CLI finds it.
    #[arg(long)]
    pub region: Option<String>,
    /// A profile of ~/.aws/config.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Dlq {
    /// List dead letters; all stay where they are. Exit code 1 means that there are some.
    List {
        #[command(flatten)]
        letters: Letters,
        /// With the events themselves, which may be personal.
        #[arg(long, requires = "json")]
        payload: bool,
    },
    /// Give dead letters to the one target that each was meant for; those that succeed leave their queue. Exit code 1
    /// means that some stay.
    Redrive {
        #[command(flatten)]
        letters: Letters,
        /// The function for letters that do not say whose they are (those of a function's own dead-letter queue).
        #[arg(long, value_name = "NAME")]
        function: Option<String>,
        /// Letters per second, at most.
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
        rate: u32,
    },
}

#[derive(Args, Debug)]
pub struct Letters {
    /// A queue's name or URL; may be given several times. Of a local cloud at the endpoint, the built-in two unless said.
    #[arg(long = "queue", env = "DEAD_LETTER_QUEUES", value_name = "QUEUE", value_delimiter = ',')]
    pub queues: Vec<String>,
    /// Only letters about this user: the sub.
    #[arg(long, value_name = "SUB")]
    pub user: Option<String>,
    /// Only letters for this function or queue.
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// Only letters whose error has this in its code or its words.
    #[arg(long, value_name = "TEXT")]
    pub error: Option<String>,
    /// So many letters of each queue, at most.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: Reach,
}

#[derive(Args, Debug)]
pub struct Erase {
    /// The user: sub, user name or e-mail address.
    pub user: String,
    /// Remove it. Without this, what is held is shown and nothing is changed.
    #[arg(long)]
    pub yes: bool,
    /// With --yes: remove whole log streams that name the user, and what they hold of others.
    #[arg(long, requires = "yes")]
    pub delete_log_streams: bool,
    /// The user pool. Of a local cloud at the endpoint, the built-in one unless said.
    #[arg(long, env = "USER_POOL_ID", value_name = "ID")]
    pub user_pool_id: Option<String>,
    /// The profiles' table. Of a local cloud at the endpoint, the built-in one unless said.
    #[arg(long, env = "TABLE_NAME", value_name = "NAME")]
    pub table: Option<String>,
    /// The bus on which consumers are told, and whose archives are looked at: name or ARN.
    #[arg(long, env = "EVENT_BUS_NAME", value_name = "NAME")]
    pub event_bus: Option<String>,
    /// A queue of dead letters to look through: name or URL; may be given several times.
    #[arg(long = "queue", env = "DEAD_LETTER_QUEUES", value_name = "QUEUE", value_delimiter = ',')]
    pub queues: Vec<String>,
    /// A log group to look through; may be given several times.
    #[arg(long = "log-group", env = "LOG_GROUPS", value_name = "GROUP", value_delimiter = ',')]
    pub log_groups: Vec<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: Reach,
}

/// A pool, a table, and how to reach both.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what was typed: a flag is there or it is not")]
pub struct PoolAndTable {
    /// The user pool. Of a local cloud at the endpoint, the built-in one unless said.
    #[arg(long, env = "USER_POOL_ID", value_name = "ID")]
    pub user_pool_id: Option<String>,
    /// The profiles' table. Of a local cloud at the endpoint, the built-in one unless said.
    #[arg(long, env = "TABLE_NAME", value_name = "NAME")]
    pub table: Option<String>,
    /// Publish events on this bus (name or ARN), for whoever listens to write; without a bus the table is written here.
    #[arg(long, env = "EVENT_BUS_NAME", value_name = "NAME")]
    pub event_bus: Option<String>,
    /// The attributes that publishers pass on beside address and name, as announce-user does. Not said:
    /// they are not compared.
    #[arg(long, env = "EVENT_ATTRIBUTES", value_name = "NAME,…", value_delimiter = ',')]
    pub attributes: Option<Vec<String>>,
    /// Leave groups as they are.
    #[arg(long)]
    pub no_groups: bool,
    /// Addresses are unique in this table, as create-profile was told.
    #[arg(long, env = "UNIQUE_EMAIL")]
    pub unique_email: bool,
    /// Calls of the pool per second; 0 for no limit. Not said: 20, since an account may make 30; no limit on this
    /// machine.
    #[arg(long, value_name = "N")]
    pub rate: Option<f64>,
    /// Read capacity units of the table per second; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    pub read_capacity: f64,
    /// Where progress is kept until it is done.
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Forget the progress of an earlier run.
    #[arg(long)]
    pub restart: bool,
    /// Show no progress.
    #[arg(long, short)]
    pub quiet: bool,
    #[command(flatten)]
    pub reach: Reach,
}

#[derive(Args, Debug)]
pub struct Reconcile {
    #[command(flatten)]
    pub sides: PoolAndTable,
    /// Write; without it, what differs is told and nothing is changed.
    #[arg(long, conflicts_with = "dry_run")]
    pub repair: bool,
    /// Change nothing, which is the default.
    #[arg(long)]
    pub dry_run: bool,
    /// Leave users alone that were changed less than this ago: 30s, 10m, 2h, 1d; 0s leaves nobody alone.
    #[arg(long, default_value = "10m", value_name = "TIME")]
    pub min_age: String,
    /// How what was found is written.
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    pub format: ReportFormat,
    /// As JSON; the same as --format json.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Into a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    Table,
    Json,
    Csv,
}

#[derive(Args, Debug)]
pub struct Backfill {
    #[command(flatten)]
    pub sides: PoolAndTable,
    /// Count, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}
