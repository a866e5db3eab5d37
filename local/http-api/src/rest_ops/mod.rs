//! The operations of REST APIs (`apigateway`), one file each. Members have their names on the wire: `restapi_id`,
//! `http_method` in paths, `httpMethod` in bodies.

mod patch;

use serde::{Deserialize, Serialize};

use crate::room::HttpApis;

aws_api::operations! { HttpApis;
    "CreateAuthorizer" => create_authorizer at POST "/restapis/{restapi_id}/authorizers",
    "CreateDeployment" => create_deployment at POST "/restapis/{restapi_id}/deployments",
    "CreateResource" => create_resource at POST "/restapis/{restapi_id}/resources/{parent_id}",
    "CreateRestApi" => create_rest_api at POST "/restapis",
    "CreateStage" => create_stage at POST "/restapis/{restapi_id}/stages",
    "DeleteAuthorizer" => delete_authorizer at DELETE "/restapis/{restapi_id}/authorizers/{authorizer_id}",
    "DeleteDeployment" => delete_deployment at DELETE "/restapis/{restapi_id}/deployments/{deployment_id}",
    "DeleteGatewayResponse" => delete_gateway_response at DELETE "/restapis/{restapi_id}/gatewayresponses/{response_type}",
    "DeleteIntegration" => delete_integration
        at DELETE "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration",
    "DeleteMethod" => delete_method at DELETE "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}",
    "DeleteResource" => delete_resource at DELETE "/restapis/{restapi_id}/resources/{resource_id}",
    "DeleteRestApi" => delete_rest_api at DELETE "/restapis/{restapi_id}",
    "DeleteStage" => delete_stage at DELETE "/restapis/{restapi_id}/stages/{stage_name}",
    "GetAuthorizer" => get_authorizer at GET "/restapis/{restapi_id}/authorizers/{authorizer_id}",
    "GetAuthorizers" => get_authorizers at GET "/restapis/{restapi_id}/authorizers",
    "GetDeployment" => get_deployment at GET "/restapis/{restapi_id}/deployments/{deployment_id}",
    "GetDeployments" => get_deployments at GET "/restapis/{restapi_id}/deployments",
    "GetGatewayResponse" => get_gateway_response at GET "/restapis/{restapi_id}/gatewayresponses/{response_type}",
    "GetIntegration" => get_integration
        at GET "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration",
    "GetIntegrationResponse" => get_integration_response
        at GET "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}",
    "GetMethod" => get_method at GET "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}",
    "GetMethodResponse" => get_method_response
        at GET "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}",
    "GetResource" => get_resource at GET "/restapis/{restapi_id}/resources/{resource_id}",
    "GetResources" => get_resources at GET "/restapis/{restapi_id}/resources",
    "GetRestApi" => get_rest_api at GET "/restapis/{restapi_id}",
    "GetRestApis" => get_rest_apis at GET "/restapis",
    "GetStage" => get_stage at GET "/restapis/{restapi_id}/stages/{stage_name}",
    "GetStages" => get_stages at GET "/restapis/{restapi_id}/stages",
    "GetTags" => get_tags at GET "/tags/{resource_arn}",
    "PutGatewayResponse" => put_gateway_response at PUT "/restapis/{restapi_id}/gatewayresponses/{response_type}",
    "PutIntegration" => put_integration
        at PUT "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration",
    "PutIntegrationResponse" => put_integration_response
        at PUT "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/integration/responses/{status_code}",
    "PutMethod" => put_method at PUT "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}",
    "PutMethodResponse" => put_method_response
        at PUT "/restapis/{restapi_id}/resources/{resource_id}/methods/{http_method}/responses/{status_code}",
    "TagResource" => tag_resource at PUT "/tags/{resource_arn}",
    "UntagResource" => untag_resource at DELETE "/tags/{resource_arn}",
    "UpdateAuthorizer" => update_authorizer at PATCH "/restapis/{restapi_id}/authorizers/{authorizer_id}",
    "UpdateRestApi" => update_rest_api at PATCH "/restapis/{restapi_id}",
    "UpdateStage" => update_stage at PATCH "/restapis/{restapi_id}/stages/{stage_name}",
}

/// A page of an API's parts.
#[derive(Deserialize)]
pub struct ListRequest {
    restapi_id: String,
    limit: Option<String>,
    position: Option<String>,
}

/// A method of a resource.
#[derive(Deserialize)]
pub struct MethodRequest {
    restapi_id: String,
    resource_id: String,
    http_method: String,
}

/// A response of a method or of its integration.
#[derive(Deserialize)]
pub struct ResponseRequest {
    restapi_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
}

/// As all lists are answered.
#[derive(Serialize)]
pub struct List<T> {
    item: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
}

impl<T> From<(Vec<T>, Option<String>)> for List<T> {
    fn from((item, position): (Vec<T>, Option<String>)) -> Self {
        Self { item, position }
    }
}

#[cfg(test)]
mod tests;
