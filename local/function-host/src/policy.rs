//! A function's resource policy: who else may invoke it.
//!
//! Calls of the account itself are always let in (there is no IAM here); services are let in by a statement.

use aws_api::Arn;
use serde::{Deserialize, Serialize};

/// One permission, as `AddPermission` was given it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statement {
    pub(crate) sid: String,
    pub(crate) action: String,
    pub(crate) principal: Principal,
    pub(crate) source_arn: Option<String>,
    pub(crate) source_account: Option<String>,
    pub(crate) principal_org_id: Option<String>,
    pub(crate) event_source_token: Option<String>,
    pub(crate) function_url_auth_type: Option<String>,
    #[serde(default)]
    pub(crate) invoked_via_function_url: bool,
}

/// Who is let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Principal {
    Any,
    /// `cognito-idp.amazonaws.com`
    Service(String),
    /// An ARN of IAM.
    Aws(String),
}

impl Principal {
    /// What `AddPermission`'s `Principal` means; nothing if it means nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            Some(Self::Any)
        } else if text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") {
            Some(Self::Service(text.into()))
        } else if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Some(Self::Aws(format!("arn:aws:iam::{text}:root")))
        } else {
            text.parse::<Arn>().ok().filter(|arn| arn.service == "iam").map(|_| Self::Aws(text.into()))
        }
    }
}

impl Statement {
    /// Whether it lets `service` in, acting for `source_arn`.
    pub(crate) fn allows(&self, service: &str, source_arn: &str) -> bool {
        let action = self.is_about("lambda:InvokeFunction");
        let principal = match &self.principal {
            Principal::Any => true,
            Principal::Service(name) => name == service,
            Principal::Aws(_) => false,
        };
        let source = self.source_arn.as_deref().is_none_or(|pattern| is_like(pattern, source_arn));
        let account = self
            .source_account
            .as_deref()
            .is_none_or(|wanted| source_arn.parse::<Arn>().is_ok_and(|arn| arn.account == wanted));
        // Conditions that a service of ours can never meet.
        let unmet = self.principal_org_id.is_some() || self.event_source_token.is_some();
        let by_url = self.function_url_auth_type.is_some() || self.invoked_via_function_url;
        action && principal && source && account && !unmet && !by_url
    }

    /// Actions are compared without regard to case, as IAM does: `lambda:invokeFunction` is common.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>
    fn is_about(&self, action: &str) -> bool {
        let is = |other: &str| self.action.eq_ignore_ascii_case(other);
        is(action) || is("lambda:*") || is("*")
    }

    /// Whether it lets everybody call a function URL that needs no signature.
    pub(crate) fn opens_url(&self) -> bool {
        let action = self.is_about("lambda:InvokeFunctionUrl");
        let conditions = [&self.source_arn, &self.source_account, &self.principal_org_id, &self.event_source_token];
        action
            && self.principal == Principal::Any
            && conditions.iter().all(|condition| condition.is_none())
            && self.function_url_auth_type.as_deref().is_none_or(|auth| auth == "NONE")
    }

    /// As a policy document has it.
    pub(crate) fn document<'a>(&'a self, resource: &'a str) -> StatementDocument<'a> {
        let equals = StringEquals {
            function_url_auth_type: self.function_url_auth_type.as_deref(),
            principal_org_id: self.principal_org_id.as_deref(),
            source_account: self.source_account.as_deref(),
            event_source_token: self.event_source_token.as_deref(),
        };
        let string_equals = (equals != StringEquals::default()).then_some(equals);
        let arn_like = self.source_arn.as_deref().map(|source_arn| ArnLike { source_arn });
        let bool = self.invoked_via_function_url.then_some(BoolCondition { invoked_via_function_url: "true" });
        let conditional = string_equals.is_some() || arn_like.is_some() || bool.is_some();
        StatementDocument {
            sid: &self.sid,
            effect: "Allow",
            principal: match &self.principal {
                Principal::Any => PrincipalDocument::Any("*"),
                Principal::Service(name) => PrincipalDocument::Service { service: name },
                Principal::Aws(arn) => PrincipalDocument::Aws { aws: arn },
            },
            action: &self.action,
            resource,
            condition: conditional.then_some(ConditionDocument { string_equals, arn_like, bool }),
        }
    }
}

/// A whole policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyDocument<'a> {
    version: &'static str,
    id: &'static str,
    statement: Vec<StatementDocument<'a>>,
}

impl<'a> PolicyDocument<'a> {
    pub(crate) fn of(statements: &'a [Statement], resource: &'a str) -> Self {
        let statement = statements.iter().map(|statement| statement.document(resource)).collect();
        Self { version: "2012-10-17", id: "default", statement }
    }
}

/// One statement of a policy document. The order of its members is AWS's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StatementDocument<'a> {
    sid: &'a str,
    effect: &'static str,
    principal: PrincipalDocument<'a>,
    action: &'a str,
    resource: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<ConditionDocument<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum PrincipalDocument<'a> {
    Any(&'static str),
    Service {
        #[serde(rename = "Service")]
        service: &'a str,
    },
    Aws {
        #[serde(rename = "AWS")]
        aws: &'a str,
    },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConditionDocument<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_equals: Option<StringEquals<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn_like: Option<ArnLike<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bool: Option<BoolCondition>,
}

#[derive(Debug, Serialize)]
struct BoolCondition {
    #[serde(rename = "lambda:InvokedViaFunctionUrl")]
    invoked_via_function_url: &'static str,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct StringEquals<'a> {
    #[serde(rename = "lambda:FunctionUrlAuthType", skip_serializing_if = "Option::is_none")]
    function_url_auth_type: Option<&'a str>,
    #[serde(rename = "aws:PrincipalOrgID", skip_serializing_if = "Option::is_none")]
    principal_org_id: Option<&'a str>,
    #[serde(rename = "AWS:SourceAccount", skip_serializing_if = "Option::is_none")]
    source_account: Option<&'a str>,
    #[serde(rename = "lambda:EventSourceToken", skip_serializing_if = "Option::is_none")]
    event_source_token: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ArnLike<'a> {
    #[serde(rename = "AWS:SourceArn")]
    source_arn: &'a str,
}

/// `ArnLike`: the six parts are compared one by one, each with `*` and `?`.
fn is_like(pattern: &str, arn: &str) -> bool {
    let mut patterns = pattern.splitn(6, ':');
    let mut parts = arn.splitn(6, ':');
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if matches_wildcard(pattern.as_bytes(), part.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// `*` stands for any bytes, `?` for one. On a mismatch the last `*` takes one byte more: linear memory, and
/// at worst the product of the lengths.
fn matches_wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                last_star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, taken)) = last_star else { return false };
                last_star = Some((star, taken + 1));
                p = star + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc";

    fn statement(source_arn: Option<&str>) -> Statement {
        Statement {
            sid: "s".into(),
            action: "lambda:InvokeFunction".into(),
            principal: Principal::Service("cognito-idp.amazonaws.com".into()),
            source_arn: source_arn.map(Into::into),
            source_account: None,
            principal_org_id: None,
            event_source_token: None,
            function_url_auth_type: None,
            invoked_via_function_url: false,
        }
    }

    #[track_caller]
    fn check(source_arn: Option<&str>, expected: bool) {
        assert_eq!(statement(source_arn).allows("cognito-idp.amazonaws.com", POOL), expected, "{source_arn:?}");
    }

    #[test]
    fn the_source_decides() {
        check(None, true);
        check(Some(POOL), true);
        check(Some("arn:aws:cognito-idp:us-east-1:000000000000:userpool/*"), true);
        check(Some("arn:aws:cognito-idp:*:*:userpool/us-east-1_a?c"), true);
        check(Some("arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_other"), false);
        check(Some("arn:aws:*"), false);
        check(Some("*"), false);
    }

    #[test]
    fn the_rest_decides_too() {
        let other = Statement { principal: Principal::Service("events.amazonaws.com".into()), ..statement(None) };
        assert!(!other.allows("cognito-idp.amazonaws.com", POOL));
        let any = Statement { principal: Principal::Any, ..statement(None) };
        assert!(any.allows("cognito-idp.amazonaws.com", POOL));
        let account = Statement { source_account: Some("111111111111".into()), ..statement(None) };
        assert!(!account.allows("cognito-idp.amazonaws.com", POOL));
        let action = Statement { action: "lambda:invokeFunction".into(), ..statement(None) };
        assert!(action.allows("cognito-idp.amazonaws.com", POOL));
        let action = Statement { action: "lambda:GetFunction".into(), ..statement(None) };
        assert!(!action.allows("cognito-idp.amazonaws.com", POOL));
    }

    #[test]
    fn a_document_reads_as_aws_writes_it() {
        let text = serde_json::to_string(&statement(Some(POOL)).document("arn:f")).expect("JSON");
        let expected = format!(
            r#"{{"Sid":"s","Effect":"Allow","Principal":{{"Service":"cognito-idp.amazonaws.com"}},"Action":"lambda:InvokeFunction","Resource":"arn:f","Condition":{{"ArnLike":{{"AWS:SourceArn":"{POOL}"}}}}}}"#
        );
        assert_eq!(text, expected);
    }
}
