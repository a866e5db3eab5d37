//! The operations of EventBridge's API, one file each.

use serde::Serialize;

use crate::room::EventBus;

aws_api::operations! { EventBus;
    "CreateEventBus" => create_event_bus,
    "DeleteEventBus" => delete_event_bus,
    "DeleteRule" => delete_rule,
    "DescribeEventBus" => describe_event_bus,
    "DescribeRule" => describe_rule,
    "DisableRule" => disable_rule,
    "EnableRule" => enable_rule,
    "ListEventBuses" => list_event_buses,
    "ListRuleNamesByTarget" => list_rule_names_by_target,
    "ListRules" => list_rules,
    "ListTagsForResource" => list_tags_for_resource,
    "ListTargetsByRule" => list_targets_by_rule,
    "PutEvents" => put_events,
    "PutPermission" => put_permission,
    "PutRule" => put_rule,
    "PutTargets" => put_targets,
    "RemovePermission" => remove_permission,
    "RemoveTargets" => remove_targets,
    "TagResource" => tag_resource,
    "TestEventPattern" => test_event_pattern,
    "UntagResource" => untag_resource,
    "UpdateEventBus" => update_event_bus,
}

/// The answer of operations that have none.
#[derive(Serialize)]
struct Empty {}
