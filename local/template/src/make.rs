//! Making nodes that stand nowhere: each has the place of what it was made for.

use crate::node::{Map, Node};
use crate::source::Span;

/// Makes nodes at one place.
#[derive(Clone, Copy)]
pub(crate) struct Make<'s>(pub(crate) &'s Span);

impl Make<'_> {
    pub(crate) fn text(self, text: impl Into<String>) -> Node {
        Node::string(self.0, text)
    }

    pub(crate) fn plain(self, text: impl Into<String>) -> Node {
        Node::plain(self.0, text)
    }

    pub(crate) fn list(self, items: impl IntoIterator<Item = Node>) -> Node {
        Node::list(self.0, items.into_iter().collect())
    }

    pub(crate) fn map<'k>(self, entries: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
        Node::map(self.0, entries)
    }

    /// A map of those members that there are.
    pub(crate) fn some<'k>(self, entries: impl IntoIterator<Item = (&'k str, Option<Node>)>) -> Node {
        Node::map(self.0, entries.into_iter().filter_map(|(key, value)| Some((key, value?))))
    }

    pub(crate) fn reference(self, logical_id: &str) -> Node {
        self.map([("Ref", self.text(logical_id))])
    }

    pub(crate) fn attribute(self, logical_id: &str, attribute: &str) -> Node {
        self.map([("Fn::GetAtt", self.list([self.text(logical_id), self.text(attribute)]))])
    }

    pub(crate) fn sub(self, text: impl Into<String>) -> Node {
        self.map([("Fn::Sub", self.text(text))])
    }

    pub(crate) fn sub_with<'k>(self, text: &str, variables: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
        self.map([("Fn::Sub", self.list([self.text(text), self.map(variables)]))])
    }
}

/// Those members of a map that there are, under their own names.
pub(crate) fn pick<'k>(map: &Map, keys: &[&'k str]) -> Vec<(&'k str, Option<Node>)> {
    keys.iter().map(|key| (*key, map.get(key).filter(|node| !node.is_null()).cloned())).collect()
}
