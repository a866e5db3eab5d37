//! Writing resources down in code: maps with members that may be missing, next to `Make`.

use crate::make::Make;
use crate::node::{Map, Node};
use crate::source::Span;

/// A map that is being written; everything that is made up in it has one place.
pub(super) struct Block {
    span: Span,
    map: Map,
}

/// What can stand in a block.
pub(super) trait Written {
    fn node(self, span: &Span) -> Node;
}

impl Written for Node {
    fn node(self, _: &Span) -> Node {
        self
    }
}

impl Written for &Node {
    fn node(self, _: &Span) -> Node {
        self.clone()
    }
}

impl Written for &str {
    fn node(self, span: &Span) -> Node {
        Node::string(span, self)
    }
}

impl Written for String {
    fn node(self, span: &Span) -> Node {
        Node::string(span, self)
    }
}

impl Written for bool {
    fn node(self, span: &Span) -> Node {
        Node::plain(span, self.to_string())
    }
}

impl Written for u32 {
    fn node(self, span: &Span) -> Node {
        Node::plain(span, self.to_string())
    }
}

impl Written for Block {
    fn node(self, _: &Span) -> Node {
        let mut node = Node::map(&self.span, []);
        if let Some(map) = node.as_map_mut() {
            *map = self.map;
        }
        node
    }
}

impl<T: Written> Written for Vec<T> {
    fn node(self, span: &Span) -> Node {
        Node::list(span, self.into_iter().map(|item| item.node(span)).collect())
    }
}

impl Block {
    /// An empty map at a place.
    pub(super) fn at(span: &Span) -> Self {
        Self { span: span.clone(), map: Map::default() }
    }

    /// With a member.
    pub(super) fn set(mut self, key: &str, value: impl Written) -> Self {
        let value = value.node(&self.span);
        self.map.insert(key, &self.span, value);
        self
    }

    /// With a member, if there is a value for it.
    pub(super) fn maybe(self, key: &str, value: Option<impl Written>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    /// The map.
    pub(super) fn done(self) -> Node {
        let span = self.span.clone();
        self.node(&span)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

/// A resource.
pub(super) fn resource(span: &Span, kind: &str, properties: Block) -> Block {
    Block::at(span).set("Type", kind).set("Properties", properties)
}

/// `{Fn::Join: […, […]]}`
pub(super) fn join(span: &Span, separator: &str, parts: Vec<Node>) -> Node {
    Block::at(span).set("Fn::Join", vec![Node::string(span, separator), Node::list(span, parts)]).done()
}

/// An ARN: parts apart by colons, of which those that begin with `AWS::` are references.
pub(super) fn arn(span: &Span, parts: &[&str], last: Node) -> Node {
    let part = |part: &&str| {
        if part.starts_with("AWS::") { Make(span).reference(part) } else { Node::string(span, *part) }
    };
    join(span, ":", parts.iter().map(part).chain([last]).collect())
}
