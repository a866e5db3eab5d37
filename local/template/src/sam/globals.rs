//! `Globals`: what every resource of a kind has in common.

use crate::error::TemplateError;
use crate::near::did_you_mean;
use crate::node::{Kind, Map, Node};
use crate::resolve::hinted;

/// The kinds, and what may be common to them.
const SECTIONS: &[(&str, &[&str])] = &[
    ("Api", API),
    ("CapacityProvider", ANYTHING),
    ("Function", FUNCTION),
    ("HttpApi", HTTP_API),
    ("LayerVersion", &["PublishLambdaVersion"]),
    ("MicrovmImage", ANYTHING),
    ("NetworkConnector", ANYTHING),
    ("SimpleTable", &["SSESpecification"]),
    ("StateMachine", &["PropagateTags"]),
    ("WebSocketApi", ANYTHING),
];

/// Kinds that are not made here: what is common to them is not looked at.
const ANYTHING: &[&str] = &[];

const FUNCTION: &[&str] = &[
    "Architectures",
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
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
    "FileSystemConfigs",
    "FunctionScalingConfig",
    "FunctionUrlConfig",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PermissionsBoundary",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "PublishToLatestPublished",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
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
    "VpcConfig",
];

const API: &[&str] = &[
    "AccessLogSetting",
    "AlwaysDeploy",
    "Auth",
    "BinaryMediaTypes",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "Cors",
    "DefinitionUri",
    "Domain",
    "EndpointAccessMode",
    "EndpointConfiguration",
    "GatewayResponses",
    "MergeDefinitions",
    "MethodSettings",
    "MinimumCompressionSize",
    "Name",
    "OpenApiVersion",
    "PropagateTags",
    "SecurityPolicy",
    "TracingEnabled",
    "Variables",
];

const HTTP_API: &[&str] = &[
    "AccessLogSettings",
    "Auth",
    "CorsConfiguration",
    "DefaultRouteSettings",
    "Domain",
    "FailOnWarnings",
    "PropagateTags",
    "RouteSettings",
    "StageVariables",
    "Tags",
];

/// What is common to the resources of a template.
#[derive(Debug, Default)]
pub(crate) struct Globals(Map);

impl Globals {
    /// Reads the section.
    pub(crate) fn read(section: Option<Node>) -> Result<Self, TemplateError> {
        let Some(section) = section.filter(|section| !section.is_null()) else { return Ok(Self::default()) };
        for entry in section.expect_map("Globals")?.entries() {
            let name = &entry.key;
            let Some((_, known)) = SECTIONS.iter().find(|(section, _)| section == name) else {
                let names = SECTIONS.iter().map(|(name, _)| *name);
                let sections: Vec<&str> = names.clone().collect();
                let message = format!(
                    "'Globals' section is invalid. '{name}' is not supported. Must be one of the following values - ['{}']",
                    sections.join("', '")
                );
                return Err(hinted(TemplateError::new(&entry.key_span, message), || did_you_mean(name, names)));
            };
            if entry.value.is_null() {
                continue;
            }
            for property in entry.value.expect_map(&format!("Globals of {name}"))?.entries() {
                if !known.is_empty() && !known.contains(&property.key.as_str()) {
                    let message = format!(
                        "'Globals' section is invalid. '{}' is not a supported property of '{name}'. Must be one of the \
                         following values - ['{}']",
                        property.key,
                        known.join("', '")
                    );
                    let hint = || did_you_mean(&property.key, known.iter().copied());
                    return Err(hinted(TemplateError::new(&property.key_span, message), hint));
                }
            }
        }
        match section.kind {
            Kind::Map(map) => Ok(Self(map)),
            Kind::Scalar(_) | Kind::List(_) => Ok(Self::default()),
        }
    }

    /// What is common to a kind, but for what a resource does not want: everything (`*`), or what it names.
    pub(crate) fn of(&self, kind: &str, ignored: Option<&Node>) -> Map {
        let mut common = self.0.get(kind).and_then(Node::as_map).cloned().unwrap_or_default();
        match ignored {
            Some(node) if node.as_str() == Some("*") => common = Map::default(),
            Some(node) => node.as_list().unwrap_or_default().iter().filter_map(Node::as_str).for_each(|name| {
                common.remove(name);
            }),
            None => {}
        }
        common
    }
}

/// What a resource says goes before what is common: maps are merged, lists are joined, the common items first.
pub(crate) fn merge(common: Map, own: &Map) -> Map {
    let mut merged = common;
    for entry in own.entries() {
        let value = match merged.remove(&entry.key) {
            Some(common) => merged_node(common, &entry.value),
            None => entry.value.clone(),
        };
        merged.insert(entry.key.clone(), &entry.key_span, value);
    }
    merged
}

fn merged_node(common: Node, own: &Node) -> Node {
    // A function is one value: it has nothing to merge with.
    let is_function = common.as_intrinsic().is_some() || own.as_intrinsic().is_some();
    let kind = match (common.kind, &own.kind) {
        (Kind::Map(common), Kind::Map(map)) if !is_function => Kind::Map(merge(common, map)),
        (Kind::List(mut items), Kind::List(more)) => {
            items.extend(more.iter().cloned());
            Kind::List(items)
        }
        (_, kind) => kind.clone(),
    };
    Node { span: own.span.clone(), kind }
}
