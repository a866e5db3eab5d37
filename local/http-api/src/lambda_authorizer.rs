//! Authorizers that are functions: what they are sent, and whom their answer lets in.
//!
//! Answers are not kept: a function is asked at every request, whatever time to live is configured.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html>.

#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use world::TraceId;

use crate::authorize::{Admitted, Identity, value_of};
use crate::event::{Asked, of_http1, of_http2, of_rest};
use crate::gateway::Met;
use crate::outside::{FunctionCall, FunctionFailure};
use crate::policy::{Verdict, verdict};
use crate::refusal::{Cause, Refusal};
use crate::request::HttpRequest;
use crate::room::HttpApis;
use crate::served::{FunctionGuard, GuardFormat};

/// AWS's for authorizers of HTTP APIs; REST APIs wait as long as for any function.
const TIME_MAX: Duration = Duration::from_secs(10);
/// What a function throws to have its caller told 401.
const UNAUTHORIZED: &str = "Unauthorized";

/// What an authorizer's function answers.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    is_authorized: Option<bool>,
    principal_id: Option<String>,
    policy_document: Option<Value>,
    context: Option<Map<String, Value>>,
}

impl HttpApis {
    pub(crate) async fn by_function(
        &self,
        guard: &FunctionGuard,
        met: &Met,
        request: &HttpRequest,
        trace: &TraceId,
    ) -> Result<Admitted, Refusal> {
        let refused = |cause: Cause, why: String| Refusal::new(cause, format!("authorizer {}: {why}", guard.name));
        let mut values = Vec::new();
        for source in &guard.sources {
            let value = value_of(source, met, request);
            values.push(value.ok_or_else(|| refused(Cause::Unauthorized, format!("there is nothing in {source}")))?);
        }
        let method_arn = self.method_arn(met, request);
        let event = self.authorizer_event(guard, met, request, &values, &method_arn);
        let call = FunctionCall {
            function_arn: met.function_arn(&guard.uri).map_err(|why| refused(Cause::AuthorizerFailed, why))?,
            source_arn: (!guard.as_account).then(|| self.arn(&format!("{}/authorizers/{}", met.api_id, guard.id))),
            event: Bytes::from(Value::Object(event).to_string()),
            trace: trace.clone(),
            request_id: self.world.random.uuid(),
        };
        let answered = tokio::time::timeout(TIME_MAX, self.functions.call(call)).await;
        let payload = match answered {
            Ok(Ok(payload)) => payload,
            Ok(Err(FunctionFailure::Failed(message))) if message == UNAUTHORIZED => {
                return Err(refused(Cause::Unauthorized, "its function says Unauthorized".into()));
            }
            Ok(Err(FunctionFailure::Failed(message))) => {
                return Err(refused(Cause::AuthorizerFailed, format!("its function failed: {message}")));
            }
            Ok(Err(FunctionFailure::Throttled(why) | FunctionFailure::NotCalled(why))) => {
                return Err(refused(Cause::AuthorizerFailed, why));
            }
            Err(_) => {
                let why = format!("its function took longer than {} s", TIME_MAX.as_secs());
                return Err(refused(Cause::AuthorizerFailed, why));
            }
        };
        let answer: Answer = serde_json::from_slice(&payload)
            .map_err(|error| refused(Cause::AuthorizerFailed, format!("its function's answer is none: {error}")))?;
        judge(guard.format, answer, &method_arn).map_err(|(cause, why)| refused(cause, why))
    }

    fn authorizer_event(
        &self,
        guard: &FunctionGuard,
        met: &Met,
        request: &HttpRequest,
        values: &[String],
        method_arn: &str,
    ) -> Map<String, Value> {
        let asked = Asked { met, request, identity: &Identity::Nobody, account: &self.world.place.account };
        let more = match guard.format {
            GuardFormat::Http2 | GuardFormat::Http2Simple => {
                json!({"type": "REQUEST", "routeArn": method_arn, "identitySource": values})
            }
            GuardFormat::Http1 => json!({
                "type": "REQUEST", "methodArn": method_arn, "identitySource": values.join(","),
                "authorizationToken": values.join(","),
            }),
            GuardFormat::RestRequest => json!({"type": "REQUEST", "methodArn": method_arn}),
            GuardFormat::RestToken => json!({
                "type": "TOKEN", "methodArn": method_arn,
                "authorizationToken": values.first().cloned().unwrap_or_default(),
            }),
        };
        let mut event = match guard.format {
            GuardFormat::Http2 | GuardFormat::Http2Simple => of_http2(asked),
            GuardFormat::Http1 => of_http1(asked),
            GuardFormat::RestRequest => of_rest(asked),
            GuardFormat::RestToken => Map::new(),
        };
        event.remove("body");
        event.remove("isBase64Encoded");
        if let Value::Object(more) = more {
            event.extend(more);
        }
        event
    }
}

fn judge(format: GuardFormat, answer: Answer, method_arn: &str) -> Result<Admitted, (Cause, String)> {
    let context = answer.context.unwrap_or_default();
    let is_rest = matches!(format, GuardFormat::RestToken | GuardFormat::RestRequest);
    if format == GuardFormat::Http2Simple {
        return match answer.is_authorized {
            Some(true) => Ok(Admitted::as_whom(Identity::Context { principal: None, context })),
            Some(false) => Err((Cause::AccessDenied, "its function says isAuthorized: false".into())),
            None => Err((Cause::AuthorizerFailed, "its function's answer has no isAuthorized".into())),
        };
    }
    let Some(policy) = answer.policy_document else {
        return Err((Cause::AuthorizerFailed, "its function's answer has no policyDocument".into()));
    };
    if is_rest && answer.principal_id.is_none() {
        return Err((Cause::AuthorizerFailed, "its function's answer has no principalId".into()));
    }
    match verdict(&policy, method_arn) {
        Verdict::Allowed => {
            // A REST API hands every value on as a text.
            let text = |value: Value| if is_rest && !value.is_string() { value.to_string().into() } else { value };
            let context = context.into_iter().map(|(name, value)| (name, text(value))).collect();
            Ok(Admitted::as_whom(Identity::Context { principal: answer.principal_id, context }))
        }
        Verdict::NotAllowed => Err((Cause::AccessDenied, format!("its policy does not allow {method_arn}"))),
        Verdict::Denied => Err((Cause::ExplicitlyDenied, format!("its policy denies {method_arn}"))),
    }
}
