//! The resources of REST APIs: a path is a chain of them, and each method hangs on the last.

use crate::make::Make;
use crate::node::Node;

/// A method of a path.
pub(crate) struct Method<'m> {
    /// The API's logical id.
    pub(crate) api: &'m str,
    /// What the path's last resource is referred to as.
    pub(crate) resource: Node,
    pub(crate) verb: &'m str,
    /// `NONE`, `AWS_IAM`, `CUSTOM` or `COGNITO_USER_POOLS`.
    pub(crate) authorization: &'m str,
    /// The authorizer's logical id.
    pub(crate) authorizer: Option<String>,
    pub(crate) scopes: Option<Node>,
    pub(crate) key_required: Option<Node>,
    pub(crate) integration: Node,
    pub(crate) responses: Option<Node>,
}

/// The properties of a method.
pub(crate) fn method(make: Make<'_>, method: &Method<'_>) -> Node {
    make.some([
        ("RestApiId", Some(make.reference(method.api))),
        ("ResourceId", Some(method.resource.clone())),
        ("HttpMethod", Some(make.text(method.verb))),
        ("AuthorizationType", Some(make.text(method.authorization))),
        ("AuthorizerId", method.authorizer.as_deref().map(|id| make.reference(id))),
        ("AuthorizationScopes", method.scopes.clone()),
        ("ApiKeyRequired", method.key_required.clone()),
        ("Integration", Some(method.integration.clone())),
        ("MethodResponses", method.responses.clone()),
    ])
}

/// The properties of one part of a path.
pub(crate) fn resource(make: Make<'_>, api: &str, parent: Node, part: &str) -> Node {
    make.map([("RestApiId", make.reference(api)), ("ParentId", parent), ("PathPart", make.text(part))])
}

/// The logical ids of a path's parts, and the parts: `/a/{b}` has two.
pub(crate) fn resources(api: &str, path: &str) -> Vec<(String, String)> {
    let mut whole = String::new();
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            whole.push('/');
            whole.push_str(part);
            (format!("{api}Resource{}", words(&whole)), part.to_owned())
        })
        .collect()
}

/// A path as a part of a logical id: `/users/{id}` is `UsersIdVar`.
pub(crate) fn words(path: &str) -> String {
    let mut made = String::new();
    for part in path.split('/') {
        let letters: String = part.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut characters = letters.chars();
        made.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        made.push_str(characters.as_str());
        if part.starts_with('{') {
            made.push_str("Var");
        }
    }
    made
}
