//! REST APIs and their parts (API Gateway's first API).

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::http_apis::{api_arn, pinned_id};
use crate::StackError;
use crate::kind::{
    At, Follows, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, gone_tags, only, tag_map,
    text as text_of, without,
};
use crate::name::physical_name;
use crate::shape::{
    Member, Shape, anything, in_small_letters, items, meaningless, members, not_honoured, number, tags, text, text_map,
    texts, truth,
};

pub const KINDS: &[(&str, &dyn Kind)] = &[
    ("AWS::ApiGateway::RestApi", &RestApi),
    ("AWS::ApiGateway::Resource", &RESOURCE),
    ("AWS::ApiGateway::Method", &Method),
    ("AWS::ApiGateway::Authorizer", &AUTHORIZER),
    ("AWS::ApiGateway::Deployment", &DEPLOYMENT),
    ("AWS::ApiGateway::Stage", &Stage),
    ("AWS::ApiGateway::GatewayResponse", &GatewayResponse),
];

const API: &str = "apigateway";
const NAME_LENGTH_MAX: usize = 128;
/// As many parts as a list gives at once.
const LIST_MAX: &str = "500";

/// One change, as Update operations name it.
fn replace(path: &str, value: &str) -> Value {
    json!({"op": "replace", "path": format!("/{path}"), "value": value})
}

fn remove(path: &str) -> Value {
    json!({"op": "remove", "path": format!("/{path}")})
}

struct RestApi;

const REST_API: &[Member] = &[
    meaningless("ApiKeySourceType"),
    texts("BinaryMediaTypes"),
    not_honoured("Body"),
    not_honoured("BodyS3Location"),
    not_honoured("CloneFrom"),
    text("Description"),
    truth("DisableExecuteApiEndpoint"),
    meaningless("EndpointAccessMode"),
    meaningless("EndpointConfiguration"),
    meaningless("FailOnWarnings"),
    meaningless("MinimumCompressionSize"),
    meaningless("Mode"),
    text("Name"),
    not_honoured("Parameters"),
    not_honoured("Policy"),
    meaningless("SecurityPolicy"),
    tags("Tags"),
];

#[async_trait]
impl Kind for RestApi {
    fn members(&self) -> &'static [Member] {
        REST_API
    }

    fn made_by(&self) -> Operation {
        (API, "CreateRestApi")
    }

    fn rank(&self) -> Rank {
        Rank::Callers
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let id = pinned_id(named);
        Identity::of(&id).with("RestApiId", id).and_later(&["RootResourceId"])
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = in_small_letters(&without(properties, &["Tags"]), REST_API);
        let made_up = || physical_name(&at.around.stack, at.logical_id, NAME_LENGTH_MAX).into();
        input.entry("name").or_insert_with(made_up);
        let mut tags = tag_map(properties);
        tags["_custom_id_"] = at.id.into();
        input.insert("tags".into(), tags);
        let answer = at.call((API, "CreateRestApi"), Value::Object(input)).await?;
        Ok(Made::default().member("RootResourceId", &answer, "/rootResourceId"))
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let made_up = || physical_name(&at.around.stack, at.logical_id, NAME_LENGTH_MAX);
        let name =
            Some(text_of(properties, "Name")).filter(|name| !name.is_empty()).map_or_else(made_up, str::to_owned);
        let changes = [replace("name", &name), replace("description", text_of(properties, "Description"))];
        at.call((API, "UpdateRestApi"), json!({"restapi_id": at.id, "patchOperations": changes})).await?;
        retag_api(at, &format!("/restapis/{}", at.id), (&before.properties, properties)).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((API, "GetRestApi"), json!({"restapi_id": standing.id})).await?;
        Ok(found.map(|answer| Made::default().member("RootResourceId", &answer, "/rootResourceId")))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((API, "DeleteRestApi"), json!({"restapi_id": standing.id})).await.map(drop)
    }
}

/// A part that is made by one operation. Only an authorizer is ever changed; the others are replaced.
struct Part {
    members: &'static [Member],
    /// The member of keys that has its id.
    key: &'static str,
    attribute: &'static str,
    /// Make, find, delete.
    operations: [&'static str; 3],
    rank: Rank,
}

static RESOURCE: Part = Part {
    members: {
        const MEMBERS: &[Member] = &[
            text("ParentId").required().fixed(),
            text("PathPart").required().fixed(),
            text("RestApiId").required().fixed(),
        ];
        MEMBERS
    },
    key: "resource_id",
    attribute: "ResourceId",
    operations: ["CreateResource", "GetResource", "DeleteResource"],
    rank: Rank::OfCallers,
};

static AUTHORIZER: Part = Part {
    members: {
        const MEMBERS: &[Member] = &[
            meaningless("AuthType"),
            text("AuthorizerCredentials"),
            number("AuthorizerResultTtlInSeconds"),
            text("AuthorizerUri"),
            text("IdentitySource"),
            text("IdentityValidationExpression"),
            text("Name").required(),
            texts("ProviderARNs"),
            text("RestApiId").required().fixed(),
            text("Type").required(),
        ];
        MEMBERS
    },
    key: "authorizer_id",
    attribute: "AuthorizerId",
    operations: ["CreateAuthorizer", "GetAuthorizer", "DeleteAuthorizer"],
    rank: Rank::OfCallers,
};

static DEPLOYMENT: Part = Part {
    members: {
        const MEMBERS: &[Member] = &[
            not_honoured("DeploymentCanarySettings"),
            text("Description").fixed(),
            text("RestApiId").required().fixed(),
            meaningless("StageDescription"),
            text("StageName").fixed(),
        ];
        MEMBERS
    },
    key: "deployment_id",
    attribute: "DeploymentId",
    operations: ["CreateDeployment", "GetDeployment", "DeleteDeployment"],
    rank: Rank::Permissions, // behind the methods
};

#[async_trait]
impl Kind for Part {
    fn members(&self) -> &'static [Member] {
        self.members
    }

    fn belongs_to(&self) -> &'static [&'static str] {
        &["RestApiId", "ParentId", "AuthorizerUri"]
    }

    fn made_by(&self) -> Operation {
        (API, self.operations[0])
    }

    fn rank(&self) -> Rank {
        self.rank
    }

    fn identity(&self, _: &Named<'_>) -> Identity {
        Identity { nameless: true, ..Identity::later() }
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = in_small_letters(properties, self.members);
        rename(&mut input, "restApiId", "restapi_id");
        rename(&mut input, "parentId", "parent_id");
        let answer = at.call((API, self.operations[0]), Value::Object(input)).await?;
        let id = answer["id"].as_str().unwrap_or_default();
        Ok(Made::of(id).with(self.attribute, id))
    }

    async fn begun(&self, at: &At<'_>, properties: &Properties, taken: &[&str]) -> Result<Option<String>, StackError> {
        let (list, same): (_, &[(&str, &str)]) = match self.attribute {
            "ResourceId" => ("GetResources", &[("ParentId", "parentId"), ("PathPart", "pathPart")]),
            "AuthorizerId" => ("GetAuthorizers", &[("Name", "name")]),
            _ => return Ok(None), // one deployment more harms nobody
        };
        let input = json!({"restapi_id": text_of(properties, "RestApiId"), "limit": LIST_MAX});
        let listed = at.ask((API, list), input).await?.unwrap_or_default();
        let mut items = listed["item"].as_array().into_iter().flatten();
        let is_it = |item: &&Value| {
            let id = item["id"].as_str().unwrap_or_default();
            same.iter().all(|(property, member)| item[*member] == text_of(properties, property)) && !taken.contains(&id)
        };
        Ok(items.find(is_it).and_then(|item| item["id"].as_str().map(str::to_owned)))
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let mut changes = Vec::new();
        for (name, value) in in_small_letters(&without(properties, &["ProviderARNs", "RestApiId"]), self.members) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            changes.push(replace(&name, &text));
        }
        let gone = before.properties.keys().filter(|name| !properties.contains_key(*name));
        let gone =
            in_small_letters(&only(&before.properties, &gone.map(String::as_str).collect::<Vec<_>>()), self.members);
        changes.extend(gone.keys().filter(|name| *name != "providerARNs").map(|name| remove(name)));
        let pools = |properties: &Properties| {
            properties.get("ProviderARNs").and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let (old, new) = (pools(&before.properties), pools(properties));
        let change = |op: &str, arn: &Value| json!({"op": op, "path": "/providerARNs", "value": arn});
        changes.extend(new.iter().filter(|arn| !old.contains(arn)).map(|arn| change("add", arn)));
        changes.extend(old.iter().filter(|arn| !new.contains(arn)).map(|arn| change("remove", arn)));
        let mut input = self.key(before);
        input["patchOperations"] = changes.into();
        at.call((API, "UpdateAuthorizer"), input).await?;
        Ok(Made::default())
    }

    fn follows(&self) -> Follows {
        if self.attribute == "DeploymentId" { Follows::Parts } else { Follows::Nothing }
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((API, self.operations[1]), self.key(standing)).await?;
        Ok(found.map(|_| Made::default().with(self.attribute, &standing.id)))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        if self.key == "deployment_id" && !standing.text("StageName").is_empty() {
            let input = json!({"restapi_id": standing.text("RestApiId"), "stage_name": standing.text("StageName")});
            let stage = at.ask((API, "GetStage"), input.clone()).await?;
            // Another deployment may have taken the stage over.
            if stage.is_some_and(|stage| stage["deploymentId"] == *standing.id) {
                at.ask((API, "DeleteStage"), input).await?;
            }
        }
        at.ask((API, self.operations[2]), self.key(standing)).await.map(drop)
    }
}

impl Part {
    fn key(&self, standing: &Standing) -> Value {
        let mut key = json!({"restapi_id": standing.text("RestApiId")});
        key[self.key] = standing.id.as_str().into();
        key
    }
}

fn rename(input: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = input.remove(from) {
        input.insert(to.to_owned(), value);
    }
}

struct Stage;

const STAGE: &[Member] = &[
    meaningless("AccessLogSetting"),
    meaningless("CacheClusterEnabled"),
    meaningless("CacheClusterSize"),
    not_honoured("CanarySetting"),
    not_honoured("ClientCertificateId"),
    text("DeploymentId"),
    text("Description"),
    meaningless("DocumentationVersion"),
    meaningless("MethodSettings"),
    text("RestApiId").required().fixed(),
    text("StageName").fixed(),
    tags("Tags"),
    meaningless("TracingEnabled"),
    text_map("Variables"),
];

#[async_trait]
impl Kind for Stage {
    fn members(&self) -> &'static [Member] {
        STAGE
    }

    fn belongs_to(&self) -> &'static [&'static str] {
        &["RestApiId", "DeploymentId"]
    }

    fn made_by(&self) -> Operation {
        (API, "CreateStage")
    }

    fn rank(&self) -> Rank {
        Rank::Permissions
    }

    fn naming(&self) -> &'static [&'static str] {
        &["StageName"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity::of(named.given("StageName").unwrap_or("default"))
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = in_small_letters(&without(properties, &["Tags"]), STAGE);
        rename(&mut input, "restApiId", "restapi_id");
        input.insert("stageName".into(), at.id.into());
        input.insert("tags".into(), tag_map(properties));
        at.call((API, "CreateStage"), Value::Object(input)).await?;
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let variables = |properties: &Properties| {
            properties.get("Variables").and_then(Value::as_object).cloned().unwrap_or_default()
        };
        let (old, new) = (variables(&before.properties), variables(properties));
        let mut changes = vec![replace("description", text_of(properties, "Description"))];
        if properties.contains_key("DeploymentId") {
            changes.push(replace("deploymentId", text_of(properties, "DeploymentId")));
        }
        let value = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        changes.extend(new.iter().map(|(name, new)| replace(&format!("variables/{name}"), &value(new))));
        let gone = old.keys().filter(|name| !new.contains_key(*name));
        changes.extend(gone.map(|name| json!({"op": "remove", "path": format!("/variables/{name}")})));
        let mut input = stage_key(before);
        input["patchOperations"] = changes.into();
        at.call((API, "UpdateStage"), input).await?;
        let path = format!("/restapis/{}/stages/{}", before.text("RestApiId"), before.id);
        retag_api(at, &path, (&before.properties, properties)).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        Ok(at.ask((API, "GetStage"), stage_key(standing)).await?.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((API, "DeleteStage"), stage_key(standing)).await.map(drop)
    }
}

/// Sets the tags of an API or a stage that are new or other, and removes those that are gone.
async fn retag_api(at: &At<'_>, path: &str, (before, after): (&Properties, &Properties)) -> Result<(), StackError> {
    let arn = api_arn(at, path);
    let gone = gone_tags(before, after);
    if !gone.is_empty() {
        at.call((API, "UntagResource"), json!({"resource_arn": arn, "tagKeys": gone.join(",")})).await?;
    }
    let tags = tag_map(after);
    if tags != tag_map(before) && tags != json!({}) {
        at.call((API, "TagResource"), json!({"resource_arn": arn, "tags": tags})).await?;
    }
    Ok(())
}

fn stage_key(standing: &Standing) -> Value {
    json!({"restapi_id": standing.text("RestApiId"), "stage_name": standing.id})
}

struct Method;

const INTEGRATION: &[Member] = &[
    meaningless("CacheKeyParameters"),
    meaningless("CacheNamespace"),
    text("ConnectionId"),
    text("ConnectionType"),
    text("ContentHandling"),
    text("Credentials"),
    text("IntegrationHttpMethod"),
    items("IntegrationResponses", &INTEGRATION_RESPONSE),
    text("PassthroughBehavior"),
    text_map("RequestParameters"),
    text_map("RequestTemplates"),
    meaningless("ResponseTransferMode"),
    number("TimeoutInMillis"),
    text("Type"),
    text("Uri"),
];
const INTEGRATION_RESPONSE: Shape = Shape::Members(&[
    text("ContentHandling"),
    text_map("ResponseParameters"),
    text_map("ResponseTemplates"),
    text("SelectionPattern"),
    text("StatusCode").required(),
]);
const METHOD: &[Member] = &[
    truth("ApiKeyRequired"),
    texts("AuthorizationScopes"),
    text("AuthorizationType"),
    text("AuthorizerId"),
    text("HttpMethod").required().fixed(),
    members("Integration", INTEGRATION),
    items("MethodResponses", &METHOD_RESPONSE),
    text("OperationName"),
    not_honoured("RequestModels"),
    not_honoured("RequestParameters"),
    not_honoured("RequestValidatorId"),
    text("ResourceId").required().fixed(),
    text("RestApiId").required().fixed(),
];
const METHOD_RESPONSE: Shape =
    Shape::Members(&[meaningless("ResponseModels"), anything("ResponseParameters"), text("StatusCode").required()]);

#[async_trait]
impl Kind for Method {
    fn members(&self) -> &'static [Member] {
        METHOD
    }

    /// A method without its authorizer would be open to everybody.
    fn belongs_to(&self) -> &'static [&'static str] {
        &["RestApiId", "ResourceId", "AuthorizerId", "Integration.Uri"]
    }

    fn made_by(&self) -> Operation {
        (API, "PutMethod")
    }

    fn rank(&self) -> Rank {
        Rank::OfCallers
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity::of(physical_name(&named.around.stack, named.logical_id, NAME_LENGTH_MAX))
    }

    fn notes(&self, _: &At<'_>, properties: &Properties) -> Vec<String> {
        let wants_key = properties.get("ApiKeyRequired") == Some(&true.into());
        let note = "ApiKeyRequired is not honoured: the method answers without a key";
        wants_key.then(|| note.to_owned()).into_iter().collect()
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let key = method_key(properties);
        let with = |members: Map<String, Value>| {
            let mut input = key.clone();
            for (name, value) in members {
                input[name] = value;
            }
            input
        };
        let names = ["AuthorizationScopes", "AuthorizationType", "AuthorizerId", "OperationName"];
        let mut method = in_small_letters(&only(properties, &names), METHOD);
        method.entry("authorizationType").or_insert_with(|| "NONE".into());
        at.call((API, "PutMethod"), with(method)).await?;
        for response in small_items(properties.get("MethodResponses"), &METHOD_RESPONSE) {
            at.call((API, "PutMethodResponse"), with(by_status(response))).await?;
        }
        let Some(integration) = properties.get("Integration").and_then(Value::as_object) else {
            return Ok(Made::default());
        };
        let mut input = in_small_letters(&without(integration, &["IntegrationResponses"]), INTEGRATION);
        rename(&mut input, "integrationHttpMethod", "httpMethod");
        at.call((API, "PutIntegration"), with(input)).await?;
        for response in small_items(integration.get("IntegrationResponses"), &INTEGRATION_RESPONSE) {
            at.call((API, "PutIntegrationResponse"), with(by_status(response))).await?;
        }
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        self.delete(at, before).await?;
        self.make(at, properties).await
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((API, "GetMethod"), method_key(&standing.properties)).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((API, "DeleteMethod"), method_key(&standing.properties)).await.map(drop)
    }
}

fn method_key(properties: &Properties) -> Value {
    json!({
        "restapi_id": text_of(properties, "RestApiId"),
        "resource_id": text_of(properties, "ResourceId"),
        "http_method": text_of(properties, "HttpMethod"),
    })
}

fn small_items(list: Option<&Value>, shape: &Shape) -> Vec<Map<String, Value>> {
    let Shape::Members(members) = shape else { return Vec::new() };
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| Some(in_small_letters(item.as_object()?, members))).collect()
}

fn by_status(mut response: Map<String, Value>) -> Map<String, Value> {
    rename(&mut response, "statusCode", "status_code");
    response
}

struct GatewayResponse;

const GATEWAY_RESPONSE: &[Member] = &[
    text_map("ResponseParameters"),
    text_map("ResponseTemplates"),
    text("ResponseType").required().fixed(),
    text("RestApiId").required().fixed(),
    text("StatusCode"),
];

#[async_trait]
impl Kind for GatewayResponse {
    fn members(&self) -> &'static [Member] {
        GATEWAY_RESPONSE
    }

    fn belongs_to(&self) -> &'static [&'static str] {
        &["RestApiId"]
    }

    fn made_by(&self) -> Operation {
        (API, "PutGatewayResponse")
    }

    fn rank(&self) -> Rank {
        Rank::OfCallers
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let id = physical_name(&named.around.stack, named.logical_id, NAME_LENGTH_MAX);
        Identity::of(&id).with("Id", id)
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let names = ["ResponseParameters", "ResponseTemplates", "StatusCode"];
        let mut input = in_small_letters(&only(properties, &names), GATEWAY_RESPONSE);
        input.insert("restapi_id".into(), text_of(properties, "RestApiId").into());
        input.insert("response_type".into(), text_of(properties, "ResponseType").into());
        at.call((API, "PutGatewayResponse"), Value::Object(input)).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((API, "GetGatewayResponse"), gateway_response_key(standing)).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((API, "DeleteGatewayResponse"), gateway_response_key(standing)).await.map(drop)
    }

    fn adopts(&self) -> bool {
        true
    }
}

fn gateway_response_key(standing: &Standing) -> Value {
    json!({"restapi_id": standing.text("RestApiId"), "response_type": standing.text("ResponseType")})
}
