//! Logical ids as the framework makes them, so that what a user's resources refer to is there.
//! <https://www.serverless.com/framework/docs/providers/aws/guide/resources>

use std::fmt::Write as _;

use md5::{Digest, Md5};

/// EventBridge's longest name of a rule or id of a target.
const RULE_NAME_MAX: usize = 64;

/// The first letter upper-cased.
pub(super) fn upper_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// Of a function, a bus, an authorizer or a layer: `create-user` is `CreateDashuser`.
pub(super) fn resource(name: &str) -> String {
    upper_first(&name.replace('-', "Dash").replace('_', "Underscore"))
}

/// Of a pool, a queue, a rule, a topic or a table: letters and digits alone.
pub(super) fn alphanumeric(name: &str) -> String {
    upper_first(&name.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
}

/// Of a path: `/users/{id}` is `UsersIdVar`.
pub(super) fn path(path: &str) -> String {
    path.split('/').map(path_part).collect()
}

/// The first letter is upper-cased and the rest lower-cased, then dashes and parameters get names.
fn path_part(part: &str) -> String {
    let mut part = upper_first(&part.to_lowercase()).replace('-', "Dash");
    if let (Some(open), Some(close)) = (part.find('{'), part.rfind('}'))
        && open < close
    {
        part = format!("{}{}Var{}", &part[..open], &part[open + 1..close], &part[close + 1..]);
    }
    alphanumeric(&part)
}

pub(super) fn function(name: &str) -> String {
    format!("{}LambdaFunction", resource(name))
}

pub(super) fn log_group(name: &str) -> String {
    format!("{}LogGroup", resource(name))
}

/// The role that functions have which name none.
pub(super) const ROLE: &str = "IamRoleLambdaExecution";

pub(super) fn user_pool(pool: &str) -> String {
    format!("CognitoUserPool{}", alphanumeric(pool))
}

pub(super) fn user_pool_permission(function: &str, pool: &str, trigger: &str) -> String {
    format!(
        "{}LambdaPermissionCognitoUserPool{}TriggerSource{}",
        resource(function),
        alphanumeric(pool),
        alphanumeric(trigger)
    )
}

/// The custom resource that attaches a function to a pool which is there already. The number never changes.
pub(super) fn existing_user_pool(function: &str) -> String {
    format!("{}CustomCognitoUserPool1", resource(function))
}

pub(super) fn event_bus(bus: &str) -> String {
    format!("{}EventBridgeEventBus", resource(bus))
}

/// The name of a rule that is given none, before it is shortened: the logical id comes from it.
pub(super) fn rule_name(function_name: &str, position: usize) -> String {
    format!("{function_name}-rule-{position}")
}

/// The same as EventBridge takes it.
pub(super) fn short_rule_name(function_name: &str, position: usize) -> String {
    shortened(rule_name(function_name, position), &format!("rule-{position}"))
}

pub(super) fn target_id(rule_name: &str) -> String {
    shortened(format!("{rule_name}-target"), "target")
}

fn shortened(name: String, suffix: &str) -> String {
    if name.encode_utf16().count() <= RULE_NAME_MAX {
        return name;
    }
    let kept: String = name.chars().take(31_usize.saturating_sub(suffix.len())).collect();
    format!("{kept}{}-{suffix}", digest(&name))
}

/// A short digest, for ids that change with what they name.
pub(super) fn digest(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions() {
        assert_eq!(function("create-user"), "CreateDashuserLambdaFunction");
        assert_eq!(function("send_mail"), "SendUnderscoremailLambdaFunction");
        assert_eq!(function("cognitoPostConfirmation"), "CognitoPostConfirmationLambdaFunction");
    }

    #[test]
    fn pools_lose_what_is_no_letter_or_digit() {
        assert_eq!(user_pool("my-app-dev"), "CognitoUserPoolMyappdev");
        assert_eq!(user_pool("RossUserPool"), "CognitoUserPoolRossUserPool");
        assert_eq!(
            user_pool_permission("create-user", "my pool", "PostConfirmation"),
            "CreateDashuserLambdaPermissionCognitoUserPoolMypoolTriggerSourcePostConfirmation"
        );
    }

    #[test]
    fn paths() {
        assert_eq!(path("GET /users/{userId}"), "GetUsersUseridVar");
        assert_eq!(path("users/create-new/{proxy+}"), "UsersCreateDashnewProxyVar");
    }

    #[test]
    fn long_names_of_rules_are_hashed() {
        let function = "a".repeat(60);
        let name = short_rule_name(&function, 1);
        assert_eq!(name, format!("{}{}-rule-1", "a".repeat(25), digest(&format!("{function}-rule-1"))));
        assert_eq!((short_rule_name("f", 2).as_str(), target_id("f-rule-2").as_str()), ("f-rule-2", "f-rule-2-target"));
    }
}
