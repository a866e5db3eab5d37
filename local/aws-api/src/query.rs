//! The query protocol: forms in, XML out. STS knows no other; SDKs of before 2023 speak it to SQS.
//!
//! A service whose operations take and give JSON speaks it too if it has a table of shapes ([`QueryApi`]): forms
//! are read as JSON input, and JSON answers are written as XML. The table says only what a form and XML cannot say
//! of themselves: what a list or map is called on the wire, and what is a number. Lists and maps are flattened
//! (`AttributeName.1=…`, `Attribute.1.Name=…`), which is how SQS has them.
//!
//! Source: the Smithy definition of the protocol (`smithy.io/2.0/aws/protocols/aws-query-protocol.html`).

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use crate::router::{content_type, read_pairs};
use crate::{ApiError, Reply};

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// What the JSON protocol tells older SDKs; here it is the error itself: `Code;Sender`.
pub(crate) const QUERY_ERROR: &str = "x-amzn-query-error";

/// How a service speaks the query protocol.
#[derive(Debug)]
pub struct QueryApi {
    /// What `Version` says in requests: it tells the services apart.
    pub version: &'static str,
    /// The namespace of answers.
    pub namespace: &'static str,
    /// The member that is the request's own address if it is not given, as in `POST /ACCOUNT/QUEUE`.
    pub address_member: Option<&'static str>,
    /// Operations that are not here take no input but texts, and have no output.
    pub operations: &'static [QueryOperation],
}

/// The shapes of one operation.
#[derive(Debug)]
pub struct QueryOperation {
    /// AWS's name for it.
    pub name: &'static str,
    /// What it takes.
    pub input: &'static [Member],
    /// What it gives, in the order of the XML.
    pub output: &'static [Member],
}

/// A member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// In JSON.
    pub name: &'static str,
    /// In forms and XML; of a list or map, what each entry is called.
    pub wire: &'static str,
    /// What it is.
    pub shape: Shape,
}

/// What a member is.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A text, or bytes in base 64, which JSON has as a text too.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A flattened list.
    List(&'static Shape),
    /// A flattened map: what key and value are called, and what a value is.
    Map(&'static str, &'static str, &'static Shape),
    /// Members.
    Structure(&'static [Member]),
}

/// A request of the query protocol.
#[derive(Debug)]
pub(crate) struct Form {
    pub action: String,
    pub version: Option<String>,
    members: BTreeMap<String, String>,
    /// Where the request was sent, without a query string.
    address: Option<String>,
}

impl Member {
    /// A text of the same name everywhere.
    pub const fn text(name: &'static str) -> Self {
        Self { name, wire: name, shape: Shape::Text }
    }

    /// A number of the same name everywhere.
    pub const fn number(name: &'static str) -> Self {
        Self { name, wire: name, shape: Shape::Number }
    }

    /// A list or map, whose entries have a name of their own.
    pub const fn entries(name: &'static str, wire: &'static str, shape: Shape) -> Self {
        Self { name, wire, shape }
    }
}

impl Form {
    /// The form in a request, if it names an action.
    pub fn read(parts: &Parts, body: &[u8]) -> Option<Self> {
        let mut members: BTreeMap<String, String> = parts.uri.query().map(read_pairs).into_iter().flatten().collect();
        if content_type(&parts.headers) == Some(FORM) {
            members.extend(read_pairs(&String::from_utf8_lossy(body)));
        }
        let action = members.remove("Action")?;
        let version = members.remove("Version");
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let path = parts.uri.path();
        let address = host.filter(|_| path.len() > 1).map(|host| format!("http://{host}{path}"));
        Some(Self { action, version, members, address })
    }

    /// The JSON input that the form stands for.
    pub fn input(&self, api: &QueryApi) -> Bytes {
        let mut input = self.structure("", api.operation(&self.action).map_or(&[], |operation| operation.input));
        if let (Some(member), Some(address)) = (api.address_member, &self.address) {
            input.entry(member).or_insert_with(|| address.clone().into());
        }
        Value::Object(input).to_string().into()
    }

    fn structure(&self, prefix: &str, members: &[Member]) -> Map<String, Value> {
        let read = |member: &Member| {
            let value = self.value(&format!("{prefix}{}", member.wire), &member.shape)?;
            Some((member.name.to_owned(), value))
        };
        members.iter().filter_map(read).collect()
    }

    fn value(&self, at: &str, shape: &Shape) -> Option<Value> {
        let text = || self.members.get(at).cloned();
        match shape {
            Shape::Text => Some(text()?.into()),
            // What is no number stays a text, and is refused with the operation's input.
            Shape::Number => text().map(|text| text.parse::<i64>().map_or(Value::String(text), Value::from)),
            Shape::Flag => text().map(|text| text.parse::<bool>().map_or(Value::String(text), Value::from)),
            Shape::List(element) => {
                let values: Vec<Value> =
                    self.numbers(at).into_iter().filter_map(|n| self.value(&format!("{at}.{n}"), element)).collect();
                (!values.is_empty()).then_some(Value::Array(values))
            }
            Shape::Map(key, value, element) => {
                let entry = |n| {
                    let key = self.members.get(&format!("{at}.{n}.{key}"))?.clone();
                    Some((key, self.value(&format!("{at}.{n}.{value}"), element)?))
                };
                let values: Map<String, Value> = self.numbers(at).into_iter().filter_map(entry).collect();
                (!values.is_empty()).then_some(Value::Object(values))
            }
            Shape::Structure(members) => {
                let values = self.structure(&format!("{at}."), members);
                (!values.is_empty()).then_some(Value::Object(values))
            }
        }
    }

    /// The numbers of a list's or map's entries, in order.
    fn numbers(&self, at: &str) -> BTreeSet<u32> {
        let prefix = format!("{at}.");
        let from_here = self.members.range(prefix.clone()..);
        let behind = from_here.map_while(|(name, _)| name.strip_prefix(&prefix));
        behind.filter_map(|rest| rest.split('.').next()?.parse().ok()).collect()
    }
}

impl QueryApi {
    fn operation(&self, name: &str) -> Option<&'static QueryOperation> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// Whether the service has shapes for an operation of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.operation(name).is_some()
    }

    /// The XML of an answer that the operation gave as JSON.
    pub(crate) fn answer(&self, operation: &str, reply: &Reply, request_id: &str) -> Response<Body> {
        let output = self.operation(operation).map_or(&[][..], |operation| operation.output);
        let body = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        let (response, result) = (format!("{operation}Response"), format!("{operation}Result"));
        let mut xml = Xml::new();
        xml.root(&response, self.namespace);
        if !output.is_empty() {
            xml.open(&result);
            xml.members(output, &body);
            xml.close(&result);
        }
        xml.open("ResponseMetadata");
        xml.text("RequestId", request_id);
        xml.close("ResponseMetadata");
        xml.close(&response);
        respond(reply.status, request_id, xml.0)
    }
}

/// The XML of an error; `namespace` is that of the service, if it was found.
pub(crate) fn answer_error(namespace: &str, error: &ApiError, request_id: &str) -> Response<Body> {
    let told = error.headers.iter().find(|(name, _)| *name == QUERY_ERROR).and_then(|(_, told)| told.split_once(';'));
    let fault = if error.status.is_server_error() { "Receiver" } else { "Sender" };
    let (code, fault) = told.unwrap_or_else(|| match error.short_code() {
        "UnknownOperationException" => ("InvalidAction", fault),
        ApiError::SERIALIZATION => ("MalformedInput", fault),
        code => (code, fault),
    });
    let mut xml = Xml::new();
    xml.root("ErrorResponse", namespace);
    xml.open("Error");
    for (name, text) in [("Type", fault), ("Code", code), ("Message", &error.message)] {
        xml.text(name, text);
    }
    xml.0.push_str("<Detail/>");
    xml.close("Error");
    xml.text("RequestId", request_id);
    xml.close("ErrorResponse");
    respond(error.status, request_id, xml.0)
}

/// Whether a request says of itself that it is a form.
pub(crate) fn is_form(parts: &Parts) -> bool {
    content_type(&parts.headers) == Some(FORM)
}

fn respond(status: StatusCode, request_id: &str, xml: String) -> Response<Body> {
    let mut response = Response::new(Body::from(xml));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// XML in the making.
struct Xml(String);

impl Xml {
    fn new() -> Self {
        Self("<?xml version=\"1.0\"?>".into())
    }

    fn root(&mut self, name: &str, namespace: &str) {
        self.0.extend(["<", name, " xmlns=\"", namespace, "\">"]);
    }

    fn open(&mut self, name: &str) {
        self.0.extend(["<", name, ">"]);
    }

    fn close(&mut self, name: &str) {
        self.0.extend(["</", name, ">"]);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.open(name);
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\r' => self.0.push_str("&#xD;"), // else a parser reads it as a line feed
                other => self.0.push(other),
            }
        }
        self.close(name);
    }

    fn members(&mut self, members: &[Member], value: &Value) {
        for member in members {
            if let Some(value) = value.get(member.name).filter(|value| !value.is_null()) {
                self.value(member.wire, &member.shape, value);
            }
        }
    }

    fn value(&mut self, name: &str, shape: &Shape, value: &Value) {
        match shape {
            Shape::Text | Shape::Number | Shape::Flag => match value {
                Value::String(text) => self.text(name, text),
                other => self.text(name, &other.to_string()),
            },
            Shape::List(element) => {
                value.as_array().into_iter().flatten().for_each(|value| self.value(name, element, value));
            }
            Shape::Map(key_name, value_name, element) => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    self.open(name);
                    self.text(key_name, key);
                    self.value(value_name, element, value);
                    self.close(name);
                }
            }
            Shape::Structure(members) => {
                self.open(name);
                self.members(members, value);
                self.close(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const VALUE: Shape = Shape::Structure(&[Member::text("StringValue"), Member::text("DataType")]);
    const ENTRY: Shape = Shape::Structure(&[
        Member::text("Id"),
        Member::number("DelaySeconds"),
        Member::entries("MessageAttributes", "MessageAttribute", Shape::Map("Name", "Value", &VALUE)),
    ]);
    const API: QueryApi = QueryApi {
        version: "2012-11-05",
        namespace: "http://queue.example/",
        address_member: Some("QueueUrl"),
        operations: &[QueryOperation {
            name: "Send",
            input: &[
                Member::text("QueueUrl"),
                Member::entries("Names", "Name", Shape::List(&Shape::Text)),
                Member::entries("Attributes", "Attribute", Shape::Map("Name", "Value", &Shape::Text)),
                Member::entries("Entries", "Entry", Shape::List(&ENTRY)),
            ],
            output: &[
                Member::entries("Successful", "ResultEntry", Shape::List(&ENTRY)),
                Member::number("Count"),
                Member::entries("Attributes", "Attribute", Shape::Map("Name", "Value", &Shape::Text)),
            ],
        }],
    };

    fn form(uri: &str, body: &str) -> Form {
        let request = Request::post(uri).header("content-type", format!("{FORM}; charset=utf-8"));
        let request = request.header("host", "127.0.0.1:4566").body(()).expect("a request");
        Form::read(&request.into_parts().0, body.as_bytes()).expect("a form")
    }

    #[track_caller]
    fn reads(uri: &str, body: &str, expected: &Value) {
        let input: Value = serde_json::from_slice(&form(uri, body).input(&API)).expect("JSON");
        assert_eq!(&input, expected);
    }

    #[test]
    fn reads_flattened_lists_and_maps_in_the_order_of_their_numbers() {
        reads(
            "/",
            "Action=Send&Version=2012-11-05&Name.10=j&Name.2=b&Name.1=a+b&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5",
            &json!({"Names": ["a b", "b", "j"], "Attributes": {"DelaySeconds": "5"}}),
        );
    }

    #[test]
    fn reads_entries_with_maps_of_structures() {
        let body = "Action=Send&Entry.1.Id=one&Entry.1.DelaySeconds=7&Entry.1.MessageAttribute.1.Name=Foo\
                    &Entry.1.MessageAttribute.1.Value.DataType=String&Entry.1.MessageAttribute.1.Value.StringValue=%C3%BC\
                    &Entry.2.Id=two&Entry.2.DelaySeconds=soon";
        let first = json!({"Id": "one", "DelaySeconds": 7,
            "MessageAttributes": {"Foo": {"DataType": "String", "StringValue": "ü"}}});
        reads("/", body, &json!({"Entries": [first, {"Id": "two", "DelaySeconds": "soon"}]}));
    }

    #[test]
    fn the_address_stands_for_the_member_that_is_not_given() {
        let url = "http://127.0.0.1:4566/000000000000/orders";
        reads("/000000000000/orders", "Action=Send", &json!({ "QueueUrl": url }));
        reads("/000000000000/orders?Action=Send&QueueUrl=other", "", &json!({ "QueueUrl": "other" }));
    }

    async fn text(response: Response<Body>) -> String {
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        String::from_utf8(body.to_vec()).expect("text")
    }

    #[tokio::test]
    async fn writes_answers() {
        let body = json!({"Successful": [{"Id": "a<b"}, {"Id": "c\r\n"}], "Count": 3, "Attributes": {"A": "&"}});
        let reply = Reply::json(&body).expect("JSON");
        assert_eq!(
            text(API.answer("Send", &reply, "r-1")).await,
            "<?xml version=\"1.0\"?><SendResponse xmlns=\"http://queue.example/\"><SendResult>\
             <ResultEntry><Id>a&lt;b</Id></ResultEntry><ResultEntry><Id>c&#xD;\n</Id></ResultEntry><Count>3</Count>\
             <Attribute><Name>A</Name><Value>&amp;</Value></Attribute></SendResult>\
             <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></SendResponse>"
        );
    }

    #[tokio::test]
    async fn writes_errors_under_their_older_code() {
        let error = ApiError::new("com.amazonaws.sqs#QueueDoesNotExist", "Not there.")
            .header(QUERY_ERROR, "AWS.SimpleQueueService.NonExistentQueue;Sender");
        assert_eq!(
            text(answer_error(API.namespace, &error, "r-1")).await,
            "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"http://queue.example/\"><Error><Type>Sender</Type>\
             <Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>Not there.</Message><Detail/></Error>\
             <RequestId>r-1</RequestId></ErrorResponse>"
        );
    }

    proptest! {
        #[test]
        fn any_form_is_read(body in "([A-Za-z.0-9=&%+]|Entry\\.|Attribute\\.|Name|Value|Action=Send&){0,60}") {
            let request = Request::post("/").header("content-type", FORM).body(()).expect("a request");
            if let Some(form) = Form::read(&request.into_parts().0, body.as_bytes()) {
                prop_assert!(serde_json::from_slice::<Value>(&form.input(&API)).is_ok());
            }
        }
    }
}
