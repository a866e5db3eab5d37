//! Amazon EventBridge: buses, rules, patterns, targets.
