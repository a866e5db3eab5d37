//! HTTP APIs and their parts (API Gateway's second API).

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::StackError;
use crate::kind::{
    At, Follows, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, text as text_of, without,
};
use crate::name::{derived_id, physical_name};
use crate::resources::API_GATEWAY_V2 as API;
use crate::shape::{
    Member, anything, in_small_letters, meaningless, members, not_honoured, number, text, text_map, texts, truth,
};

pub const KINDS: &[(&str, &dyn Kind)] = &[
    ("AWS::ApiGatewayV2::Api", &Api),
    ("AWS::ApiGatewayV2::Authorizer", &AUTHORIZER),
    ("AWS::ApiGatewayV2::Deployment", &DEPLOYMENT),
    ("AWS::ApiGatewayV2::Integration", &INTEGRATION),
    ("AWS::ApiGatewayV2::Route", &ROUTE),
    ("AWS::ApiGatewayV2::Stage", &STAGE),
];

const ID_LENGTH: usize = 10;
const NAME_LENGTH_MAX: usize = 128;
/// As many parts as a list gives at once.
const LIST_MAX: &str = "500";
const PINNED_ID_TAG: &str = "_custom_id_";
const PINNED: &str = "Tags._custom_id_";

/// The id of an API, the same at every start.
pub fn pinned_id(named: &Named<'_>) -> String {
    let name = format!("api/{}/{}", named.around.stack, named.logical_id);
    named.given(PINNED).map_or_else(|| derived_id(&name, ID_LENGTH).to_lowercase(), str::to_owned)
}

struct Api;

const API_MEMBERS: &[Member] = &[
    not_honoured("ApiKeySelectionExpression"),
    not_honoured("BasePath"),
    not_honoured("Body"),
    not_honoured("BodyS3Location"),
    members(
        "CorsConfiguration",
        &[
            truth("AllowCredentials"),
            texts("AllowHeaders"),
            texts("AllowMethods"),
            texts("AllowOrigins"),
            texts("ExposeHeaders"),
            number("MaxAge"),
        ],
    ),
    text("CredentialsArn"),
    text("Description"),
    truth("DisableExecuteApiEndpoint"),
    truth("DisableSchemaValidation"),
    meaningless("FailOnWarnings"),
    meaningless("IpAddressType"),
    text("Name"),
    text("ProtocolType").fixed(),
    text("RouteKey"),
    text("RouteSelectionExpression"),
    text_map("Tags"),
    text("Target"),
    text("Version"),
];

#[async_trait]
impl Kind for Api {
    fn members(&self) -> &'static [Member] {
        API_MEMBERS
    }

    fn made_by(&self) -> Operation {
        (API, "CreateApi")
    }

    fn rank(&self) -> Rank {
        Rank::Callers
    }

    fn naming(&self) -> &'static [&'static str] {
        &[PINNED]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let id = pinned_id(named);
        Identity::of(&id).with("ApiId", id).and_later(&["ApiEndpoint"])
    }

    fn not_served(&self, given: &dyn Fn(&str) -> Option<String>) -> Option<&'static str> {
        let is_websocket = given("ProtocolType").as_deref() == Some("WEBSOCKET");
        is_websocket.then_some("WebSocket APIs are not served here")
    }

    fn check(&self, properties: &Properties) -> Result<(), String> {
        match text_of(properties, "ProtocolType") {
            "HTTP" => Ok(()),
            _ => Err("ProtocolType must be HTTP".into()),
        }
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = api_input(at, properties);
        input["tags"][PINNED_ID_TAG] = at.id.into();
        let answer = at.call((API, "CreateApi"), input).await?;
        Ok(Made::default().member("ApiEndpoint", &answer, "/apiEndpoint"))
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let mut input = api_input(at, &without(properties, &["ProtocolType", "Tags"]));
        input["apiId"] = at.id.into();
        if before.properties.contains_key("CorsConfiguration") && !properties.contains_key("CorsConfiguration") {
            at.ask((API, "DeleteCorsConfiguration"), json!({"apiId": at.id})).await?;
        }
        let answer = at.call((API, "UpdateApi"), input).await?;
        retag(at, &format!("/apis/{}", at.id), (&before.properties, properties)).await?;
        Ok(Made::default().member("ApiEndpoint", &answer, "/apiEndpoint"))
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((API, "GetApi"), json!({"apiId": standing.id})).await?;
        Ok(found.map(|answer| Made::default().member("ApiEndpoint", &answer, "/apiEndpoint")))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((API, "DeleteApi"), json!({"apiId": standing.id})).await.map(drop)
    }
}

/// The ARN of an API or a stage. It names no account.
pub fn api_arn(at: &At<'_>, path: &str) -> String {
    format!("arn:aws:apigateway:{}::{path}", at.around.place.region)
}

/// Sets the tags of an API or a stage that are new or other, and removes those that are gone.
async fn retag(at: &At<'_>, path: &str, (before, after): (&Properties, &Properties)) -> Result<(), StackError> {
    let arn = api_arn(at, path);
    let tags = |properties: &Properties| properties.get("Tags").and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (tags(before), tags(after));
    let gone: Vec<&String> = before.keys().filter(|key| !after.contains_key(*key)).collect();
    if !gone.is_empty() {
        at.call((API, "UntagResource"), json!({"resource-arn": arn, "tagKeys": gone})).await?;
    }
    if after != before && !after.is_empty() {
        at.call((API, "TagResource"), json!({"resource-arn": arn, "tags": after})).await?;
    }
    Ok(())
}

fn api_input(at: &At<'_>, properties: &Properties) -> Value {
    let mut input = in_small_letters(properties, API_MEMBERS);
    let made_up = || physical_name(&at.around.stack, at.logical_id, NAME_LENGTH_MAX).into();
    input.entry("name").or_insert_with(made_up);
    Value::Object(input)
}

/// A part of an API: what is asked of it are the API's id and its own.
struct Part {
    members: &'static [Member],
    /// The member of answers that has its id, which is what `Ref` gives.
    id: &'static str,
    /// The attribute that has it too.
    attribute: &'static str,
    /// Make, change, find, delete.
    operations: [&'static str; 4],
    rank: Rank,
}

static INTEGRATION: Part = Part {
    members: {
        const MEMBERS: &[Member] = &[
            text("ApiId").required().fixed(),
            text("ConnectionId"),
            text("ConnectionType"),
            meaningless("ContentHandlingStrategy"),
            text("CredentialsArn"),
            text("Description"),
            text("IntegrationMethod"),
            text("IntegrationSubtype"),
            text("IntegrationType").required(),
            text("IntegrationUri"),
            meaningless("PassthroughBehavior"),
            text("PayloadFormatVersion"),
            anything("RequestParameters"),
            not_honoured("RequestTemplates"),
            not_honoured("ResponseParameters"),
            not_honoured("TemplateSelectionExpression"),
            number("TimeoutInMillis"),
            anything("TlsConfig"),
        ];
        MEMBERS
    },
    id: "integrationId",
    attribute: "IntegrationId",
    operations: ["CreateIntegration", "UpdateIntegration", "GetIntegration", "DeleteIntegration"],
    rank: Rank::OfCallers,
};

static ROUTE: Part = Part {
    members: {
        const MEMBERS: &[Member] = &[
            text("ApiId").required().fixed(),
            truth("ApiKeyRequired"),
            texts("AuthorizationScopes"),
            text("AuthorizationType"),
            text("AuthorizerId"),
            not_honoured("ModelSelectionExpression"),
            text("OperationName"),
            not_honoured("RequestModels"),
            not_honoured("RequestParameters"),
            text("RouteKey").required(),
            not_honoured("RouteResponseSelectionExpression"),
            text("Target"),
        ];
        MEMBERS
    },
    id: "routeId",
    attribute: "RouteId",
    operations: ["CreateRoute", "UpdateRoute", "GetRoute", "DeleteRoute"],
    rank: Rank::OfCallers,
};

static AUTHORIZER: Part = Part {
    members: {
        const MEMBERS: &[Member] = &[
            text("ApiId").required().fixed(),
            text("AuthorizerCredentialsArn"),
            text("AuthorizerPayloadFormatVersion"),
            number("AuthorizerResultTtlInSeconds"),
            text("AuthorizerType").required(),
            text("AuthorizerUri"),
            truth("EnableSimpleResponses"),
            texts("IdentitySource"),
            meaningless("IdentityValidationExpression"),
            members("JwtConfiguration", &[texts("Audience"), text("Issuer")]),
            text("Name").required(),
        ];
        MEMBERS
    },
    id: "authorizerId",
    attribute: "AuthorizerId",
    operations: ["CreateAuthorizer", "UpdateAuthorizer", "GetAuthorizer", "DeleteAuthorizer"],
    rank: Rank::OfCallers,
};

static STAGE: Part = Part {
    members: {
        const MEMBERS: &[Member] = &[
            meaningless("AccessLogSettings"),
            meaningless("AccessPolicyId"),
            text("ApiId").required().fixed(),
            truth("AutoDeploy"),
            not_honoured("ClientCertificateId"),
            meaningless("DefaultRouteSettings"),
            text("DeploymentId"),
            text("Description"),
            meaningless("RouteSettings"),
            text("StageName").required().fixed(),
            text_map("StageVariables"),
            text_map("Tags"),
        ];
        MEMBERS
    },
    id: "stageName",
    attribute: "StageName",
    operations: ["CreateStage", "UpdateStage", "GetStage", "DeleteStage"],
    rank: Rank::Permissions, // behind the routes
};

static DEPLOYMENT: Part = Part {
    members: {
        const MEMBERS: &[Member] =
            &[text("ApiId").required().fixed(), text("Description").fixed(), text("StageName").fixed()];
        MEMBERS
    },
    id: "deploymentId",
    attribute: "DeploymentId",
    operations: ["CreateDeployment", "", "GetDeployment", "DeleteDeployment"],
    rank: Rank::Permissions,
};

#[async_trait]
impl Kind for Part {
    fn members(&self) -> &'static [Member] {
        self.members
    }

    fn made_by(&self) -> Operation {
        (API, self.operations[0])
    }

    fn rank(&self) -> Rank {
        self.rank
    }

    /// A route without its authorizer would be open to everybody.
    fn belongs_to(&self) -> &'static [&'static str] {
        &["ApiId", "AuthorizerId", "AuthorizerUri", "DeploymentId", "IntegrationUri", "Target"]
    }

    fn naming(&self) -> &'static [&'static str] {
        if self.id == "stageName" { &["StageName"] } else { &[] }
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        match named.given("StageName") {
            Some(name) => Identity::of(name),
            None => Identity { nameless: true, ..Identity::later() },
        }
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let input = Value::Object(in_small_letters(properties, self.members));
        let answer = at.call((API, self.operations[0]), input).await?;
        let id = answer[self.id].as_str().unwrap_or_default();
        Ok(Made::of(id).with(self.attribute, id))
    }

    async fn begun(&self, at: &At<'_>, properties: &Properties, taken: &[&str]) -> Result<Option<String>, StackError> {
        let (list, property, member) = match self.attribute {
            "RouteId" => ("GetRoutes", "RouteKey", "routeKey"),
            "AuthorizerId" => ("GetAuthorizers", "Name", "name"),
            "IntegrationId" => ("GetIntegrations", "IntegrationUri", "integrationUri"),
            _ => return Ok(None), // one deployment more harms nobody
        };
        let input = json!({"apiId": text_of(properties, "ApiId"), "maxResults": LIST_MAX});
        let listed = at.ask((API, list), input).await?.unwrap_or_default();
        let mut items = listed["items"].as_array().into_iter().flatten();
        let id = |item: &'_ Value| item[self.id].as_str().unwrap_or_default().to_owned();
        let found =
            items.find(|item| item[member] == text_of(properties, property) && !taken.contains(&id(item).as_str()));
        Ok(found.map(id))
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        if self.operations[1].is_empty() {
            return Ok(Made::default());
        }
        let mut input = in_small_letters(&without(properties, &["Tags"]), self.members);
        // An empty text takes a member away.
        for (name, value) in in_small_letters(&before.properties, self.members) {
            if value.is_string() {
                input.entry(name).or_insert_with(|| "".into());
            }
        }
        input.insert(self.id.to_owned(), before.id.as_str().into());
        at.call((API, self.operations[1]), Value::Object(input)).await?;
        if self.id == "stageName" {
            let path = format!("/apis/{}/stages/{}", before.text("ApiId"), before.id);
            retag(at, &path, (&before.properties, properties)).await?;
        }
        Ok(Made::default())
    }

    fn follows(&self) -> Follows {
        if self.attribute == "DeploymentId" { Follows::Parts } else { Follows::Nothing }
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((API, self.operations[2]), self.key(standing)).await?;
        Ok(found.map(|_| Made::default().with(self.attribute, &standing.id)))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((API, self.operations[3]), self.key(standing)).await.map(drop)
    }
}

impl Part {
    fn key(&self, standing: &Standing) -> Value {
        let mut key = json!({"apiId": standing.text("ApiId")});
        key[self.id] = standing.id.as_str().into();
        key
    }
}
