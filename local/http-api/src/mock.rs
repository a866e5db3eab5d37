//! `MOCK` integrations of a REST API: answers without anybody behind them, as preflight requests get.
//!
//! Of mapping templates no more is read than what preflight answers have: a request template that names a status
//! (`{"statusCode": 200}`), and response templates that are plain text. The language of templates is not spoken here.

use std::collections::BTreeMap;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::request::HttpAnswer;

const JSON: &str = "application/json";
const HEADER: &str = "method.response.header.";

/// A mock, as it is served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mock {
    /// By media type.
    pub request_templates: BTreeMap<String, String>,
    /// By status.
    pub responses: BTreeMap<String, MockResponse>,
}

/// An integration response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MockResponse {
    pub status_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_pattern: Option<String>,
    /// `method.response.header.{Name}` to `'text'`.
    pub response_parameters: BTreeMap<String, String>,
    /// By media type.
    pub response_templates: BTreeMap<String, String>,
}

impl Mock {
    /// The answer, or why there is none.
    pub fn answer(&self) -> Result<HttpAnswer, String> {
        let template = self.request_templates.get(JSON).or_else(|| self.request_templates.values().next());
        let status = status_in(template.ok_or("it has no request template that names a status")?);
        let status = status.ok_or("its request template names no status")?;
        let is_default = |response: &&MockResponse| response.selection_pattern.as_deref().unwrap_or("").is_empty();
        let selected = self.responses.values().find(|response| response.selection_pattern.as_deref() == Some(&status));
        let selected = selected.or_else(|| self.responses.values().find(is_default));
        let response = selected.ok_or_else(|| format!("no integration response is for the status {status}"))?;
        let status = response.status_code.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.ok_or_else(|| format!("{} is no HTTP status", response.status_code))?;
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(JSON))]);
        for (name, value) in &response.response_parameters {
            let Some((name, value)) = header(name, value) else { continue };
            headers.insert(name, value);
        }
        let body = response.response_templates.get(JSON).filter(|template| is_plain(template));
        Ok(HttpAnswer { status, headers, body: body.cloned().unwrap_or_default().into() })
    }

    /// What is not honoured: templates in the language of templates, and values that are no text.
    pub fn not_honoured(&self) -> Vec<String> {
        let mut list = Vec::new();
        if self.request_templates.values().any(|template| status_in(template).is_none()) {
            list.push("requestTemplates".to_owned());
        }
        for response in self.responses.values() {
            if !response.response_templates.values().all(|template| is_plain(template)) {
                list.push(format!("responseTemplates of {}", response.status_code));
            }
            let unread = response.response_parameters.iter().filter(|(name, value)| header(name, value).is_none());
            list.extend(unread.map(|(name, _)| name.clone()));
        }
        list
    }
}

/// A header that is set to a text.
pub fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let (_, name) = name.split_once(".header.").filter(|_| name.starts_with(HEADER) || name.starts_with("gateway"))?;
    let text = value.strip_prefix('\'')?.strip_suffix('\'')?;
    Some((HeaderName::try_from(name).ok()?, HeaderValue::from_str(text).ok()?))
}

/// Whether nothing in a template has to be worked out.
fn is_plain(template: &str) -> bool {
    !template.contains(['#', '$'])
}

/// `{"statusCode": 200}`, also without quotes, which API Gateway's parser does without.
fn status_in(template: &str) -> Option<String> {
    let plain: String = template.chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'')).collect();
    let rest = plain.strip_prefix('{')?.split("statusCode:").nth(1)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (digits.len() == 3).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mock(template: &str, parameters: &[(&str, &str)]) -> Mock {
        let parameters = parameters.iter().map(|(name, value)| (format!("{HEADER}{name}"), (*value).to_owned()));
        let response = MockResponse {
            status_code: "200".into(),
            response_parameters: parameters.collect(),
            ..MockResponse::default()
        };
        Mock {
            request_templates: BTreeMap::from([(JSON.to_owned(), template.to_owned())]),
            responses: BTreeMap::from([("200".to_owned(), response)]),
        }
    }

    #[test]
    fn a_preflight_answer_is_made() {
        for template in ["{\"statusCode\": 200}", "{statusCode:200}", "{ 'statusCode': 200 }"] {
            let answer = mock(template, &[("Access-Control-Allow-Origin", "'*'")]).answer().expect("an answer");
            assert_eq!(
                (answer.status, answer.headers["access-control-allow-origin"].as_bytes()),
                (StatusCode::OK, b"*".as_slice())
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        mock("#set($x = 1)", &[]).answer().expect_err("no status");
        assert_eq!(mock("#set($x = 1)", &[]).not_honoured(), ["requestTemplates"]);
        let from_request = mock("{statusCode:200}", &[("X", "integration.response.header.x")]);
        assert_eq!(from_request.not_honoured(), ["method.response.header.X"]);
        assert_eq!(from_request.answer().expect("an answer").headers.len(), 1);
        assert!(mock("{statusCode:200}", &[("X", "'*'")]).not_honoured().is_empty());
    }
}
