//! The operations of HTTP APIs (`apigatewayv2`), one file each. Members have their names on the wire: `apiId`.

use serde::{Deserialize, Serialize};

use crate::room::HttpApis;

aws_api::operations! { HttpApis;
    "CreateApi" => create_api at POST "/v2/apis",
    "CreateAuthorizer" => create_authorizer at POST "/v2/apis/{apiId}/authorizers",
    "CreateDeployment" => create_deployment at POST "/v2/apis/{apiId}/deployments",
    "CreateIntegration" => create_integration at POST "/v2/apis/{apiId}/integrations",
    "CreateRoute" => create_route at POST "/v2/apis/{apiId}/routes",
    "CreateStage" => create_stage at POST "/v2/apis/{apiId}/stages",
    "DeleteApi" => delete_api at DELETE "/v2/apis/{apiId}",
    "DeleteAuthorizer" => delete_authorizer at DELETE "/v2/apis/{apiId}/authorizers/{authorizerId}",
    "DeleteCorsConfiguration" => delete_cors_configuration at DELETE "/v2/apis/{apiId}/cors",
    "DeleteDeployment" => delete_deployment at DELETE "/v2/apis/{apiId}/deployments/{deploymentId}",
    "DeleteIntegration" => delete_integration at DELETE "/v2/apis/{apiId}/integrations/{integrationId}",
    "DeleteRoute" => delete_route at DELETE "/v2/apis/{apiId}/routes/{routeId}",
    "DeleteStage" => delete_stage at DELETE "/v2/apis/{apiId}/stages/{stageName}",
    "GetApi" => get_api at GET "/v2/apis/{apiId}",
    "GetApis" => get_apis at GET "/v2/apis",
    "GetAuthorizer" => get_authorizer at GET "/v2/apis/{apiId}/authorizers/{authorizerId}",
    "GetAuthorizers" => get_authorizers at GET "/v2/apis/{apiId}/authorizers",
    "GetDeployment" => get_deployment at GET "/v2/apis/{apiId}/deployments/{deploymentId}",
    "GetDeployments" => get_deployments at GET "/v2/apis/{apiId}/deployments",
    "GetIntegration" => get_integration at GET "/v2/apis/{apiId}/integrations/{integrationId}",
    "GetIntegrations" => get_integrations at GET "/v2/apis/{apiId}/integrations",
    "GetRoute" => get_route at GET "/v2/apis/{apiId}/routes/{routeId}",
    "GetRoutes" => get_routes at GET "/v2/apis/{apiId}/routes",
    "GetStage" => get_stage at GET "/v2/apis/{apiId}/stages/{stageName}",
    "GetStages" => get_stages at GET "/v2/apis/{apiId}/stages",
    "GetTags" => get_tags at GET "/v2/tags/{resource-arn}",
    "TagResource" => tag_resource at POST "/v2/tags/{resource-arn}",
    "UntagResource" => untag_resource at DELETE "/v2/tags/{resource-arn}",
    "UpdateApi" => update_api at PATCH "/v2/apis/{apiId}",
    "UpdateAuthorizer" => update_authorizer at PATCH "/v2/apis/{apiId}/authorizers/{authorizerId}",
    "UpdateIntegration" => update_integration at PATCH "/v2/apis/{apiId}/integrations/{integrationId}",
    "UpdateRoute" => update_route at PATCH "/v2/apis/{apiId}/routes/{routeId}",
    "UpdateStage" => update_stage at PATCH "/v2/apis/{apiId}/stages/{stageName}",
}

/// A page of an API's parts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListRequest {
    api_id: String,
    max_results: Option<String>,
    next_token: Option<String>,
}

/// As all lists are answered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl<T> From<(Vec<T>, Option<String>)> for List<T> {
    fn from((items, next_token): (Vec<T>, Option<String>)) -> Self {
        Self { items, next_token }
    }
}

#[cfg(test)]
mod tests;
