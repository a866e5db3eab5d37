//! The resources of REST APIs: a path is a chain of them, and each method hangs on the last.

use std::collections::{HashMap, HashSet};

use crate::make::Make;
use crate::node::Node;
use crate::scope::fnv;

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

/// The names of paths in logical ids: each path has one that no other has.
#[derive(Default)]
pub(crate) struct Paths {
    names: HashMap<String, String>,
    taken: HashSet<String>,
}

impl Paths {
    /// The logical ids of a path's parts, the parts, and whether each is there for the first time: `/a/{b}` has two.
    pub(crate) fn resources(&mut self, api: &str, path: &str) -> Vec<(String, String, bool)> {
        let mut whole = String::new();
        let mut resources = Vec::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            whole.push('/');
            whole.push_str(part);
            let is_new = !self.names.contains_key(&whole);
            resources.push((format!("{api}Resource{}", self.name(&whole)), part.to_owned(), is_new));
        }
        resources
    }

    /// A path as a part of a logical id.
    pub(crate) fn name(&mut self, path: &str) -> String {
        let path = path.strip_suffix('/').unwrap_or(path);
        if let Some(name) = self.names.get(path) {
            return name.clone();
        }
        let mut name = words(path);
        if !self.taken.insert(name.clone()) {
            name = format!("{name}{:016x}", fnv(path.as_bytes()));
            self.taken.insert(name.clone());
        }
        self.names.insert(path.to_owned(), name.clone());
        name
    }
}

/// The words of a path: `/users/{id}` is `UsersIdVar`. Others may have the same.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_names_of_their_own() {
        let mut paths = Paths::default();
        let resources = paths.resources("Api", "/users/{id}");
        let expected = [("ApiResourceUsers", "users", true), ("ApiResourceUsersIdVar", "{id}", true)];
        assert_eq!(resources, expected.map(|(id, part, is_new)| (id.to_owned(), part.to_owned(), is_new)));
        assert_eq!(paths.resources("Api", "/users"), [("ApiResourceUsers".to_owned(), "users".to_owned(), false)]);
        assert_eq!(paths.name("/a/b"), "AB");
        assert_ne!(paths.name("/aB"), "AB");
        assert_eq!(paths.name("/a/b/"), "AB");
        assert_eq!(paths.name("/"), "");
    }
}
