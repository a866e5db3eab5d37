//! `http`: methods of a REST API, in front of functions. What becomes of an API's models, templates of requests and
//! answers, API keys and usage plans is named and left out.
//! <https://www.serverless.com/framework/docs/providers/aws/events/apigateway>

mod authorizer;
mod cors;

use crate::error::TemplateError;
use crate::make::Make;
use crate::node::Node;
use crate::serverless::naming;
use crate::serverless::service::{Draft, Event, Service, falsy};
use crate::serverless::write::{Block, join, resource};
use crate::source::Span;

use super::http_api::invocation_uri;

const KIND: &str = "http";
const API: &str = "ApiGatewayRestApi";

/// Settings that become something here.
const SETTINGS: &[&str] = &["method", "path", "cors", "authorizer", "private", "integration", "operationId"];

/// A method, read.
struct Method<'s> {
    event: Event<'s>,
    /// Without slashes around it.
    path: String,
    verb: String,
}

pub(super) fn compile(service: &Service, draft: &mut Draft) -> Result<(), TemplateError> {
    let mut methods = Vec::new();
    for event in service.events(KIND) {
        event.known(KIND, SETTINGS, draft);
        methods.push(read(event, draft)?);
    }
    let Some(first) = methods.first() else { return Ok(()) };
    let settings = service.provider(&["apiGateway"]);
    let span = settings.map_or(first.event.span, |node| &node.span).clone();
    let api = Api::of(service, &span)?;
    if let Some(settings) = settings {
        let known = [
            "restApiId",
            "restApiRootResourceId",
            "description",
            "binaryMediaTypes",
            "stage",
            "disableDefaultEndpoint",
            "shouldStartNameWithService",
            "minimumCompressionSize",
            "apiKeySourceType",
            "resourcePolicy",
        ];
        crate::serverless::keys::warn_unknown(settings, "provider.apiGateway", &known, draft);
    }
    if !api.external {
        rest_api(service, &span, draft);
    }
    resources(&methods, &api, draft);
    let mut ids = Vec::new();
    cors::preflights(&methods, &api, &mut ids, draft)?;
    for method in &methods {
        let id = method_id(&method.path, &method.verb);
        draft.resource(&id, method.event.span, compile_method(service, method, &api)?);
        ids.push(id);
        authorizer::compile(service, &method.event, &api, draft)?;
        let permission = format!("{}LambdaPermissionApiGateway", naming::resource(&method.event.function.key));
        let source = api.execution_arn(method.event.span);
        draft.resource(
            &permission,
            method.event.span,
            method.event.permission("apigateway.amazonaws.com", Some(source)),
        );
    }
    deployment(service, &api, ids, &span, draft);
    Ok(())
}

/// The REST API.
struct Api {
    id: Node,
    root: Node,
    /// Whether somebody else made it.
    external: bool,
}

impl Api {
    fn of(service: &Service, span: &Span) -> Result<Self, TemplateError> {
        let Some(id) = service.provider(&["apiGateway", "restApiId"]) else {
            let root = Make(span).attribute(API, "RootResourceId");
            return Ok(Self { id: Make(span).reference(API), root, external: false });
        };
        let root = service.provider(&["apiGateway", "restApiRootResourceId"]).ok_or_else(|| {
            let message = "Missing required \"provider.apiGateway.restApiRootResourceId\" property (needed if \
                           \"provider.apiGateway.restApiId\" is provided)";
            TemplateError::new(&id.span, message)
        })?;
        Ok(Self { id: id.clone(), root: root.clone(), external: true })
    }

    fn execution_arn(&self, span: &Span) -> Node {
        let text = |text: &str| Node::string(span, text);
        let parts = vec![
            text("arn:"),
            Make(span).reference("AWS::Partition"),
            text(":execute-api:"),
            Make(span).reference("AWS::Region"),
            text(":"),
            Make(span).reference("AWS::AccountId"),
            text(":"),
            self.id.clone(),
            text("/*/*"),
        ];
        join(span, "", parts)
    }

    /// The resource of a path.
    fn resource(&self, path: &str, span: &Span) -> Node {
        if path.is_empty() { self.root.clone() } else { Make(span).reference(&resource_id(path)) }
    }
}

fn resource_id(path: &str) -> String {
    format!("ApiGatewayResource{}", naming::path(path))
}

fn method_id(path: &str, method: &str) -> String {
    format!("ApiGatewayMethod{}{}", naming::path(path), naming::upper_first(&method.to_lowercase()))
}

fn read<'s>(event: Event<'s>, draft: &mut Draft) -> Result<Method<'s>, TemplateError> {
    let (method, path) = if let Some(text) = event.value.as_str() {
        text.split_once(' ').ok_or_else(|| {
            TemplateError::new(&event.value.span, format!("http must be a method and a path, not {text}"))
                .hint("as in http: GET users/{id}")
        })?
    } else {
        event.value.expect_map(KIND)?;
        let method = event.needed(KIND, "method")?.expect_str("method")?;
        (method, event.needed(KIND, "path")?.expect_str("path")?)
    };
    if let Some(integration) = event.get("integration") {
        let name = integration.expect_str("integration")?.to_uppercase().replace('-', "_");
        if name != "LAMBDA_PROXY" && name != "AWS_PROXY" {
            let message = format!("http: the integration {name} is not made, the function gets whole requests");
            draft.warn(&integration.span, message);
        }
    }
    let path = path.trim().trim_start_matches('/').trim_end_matches('/').to_owned();
    let method = method.to_lowercase();
    Ok(Method { event, path, verb: method })
}

fn rest_api(service: &Service, span: &Span, draft: &mut Draft) {
    let setting = |key: &str| service.provider(&["apiGateway", key]);
    let prefix_first = setting("shouldStartNameWithService").is_some_and(|node| !falsy(node));
    let name = service.provider(&["apiName"]).cloned().unwrap_or_else(|| {
        let name = if prefix_first { service.prefix() } else { format!("{}-{}", service.stage, service.name) };
        Node::string(span, name)
    });
    let endpoint = service.provider(&["endpointType"]).and_then(Node::as_str).unwrap_or("EDGE").to_uppercase();
    let policy = match setting("resourcePolicy") {
        Some(statements) => {
            Block::at(&statements.span).set("Version", "2012-10-17").set("Statement", statements).done()
        }
        None => Node::string(span, ""),
    };
    let properties = Block::at(span)
        .set("Name", name)
        .maybe("BinaryMediaTypes", setting("binaryMediaTypes"))
        .maybe("DisableExecuteApiEndpoint", setting("disableDefaultEndpoint"))
        .set("EndpointConfiguration", Block::at(span).set("Types", vec![endpoint]))
        .set("Policy", policy)
        .maybe("ApiKeySourceType", setting("apiKeySourceType"))
        .maybe("MinimumCompressionSize", setting("minimumCompressionSize"))
        .maybe("Description", setting("description"));
    draft.resource(API, span, resource(span, "AWS::ApiGateway::RestApi", properties));
}

/// A resource for every beginning of every path.
fn resources(methods: &[Method], api: &Api, draft: &mut Draft) {
    for method in methods {
        let span = method.event.span;
        let mut above = String::new();
        for part in method.path.split('/').filter(|part| !part.is_empty()) {
            let path = if above.is_empty() { part.to_owned() } else { format!("{above}/{part}") };
            let id = resource_id(&path);
            if draft.resources.get(&id).is_none() {
                let properties = Block::at(span)
                    .set("ParentId", api.resource(&above, span))
                    .set("PathPart", part)
                    .set("RestApiId", &api.id);
                draft.resource(&id, span, resource(span, "AWS::ApiGateway::Resource", properties));
            }
            above = path;
        }
    }
}

fn compile_method(service: &Service, method: &Method, api: &Api) -> Result<Block, TemplateError> {
    let (event, span) = (&method.event, method.event.span);
    let private = event.truthy("private").is_some();
    let authorization = authorizer::of_method(service, event)?;
    let integration = Block::at(span).set("IntegrationHttpMethod", "POST").set("Type", "AWS_PROXY").set(
        "Uri",
        invocation_uri(
            span,
            Make(span).attribute(&event.function.logical_id(), "Arn"),
            event.function.alias.as_ref().map(|alias| alias.name),
        ),
    );
    let mut depends_on = vec![format!("{}LambdaPermissionApiGateway", naming::resource(&event.function.key))];
    depends_on.extend(event.function.alias_id().map(str::to_owned));
    // The framework merges this list by index, so it takes the permission's place.
    if let Some(authorizer) = &authorization.depends_on {
        depends_on[0].clone_from(authorizer);
    }
    let properties = Block::at(span)
        .set("HttpMethod", method.verb.to_uppercase())
        .set("RequestParameters", Block::at(span))
        .set("ResourceId", api.resource(&method.path, span))
        .set("RestApiId", &api.id)
        .maybe("OperationName", event.get("operationId"))
        .set("ApiKeyRequired", private)
        .set("AuthorizationType", authorization.kind)
        .maybe("AuthorizerId", authorization.id)
        .maybe("AuthorizationScopes", authorization.scopes)
        .set("Integration", integration)
        .set("MethodResponses", Vec::<Node>::new());
    Ok(resource(span, "AWS::ApiGateway::Method", properties).set("DependsOn", depends_on))
}

fn deployment(service: &Service, api: &Api, ids: Vec<String>, span: &Span, draft: &mut Draft) {
    let stage = service.provider(&["apiGateway", "stage"]).and_then(Node::as_str).unwrap_or(&service.stage);
    let properties = Block::at(span)
        .set("RestApiId", &api.id)
        .set("StageName", stage)
        .maybe("Description", service.provider(&["apiGateway", "description"]));
    let deployment = resource(span, "AWS::ApiGateway::Deployment", properties).set("DependsOn", ids);
    draft.resource(&format!("ApiGatewayDeployment{}", service.options.instance_id), span, deployment);
    let text = |text: &str| Node::string(span, text);
    let url = vec![
        text("https://"),
        api.id.clone(),
        text(".execute-api."),
        Make(span).reference("AWS::Region"),
        text("."),
        Make(span).reference("AWS::URLSuffix"),
        Node::string(span, format!("/{}", service.stage)),
    ];
    draft.output("ServiceEndpoint", span, "URL of the service endpoint", join(span, "", url));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::serverless::testing::{check_error, check_resource, check_warnings, document, ids};

    const SERVICE: &str = "
        functions:
          get-user:
            handler: a.b
            events:
              - http: GET users/{id}
              - http:
                  path: /users/{id}/posts/
                  method: post
                  private: true
                  cors: true
                  authorizer: {name: pool, type: COGNITO_USER_POOLS, arn: !GetAtt Pool.Arn, scopes: [email]}
        ";

    #[test]
    fn ids_are_the_frameworks() {
        let ids = ids(SERVICE);
        for id in [
            "ApiGatewayRestApi",
            "ApiGatewayResourceUsers",
            "ApiGatewayResourceUsersIdVar",
            "ApiGatewayResourceUsersIdVarPosts",
            "ApiGatewayMethodUsersIdVarGet",
            "ApiGatewayMethodUsersIdVarPostsPost",
            "ApiGatewayMethodUsersIdVarPostsOptions",
            "PoolApiGatewayAuthorizer",
            "ApiGatewayDeployment1",
            "GetDashuserLambdaPermissionApiGateway",
        ] {
            assert!(ids.iter().any(|found| found == id), "{id} in {ids:?}");
        }
    }

    #[test]
    fn a_method_with_a_pool() {
        check_resource(
            SERVICE,
            "ApiGatewayMethodUsersIdVarPostsPost",
            json!({
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    "HttpMethod": "POST",
                    "RequestParameters": {},
                    "ResourceId": {"Ref": "ApiGatewayResourceUsersIdVarPosts"},
                    "RestApiId": {"Ref": "ApiGatewayRestApi"},
                    "ApiKeyRequired": true,
                    "AuthorizationType": "COGNITO_USER_POOLS",
                    "AuthorizerId": {"Ref": "PoolApiGatewayAuthorizer"},
                    "AuthorizationScopes": ["email"],
                    "Integration": {
                        "IntegrationHttpMethod": "POST",
                        "Type": "AWS_PROXY",
                        "Uri": {"Fn::Join": ["", [
                            "arn:", {"Ref": "AWS::Partition"}, ":apigateway:", {"Ref": "AWS::Region"},
                            ":lambda:path/2015-03-31/functions/",
                            {"Fn::GetAtt": ["GetDashuserLambdaFunction", "Arn"]}, "/invocations"
                        ]]}
                    },
                    "MethodResponses": []
                },
                "DependsOn": ["PoolApiGatewayAuthorizer"]
            }),
        );
        check_resource(
            SERVICE,
            "PoolApiGatewayAuthorizer",
            json!({
                "Type": "AWS::ApiGateway::Authorizer",
                "Properties": {
                    "AuthorizerResultTtlInSeconds": 300,
                    "IdentitySource": "method.request.header.Authorization",
                    "Name": "pool",
                    "RestApiId": {"Ref": "ApiGatewayRestApi"},
                    "Type": "COGNITO_USER_POOLS",
                    "ProviderARNs": [{"Fn::GetAtt": ["Pool", "Arn"]}]
                }
            }),
        );
    }

    #[test]
    fn other_integrations_are_named() {
        let service = "functions:\n  a:\n    handler: a.b\n    events:\n      - http: {path: a, method: get, integration: lambda, request: {}}\n";
        check_warnings(
            service,
            &[
                "7:59: http.request is not honoured",
                "7:51: http: the integration LAMBDA is not made, the function gets whole requests",
            ],
        );
        assert_eq!(
            document(service)["Resources"]["ApiGatewayMethodAGet"]["Properties"]["Integration"]["Type"],
            json!("AWS_PROXY")
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        check_error(
            "functions:\n  a:\n    handler: a.b\n    events:\n      - http: {path: a}\n",
            "serverless.yml:7:9: http of the function a needs method",
        );
    }
}
