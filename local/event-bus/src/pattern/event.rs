//! An event as patterns see it: the leaves that some pattern asks for, each with the array elements it is in.

use super::index::Index;
use super::matcher::Scalar;
use crate::json::{Reader, Syntax, Token};

/// A field that some pattern of an index asks for.
pub type FieldId = u32;

/// The fields of an index by the names on the way to them.
///
/// Dots part names wherever they come from, so a name with a dot in it is several.
#[derive(Debug)]
pub struct Fields {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    children: Vec<(Box<str>, u32)>,
    field: Option<FieldId>,
}

impl Fields {
    /// None yet.
    pub fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    /// The field at `path`, which becomes `next` if it is new.
    pub fn add(&mut self, path: &str, next: FieldId) -> FieldId {
        let mut at = 0;
        for name in path.split('.') {
            let children = &self.nodes[at].children;
            at = match children.binary_search_by(|(child, _)| (**child).cmp(name)) {
                Ok(found) => children[found].1 as usize,
                Err(place) => {
                    let node = self.nodes.len();
                    self.nodes.push(Node::default());
                    let id = u32::try_from(node).unwrap_or(u32::MAX);
                    self.nodes[at].children.insert(place, (name.into(), id));
                    node
                }
            };
        }
        *self.nodes[at].field.get_or_insert(next)
    }

    fn below(&self, node: u32, name: &str) -> Option<u32> {
        if name.contains('.') {
            return name.split('.').try_fold(node, |node, name| self.child(node, name));
        }
        self.child(node, name)
    }

    fn child(&self, node: u32, name: &str) -> Option<u32> {
        let children = &self.nodes[node as usize].children;
        let found = children.binary_search_by(|(child, _)| (**child).cmp(name)).ok()?;
        Some(children[found].1)
    }

    fn field(&self, node: u32) -> Option<FieldId> {
        self.nodes[node as usize].field
    }
}

/// An element of an array: which array of the event, and which of its elements.
pub type Element = (u32, u32);

/// A value in an event.
#[derive(Debug)]
pub struct Leaf<'a> {
    /// Where.
    pub field: FieldId,
    /// What.
    pub value: Scalar<'a>,
    /// The elements it is in, outermost first: a range of [`Event::elements`].
    elements: (u32, u32),
}

/// The leaves of an event that its patterns ask for.
#[derive(Debug)]
pub struct Event<'a> {
    leaves: Vec<Leaf<'a>>,
    elements: Vec<Element>,
}

/// What is open while reading.
enum Open {
    Object { node: u32 },
    Array { node: u32, array: u32, index: u32 },
}

impl<'a> Event<'a> {
    /// Reads an event for the patterns of an index. What none asks for is passed over.
    pub fn read(text: &'a str, index: &Index) -> Result<Self, Syntax> {
        let fields = index.fields();
        let mut reader = Reader::new(text);
        let mut event = Self { leaves: Vec::new(), elements: Vec::new() };
        let mut within: Vec<Element> = Vec::new();
        let mut arrays = 0;
        if reader.next()? != Some(Token::ObjectStart) {
            return Err(reader.error_here("Event must be a JSON object"));
        }
        let mut open = vec![Open::Object { node: 0 }];
        while let Some(innermost) = open.last_mut() {
            let token = reader.next()?;
            let (node, token) = match (innermost, token) {
                (_, None | Some(Token::ObjectEnd | Token::ArrayEnd)) => {
                    open.pop();
                    if let Some(Open::Array { .. }) = open.last() {
                        within.pop();
                    }
                    continue;
                }
                (Open::Object { node }, Some(_)) => {
                    let below = fields.below(*node, &reader.name());
                    let Some(token) = reader.next()? else { continue };
                    let Some(below) = below else {
                        reader.skip_value(token)?;
                        continue;
                    };
                    (below, token)
                }
                (Open::Array { node, array, index }, Some(token)) => {
                    if matches!(token, Token::ObjectStart | Token::ArrayStart) {
                        within.push((*array, *index));
                    }
                    *index += 1;
                    (*node, token)
                }
            };
            match token {
                Token::ObjectStart => open.push(Open::Object { node }),
                Token::ArrayStart => {
                    open.push(Open::Array { node, array: arrays, index: 0 });
                    arrays += 1;
                }
                _ => event.leaf(fields.field(node), token, &mut reader, &within)?,
            }
        }
        event.leaves.sort_by_key(|leaf| leaf.field);
        Ok(event)
    }

    fn leaf(
        &mut self,
        field: Option<FieldId>,
        token: Token,
        reader: &mut Reader<'a>,
        within: &[Element],
    ) -> Result<(), Syntax> {
        let Some(field) = field else { return Ok(()) };
        let value = match token {
            Token::String => Scalar::Text(reader.text()?),
            Token::Number => Scalar::Number(reader.text()?),
            Token::True => Scalar::Bool(true),
            Token::False => Scalar::Bool(false),
            _ => Scalar::Null,
        };
        let size = |elements: &Vec<Element>| u32::try_from(elements.len()).unwrap_or(u32::MAX);
        let start = size(&self.elements);
        self.elements.extend_from_slice(within);
        self.leaves.push(Leaf { field, value, elements: (start, size(&self.elements)) });
        Ok(())
    }

    /// The values of a field.
    pub fn of(&self, field: FieldId) -> &[Leaf<'a>] {
        let start = self.leaves.partition_point(|leaf| leaf.field < field);
        let count = self.leaves[start..].iter().take_while(|leaf| leaf.field == field).count();
        &self.leaves[start..start + count]
    }

    /// All values, by field.
    pub fn leaves(&self) -> &[Leaf<'a>] {
        &self.leaves
    }

    /// The array elements that a leaf is in.
    pub fn elements(&self, leaf: &Leaf<'_>) -> &[Element] {
        &self.elements[leaf.elements.0 as usize..leaf.elements.1 as usize]
    }
}
