//! What an operation gets and gives.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use world::TraceId;

use crate::ApiError;

/// One request, after routing: everything that an operation may want to know beside its input.
#[derive(Debug)]
pub struct Call {
    /// The operation's name.
    pub operation: String,
    /// Ours; also in the answer's `x-amzn-RequestId`.
    pub request_id: String,
    /// The trace that the caller is part of, or a new one.
    pub trace: TraceId,
    /// The headers, names in lower case.
    pub headers: HeaderMap,
    /// Of a REST operation: the `{Names}` in its path, decoded.
    pub path: HashMap<String, String>,
    /// Of a REST operation: the query string, decoded.
    pub query: HashMap<String, String>,
    /// The body as it came.
    pub body: Bytes,
    /// Whom the call turned out to be about; see [`Call::about`].
    about: Mutex<Vec<String>>,
    told: AtomicBool,
}

impl Call {
    /// A call made by the local cloud itself (a stack's resources, a test): no headers, a JSON body.
    pub fn internal(operation: &str, input: &Value, trace: TraceId, request_id: String) -> Self {
        Self {
            operation: operation.into(),
            request_id,
            trace,
            headers: HeaderMap::new(),
            path: HashMap::new(),
            query: HashMap::new(),
            body: Bytes::from(input.to_string()),
            about: Mutex::default(),
            told: AtomicBool::new(false),
        }
    }

    pub(crate) fn new(
        operation: &str,
        request_id: String,
        trace: TraceId,
        parts: (HeaderMap, HashMap<String, String>, HashMap<String, String>),
        body: Bytes,
    ) -> Self {
        let (headers, path, query) = parts;
        Self {
            operation: operation.into(),
            request_id,
            trace,
            headers,
            path,
            query,
            body,
            about: Mutex::default(),
            told: AtomicBool::new(false),
        }
    }

    /// The body as the operation's input. An empty body counts as `{}`; members of a REST operation's path
    /// and query join those of its body. A null member counts as one that is not there, at any depth, as AWS has it:
    /// browsers send `"UserAttributes": null`.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let refused = |error: serde_json::Error| ApiError::serialization(without_position(&error.to_string()));
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        // serde would read a list as a structure's members in their order; AWS does not.
        let is_object = body.trim_ascii_start().first() == Some(&b'{');
        if self.path.is_empty() && self.query.is_empty() && is_object {
            match serde_json::from_slice(body) {
                Err(error) if error.is_data() && error.to_string().contains("null") => {} // rare: look again below
                result => return result.map_err(refused),
            }
        }
        let mut members: Map<String, Value> = serde_json::from_slice(body).map_err(refused)?;
        for (name, value) in self.query.iter().chain(&self.path) {
            members.insert(name.clone(), Value::String(value.clone()));
        }
        let mut input = Value::Object(members);
        drop_nulls(&mut input);
        serde_json::from_value(input).map_err(refused)
    }

    /// A header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Notes whom the call is about (sub, user name, e-mail address), so that the timeline can tell their story.
    pub fn about(&self, whom: impl IntoIterator<Item = impl Into<String>>) {
        self.about.lock().expect("no holder panics").extend(whom.into_iter().map(Into::into));
    }

    /// Whom the call is about, as far as it has said so ([`Call::about`]).
    pub fn whom(&self) -> Vec<String> {
        self.about.lock().expect("no holder panics").clone()
    }

    /// The room has put this call into the timeline in words of its own; the router need not.
    pub fn told(&self) {
        self.told.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }

    pub(crate) fn take_about(&self) -> Vec<String> {
        std::mem::take(&mut *self.about.lock().expect("no holder panics"))
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// "… at line 1 column 7" tells of our parser, not of the caller's mistake. Nor is a text repeated that stands where
/// none may: who sends `AuthParameters` as a text sends a password in it, and messages go into logs.
fn without_position(message: &str) -> String {
    let text = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    let parts = [("string \"", "string, expected "), ("character `", "character, expected ")];
    for (quoted, rest) in parts {
        // What is expected is serde's last word, whatever the text has in it.
        if let (Some((before, _)), Some((_, expected))) = (text.split_once(quoted), text.rsplit_once(", expected ")) {
            return format!("{before}{rest}{expected}");
        }
    }
    text.to_owned()
}

/// An answer: for most operations made from a serialisable value, by hand where headers or bytes matter.
#[derive(Clone, Debug)]
pub struct Reply {
    /// 200 unless the operation says otherwise.
    pub status: StatusCode,
    /// Beside those that every answer has. A `content-type` here replaces the protocol's.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The bytes.
    pub body: Bytes,
}

impl Reply {
    /// A JSON body.
    pub fn json(value: &impl serde::Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(value).map_err(|error| {
            ApiError::internal("InternalFailure", format!("an answer could not be written: {error}"))
        })?;
        Ok(Self::bytes(StatusCode::OK, body))
    }

    /// A body as it is.
    pub fn bytes(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// With another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With a header; one whose value no header can carry is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Input {
        #[serde(default)]
        names: Vec<String>,
        #[serde(default)]
        parameters: HashMap<String, String>,
    }

    #[test]
    fn a_text_in_the_wrong_place_is_not_repeated() {
        let body = json!({"Parameters": "{\"PASSWORD\": \"hunter2, expected 2\"} at line 1"});
        let call = Call::internal("Any", &body, TraceId::from_root("1-0-0"), "request".into());
        let error = call.input::<Input>().expect_err("no map");
        assert_eq!(error.message, "invalid type: string, expected a map");
    }

    #[test]
    fn a_list_is_no_input() {
        let body = json!([["a"], {"A": "a"}]);
        let call = Call::internal("Any", &body, TraceId::from_root("1-0-0"), "request".into());
        let error = call.input::<Input>().expect_err("no map");
        assert_eq!(
            (error.short_code(), error.message.as_str()),
            (ApiError::SERIALIZATION, "invalid type: sequence, expected a map")
        );
    }

    #[test]
    fn null_counts_as_absent() {
        let body = json!({"Names": null, "Parameters": {"A": "a", "B": null}});
        let call = Call::internal("Any", &body, TraceId::from_root("1-0-0"), "request".into());
        let expected = Input { names: Vec::new(), parameters: [("A".to_owned(), "a".to_owned())].into() };
        assert_eq!(call.input::<Input>().expect("an input"), expected);
    }
}
