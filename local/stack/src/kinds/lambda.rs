//! Functions and layers. What belongs to a function stands in `lambda_parts.rs`.

use std::path::Path;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::StackError;
use crate::kind::{
    At, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, gone_tags, only, tag_map, text as text_of,
    without,
};
use crate::known::LATER;
use crate::name::physical_name;
use crate::shape::{Member, anything, items, meaningless, members, not_honoured, number, tags, text, text_map, texts};

use super::lambda_parts;

pub const KINDS: &[(&str, &dyn Kind)] = &[
    ("AWS::Lambda::Function", &Function),
    ("AWS::Lambda::LayerVersion", &LayerVersion),
    ("AWS::Lambda::Version", &lambda_parts::Version),
    ("AWS::Lambda::Alias", &lambda_parts::Alias),
    ("AWS::Lambda::Url", &lambda_parts::Url),
    ("AWS::Lambda::EventInvokeConfig", &lambda_parts::EventInvokeConfig),
    ("AWS::Lambda::Permission", &lambda_parts::Permission),
    ("AWS::Lambda::EventSourceMapping", &lambda_parts::EventSourceMapping),
];

pub const LAMBDA: &str = "lambda";
const NAME_LENGTH_MAX: usize = 64;
const LAYER_NAME_LENGTH_MAX: usize = 140;
/// Buckets that do not exist on AWS: what `template` and the function host agreed on.
const BUCKETS: &[&str] = &["local", "hot-reload", "inline", "built-in"];
/// What other operations than `CreateFunction` take.
const ELSEWHERE: &[&str] = &["ReservedConcurrentExecutions", "RecursiveLoop", "RuntimeManagementConfig"];

/// `Code` of a function, `Content` of a layer.
const CODE: &[Member] = &[
    text("ImageUri"), // of a function that is not made
    text("S3Bucket"),
    text("S3Key"),
    meaningless("S3ObjectVersion"),
    meaningless("SourceKMSKeyArn"),
    text("ZipFile"),
];

struct Function;

#[async_trait]
impl Kind for Function {
    fn members(&self) -> &'static [Member] {
        use crate::shape::Shape;
        const FILE_SYSTEM: Shape = Shape::Members(&[text("Arn").required(), text("LocalMountPath").required()]);
        const MEMBERS: &[Member] = &[
            texts("Architectures"),
            members("Code", CODE).required(),
            meaningless("CodeSigningConfigArn"),
            members("DeadLetterConfig", &[text("TargetArn")]),
            text("Description"),
            members("Environment", &[text_map("Variables")]),
            members("EphemeralStorage", &[number("Size").required()]),
            items("FileSystemConfigs", &FILE_SYSTEM),
            text("FunctionName").fixed(),
            text("Handler"),
            not_honoured("ImageConfig"),
            text("KmsKeyArn"),
            texts("Layers"),
            members(
                "LoggingConfig",
                &[text("ApplicationLogLevel"), text("LogFormat"), text("LogGroup"), text("SystemLogLevel")],
            ),
            number("MemorySize"),
            text("PackageType").fixed(),
            text("RecursiveLoop"),
            number("ReservedConcurrentExecutions"),
            text("Role").required(),
            text("Runtime"),
            members("RuntimeManagementConfig", &[text("RuntimeVersionArn"), text("UpdateRuntimeOn")]),
            members("SnapStart", &[text("ApplyOn")]),
            tags("Tags"),
            number("Timeout"),
            members("TracingConfig", &[text("Mode")]),
            anything("VpcConfig"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (LAMBDA, "CreateFunction")
    }

    fn rank(&self) -> Rank {
        Rank::Functions
    }

    fn naming(&self) -> &'static [&'static str] {
        &["FunctionName"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let name = named.name("FunctionName", NAME_LENGTH_MAX);
        Identity::of(&name).with("Arn", named.arn(LAMBDA, &format!("function:{name}")))
    }

    fn unordered(&self) -> &'static [&'static str] {
        &["Environment", "Role", "DeadLetterConfig", "VpcConfig", "LoggingConfig", "Tags"]
    }

    fn not_served(&self, given: &dyn Fn(&str) -> Option<String>) -> Option<&'static str> {
        let is_image = given("PackageType").as_deref() == Some("Image") || given("Code.ImageUri").is_some();
        is_image.then_some("container images are not run by this server")
    }

    fn check(&self, properties: &Properties) -> Result<(), String> {
        check_code(properties, "Code")?;
        for name in ["Handler", "Runtime"] {
            if text_of(properties, name).is_empty() {
                return Err(format!("AWS::Lambda::Function needs the property {name}"));
            }
        }
        Ok(())
    }

    fn notes(&self, _: &At<'_>, properties: &Properties) -> Vec<String> {
        let lost = lost_dead_letters(properties);
        lost.map(|target| format!("DeadLetterConfig leads to {target}, which is no queue: it is left out"))
            .into_iter()
            .collect()
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = configuration(at, properties);
        input.insert("Code".into(), Value::Object(code_input(properties, "Code")));
        if let Some(architectures) = properties.get("Architectures") {
            input.insert("Architectures".into(), architectures.clone());
        }
        if properties.contains_key("Tags") {
            input.insert("Tags".into(), tag_map(properties));
        }
        at.call((LAMBDA, "CreateFunction"), Value::Object(input)).await?;
        set_elsewhere(at, &Properties::new(), properties).await?;
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let before = &before.properties;
        let changed = |name: &str| before.get(name) != properties.get(name);
        // The configuration first: another runtime reads the code in another way.
        let mut input = configuration(at, properties);
        for (name, default) in defaults() {
            if before.contains_key(name) && !input.contains_key(name) {
                input.insert(name.into(), default);
            }
        }
        if CONFIGURATION.iter().any(|name| changed(name)) {
            at.call((LAMBDA, "UpdateFunctionConfiguration"), Value::Object(input)).await?;
        }
        if changed("Code") || changed("Runtime") || changed("Architectures") {
            let mut code = code_input(properties, "Code");
            code.insert("FunctionName".into(), at.id.into());
            let architectures = properties.get("Architectures").cloned().unwrap_or_else(|| json!(["x86_64"]));
            code.insert("Architectures".into(), architectures);
            at.call((LAMBDA, "UpdateFunctionCode"), Value::Object(code)).await?;
        }
        set_elsewhere(at, before, properties).await?;
        let arn = at.arn(LAMBDA, &format!("function:{}", at.id));
        let gone = gone_tags(before, properties);
        if !gone.is_empty() {
            at.call((LAMBDA, "UntagResource"), json!({"Resource": arn, "tagKeys": gone.join(",")})).await?;
        }
        if changed("Tags") && properties.contains_key("Tags") {
            at.call((LAMBDA, "TagResource"), json!({"Resource": arn, "Tags": tag_map(properties)})).await?;
        }
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((LAMBDA, "GetFunctionConfiguration"), json!({"FunctionName": standing.id})).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((LAMBDA, "DeleteFunction"), json!({"FunctionName": standing.id})).await.map(drop)
    }
}

/// What `UpdateFunctionConfiguration` takes, by the template's names.
const CONFIGURATION: &[&str] = &[
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
];

/// What a setting goes back to when it is taken out of the template: the operation leaves alone what it is not told.
fn defaults() -> [(&'static str, Value); 11] {
    [
        ("DeadLetterConfig", json!({})),
        ("Description", json!("")),
        ("Environment", json!({"Variables": {}})),
        ("EphemeralStorage", json!({"Size": 512})),
        ("FileSystemConfigs", json!([])),
        ("Layers", json!([])),
        ("MemorySize", json!(128)),
        ("SnapStart", json!({"ApplyOn": "None"})),
        ("Timeout", json!(3)),
        ("TracingConfig", json!({"Mode": "PassThrough"})),
        ("VpcConfig", json!({"SubnetIds": [], "SecurityGroupIds": []})),
    ]
}

fn configuration(at: &At<'_>, properties: &Properties) -> Properties {
    let mut input = only(properties, CONFIGURATION);
    input.insert("FunctionName".into(), at.id.into());
    if let Some(key) = input.remove("KmsKeyArn") {
        input.insert("KMSKeyArn".into(), key);
    }
    if lost_dead_letters(properties).is_some() {
        input.remove("DeadLetterConfig");
    }
    input
}

/// A dead-letter target that is no queue.
fn lost_dead_letters(properties: &Properties) -> Option<&str> {
    let target = properties.get("DeadLetterConfig").and_then(|config| config["TargetArn"].as_str());
    target.filter(|target| !target.is_empty() && !target.contains(":sqs:") && !target.contains(LATER))
}

async fn set_elsewhere(at: &At<'_>, before: &Properties, properties: &Properties) -> Result<(), StackError> {
    let changed = |name: &str| before.get(name) != properties.get(name);
    if changed("ReservedConcurrentExecutions") {
        match properties.get("ReservedConcurrentExecutions") {
            Some(reserved) => {
                let input = json!({"FunctionName": at.id, "ReservedConcurrentExecutions": reserved});
                at.call((LAMBDA, "PutFunctionConcurrency"), input).await?;
            }
            None => {
                at.call((LAMBDA, "DeleteFunctionConcurrency"), json!({"FunctionName": at.id})).await?;
            }
        }
    }
    if let Some(mode) = properties.get("RecursiveLoop").filter(|_| changed("RecursiveLoop")) {
        let input = json!({"FunctionName": at.id, "RecursiveLoop": mode});
        at.call((LAMBDA, "PutFunctionRecursionConfig"), input).await?;
    }
    if let Some(config) = properties.get("RuntimeManagementConfig").filter(|_| changed("RuntimeManagementConfig")) {
        let mut input = config.clone();
        input["FunctionName"] = at.id.into();
        at.call((LAMBDA, "PutRuntimeManagementConfig"), input).await?;
    }
    debug_assert!(ELSEWHERE.len() == 3, "each of them is set above");
    Ok(())
}

/// Whether the code can be had, so that nothing is begun in vain.
fn check_code(properties: &Properties, property: &str) -> Result<(), String> {
    let member = |name: &str| properties.get(property).and_then(|code| code[name].as_str()).unwrap_or_default();
    if !member("ZipFile").is_empty() {
        return Ok(());
    }
    let (bucket, key) = (member("S3Bucket"), member("S3Key"));
    match bucket {
        "local" | "hot-reload" if !key.starts_with('/') => {
            Err(format!("{property}.S3Key must be an absolute path in the bucket {bucket}, not {key}"))
        }
        "local" | "hot-reload" if !Path::new(key).exists() => Err(format!("there is no code at {key}")),
        bucket if BUCKETS.contains(&bucket) => Ok(()),
        "" => Err(format!("{property} must name a folder, or have ZipFile or S3Bucket and S3Key")),
        bucket => Err(format!(
            "{property} lies in the bucket {bucket}, and this server has no S3: name the folder instead \
             ({property}: ./src), or give the template that your tool has built"
        )),
    }
}

/// As the operations take it: source text goes to a bucket of its own.
fn code_input(properties: &Properties, property: &str) -> Properties {
    let code = properties.get(property).and_then(Value::as_object).cloned().unwrap_or_default();
    match code.get("ZipFile") {
        Some(text) => {
            [("S3Bucket".to_owned(), "inline".into()), ("S3Key".to_owned(), text.clone())].into_iter().collect()
        }
        None => code,
    }
}

struct LayerVersion;

#[async_trait]
impl Kind for LayerVersion {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            texts("CompatibleArchitectures").fixed(),
            texts("CompatibleRuntimes").fixed(),
            members("Content", CODE).required().fixed(),
            text("Description").fixed(),
            text("LayerName").fixed(),
            text("LicenseInfo").fixed(),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (LAMBDA, "PublishLayerVersion")
    }

    fn rank(&self) -> Rank {
        Rank::Stores
    }

    fn identity(&self, _: &Named<'_>) -> Identity {
        Identity::later().and_later(&["LayerVersionArn"])
    }

    fn check(&self, properties: &Properties) -> Result<(), String> {
        check_code(properties, "Content")
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = without(properties, &["Content"]);
        input.insert("Content".into(), Value::Object(code_input(properties, "Content")));
        let made_up = || physical_name(&at.around.stack, at.logical_id, LAYER_NAME_LENGTH_MAX).into();
        input.entry("LayerName").or_insert_with(made_up);
        let answer = at.call((LAMBDA, "PublishLayerVersion"), Value::Object(input)).await?;
        let arn = answer["LayerVersionArn"].as_str().unwrap_or_default();
        Ok(Made::of(arn).with("LayerVersionArn", arn))
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((LAMBDA, "GetLayerVersionByArn"), json!({"Arn": standing.id})).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        let Some((layer, number)) = standing.id.rsplit_once(':') else { return Ok(()) };
        let input = json!({"LayerName": layer, "VersionNumber": number});
        at.ask((LAMBDA, "DeleteLayerVersion"), input).await.map(drop)
    }
}
