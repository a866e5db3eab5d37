//! `AWS::Serverless::Function`: the function, its role, version, alias, address, and what happens to its results.

use serde_json::{Value, json};

use super::{Expansion, Serverless, hash, tags};
use crate::code;
use crate::error::{TemplateError, Warning};
use crate::make::{Make, pick};
use crate::node::{Map, Node};

/// What a function may say.
const PROPERTIES: &[&str] = &[
    "Architectures",
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "CodeUri",
    "DeadLetterQueue",
    "DeploymentPreference",
    "Description",
    "DurableConfig",
    "Environment",
    "EphemeralStorage",
    "EventInvokeConfig",
    "Events",
    "FileSystemConfigs",
    "FunctionName",
    "FunctionScalingConfig",
    "FunctionUrlConfig",
    "Handler",
    "ImageConfig",
    "ImageUri",
    "InlineCode",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "PublishToLatestPublished",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "Role",
    "RolePath",
    "Runtime",
    "RuntimeManagementConfig",
    "SnapStart",
    "SourceKMSKeyArn",
    "Tags",
    "TenancyConfig",
    "Timeout",
    "Tracing",
    "VersionDeletionPolicy",
    "VersionDescription",
    "VpcConfig",
];

/// What goes into the function as it is.
const PASSED: &[&str] = &[
    "Architectures",
    "CodeSigningConfigArn",
    "Description",
    "DurableConfig",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "FunctionName",
    "FunctionScalingConfig",
    "Handler",
    "ImageConfig",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "PublishToLatestPublished",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "Runtime",
    "RuntimeManagementConfig",
    "SnapStart",
    "TenancyConfig",
    "Timeout",
    "VpcConfig",
];

/// The types that results may go to.
const DESTINATIONS: &[&str] = &["SQS", "SNS", "EventBridge", "Lambda", "S3Bucket"];

/// What events call: the function, or its alias.
pub(super) struct Target {
    /// Its logical id.
    pub(super) id: String,
    /// The function's name, or the alias's ARN.
    pub(super) name: Node,
    /// Its ARN.
    pub(super) arn: Node,
    /// The ARN as `Fn::Sub` has it.
    pub(super) arn_in_sub: String,
}

impl Expansion<'_> {
    pub(super) fn function(&mut self, function: &Serverless<'_>) -> Result<(), TemplateError> {
        function.known(PROPERTIES)?;
        let make = function.make();
        let properties = &function.properties;
        for key in ["CapacityProviderConfig", "DeploymentPreference", "SourceKMSKeyArn"] {
            if let Some(entry) = properties.entry(key).filter(|entry| !entry.value.is_null()) {
                let message = format!("{key} of {} has no effect here", function.id);
                self.warnings.push(Warning::new(&entry.key_span, message));
            }
        }
        let code = self.code(function)?;
        let lambda = self.lambda(function, code.clone())?;
        let attributes = ["DependsOn", "Metadata"].into_iter();
        let own: Vec<(&str, Node)> =
            attributes.filter_map(|key| Some((key, function.attributes.get(key)?.clone()))).collect();
        self.add_with(function, function.id, "AWS::Lambda::Function", lambda, own)?;
        let alias = self.given_text(properties, "AutoPublishAlias")?;
        let alias = match &alias {
            Some(name) => Some((name.as_str(), self.version_and_alias(function, name, &code)?)),
            None => None,
        };
        let target = match &alias {
            Some((_, id)) => Target {
                id: id.clone(),
                name: make.reference(id),
                arn: make.reference(id),
                arn_in_sub: format!("${{{id}}}"),
            },
            None => Target {
                id: function.id.to_owned(),
                name: make.reference(function.id),
                arn: make.attribute(function.id, "Arn"),
                arn_in_sub: format!("${{{}.Arn}}", function.id),
            },
        };
        self.url(function, &target)?;
        self.invoke_config(function, alias.as_ref().map(|(name, id)| (*name, id.as_str())))?;
        if properties.get("Role").is_none_or(Node::is_null) {
            self.role(function)?;
        }
        self.events(function, &target)
    }

    /// Where the code is: what lies on disk as a path, or as an object in S3.
    fn code(&self, function: &Serverless<'_>) -> Result<Node, TemplateError> {
        let properties = &function.properties;
        let make = function.make();
        let is_image = self.given_text(properties, "PackageType")?.as_deref() == Some("Image");
        if let Some(inline) = properties.get("InlineCode").filter(|node| !node.is_null()) {
            return Ok(make.map([("ZipFile", inline.clone())]));
        }
        if let Some(image) = properties.get("ImageUri").filter(|_| is_image) {
            return Ok(make.map([("ImageUri", image.clone())]));
        }
        match self.given(properties, "CodeUri")? {
            Some(node) => match (node.as_str(), node.as_map()) {
                (Some(uri), _) => Ok(code::of_uri(&node, uri)),
                (None, Some(map)) if map.get("Bucket").is_some() => Ok(object(map, make)),
                (None, Some(_)) => Ok(node),
                (None, None) => {
                    Err(function.invalid(&node.span, "'CodeUri' requires Bucket and Key properties to be specified."))
                }
            },
            // `sam build` takes the template's own folder.
            None => Ok(code::of_uri(&make.text("."), ".")),
        }
    }

    fn lambda(&self, function: &Serverless<'_>, code: Node) -> Result<Node, TemplateError> {
        let (properties, make) = (&function.properties, function.make());
        let tracing = self.given_text(properties, "Tracing")?.filter(|mode| mode != "Disabled");
        let role = properties.get("Role").filter(|node| !node.is_null()).cloned();
        let dead_letters = match self.given(properties, "DeadLetterQueue")? {
            Some(queue) => Some(dead_letter_config(function, &queue)?),
            None => None,
        };
        let mut lambda = vec![("Code", Some(code))];
        lambda.extend(pick(properties, PASSED));
        lambda.extend([
            ("Role", Some(role.unwrap_or_else(|| make.attribute(&format!("{}Role", function.id), "Arn")))),
            ("DeadLetterConfig", dead_letters),
            ("TracingConfig", tracing.map(|mode| make.map([("Mode", make.text(mode))]))),
            ("Tags", tags(make, properties.get("Tags"), true)),
        ]);
        Ok(make.some(lambda))
    }

    /// The version that is published of this code, and the alias that names it: the alias's logical id.
    fn version_and_alias(
        &mut self,
        function: &Serverless<'_>,
        name: &str,
        code: &Node,
    ) -> Result<String, TemplateError> {
        let (id, properties, make) = (function.id, &function.properties, function.make());
        let of_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(of_names) || name.chars().all(|c| c.is_ascii_digit()) {
            let words = format!(
                "AutoPublishAlias name ('{name}') must contain only alphanumeric characters, hyphens, or underscores \
                 matching (?!^[0-9]+$)([a-zA-Z0-9-_]+) pattern."
            );
            return Err(function.invalid(function.span, &words));
        }
        let digits = match self.given_text(properties, "AutoPublishCodeSha256")? {
            Some(digest) => digest.chars().take(10).collect(),
            None => self.version_hash(properties, code),
        };
        let version = format!("{id}Version{digits}");
        let retained = properties.get("VersionDeletionPolicy").cloned().unwrap_or_else(|| make.text("Retain"));
        let described = properties.get("VersionDescription").cloned();
        let node = make.some([("FunctionName", Some(make.reference(id))), ("Description", described)]);
        let policy = match function.attributes.get("DeletionPolicy") {
            Some(policy) => policy.clone(),
            None => retained,
        };
        self.add_with(function, &version, "AWS::Lambda::Version", node, [("DeletionPolicy", policy)])?;
        let alias = format!("{id}Alias{}", name.replace('-', "D").replace('_', "U"));
        let mut node = vec![
            ("Name", Some(make.text(name))),
            ("FunctionName", Some(make.reference(id))),
            ("FunctionVersion", Some(make.attribute(&version, "Version"))),
        ];
        node.extend(pick(properties, &["ProvisionedConcurrencyConfig"]));
        self.add(function, &alias, "AWS::Lambda::Alias", make.some(node))?;
        self.made.renamed.insert(format!("{id}.Version"), version);
        self.made.renamed.insert(format!("{id}.Alias"), alias.clone());
        Ok(alias)
    }

    /// What makes another version: code, environment and memory.
    fn version_hash(&self, properties: &Map, code: &Node) -> String {
        let mut hashed = match self.with_parameters(code).to_json() {
            Value::Object(members) => members,
            _ => serde_json::Map::new(),
        };
        if let Some(Value::Object(environment)) = properties.get("Environment").map(Node::to_json) {
            hashed.extend(environment);
        }
        if let Some(size) = properties.get("MemorySize").filter(|node| !node.is_null()) {
            hashed.insert("MemorySize".to_owned(), size.to_json());
        }
        hash(&Value::Object(hashed))
    }

    /// The function's own address, and who may call it.
    fn url(&mut self, function: &Serverless<'_>, target: &Target) -> Result<(), TemplateError> {
        let (id, make) = (function.id, function.make());
        let Some(config) = self.given(&function.properties, "FunctionUrlConfig")? else { return Ok(()) };
        let map = config.expect_map(&format!("FunctionUrlConfig of {id}"))?;
        let Some(auth) = map.get("AuthType") else {
            return Err(function.invalid(
                &config.span,
                "AuthType is required to configure function property `FunctionUrlConfig`. Please provide either AWS_IAM or \
                 NONE.",
            ));
        };
        let mut node = vec![("TargetFunctionArn", Some(target.name.clone()))];
        node.extend(pick(map, &["AuthType", "Cors", "InvokeMode"]));
        self.add(function, &format!("{id}Url"), "AWS::Lambda::Url", make.some(node))?;
        let is_public = self.taken(auth)?.is_some_and(|auth| auth.as_str() == Some("NONE"));
        if !is_public {
            return Ok(());
        }
        let permission = |action: &str, key: &'static str, value: Node| {
            make.map([
                ("Action", make.text(action)),
                ("FunctionName", target.name.clone()),
                ("Principal", make.text("*")),
                (key, value),
            ])
        };
        let called = permission("lambda:InvokeFunctionUrl", "FunctionUrlAuthType", make.text("NONE"));
        self.add(function, &format!("{id}UrlPublicPermissions"), "AWS::Lambda::Permission", called)?;
        let invoked = permission("lambda:InvokeFunction", "InvokedViaFunctionUrl", make.plain("true"));
        self.add(function, &format!("{id}URLInvokeAllowPublicAccess"), "AWS::Lambda::Permission", invoked)
    }

    /// How asynchronous invocations are tried again, and where their results go.
    fn invoke_config(&mut self, function: &Serverless<'_>, alias: Option<(&str, &str)>) -> Result<(), TemplateError> {
        let make = function.make();
        let Some(config) = self.given(&function.properties, "EventInvokeConfig")? else { return Ok(()) };
        let map = config.expect_map(&format!("EventInvokeConfig of {}", function.id))?;
        let id = format!("{}EventInvokeConfig", function.id);
        let mut destinations = Vec::new();
        if let Some(given) = self.given(map, "DestinationConfig")? {
            let given = given.expect_map("DestinationConfig")?;
            for side in ["OnSuccess", "OnFailure"] {
                if let Some(node) = self.given(given, side)? {
                    let destination = self.destination(function, &node, &format!("{id}{side}"))?;
                    destinations.push((side, make.map([("Destination", destination)])));
                }
            }
        }
        let mut node = vec![
            ("FunctionName", Some(make.reference(function.id))),
            ("Qualifier", Some(make.text(alias.map_or("$LATEST", |(name, _)| name)))),
            ("DestinationConfig", Some(make.map(destinations))),
        ];
        node.extend(pick(map, &["MaximumEventAgeInSeconds", "MaximumRetryAttempts"]));
        let own = alias.map(|(_, id)| ("DependsOn", make.list([make.text(id)])));
        self.add_with(function, &id, "AWS::Lambda::EventInvokeConfig", make.some(node), own)
    }

    /// Where results go: what is named, or a queue or topic that is made for it.
    fn destination(&mut self, function: &Serverless<'_>, node: &Node, id: &str) -> Result<Node, TemplateError> {
        let map = node.expect_map("a destination")?;
        let kind = self.given_text(map, "Type")?;
        let Some(kind) = kind.as_deref().filter(|kind| DESTINATIONS.contains(kind)) else {
            let named = kind.as_deref().unwrap_or("None");
            let words = format!("'Type: {named}' must be one of ['{}']", DESTINATIONS.join("', '"));
            return Err(function.invalid(&node.span, &words));
        };
        if let Some(destination) = self.given(map, "Destination")? {
            return Ok(destination);
        }
        let make = function.make();
        match kind {
            "SQS" => {
                let id = format!("{id}Queue");
                self.add(function, &id, "AWS::SQS::Queue", make.map([]))?;
                Ok(make.attribute(&id, "Arn"))
            }
            "SNS" => {
                let id = format!("{id}Topic");
                self.add(function, &id, "AWS::SNS::Topic", make.map([]))?;
                Ok(make.reference(&id))
            }
            _ => Err(function.invalid(&node.span, "Destination is required if Type is not ['SQS', 'SNS']")),
        }
    }

    /// The role that the function gets if it has none. Policies are read, and no more: nothing here asks them.
    fn role(&mut self, function: &Serverless<'_>) -> Result<(), TemplateError> {
        let (properties, make) = (&function.properties, function.make());
        let principal = make.map([("Service", make.list([make.text("lambda.amazonaws.com")]))]);
        let statement = make.map([
            ("Action", make.list([make.text("sts:AssumeRole")])),
            ("Effect", make.text("Allow")),
            ("Principal", principal),
        ]);
        let trust = make.map([("Version", make.text("2012-10-17")), ("Statement", make.list([statement]))]);
        let trust = properties.get("AssumeRolePolicyDocument").cloned().unwrap_or(trust);
        let basic = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
        let mut role = vec![
            ("AssumeRolePolicyDocument", Some(trust)),
            ("ManagedPolicyArns", Some(make.list([make.sub(basic)]))),
            ("Tags", tags(make, properties.get("Tags"), true)),
            ("Path", properties.get("RolePath").cloned()),
        ];
        role.extend(pick(properties, &["PermissionsBoundary"]));
        self.add(function, &format!("{}Role", function.id), "AWS::IAM::Role", make.some(role))
    }
}

fn dead_letter_config(function: &Serverless<'_>, queue: &Node) -> Result<Node, TemplateError> {
    let make = function.make();
    let kind = queue.get("Type").and_then(Node::as_str);
    let arn = queue.get("TargetArn").filter(|node| !node.is_null());
    match (kind, arn) {
        (Some("SQS" | "SNS"), Some(arn)) => Ok(make.map([("TargetArn", arn.clone())])),
        (Some("SQS" | "SNS") | None, _) => {
            Err(function
                .invalid(&queue.span, "'DeadLetterQueue' requires Type and TargetArn properties to be specified."))
        }
        _ => Err(function.invalid(&queue.span, "'DeadLetterQueue' requires Type of ['SQS', 'SNS']")),
    }
}

/// `{Bucket, Key, Version}` as Lambda has it.
pub(super) fn object(map: &Map, make: Make<'_>) -> Node {
    make.some([
        ("S3Bucket", map.get("Bucket").cloned()),
        ("S3Key", map.get("Key").cloned()),
        ("S3ObjectVersion", map.get("Version").cloned()),
    ])
}

/// What is behind a layer's logical id.
pub(super) fn layer_hash(expansion: &Expansion<'_>, id: &str, properties: &Map) -> String {
    let value = |key: &str, value: &Node| match key {
        "Description" | "LayerName" | "LicenseInfo" | "RetentionPolicy" => expansion.with_parameters(value).to_json(),
        _ => value.to_json(),
    };
    let properties: Value = properties.iter().map(|(key, node)| (key.to_owned(), value(key, node))).collect();
    hash(&json!({ id: {"Type": "AWS::Serverless::LayerVersion", "Properties": properties} }))
}
