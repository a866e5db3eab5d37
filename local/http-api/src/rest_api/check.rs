//! What API Gateway refuses of resources, methods, integrations and authorizers; and what we do.

use crate::authorize::is_identity_source;
use crate::document::TIMEOUT_MS_MIN;
use crate::error::Error;
use crate::function_uri::function_arn;
use crate::rest_api::{Authorizer, Integration, Method, Resource, RestApi, Settings, Stage, TIMEOUT_MS_MAX};
use crate::route_key::is_path;

const METHODS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

impl Settings {
    pub fn check(&self) -> Result<(), Error> {
        if self.name.is_empty() {
            return Err(Error::bad_request("API name must not be empty"));
        }
        if let Some(policy) =
            self.other.get("policy").and_then(|policy| policy.as_str()).filter(|text| !text.is_empty())
        {
            // A policy that is not asked could keep nobody out.
            let _: serde_json::Value = serde_json::from_str(policy)
                .map_err(|_| Error::bad_request("Invalid policy document. Please check the policy syntax"))?;
        }
        Ok(())
    }
}

impl Integration {
    pub fn check(&self) -> Result<(), Error> {
        match self.kind.as_str() {
            "MOCK" => return Ok(()),
            "AWS_PROXY" => {}
            kind @ ("AWS" | "HTTP" | "HTTP_PROXY") => {
                return Err(Error::not_implemented(&format!("The integration type {kind}")));
            }
            other => return Err(Error::bad_request(format!("Invalid integration type {other}"))),
        }
        let uri = self.uri.as_deref().unwrap_or_default();
        if function_arn(uri).is_none() {
            return Err(Error::bad_request(format!("Invalid ARN specified in the request: {uri} names no function")));
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
    pub fn check(&self) -> Result<(), Error> {
        let sources = self.identity_source.as_deref().unwrap_or_default();
        let mut sources = sources.split(',').map(str::trim).filter(|source| !source.is_empty());
        if let Some(source) = sources.find(|source| !is_identity_source(source)) {
            return Err(Error::bad_request(format!("Invalid mapping expression specified: {source}")));
        }
        match self.kind.as_str() {
            "COGNITO_USER_POOLS" => {
                let is_pool = |arn: &String| arn.contains(":cognito-idp:") && arn.contains(":userpool/");
                if self.provider_arns.is_empty() || !self.provider_arns.iter().all(is_pool) {
                    return Err(Error::bad_request(
                        "Invalid Authorizer provider ARNs: they must be ARNs of user pools",
                    ));
                }
            }
            "TOKEN" | "REQUEST" => {
                let uri = self.authorizer_uri.as_deref().unwrap_or_default();
                if function_arn(uri).is_none() {
                    return Err(Error::bad_request(format!(
                        "Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that represents \
                         a Lambda function invocation."
                    )));
                }
            }
            other => return Err(Error::bad_request(format!("Invalid Authorizer type {other}"))),
        }
        Ok(())
    }
}

impl RestApi {
    /// The resource that a path part below another would be.
    pub fn child(&self, id: String, parent: &str, part: &str) -> Result<Resource, Error> {
        let above = self.resource(parent)?;
        let path = format!("{}/{part}", above.path.trim_end_matches('/'));
        if part.is_empty() || part.contains('/') || !is_path(&path) {
            return Err(Error::bad_request(
                "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the \
                 beginning and the end.",
            ));
        }
        let same =
            |other: &&Resource| other.parent_id.as_deref() == Some(parent) && other.path_part.as_deref() == Some(part);
        if self.resources.values().any(|other| same(&other)) {
            return Err(Error::conflict(format!(
                "Another resource with the same parent already has this name: {part}"
            )));
        }
        Ok(Resource {
            id,
            parent_id: Some(parent.to_owned()),
            path_part: Some(part.to_owned()),
            path,
            resource_methods: std::collections::BTreeMap::new(),
        })
    }

    /// A method as it would stand in this API.
    pub fn check_method(&self, method: &Method) -> Result<(), Error> {
        if !METHODS.contains(&method.http_method.as_str()) {
            return Err(Error::bad_request(format!("Invalid HttpMethod specified: {}", method.http_method)));
        }
        if method.api_key_required {
            return Err(Error::not_implemented("ApiKeyRequired"));
        }
        let fits: &[&str] = match method.authorization_type.as_str() {
            "NONE" | "AWS_IAM" => return Ok(()),
            "COGNITO_USER_POOLS" => &["COGNITO_USER_POOLS"],
            "CUSTOM" => &["TOKEN", "REQUEST"],
            other => {
                return Err(Error::bad_request(format!(
                    "Authorization type {other} is not a valid authorization type."
                )));
            }
        };
        let authorizer = method.authorizer_id.as_ref().and_then(|id| self.authorizers.get(id));
        if authorizer.is_none_or(|authorizer| !fits.contains(&authorizer.kind.as_str())) {
            return Err(Error::bad_request(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires \
                 a valid authorizer.",
            ));
        }
        Ok(())
    }

    /// A stage as it would stand in this API.
    pub fn check_stage(&self, stage: &Stage) -> Result<(), Error> {
        let fits = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if stage.stage_name.is_empty() || !fits(&stage.stage_name) {
            return Err(Error::bad_request("Stage name only allows a-zA-Z0-9_-"));
        }
        if !self.deployments.contains_key(&stage.deployment_id) {
            return Err(Error::bad_request("Deployment id does not exist"));
        }
        Ok(())
    }
}
