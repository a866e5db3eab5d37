//! A function's configuration as it comes in and goes out.
//!
//! What we do not honour is named in the log when somebody sets it, never passed over in silence.

use std::collections::{BTreeMap, HashMap};

use aws_api::Arn;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::alias::version_text;
use crate::error::Error;

use crate::function::{Configuration, Kept, Logging, Shown};
use crate::host::FunctionHost;
use crate::runtime::Runtime;

const TIMEOUT_DEFAULT_S: u32 = 3;
const TIMEOUT_MAX_S: u32 = 900;
const MEMORY_DEFAULT_MB: u32 = 128;
const MEMORY_MAX_MB: u32 = 10_240;
const EPHEMERAL_STORAGE_DEFAULT_MB: u32 = 512;
const EPHEMERAL_STORAGE_MAX_MB: u32 = 10_240;
const ENVIRONMENT_BYTES_MAX: usize = 4096;
const DESCRIPTION_LENGTH_MAX: usize = 256;

const ROLE_PATTERN: &str = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";
/// Variables that Lambda sets and nobody else may.
const RESERVED_VARIABLES: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// The members that `CreateFunction` and `UpdateFunctionConfiguration` share.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConfigurationRequest {
    runtime: Option<String>,
    role: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<i64>,
    memory_size: Option<i64>,
    environment: Option<EnvironmentRequest>,
    dead_letter_config: Option<DeadLetterConfig>,
    tracing_config: Option<TracingConfig>,
    ephemeral_storage: Option<EphemeralStorageRequest>,
    logging_config: Option<LoggingRequest>,
    layers: Option<Vec<String>>,
    vpc_config: Option<VpcConfig>,
    #[serde(rename = "KMSKeyArn")]
    kms_key_arn: Option<String>,
    snap_start: Option<SnapStart>,
    file_system_configs: Option<Vec<FileSystemConfig>>,
    /// Everything else: not honoured.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EnvironmentRequest {
    variables: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EphemeralStorageRequest {
    size: i64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeadLetterConfig {
    target_arn: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TracingConfig {
    mode: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct VpcConfig {
    subnet_ids: Vec<String>,
    security_group_ids: Vec<String>,
    ipv6_allowed_for_dual_stack: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SnapStart {
    apply_on: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FileSystemConfig {
    arn: String,
    local_mount_path: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LoggingRequest {
    log_format: Option<String>,
    application_log_level: Option<String>,
    system_log_level: Option<String>,
    log_group: Option<String>,
}

impl ConfigurationRequest {
    /// The configuration of a new function.
    pub(crate) fn create(self, function: &str, architecture: String) -> Result<Configuration, Error> {
        let (Some(runtime), Some(handler)) = (&self.runtime, &self.handler) else {
            return Err(Error::InvalidParameterValue(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.".into(),
            ));
        };
        let mut made = Configuration {
            runtime: Runtime::parse(runtime)?,
            role: String::new(),
            handler: handler.clone(),
            description: String::new(),
            timeout_s: TIMEOUT_DEFAULT_S,
            memory_mb: MEMORY_DEFAULT_MB,
            ephemeral_storage_mb: EPHEMERAL_STORAGE_DEFAULT_MB,
            environment: None,
            architecture,
            tracing_mode: "PassThrough".into(),
            dead_letter_arn: None,
            logging: Logging::text(function),
            layers: Vec::new(),
            kept: Kept::default(),
        };
        // A role is mandatory, so a missing one is refused as an empty one is.
        let role = Some(self.role.unwrap_or_default());
        Self { role, ..self }.apply(function, &mut made)?;
        Ok(made)
    }

    /// Changes what was given and leaves the rest.
    pub(crate) fn apply(self, function: &str, to: &mut Configuration) -> Result<(), Error> {
        self.name_what_is_not_honoured(function);
        if let Some(runtime) = &self.runtime {
            to.runtime = Runtime::parse(runtime)?;
        }
        if let Some(role) = self.role {
            to.role = check_role(role)?;
        }
        if let Some(handler) = self.handler {
            to.handler = check_handler(handler)?;
        }
        if let Some(description) = self.description {
            if description.len() > DESCRIPTION_LENGTH_MAX {
                let constraint = format!("Member must have length less than or equal to {DESCRIPTION_LENGTH_MAX}");
                return Err(Error::constraint(&description, "description", &constraint));
            }
            to.description = description;
        }
        if let Some(seconds) = self.timeout {
            to.timeout_s = within(seconds, 1, TIMEOUT_MAX_S, "timeout")?;
        }
        if let Some(megabytes) = self.memory_size {
            to.memory_mb = within(megabytes, MEMORY_DEFAULT_MB, MEMORY_MAX_MB, "memorySize")?;
        }
        if let Some(EphemeralStorageRequest { size }) = self.ephemeral_storage {
            let (min, max) = (EPHEMERAL_STORAGE_DEFAULT_MB, EPHEMERAL_STORAGE_MAX_MB);
            to.ephemeral_storage_mb = within(size, min, max, "ephemeralStorage.size")?;
        }
        if let Some(environment) = self.environment {
            to.environment = environment.variables.map(check_environment).transpose()?;
        }
        if let Some(config) = self.dead_letter_config {
            to.dead_letter_arn = config.target_arn.filter(|arn| !arn.is_empty()).map(check_dead_letters).transpose()?;
        }
        if let Some(mode) = self.tracing_config.and_then(|config| config.mode) {
            to.tracing_mode = one_of(mode, &["Active", "PassThrough"], "tracingConfig.mode")?;
        }
        if let Some(logging) = self.logging_config {
            logging.apply(&mut to.logging)?;
        }
        to.layers = self.layers.unwrap_or(std::mem::take(&mut to.layers));
        if let Some(vpc) = self.vpc_config {
            to.kept.subnet_ids = vpc.subnet_ids;
            to.kept.security_group_ids = vpc.security_group_ids;
            to.kept.ipv6_for_dual_stack = vpc.ipv6_allowed_for_dual_stack;
        }
        if let Some(key) = self.kms_key_arn {
            to.kept.kms_key_arn = Some(key).filter(|key| !key.is_empty());
        }
        if let Some(apply_on) = self.snap_start.and_then(|snap_start| snap_start.apply_on) {
            to.kept.snap_start = Some(one_of(apply_on, &["PublishedVersions", "None"], "snapStart.applyOn")?);
        }
        if let Some(systems) = self.file_system_configs {
            to.kept.file_systems = systems.into_iter().map(|system| (system.arn, system.local_mount_path)).collect();
        }
        Ok(())
    }

    fn name_what_is_not_honoured(&self, function: &str) {
        let vpc = self.vpc_config.as_ref().is_some_and(|vpc| !vpc.subnet_ids.is_empty());
        let snap_start = self.snap_start.as_ref().and_then(|snap_start| snap_start.apply_on.as_deref());
        let kept = [
            ("VpcConfig", vpc),
            ("KMSKeyArn", self.kms_key_arn.as_ref().is_some_and(|key| !key.is_empty())),
            ("SnapStart", snap_start.is_some_and(|apply_on| apply_on != "None")),
            ("FileSystemConfigs", self.file_system_configs.as_ref().is_some_and(|systems| !systems.is_empty())),
        ];
        for (setting, _) in kept.into_iter().filter(|(_, is_set)| *is_set) {
            tracing::warn!(function, setting, "this setting is kept and given back, but has no effect here");
        }
        for (setting, value) in &self.rest {
            if !is_nothing(value) {
                tracing::warn!(function, setting, "this setting is not honoured");
            }
        }
    }
}

/// A setting that asks for nothing: `null`, an empty list, `{"ApplyOn": "None"}`.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.values().all(is_nothing),
        Value::Array(items) => items.is_empty(),
        Value::Bool(set) => !set,
        Value::String(text) => text.is_empty() || text == "None",
        Value::Number(_) => false,
    }
}

impl LoggingRequest {
    fn apply(self, to: &mut Logging) -> Result<(), Error> {
        if let Some(format) = self.log_format {
            to.format = one_of(format, &["JSON", "Text"], "loggingConfig.logFormat")?;
        }
        to.group = self.log_group.unwrap_or(std::mem::take(&mut to.group));
        if to.format == "Text" {
            (to.application_level, to.system_level) = (None, None);
            return Ok(());
        }
        let info = || Some("INFO".to_owned());
        to.application_level = self.application_log_level.or(to.application_level.take()).or_else(info);
        to.system_level = self.system_log_level.or(to.system_level.take()).or_else(info);
        Ok(())
    }
}

/// `Architectures` has one member.
pub(crate) fn check_architecture(given: Option<Vec<String>>) -> Result<Option<String>, Error> {
    let Some(given) = given else { return Ok(None) };
    let shown = format!("[{}]", given.join(", "));
    match given.as_slice() {
        [one] if one == "x86_64" || one == "arm64" => Ok(Some(one.clone())),
        [_] => {
            let constraint = "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], \
                              Member must not be null]";
            Err(Error::constraint(&shown, "architectures", constraint))
        }
        _ => Err(Error::constraint(&shown, "architectures", "Member must have length less than or equal to 1")),
    }
}

fn check_role(role: String) -> Result<String, Error> {
    let fits = || {
        let rest = role.strip_prefix("arn:")?;
        let (partition, rest) = rest.split_once(":iam::")?;
        let (account, name) = rest.split_once(":role")?;
        let partition = partition.is_empty() || partition.starts_with("aws");
        let account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte);
        (partition && account && name.len() > 1 && name.bytes().all(word)).then_some(())
    };
    if fits().is_some() {
        return Ok(role);
    }
    let constraint = format!("Member must satisfy regular expression pattern: {ROLE_PATTERN}");
    Err(Error::constraint(&role, "role", &constraint))
}

/// AWS takes topics as well; a letter that goes nowhere would be worse than none.
fn check_dead_letters(arn: String) -> Result<String, Error> {
    let service = arn.parse::<Arn>().map(|arn| arn.service);
    match service.as_deref() {
        Ok("sqs") if arn.strip_suffix(".fifo").is_none() => Ok(arn),
        Ok("sns") => Err(Error::InvalidParameterValue(format!(
            "SNS topics are not implemented by this server as dead-letter targets; standard SQS queues are: {arn}"
        ))),
        _ => Err(Error::InvalidParameterValue(format!("The dead-letter target {arn} is not a standard SQS queue."))),
    }
}

fn check_handler(handler: String) -> Result<String, Error> {
    if handler.is_empty() || handler.contains(char::is_whitespace) || handler.contains('\0') {
        return Err(Error::constraint(&handler, "handler", r"Member must satisfy regular expression pattern: [^\s]+"));
    }
    Ok(handler)
}

fn check_environment(variables: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Error> {
    let fits = |name: &str| {
        name.len() > 1
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED_VARIABLES.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(Error::InvalidParameterValue(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used in \
             this request: {}",
            reserved.join(", ")
        )));
    }
    if variables.iter().any(|(name, value)| !fits(name) || value.contains('\0')) {
        let names: Vec<&str> = variables.keys().map(String::as_str).collect();
        let constraint = "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: \
                          [a-zA-Z]([a-zA-Z0-9_])+]";
        return Err(Error::constraint(&format!("[{}]", names.join(", ")), "environment.variables", constraint));
    }
    let measured = serde_json::to_string(&variables).unwrap_or_default(); // strings always serialise
    if measured.len() > ENVIRONMENT_BYTES_MAX {
        return Err(Error::InvalidParameterValue(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    Ok(variables)
}

fn within(value: i64, min: u32, max: u32, member: &str) -> Result<u32, Error> {
    let refused = |relation, bound| {
        let constraint = format!("Member must have value {relation} than or equal to {bound}");
        Error::constraint(&value.to_string(), member, &constraint)
    };
    if value < i64::from(min) {
        return Err(refused("greater", min));
    }
    u32::try_from(value).ok().filter(|value| *value <= max).ok_or_else(|| refused("less", max))
}

fn one_of(value: String, allowed: &[&str], member: &str) -> Result<String, Error> {
    if allowed.contains(&value.as_str()) {
        return Ok(value);
    }
    let constraint = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
    Err(Error::constraint(&value, member, &constraint))
}

/// `FunctionConfiguration`, which most operations answer with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FunctionConfiguration<'a> {
    function_name: &'a str,
    function_arn: String,
    runtime: &'static str,
    role: &'a str,
    handler: &'a str,
    code_size: u64,
    description: &'a str,
    timeout: u32,
    memory_size: u32,
    last_modified: String,
    code_sha256: &'a str,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<HashMap<&'static str, &'a BTreeMap<String, String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_config: Option<HashMap<&'static str, &'a str>>,
    tracing_config: HashMap<&'static str, &'a str>,
    revision_id: &'a str,
    /// Nothing here takes so long that one would have to wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status: Option<&'static str>,
    package_type: &'static str,
    architectures: [&'a str; 1],
    ephemeral_storage: HashMap<&'static str, u32>,
    snap_start: HashMap<&'static str, &'a str>,
    logging_config: LoggingAnswer<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<LayerAnswer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc_config: Option<VpcAnswer<'a>>,
    #[serde(rename = "KMSKeyArn", skip_serializing_if = "Option::is_none")]
    kms_key_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    file_system_configs: Vec<FileSystemConfig>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LayerAnswer<'a> {
    arn: &'a str,
    code_size: u64,
}

/// There are no networks here, so the one that the subnets are in is not known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct VpcAnswer<'a> {
    subnet_ids: &'a [String],
    security_group_ids: &'a [String],
    vpc_id: &'static str,
    ipv6_allowed_for_dual_stack: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoggingAnswer<'a> {
    log_format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_log_level: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_log_level: Option<&'a str>,
    log_group: &'a str,
}

impl<'a> FunctionConfiguration<'a> {
    /// As most operations answer.
    pub(crate) fn of(host: &FunctionHost, shown: Shown<'a>, arn: &str) -> Self {
        let listed = Self::listed(host, shown, arn.to_owned());
        Self { state: Some("Active"), last_update_status: Some("Successful"), ..listed }
    }

    /// As `ListFunctions` answers: without the states.
    pub(crate) fn listed(host: &FunctionHost, shown: Shown<'a>, arn: String) -> Self {
        let Shown { settings, code, .. } = shown;
        let kept = &settings.kept;
        let layers = settings.layers.iter().map(|arn| LayerAnswer { arn, code_size: host.layer_size(arn) });
        let vpc = (!kept.subnet_ids.is_empty()).then_some(VpcAnswer {
            subnet_ids: &kept.subnet_ids,
            security_group_ids: &kept.security_group_ids,
            vpc_id: "",
            ipv6_allowed_for_dual_stack: kept.ipv6_for_dual_stack,
        });
        let file_systems = kept.file_systems.iter().cloned();
        Self {
            function_name: shown.name,
            function_arn: arn,
            runtime: settings.runtime.as_str(),
            role: &settings.role,
            handler: &settings.handler,
            code_size: code.size_bytes,
            description: &settings.description,
            timeout: settings.timeout_s,
            memory_size: settings.memory_mb,
            last_modified: shown.last_modified(),
            code_sha256: &code.sha256,
            version: version_text(shown.version),
            environment: settings.environment.as_ref().map(|variables| HashMap::from([("Variables", variables)])),
            dead_letter_config: settings.dead_letter_arn.as_deref().map(|arn| HashMap::from([("TargetArn", arn)])),
            tracing_config: HashMap::from([("Mode", settings.tracing_mode.as_str())]),
            revision_id: shown.revision_id,
            state: None,
            last_update_status: None,
            package_type: "Zip",
            architectures: [&settings.architecture],
            ephemeral_storage: HashMap::from([("Size", settings.ephemeral_storage_mb)]),
            snap_start: HashMap::from([
                ("ApplyOn", kept.snap_start.as_deref().unwrap_or("None")),
                ("OptimizationStatus", "Off"),
            ]),
            logging_config: LoggingAnswer {
                log_format: &settings.logging.format,
                application_log_level: settings.logging.application_level.as_deref(),
                system_log_level: settings.logging.system_level.as_deref(),
                log_group: &settings.logging.group,
            },
            layers: layers.collect(),
            vpc_config: vpc,
            kms_key_arn: kept.kms_key_arn.as_deref(),
            file_system_configs: file_systems
                .map(|(arn, local_mount_path)| FileSystemConfig { arn, local_mount_path })
                .collect(),
        }
    }
}
