//! What API Gateway refuses of routes, integrations, authorizers and stages; and what we do.

use crate::authorize::is_identity_source;
use crate::document::TIMEOUT_MS_MIN;
use crate::error::Error;
use crate::function_uri::function_arn;
use crate::http_api::{Authorizer, HttpApi, Integration, Route, Settings, Stage, TIMEOUT_MS_MAX};
use crate::jwt::user_pool_of;
use crate::route_key::DEFAULT;

impl Settings {
    pub fn check(&self) -> Result<(), Error> {
        if self.name.is_empty() || self.name.chars().count() > 128 {
            return Err(Error::bad_request("name must be between 1 and 128 characters long"));
        }
        self.cors_configuration.as_ref().map_or(Ok(()), crate::cors::Cors::check)
    }
}

impl Integration {
    pub fn check(&self) -> Result<(), Error> {
        match (self.integration_type.as_str(), self.integration_subtype.as_deref()) {
            ("AWS_PROXY", None) => {}
            ("AWS_PROXY", Some(subtype)) => {
                return Err(Error::not_implemented(&format!("IntegrationSubtype {subtype}")));
            }
            ("HTTP_PROXY", _) => return Err(Error::not_implemented("IntegrationType HTTP_PROXY")),
            (other, _) => {
                return Err(Error::bad_request(format!("IntegrationType {other} is not supported for HTTP APIs")));
            }
        }
        if self.connection_type != "INTERNET" {
            return Err(Error::not_implemented(&format!("ConnectionType {}", self.connection_type)));
        }
        let uri = self.integration_uri.as_deref().unwrap_or_default();
        if function_arn(uri).is_none() {
            return Err(Error::bad_request(format!("Invalid integration URI specified: {uri} names no function")));
        }
        if !matches!(self.payload_format_version.as_str(), "1.0" | "2.0") {
            return Err(Error::bad_request("PayloadFormatVersion must be one of 1.0, 2.0"));
        }
        if !(TIMEOUT_MS_MIN..=TIMEOUT_MS_MAX).contains(&self.timeout_in_millis) {
            return Err(Error::bad_request(format!(
                "Timeout should be between {TIMEOUT_MS_MIN} ms and {TIMEOUT_MS_MAX} ms"
            )));
        }
        Ok(())
    }
}

impl Authorizer {
    /// Whether it can be honoured as it is; `Some` says in words why nobody will be let in.
    pub fn check(&self) -> Result<Option<String>, Error> {
        if self.name.is_empty() {
            return Err(Error::bad_request("Authorizer name must not be empty"));
        }
        if let Some(source) = self.identity_source.iter().find(|source| !is_identity_source(source)) {
            return Err(Error::bad_request(format!("Invalid identity source specified: {source}")));
        }
        match self.authorizer_type.as_str() {
            "JWT" => self.check_jwt(),
            "REQUEST" => self.check_function().map(|()| None),
            other => Err(Error::bad_request(format!("AuthorizerType {other} is not one of JWT, REQUEST"))),
        }
    }

    fn check_jwt(&self) -> Result<Option<String>, Error> {
        if self.identity_source.len() != 1 {
            return Err(Error::bad_request("A JWT authorizer must have exactly one identity source"));
        }
        let jwt = self.jwt_configuration.clone().unwrap_or_default();
        let Some(issuer) = jwt.issuer.filter(|issuer| !issuer.is_empty()) else {
            return Err(Error::bad_request("Issuer is required for a JWT authorizer"));
        };
        if !issuer.starts_with("https://") {
            return Err(Error::bad_request(format!(
                "Invalid issuer: {issuer}. Issuer must have a valid discovery endpoint ended with \
                 '/.well-known/openid-configuration'"
            )));
        }
        if jwt.audience.is_empty() {
            return Err(Error::bad_request("Audience is required for a JWT authorizer"));
        }
        let foreign = user_pool_of(&issuer).is_none();
        Ok(foreign.then(|| {
            format!(
                "its issuer {issuer} is no user pool, and this server asks nobody else for keys: every token is refused"
            )
        }))
    }

    fn check_function(&self) -> Result<(), Error> {
        let uri = self.authorizer_uri.as_deref().unwrap_or_default();
        if function_arn(uri).is_none() {
            return Err(Error::bad_request(format!("Invalid Authorizer URI: {uri}")));
        }
        match self.authorizer_payload_format_version.as_deref() {
            Some("1.0") if self.enable_simple_responses == Some(true) => {
                Err(Error::bad_request("EnableSimpleResponses is not supported for payload format version 1.0"))
            }
            Some("1.0" | "2.0") => Ok(()),
            _ => {
                Err(Error::bad_request("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"))
            }
        }
    }
}

impl HttpApi {
    /// A route as it would stand in this API.
    pub fn check_route(&self, route: &Route) -> Result<(), Error> {
        let same = |other: &&Route| other.route_key == route.route_key && other.route_id != route.route_id;
        if self.routes.values().any(|other| same(&other)) {
            return Err(Error::conflict(format!("Route with key {} already exists for this API", route.route_key)));
        }
        if route.api_key_required {
            return Err(Error::bad_request("ApiKeyRequired is not supported for HTTP APIs"));
        }
        if let Some(target) = &route.target {
            let id = target.strip_prefix("integrations/").unwrap_or_default();
            if !self.integrations.contains_key(id) {
                return Err(Error::bad_request(format!("Invalid integration target specified: {target}")));
            }
        }
        let wanted = match route.authorization_type.as_str() {
            "NONE" | "AWS_IAM" => return Ok(()),
            "JWT" => "JWT",
            "CUSTOM" => "REQUEST",
            other => return Err(Error::bad_request(format!("Invalid authorization type specified: {other}"))),
        };
        let authorizer = route.authorizer_id.as_ref().and_then(|id| self.authorizers.get(id));
        if authorizer.is_none_or(|authorizer| authorizer.authorizer_type != wanted) {
            return Err(Error::bad_request(
                "Invalid authorizer ID specified. Setting the authorization type to JWT or CUSTOM requires a valid \
                 authorizer.",
            ));
        }
        Ok(())
    }

    /// A stage as it would stand in this API.
    pub fn check_stage(&self, stage: &Stage) -> Result<(), Error> {
        let fits = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        let name = &stage.stage_name;
        if name != DEFAULT && (name.is_empty() || name.len() > 128 || !fits(name)) {
            return Err(Error::bad_request(
                "Stage name accepts only alphanumeric characters, hyphens, underscores, or $default",
            ));
        }
        if stage.deployment_id.as_ref().is_some_and(|id| !self.deployments.contains_key(id)) {
            return Err(Error::bad_request("Deployment ID does not point to a valid deployment"));
        }
        Ok(())
    }
}
