//! What names in a template stand for, but for what only a stack knows of its resources.

use std::collections::HashMap;

use crate::node::{Map, Node};
use crate::parameters::Parameter;
use crate::source::Span;
use crate::template::Inputs;

/// The pseudo parameters.
pub(crate) const PSEUDO: &[&str] = &[
    "AWS::AccountId",
    NO_VALUE,
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// What stands for nothing.
pub(crate) const NO_VALUE: &str = "AWS::NoValue";

/// The names of a template.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) inputs: Inputs,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) mappings: Map,
    /// The conditions that are decided.
    pub(crate) conditions: HashMap<String, bool>,
    /// The resources, and whether each is made.
    pub(crate) resources: HashMap<String, bool>,
}

impl Scope {
    /// A parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Every name that `Ref` may give.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let resources = self.resources.keys().map(String::as_str);
        let parameters = self.parameters.iter().map(|parameter| parameter.name.as_str());
        resources.chain(parameters).chain(PSEUDO.iter().copied())
    }

    /// The value of a pseudo parameter that has one.
    pub(crate) fn pseudo(&self, name: &str, span: &Span) -> Option<Node> {
        let Inputs { stack_name, region, account_id, .. } = &self.inputs;
        let partition = partition(region);
        let text = match name {
            "AWS::AccountId" => account_id.clone(),
            "AWS::NotificationARNs" => return Some(Node::list(span, Vec::new())),
            "AWS::Partition" => partition.to_owned(),
            "AWS::Region" => region.clone(),
            "AWS::StackId" => {
                let id = stack_uuid(stack_name);
                format!("arn:{partition}:cloudformation:{region}:{account_id}:stack/{stack_name}/{id}")
            }
            "AWS::StackName" => stack_name.clone(),
            "AWS::URLSuffix" if partition == "aws-cn" => "amazonaws.com.cn".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            _ => return None,
        };
        Some(Node::string(span, text))
    }
}

/// The partition that a region lies in.
fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// A stack's id has a random part; here it is the same at every start.
fn stack_uuid(name: &str) -> String {
    let hash = fnv(name.as_bytes());
    let text = format!("{hash:016x}{:016x}", fnv(&hash.to_be_bytes()));
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

/// FNV-1a: spreads names, guards nothing.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
