//! Files to nodes: YAML here, JSON in `json.rs`.
//!
//! CloudFormation's short tags become their long form (`!GetAtt A.B` is `{"Fn::GetAtt": ["A", "B"]}`), so nothing behind
//! this file knows of them. Anchors and merge keys are resolved; how far they may grow a document is bounded.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use crate::error::TemplateError;
use crate::json;
use crate::node::{Kind, Map, Node, Scalar};
use crate::source::{Source, Span};

/// Nodes of one file, aliases counted as often as they stand: what an alias bomb runs into.
pub(crate) const NODES_MAX: usize = 200_000;
/// Levels of nesting.
pub(crate) const DEPTH_MAX: usize = 128;
/// A file of this many bytes is no template: CloudFormation takes one megabyte at most.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// CloudFormation's short tags whose long form has `Fn::` before it.
const FUNCTIONS: &[&str] = &[
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "ForEach",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
];

/// Reads the only document of a file. What is named `.json`, or begins with a brace and is JSON, is read as JSON.
pub fn load(source: &Arc<Source>) -> Result<Node, TemplateError> {
    if source.text.len() > BYTES_MAX {
        let start = Span { source: Arc::clone(source), start: 0, end: 0 };
        return Err(TemplateError::new(&start, format!("the file is over {BYTES_MAX} bytes long")));
    }
    let is_json = source.path.extension().is_some_and(|extension| extension == "json");
    let inside = source.text.trim_start().strip_prefix('{');
    if !is_json && inside.is_none() {
        return Loader::new(source).document();
    }
    match json::read(source) {
        Err(error) if !is_json => {
            // A map in YAML's flow style. Of two mistakes that one is told whose language it looks like.
            let looks_like_json = inside.is_some_and(|inside| inside.trim_start().starts_with('"'));
            Loader::new(source).document().map_err(|other| if looks_like_json { error } else { other })
        }
        read => read,
    }
}

/// Reads a file as CloudFormation reads one: YAML 1.1, where a plain `yes`, `no`, `on` or `off` is a truth value, so that
/// a tag `Value: YES` has the value `true` (github.com/ASFHyP3/hyp3/pull/2061). `y` and `n` are texts there too.
pub fn load_template(source: &Arc<Source>) -> Result<Node, TemplateError> {
    let mut node = load(source)?;
    truth_words(&mut node);
    Ok(node)
}

fn truth_words(node: &mut Node) {
    match &mut node.kind {
        Kind::Scalar(scalar) if scalar.plain => {
            let truth = match scalar.text.as_str() {
                "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "True" | "TRUE" => "true",
                "no" | "No" | "NO" | "off" | "Off" | "OFF" | "False" | "FALSE" => "false",
                _ => return,
            };
            truth.clone_into(&mut scalar.text);
        }
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter_mut().for_each(truth_words),
        Kind::Map(map) => map.entries_mut().iter_mut().for_each(|entry| truth_words(&mut entry.value)),
    }
}

struct Loader<'s> {
    source: &'s Arc<Source>,
    parser: Parser<'s, saphyr_parser::StrInput<'s>>,
    /// Where each character starts, if some are longer than a byte: the parser counts characters.
    bytes: Option<Vec<usize>>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'s> Loader<'s> {
    fn new(source: &'s Arc<Source>) -> Self {
        let text = &source.text;
        let ends = || text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let bytes = (!text.is_ascii()).then(ends);
        Self { source, parser: Parser::new_from_str(text), bytes, anchors: HashMap::new(), nodes: 0 }
    }

    fn document(&mut self) -> Result<Node, TemplateError> {
        let mut document = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                event if document.is_none() => document = Some(self.node(event, span, 0)?.0),
                _ => return Err(TemplateError::new(&span, "a second document begins here; one is expected")),
            }
        }
        document.ok_or_else(|| TemplateError::new(&self.place(0, 0), "the file is empty"))
    }

    /// The next event.
    fn next(&mut self) -> Result<(Event<'s>, Span), TemplateError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let span = self.place(self.byte(span.start), self.byte(span.end));
                Ok((event, span))
            }
            Some(Err(error)) => {
                let at = self.byte(*error.marker());
                Err(TemplateError::new(&self.place(at, at), error.info()))
            }
            None => Ok((Event::StreamEnd, self.place(self.source.text.len(), self.source.text.len()))),
        }
    }

    /// The node that begins with this event, and how many nodes it is.
    fn node(&mut self, event: Event<'s>, span: Span, depth: usize) -> Result<(Node, usize), TemplateError> {
        if depth > DEPTH_MAX {
            return Err(TemplateError::new(&span, format!("more than {DEPTH_MAX} levels are nested")));
        }
        self.count(1, &span)?;
        let (anchor, tag, mut node, size) = match event {
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id).cloned() else {
                    return Err(TemplateError::new(&span, "this alias stands inside of what it names"));
                };
                self.count(size, &span)?;
                return Ok((node, size));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                (anchor, tag, Node { span, kind: Kind::Scalar(scalar) }, 1)
            }
            Event::SequenceStart(anchor, tag) => {
                let (node, size) = self.list(span, depth)?;
                (anchor, tag, node, size)
            }
            Event::MappingStart(anchor, tag) => {
                let (node, size) = self.map(span, depth)?;
                (anchor, tag, node, size)
            }
            _ => return Err(TemplateError::new(&span, "a value is expected here")),
        };
        if let Some(tag) = tag {
            node = tagged(&tag, node)?;
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok((node, size))
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<(Node, usize), TemplateError> {
        let (mut items, mut size): (Vec<Node>, usize) = (Vec::new(), 1);
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok((
                    Node { span: through(start, items.last().map(|item| &item.span), &span), kind: Kind::List(items) },
                    size,
                ));
            }
            let (item, nodes) = self.node(event, span, depth + 1)?;
            items.push(item);
            size += nodes;
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<(Node, usize), TemplateError> {
        let (mut map, mut merged, mut size) = (Map::default(), Vec::new(), 1);
        let mut last = None;
        let mut keys = HashSet::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break self
                    .merge(&mut map, merged)
                    .map(|()| (Node { span: through(start, last.as_ref(), &span), kind: Kind::Map(map) }, size));
            }
            let (key, nodes) = self.node(event, span, depth + 1)?;
            let Some(scalar) = key.as_scalar() else {
                return Err(key.unexpected("a key", "a text"));
            };
            let (event, span) = self.next()?;
            let (value, more) = self.node(event, span, depth + 1)?;
            size += nodes + more;
            last = Some(value.span.clone());
            if scalar.plain && scalar.text == "<<" {
                merged.push(value);
            } else if !keys.insert(scalar.text.clone()) {
                return Err(TemplateError::new(&key.span, format!("{} stands here a second time", scalar.text)));
            } else {
                map.push(&scalar.text, &key.span, value);
            }
        }
    }

    /// YAML 1.1's merge key: what the map itself says wins.
    fn merge(&mut self, map: &mut Map, merged: Vec<Node>) -> Result<(), TemplateError> {
        let mut keys: HashSet<String> = HashSet::new();
        if !merged.is_empty() {
            keys.extend(map.iter().map(|(key, _)| key.to_owned()));
        }
        for node in merged {
            let from = match node.kind {
                Kind::List(items) => items,
                kind => vec![Node { span: node.span, kind }],
            };
            for node in from {
                for entry in node.expect_map("what << merges")?.entries() {
                    self.count(1, &entry.key_span)?;
                    if keys.insert(entry.key.clone()) {
                        map.push(&entry.key, &entry.key_span, entry.value.clone());
                    }
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, span: &Span) -> Result<(), TemplateError> {
        self.nodes += nodes;
        if self.nodes > NODES_MAX {
            return Err(TemplateError::new(
                span,
                format!("with its aliases the file has more than {NODES_MAX} values"),
            ));
        }
        Ok(())
    }

    fn byte(&self, marker: Marker) -> usize {
        let text = self.source.text.len();
        match &self.bytes {
            Some(bytes) => bytes.get(marker.index()).copied().unwrap_or(text),
            None => marker.index().min(text),
        }
    }

    fn place(&self, start: usize, end: usize) -> Span {
        Span { source: Arc::clone(self.source), start, end }
    }
}

/// From the start of a collection to its end. A block's end event stands behind white space: then its last node ends it.
fn through(mut start: Span, last: Option<&Span>, end: &Span) -> Span {
    let closed = matches!(end.text(), "]" | "}");
    start.end = if closed { end.end } else { last.map_or(end.end, |last| last.end) };
    start.end = start.end.max(start.start);
    start
}

/// What a tag makes of a node.
fn tagged(tag: &Tag, node: Node) -> Result<Node, TemplateError> {
    let name = tag.suffix.as_str();
    if tag.is_yaml_core_schema() {
        return match (name, node.kind) {
            ("str", Kind::Scalar(scalar)) => Ok(Node::string(&node.span, scalar.text)),
            (_, kind) => Ok(Node { span: node.span, kind }),
        };
    }
    let span = node.span.clone();
    let known = tag.handle == "!" && (name == "Ref" || name == "Condition" || FUNCTIONS.contains(&name));
    if !known {
        let message = format!("the tag {tag} is not known");
        return Err(TemplateError::new(&span, message).hint("CloudFormation's are !Ref, !GetAtt, !Sub and the like"));
    }
    if name == "Ref" || name == "Condition" {
        return Ok(Node::map(&span, [(name, node)]));
    }
    let argument = match (name, node.as_str().and_then(|text| text.split_once('.'))) {
        ("GetAtt", Some((resource, attribute))) => {
            Node::list(&span, vec![Node::string(&span, resource), Node::string(&span, attribute)])
        }
        _ => node,
    };
    Ok(Node::map(&span, [(format!("Fn::{name}").as_str(), argument)]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(text: &str) -> Result<Node, TemplateError> {
        load(&Source::new("t.yml", text))
    }

    #[track_caller]
    fn check(text: &str, expected: Value) {
        assert_eq!(read(text).map(|node| node.to_json()), Ok(expected));
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(read(text).map(|node| node.to_json()).map_err(|error| error.to_string()), Err(expected.to_owned()));
    }

    #[test]
    fn scalars_are_what_they_look_like_and_no_more() {
        check("[1, -2.5, true, null, ~, x, '1', \"true\"]", json!([1, -2.5, true, null, null, "x", "1", "true"]));
        check(
            "[012345678901, 2012-10-17, yes, 0x10, 1_000]",
            json!(["012345678901", "2012-10-17", "yes", "0x10", "1_000"]),
        );
        check(
            "[123456789012, 123456789012345678901234567890]",
            json!([123_456_789_012_u64, "123456789012345678901234567890"]),
        );
    }

    #[test]
    fn truth_words_are_truth_values_in_templates_alone() {
        let text = "[yes, NO, On, off, True, y, n, 'yes', yesterday]";
        check(text, json!(["yes", "NO", "On", "off", true, "y", "n", "yes", "yesterday"]));
        let template = load_template(&Source::new("t.yml", text)).map(|node| node.to_json());
        assert_eq!(template, Ok(json!([true, false, true, false, true, "y", "n", "yes", "yesterday"])));
    }

    #[test]
    fn short_tags_become_long() {
        check("!Ref A", json!({"Ref": "A"}));
        check("!GetAtt A.B.C", json!({"Fn::GetAtt": ["A", "B.C"]}));
        check("!Join ['', [!Ref A, !Sub '${B}']]", json!({"Fn::Join": ["", [{"Ref": "A"}, {"Fn::Sub": "${B}"}]]}));
        check_error(
            "a: !Reff B",
            "t.yml:1:4: the tag !Reff is not known (CloudFormation's are !Ref, !GetAtt, !Sub and the like)",
        );
    }

    #[test]
    fn anchors_and_merge_keys_are_resolved() {
        check(
            "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\nc: *x",
            json!({
                "a": {"p": 1, "q": 2}, "b": {"q": 3, "p": 1}, "c": {"p": 1, "q": 2}
            }),
        );
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let alias = format!("*a{}", level - 1);
            let line = format!("a{level}: &a{level} [{}]\n", vec![alias; 10].join(", "));
            text.push_str(&line);
        }
        let error = read(&text).expect_err("a billion laughs").to_string();
        assert!(error.contains("with its aliases the file has more than"), "{error}");
    }

    #[test]
    fn deep_nesting_is_refused() {
        let error = read(&"[".repeat(5_000)).expect_err("too deep").to_string();
        assert!(error.contains("levels are nested") || error.contains("recursion"), "{error}");
    }

    #[test]
    fn json_is_read_as_json_and_flow_style_as_yaml() {
        let read = |path: &str, text: &str| {
            load(&Source::new(path, text)).map(|node| node.to_json()).map_err(|error| error.to_string())
        };
        assert_eq!(read("t.template", "\n{\t\"a\": \"\\/\"}"), Ok(json!({"a": "/"})));
        assert_eq!(read("t.yml", "{a: !Ref B}"), Ok(json!({"a": {"Ref": "B"}})));
        let error = read("t.template", "{\"a\": 1,\n\"b\" 2}").expect_err("a colon is missing");
        assert_eq!(error, "t.template:2:5: a colon is expected here, not '2'");
        assert_eq!(read("t.json", "a: 1").expect_err("YAML"), "t.json:1:1: a value is expected here, not 'a'");
    }

    #[test]
    fn a_key_stands_once() {
        check_error("a: 1\nb: 2\na: 3", "t.yml:3:1: a stands here a second time");
    }

    #[test]
    fn places_are_lines_and_columns_in_characters() {
        let node = read("ä: {ö: 1,\n  Ü: x}").expect("YAML");
        let place = node.at(&["ä", "Ü"]).expect("it is there").span.clone();
        assert_eq!((place.to_string().as_str(), place.text()), ("t.yml:2:6", "x"));
    }
}
