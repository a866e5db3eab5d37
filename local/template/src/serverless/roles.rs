//! The role that functions run under. It is made so that what refers to or extends it finds it; IAM is not enforced
//! locally, so the statements that the framework adds for each kind of event are left out.
//! <https://www.serverless.com/framework/docs/providers/aws/guide/iam>

use crate::make::Make;
use crate::node::Node;

use super::naming;
use super::service::{Draft, Function, Service};
use super::write::{Block, join, resource};

/// A function's role, and the logical id that the function waits for.
pub(super) fn of(service: &Service, function: &Function) -> (Node, Option<String>) {
    let span = &function.span;
    let Some(role) = custom(service, function) else { return (Make(span).attribute(naming::ROLE, "Arn"), None) };
    match (role.as_str(), role.as_intrinsic()) {
        // What is no logical id is an ARN, though it may be one that only a deployment knows.
        (Some(arn), _) if !is_logical_id(arn) => (role.clone(), None),
        (Some(id), _) => {
            let depends_on = (id != naming::ROLE).then(|| id.to_owned());
            (Make(&role.span).attribute(id, "Arn"), depends_on)
        }
        (None, Some(("Fn::GetAtt", argument))) => {
            let id = argument.as_list().and_then(|items| items.first()).and_then(Node::as_str);
            (role.clone(), id.map(str::to_owned))
        }
        _ => (role.clone(), None),
    }
}

fn is_logical_id(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// The logical id of the role that a mapping of a function waits for, if it is in this stack.
pub(super) fn waited_for(service: &Service, function: &Function) -> Option<String> {
    match custom(service, function) {
        None => Some(naming::ROLE.to_owned()),
        Some(role) => match role.as_str() {
            Some(text) if !is_logical_id(text) => None,
            Some(id) => Some(id.to_owned()),
            None => of(service, function).1,
        },
    }
}

fn custom<'s>(service: &'s Service, function: &'s Function) -> Option<&'s Node> {
    let of_provider = || service.provider(&["iam", "role"]).filter(|role| exists(role));
    function.get("role").or_else(of_provider).or_else(|| service.provider(&["role"]))
}

/// A role that is named, and not one that is described.
fn exists(role: &Node) -> bool {
    role.as_str().is_some()
        || role.as_map().is_some_and(|map| map.iter().any(|(key, _)| key.contains("::") || key == "Ref"))
}

pub(super) fn compile(service: &Service, draft: &mut Draft) {
    let needed = service.functions.iter().any(|function| custom(service, function).is_none());
    let Some(first) = service.functions.first().filter(|_| needed) else { return };
    let described = service.provider(&["iam", "role"]);
    let span = described.map_or(&first.span, |node| &node.span);
    let setting =
        |key: &str, earlier: &str| described.and_then(|role| role.get(key)).or_else(|| service.provider(&[earlier]));
    let name = described.and_then(|role| role.get("name")).cloned().unwrap_or_else(|| {
        let parts = [service.name.as_str(), service.stage.as_str(), "AWS::Region", "lambdaRole"];
        let part =
            |part: &str| if part == "AWS::Region" { Make(span).reference(part) } else { Node::string(span, part) };
        join(span, "-", parts.into_iter().map(part).collect())
    });
    let mut statements = log_statements(service, span);
    let own = setting("statements", "iamRoleStatements").and_then(Node::as_list).unwrap_or_default();
    statements.extend(own.iter().cloned());
    let policy_name = [service.name.as_str(), &service.stage, "lambda"].map(|part| Node::string(span, part));
    let policy = Block::at(span)
        .set("PolicyName", join(span, "-", policy_name.into()))
        .set("PolicyDocument", Block::at(span).set("Version", "2012-10-17").set("Statement", statements));
    let boundary = setting("permissionsBoundary", "rolePermissionsBoundary")
        .or_else(|| described.and_then(|role| role.get("permissionBoundary")));
    let tags = described.and_then(|role| role.get("tags")).and_then(Node::as_map).map(|tags| {
        let tag = |(key, value): (&str, &Node)| Block::at(span).set("Key", key).set("Value", value);
        tags.iter().map(tag).collect::<Vec<_>>()
    });
    let properties = Block::at(span)
        .set("AssumeRolePolicyDocument", assumed_by_lambda(span))
        .set("Policies", vec![policy])
        .set("Path", described.and_then(|role| role.get("path")).cloned().unwrap_or_else(|| Node::string(span, "/")))
        .set("RoleName", name)
        .maybe("ManagedPolicyArns", setting("managedPolicies", "iamManagedPolicies"))
        .maybe("PermissionsBoundary", boundary)
        .maybe("Tags", tags);
    draft.resource(naming::ROLE, span, resource(span, "AWS::IAM::Role", properties));
}

fn assumed_by_lambda(span: &crate::source::Span) -> Block {
    let statement = Block::at(span)
        .set("Effect", "Allow")
        .set("Principal", Block::at(span).set("Service", vec!["lambda.amazonaws.com"]))
        .set("Action", vec!["sts:AssumeRole"]);
    Block::at(span).set("Version", "2012-10-17").set("Statement", vec![statement])
}

/// Functions with the framework's own names share a pattern, the others are listed.
fn log_statements(service: &Service, span: &crate::source::Span) -> Vec<Node> {
    let prefix = service.prefix();
    let mut groups: Vec<String> = Vec::new();
    for function in service.functions.iter().filter(|function| !function.name.starts_with(&prefix)) {
        groups.push(format!("/aws/lambda/{}", function.name));
    }
    if service.functions.iter().any(|function| function.name.starts_with(&prefix)) {
        groups.push(format!("/aws/lambda/{prefix}*"));
    }
    let statement = |actions: &[&str], ending: &str| {
        let arn = |group: &String| {
            let text =
                format!("arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{group}{ending}");
            Make(span).sub(text)
        };
        Block::at(span)
            .set("Effect", "Allow")
            .set("Action", actions.to_vec())
            .set("Resource", groups.iter().map(arn).collect::<Vec<_>>())
            .done()
    };
    vec![
        statement(&["logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource"], ":*"),
        statement(&["logs:PutLogEvents"], ":*:*"),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::document;

    #[test]
    fn the_role_has_what_the_provider_says() {
        let service = "
            provider:
              name: aws
              iam:
                role:
                  managedPolicies: [arn:x]
                  statements:
                    - {Effect: Allow, Action: dynamodb:PutItem, Resource: '*'}
            functions:
              a: {handler: a.b}
              b: {handler: a.b, name: other}";
        let role = document(service)["Resources"]["IamRoleLambdaExecution"]["Properties"].take();
        assert_eq!(role["ManagedPolicyArns"], json!(["arn:x"]));
        assert_eq!(role["RoleName"], json!({"Fn::Join": ["-", ["shop", "dev", {"Ref": "AWS::Region"}, "lambdaRole"]]}));
        let statements = &role["Policies"][0]["PolicyDocument"]["Statement"];
        assert_eq!(statements[2], json!({"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}));
        let prefix = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda";
        assert_eq!(
            statements[1]["Resource"],
            json!([{"Fn::Sub": format!("{prefix}/other:*:*")}, {"Fn::Sub": format!("{prefix}/shop-dev*:*:*")}])
        );
    }

    #[test]
    fn a_role_is_a_logical_id_or_anything_else() {
        let role = |role: &str| {
            let service = format!("provider: {{name: aws, iam: {{role: {role}}}}}\nfunctions: {{a: {{handler: a.b}}}}");
            document(&service)["Resources"]["ALambdaFunction"]["Properties"]["Role"].take()
        };
        assert_eq!(role("Own"), json!({"Fn::GetAtt": ["Own", "Arn"]}));
        assert_eq!(role("'arn:aws:iam::1:role/r'"), json!("arn:aws:iam::1:role/r"));
        // What only a deployment knows, as `check` has it.
        assert_eq!(role("'\u{e000}role\u{e002}'"), json!("\u{e000}role\u{e002}"));
    }
}
