//! The types of resources, one file a family.

mod events;
mod events_out;
pub mod existing_pool;
mod http_apis;
mod lambda;
mod lambda_parts;
mod others;
mod parameters;
mod pool_parts;
mod pools;
mod queues;
mod rest_apis;
mod tables;

use crate::kind::{Kind, Operation};

/// What no operation makes, but whoever loads a stack.
pub const BY_THE_LOADER: Operation = ("", "");

/// Values that dynamic references may name.
pub const PARAMETER: &str = "AWS::SSM::Parameter";
pub const SECRET: &str = "AWS::SecretsManager::Secret";

/// What there is of this type: it is made, or a placeholder stands for it.
pub fn of(name: &str) -> &'static dyn Kind {
    let families: [&[(&str, &'static dyn Kind)]; 9] = [
        pools::KINDS,
        lambda::KINDS,
        tables::KINDS,
        events::KINDS,
        queues::KINDS,
        parameters::KINDS,
        http_apis::KINDS,
        rest_apis::KINDS,
        others::KINDS,
    ];
    let known = families.into_iter().flatten().find(|(known, _)| *known == name);
    known.map_or_else(|| others::absent(name), |(_, kind)| *kind)
}

/// What `Ref` and `Fn::GetAtt` give of something that is not here.
pub fn placeholder(logical_id: &str) -> String {
    format!("{logical_id}{PLACEHOLDER}")
}

const PLACEHOLDER: &str = "-local";

/// Whether a text that should be an ARN is of something that is not here.
pub fn is_placeholder(text: &str) -> bool {
    text.ends_with(PLACEHOLDER) && !text.contains(':')
}
