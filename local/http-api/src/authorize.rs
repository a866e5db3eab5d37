//! Who may pass: a route's guard, asked about a request.
//!
//! Whether a signature is right has been looked at before (see [`crate::Met::is_signed`]).

#[cfg(test)]
mod tests;

use http::HeaderMap;
use serde_json::{Map, Value};
use world::TraceId;

use crate::gateway::Met;
use crate::jwt::{Token, TokenFault, user_pool_of};
use crate::refusal::{Cause, Refusal};
use crate::request::HttpRequest;
use crate::room::HttpApis;
use crate::served::{Guard, JwtGuard, UserPoolsGuard};

/// Who asks, as functions are told.
#[derive(Clone, Debug, PartialEq)]
pub enum Identity {
    /// Nobody in particular.
    Nobody,
    /// Whoever has this access key.
    Signer(String),
    /// Whoever has such a token (HTTP APIs).
    Jwt { claims: Map<String, Value>, scopes: Option<Vec<String>> },
    /// Whoever has such a token of a user pool (REST APIs).
    Claims(Map<String, Value>),
    /// Whoever an authorizer's function says.
    Context { principal: Option<String>, context: Map<String, Value> },
}

/// Let in.
#[derive(Debug)]
pub struct Admitted {
    pub identity: Identity,
    /// Whom the timeline tells of.
    pub about: Vec<String>,
}

impl Admitted {
    pub fn as_whom(identity: Identity) -> Self {
        Self { identity, about: Vec::new() }
    }
}

impl HttpApis {
    /// Asks a route's guard.
    pub(crate) async fn authorize(
        &self,
        guard: &Guard,
        met: &Met,
        request: &HttpRequest,
        trace: &TraceId,
    ) -> Result<Admitted, Refusal> {
        match guard {
            Guard::Open => Ok(Admitted::as_whom(Identity::Nobody)),
            Guard::Nobody => Err(Refusal::new(Cause::AuthorizerFailed, "the route's authorizer is not there")),
            Guard::Signature => {
                let key = request.access_key.clone();
                Ok(Admitted::as_whom(key.map_or(Identity::Nobody, Identity::Signer)))
            }
            Guard::Jwt(guard) => self.by_jwt(guard, met, request).await,
            Guard::UserPools(guard) => self.by_user_pools(guard, met, request).await,
            Guard::Function(guard) => self.by_function(guard, met, request, trace).await,
        }
    }

    async fn by_jwt(&self, guard: &JwtGuard, met: &Met, request: &HttpRequest) -> Result<Admitted, Refusal> {
        let refused = |challenge: &str, why: String| {
            let why = format!("JWT authorizer {}: {why}", guard.name);
            Refusal::new(Cause::Unauthorized, why).challenge(challenge.to_owned())
        };
        let invalid = |fault: TokenFault| {
            let challenge = format!("Bearer scope=\"\" error=\"invalid_token\" error_description=\"{fault}\"");
            refused(&challenge, fault.to_string())
        };
        let Some(text) = value_of(&guard.source, met, request) else {
            return Err(refused("Bearer", format!("there is no token in {}", guard.source)));
        };
        let Some(pool) = user_pool_of(&guard.issuer) else {
            let why = format!("its issuer {} is no user pool, and nobody else is asked for keys", guard.issuer);
            return Err(refused("Bearer", why));
        };
        let token = Token::read(without_bearer(&text)).map_err(invalid)?;
        if token.text("iss") != Some(guard.issuer.as_str()) {
            return Err(invalid(TokenFault::Issuer));
        }
        let Some(keys) = self.issuers.user_pool_keys(pool).await else {
            return Err(refused("Bearer", format!("there is no user pool {pool}")));
        };
        token.check_signature(&keys).map_err(invalid)?;
        token.check_times(self.world.clock.now()).map_err(invalid)?;
        token.check_audience(&guard.audience).map_err(invalid)?;
        let scopes = token.scopes();
        if !guard.scopes.is_empty() && !guard.scopes.iter().any(|wanted| scopes.contains(wanted)) {
            let wanted = guard.scopes.join(" ");
            let why = format!("JWT authorizer {}: the token has none of the route's scopes ({wanted})", guard.name);
            let challenge = format!(
                "Bearer scope=\"{wanted}\" error=\"insufficient_scope\" error_description=\"the token has none of the \
                 required scopes\""
            );
            return Err(Refusal::new(Cause::Forbidden, why).challenge(challenge));
        }
        let scopes = (!guard.scopes.is_empty()).then_some(scopes);
        let about = token.about();
        Ok(Admitted { identity: Identity::Jwt { claims: token.claims_for_http(), scopes }, about })
    }

    /// Without scopes an id token is wanted, with scopes an access token that has one of them.
    async fn by_user_pools(
        &self,
        guard: &UserPoolsGuard,
        met: &Met,
        request: &HttpRequest,
    ) -> Result<Admitted, Refusal> {
        let refused = |cause: Cause, why: &str| Refusal::new(cause, format!("authorizer {}: {why}", guard.name));
        let invalid = |fault: TokenFault| {
            let cause = if fault == TokenFault::Expired { Cause::Expired } else { Cause::Unauthorized };
            refused(cause, &fault.to_string())
        };
        let unauthorized = |why: &str| refused(Cause::Unauthorized, why);
        let text = value_of(&guard.source, met, request);
        let text = text.ok_or_else(|| unauthorized(&format!("there is no token in {}", guard.source)))?;
        let token = Token::read(without_bearer(&text)).map_err(invalid)?;
        let pool = token.text("iss").and_then(user_pool_of).map(str::to_owned);
        let pool = pool.filter(|pool| guard.pool_ids.contains(pool));
        let pool = pool.ok_or_else(|| invalid(TokenFault::Issuer))?;
        let keys = self.issuers.user_pool_keys(&pool).await;
        let keys = keys.ok_or_else(|| unauthorized(&format!("there is no user pool {pool}")))?;
        token.check_signature(&keys).map_err(invalid)?;
        token.check_times(self.world.clock.now()).map_err(invalid)?;
        let is_access = token.text("token_use") == Some("access");
        if guard.scopes.is_empty() {
            if is_access {
                return Err(unauthorized("an access token was sent; without scopes the method takes id tokens"));
            }
        } else if !is_access || !token.scopes().iter().any(|scope| guard.scopes.contains(scope)) {
            let wanted = guard.scopes.join(" ");
            return Err(unauthorized(&format!("no access token with one of the method's scopes ({wanted}) was sent")));
        }
        Ok(Admitted { identity: Identity::Claims(token.claims_for_rest()), about: token.about() })
    }
}

/// `Bearer ` before a token counts for nothing.
fn without_bearer(text: &str) -> &str {
    match text.split_at_checked(7) {
        Some((prefix, token)) if prefix.eq_ignore_ascii_case("bearer ") => token.trim(),
        _ => text.trim(),
    }
}

/// What an authorizer may be told of beside a request's own parts.
const CONTEXT: [&str; 6] = ["apiId", "httpMethod", "identity.sourceIp", "path", "resourcePath", "stage"];

/// Where an authorizer looks.
enum Source<'a> {
    Header(&'a str),
    Query(&'a str),
    Variable(&'a str),
    Context(&'a str),
}

impl<'a> Source<'a> {
    /// In the words of either kind of API.
    fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("$request.").or_else(|| text.strip_prefix("method.request."));
        let source = if let Some(rest) = rest {
            let header = rest.strip_prefix("header.").map(Self::Header);
            header.or_else(|| rest.strip_prefix("querystring.").map(Self::Query))?
        } else {
            let text = text.strip_prefix('$').unwrap_or(text);
            let context = text.strip_prefix("context.").filter(|name| CONTEXT.contains(name)).map(Self::Context);
            context.or_else(|| text.strip_prefix("stageVariables.").map(Self::Variable))?
        };
        let (Self::Header(name) | Self::Query(name) | Self::Variable(name) | Self::Context(name)) = source;
        (!name.is_empty()).then_some(source)
    }
}

/// Whether an authorizer can look there.
pub fn is_identity_source(text: &str) -> bool {
    Source::parse(text).is_some()
}

/// What a request has there; an empty value counts as none.
pub fn value_of(source: &str, met: &Met, request: &HttpRequest) -> Option<String> {
    let value = match Source::parse(source)? {
        Source::Header(name) => header(&request.headers, name),
        Source::Query(name) => {
            aws_api::read_pairs(&request.raw_query).find(|(given, _)| given == name).map(|(_, value)| value)
        }
        Source::Variable(name) => met.variables.get(name).cloned(),
        Source::Context(name) => match name {
            "apiId" => Some(met.api_id.clone()),
            "httpMethod" => Some(request.method.to_string()),
            "identity.sourceIp" => Some(request.source_ip.clone()),
            "path" => Some(met.full_path.clone()),
            "resourcePath" => Some(met.route_path().to_owned()),
            "stage" => met.stage.clone(),
            _ => None,
        },
    };
    value.filter(|value| !value.is_empty())
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name.to_ascii_lowercase().as_str()).map(crate::event::text_of)
}
