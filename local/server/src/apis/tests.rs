//! APIs over the wire, in front of real rooms.

use aws_api::Signatures;
use serde_json::{Value, json};
use stack::Resources;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use world::{Kind, World};

use super::*;
use crate::cloud::Rooms;
use crate::{http, testing};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
const PASSWORD: &str = "Passw0rd!";

/// A port, and the rooms behind it.
struct Tandem {
    address: SocketAddr,
    world: World,
    rooms: Arc<Rooms>,
    _tasks: JoinSet<()>,
}

impl Tandem {
    /// With the function `f`, which fails at once.
    async fn start(signatures: Signatures) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let world = World::for_tests(1);
        let (rooms, mut tasks) = testing::rooms_at(&world, address).await;
        let rooms = Arc::new(rooms);
        tasks.spawn(http::serve(listener, Arc::clone(&rooms), signatures));
        let tandem = Self { address, world, rooms, _tasks: tasks };
        let function = json!({
            "FunctionName": "f", "Runtime": "provided.al2023", "Role": "arn:aws:iam::000000000000:role/r",
            "Handler": "h", "Code": {"S3Bucket": "built-in", "S3Key": "false"},
        });
        tandem.call("lambda", "CreateFunction", function).await;
        tandem
    }

    async fn call(&self, service: &str, operation: &'static str, input: Value) -> Value {
        let resources = Resources::new(&self.world, &self.rooms.services);
        resources.call(service, operation, &input).await.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// The HTTP API `api` with this route.
    async fn api(&self, route: Value) {
        let api = json!({"name": "a", "protocolType": "HTTP", "tags": {"_custom_id_": "api"}});
        self.call("apigatewayv2", "CreateApi", api).await;
        let integration = json!({
            "apiId": "api", "integrationType": "AWS_PROXY", "integrationUri": FUNCTION, "payloadFormatVersion": "2.0",
        });
        let made = self.call("apigatewayv2", "CreateIntegration", integration).await;
        let mut route = route;
        route["apiId"] = json!("api");
        route["target"] = json!(format!("integrations/{}", made["integrationId"].as_str().expect("an id")));
        self.call("apigatewayv2", "CreateRoute", route).await;
        let stage = json!({"apiId": "api", "stageName": "$default", "autoDeploy": true});
        self.call("apigatewayv2", "CreateStage", stage).await;
    }

    async fn permit(&self, source: &str) {
        let permission = json!({
            "FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": format!("arn:aws:execute-api:us-east-1:000000000000:{source}"),
        });
        self.call("lambda", "AddPermission", permission).await;
    }

    /// A user pool with a user who is signed in: the pool's id, the client's id, and their tokens.
    async fn signed_in(&self) -> (String, String, String, String) {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let pool = self.call("cognito-idp", "CreateUserPool", json!({"PoolName": "p"})).await;
        let pool = text(&pool["UserPool"]["Id"]);
        let client = json!({
            "UserPoolId": pool, "ClientName": "c", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
        });
        let client =
            text(&self.call("cognito-idp", "CreateUserPoolClient", client).await["UserPoolClient"]["ClientId"]);
        self.call("cognito-idp", "AdminCreateUser", json!({"UserPoolId": pool, "Username": "ann"})).await;
        let password = json!({"UserPoolId": pool, "Username": "ann", "Password": PASSWORD, "Permanent": true});
        self.call("cognito-idp", "AdminSetUserPassword", password).await;
        let sign_in = json!({
            "ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD},
        });
        let result = self.call("cognito-idp", "InitiateAuth", sign_in).await["AuthenticationResult"].take();
        (pool, client, text(&result["AccessToken"]), text(&result["IdToken"]))
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let headers = [&[("Host", "localhost:1")], headers].concat();
        testing::ask(self.address, &format!("GET {path}"), &headers).await
    }

    /// Why the last request was refused.
    fn detail(&self) -> String {
        let moments = self.world.timeline.all();
        let asked =
            moments.iter().rev().find(|moment| moment.kind == Kind::ApiCall && moment.what.contains("HTTP API"));
        asked.and_then(|moment| moment.detail.clone()).expect("a detail")
    }
}

#[tokio::test]
async fn an_api_is_found_by_its_host_and_by_its_path() {
    let tandem = Tandem::start(Signatures::Unchecked).await;
    tandem.api(json!({"routeKey": "GET /a/{proxy+}"})).await;
    for (line, host) in [
        ("GET /a/b", "api.execute-api.us-east-1.localhost:1"),
        ("GET /a/b", "api.execute-api.us-east-1.amazonaws.com"),
        ("GET /_tandem/apis/api/a/b?c=d", "localhost:1"),
    ] {
        let (status, answer) = testing::ask(tandem.address, line, &[("Host", host)]).await;
        assert!(status == 500 && answer.ends_with(r#"{"message":"Internal Server Error"}"#), "{line}: {answer}");
        assert!(answer.contains("apigw-requestid: "), "{answer}");
    }
    let (status, answer) = tandem.get("/_tandem/apis/api/none", &[]).await;
    assert!(status == 404 && answer.ends_with(r#"{"message":"Not Found"}"#), "{answer}");
    assert_eq!(tandem.get("/_tandem/apis/nobody/a", &[]).await.0, 403);
}

#[tokio::test]
async fn a_function_is_called_with_permission_alone() {
    let tandem = Tandem::start(Signatures::Unchecked).await;
    tandem.api(json!({"routeKey": "GET /pets/{id}"})).await;
    let ask = || tandem.get("/_tandem/apis/api/pets/1", &[]);
    assert_eq!(ask().await.0, 500);
    assert!(tandem.detail().contains("is not authorized to perform: lambda:InvokeFunction"), "{}", tandem.detail());
    tandem.permit("api/*/GET/pets/*").await;
    assert_eq!(ask().await.0, 500);
    assert!(tandem.detail().contains("the function failed"), "{}", tandem.detail());
}

#[tokio::test]
async fn a_signed_in_user_passes_the_authorizer() {
    let tandem = Tandem::start(Signatures::Unchecked).await;
    let (pool, client, access, id) = tandem.signed_in().await;
    let api = json!({"name": "a", "protocolType": "HTTP", "tags": {"_custom_id_": "other"}});
    tandem.call("apigatewayv2", "CreateApi", api).await;
    tandem.api(json!({"routeKey": "GET /open"})).await;
    let authorizer = json!({
        "apiId": "api", "name": "pool", "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {
            "issuer": format!("https://cognito-idp.us-east-1.amazonaws.com/{pool}"), "audience": [client],
        },
    });
    let authorizer = tandem.call("apigatewayv2", "CreateAuthorizer", authorizer).await["authorizerId"].take();
    let routes = tandem.call("apigatewayv2", "GetRoutes", json!({"apiId": "api"})).await;
    let guard = json!({
        "apiId": "api", "routeId": routes["items"][0]["routeId"], "authorizationType": "JWT", "authorizerId": authorizer,
    });
    tandem.call("apigatewayv2", "UpdateRoute", guard).await;
    tandem.permit("api/*").await;
    let ask = async |token: &str| tandem.get("/_tandem/apis/api/open", &[("Authorization", token)]).await;
    for token in [&access, &id, &format!("Bearer {access}")] {
        assert_eq!(ask(token).await.0, 500, "it is let in, and the function fails");
        assert!(tandem.detail().contains("the function failed"), "{}", tandem.detail());
    }
    let (status, answer) = tandem.get("/_tandem/apis/api/open", &[]).await;
    assert!(status == 401 && answer.ends_with(r#"{"message":"Unauthorized"}"#), "{answer}");
    let (_, _, foreign, _) = tandem.signed_in().await;
    let (status, answer) = ask(&foreign).await;
    assert!(status == 401 && answer.contains("the token does not have a valid issuer"), "{answer}");
    assert!(!tandem.world.timeline.of("ann").is_empty());
}

#[tokio::test]
async fn pages_of_other_sites_come_in_where_cors_is_configured() {
    let tandem = Tandem::start(Signatures::Unchecked).await;
    tandem.api(json!({"routeKey": "GET /"})).await;
    let page = [("Origin", "https://a.example")];
    assert!(tandem.get("/_tandem/apis/api/", &page).await.1.contains("may not call this server"));
    let cors = json!({"apiId": "api", "corsConfiguration": {"allowOrigins": ["https://a.example"]}});
    tandem.call("apigatewayv2", "UpdateApi", cors).await;
    let (_, answer) = tandem.get("/_tandem/apis/api/", &page).await;
    assert!(answer.contains("access-control-allow-origin: https://a.example"), "{answer}");
    let rebound = [("Host", "rebound.example"), page[0]];
    assert_eq!(testing::ask(tandem.address, "GET /_tandem/apis/api/", &rebound).await.0, 403);
    let foreign = [("Host", "api.execute-api.us-east-1.rebound.example"), page[0]];
    assert_eq!(testing::ask(tandem.address, "GET /", &foreign).await.0, 403);
}

#[tokio::test]
async fn a_route_can_want_signatures_where_they_are_checked() {
    let credentials = [("AKID".to_owned(), "secret".to_owned())].into();
    let tandem = Tandem::start(Signatures::Checked(credentials)).await;
    tandem.api(json!({"routeKey": "GET /", "authorizationType": "AWS_IAM"})).await;
    assert_eq!(tandem.get("/_tandem/apis/api/", &[]).await.0, 403);
    let tandem = Tandem::start(Signatures::Unchecked).await;
    tandem.api(json!({"routeKey": "GET /", "authorizationType": "AWS_IAM"})).await;
    assert_eq!(tandem.get("/_tandem/apis/api/", &[]).await.0, 500, "let in, and refused by the function's policy");
}

#[tokio::test]
async fn a_rest_api_is_made_by_the_same_calls() {
    let tandem = Tandem::start(Signatures::Unchecked).await;
    let api = json!({"name": "r", "tags": {"_custom_id_": "rest"}});
    let root = tandem.call("apigateway", "CreateRestApi", api).await["rootResourceId"].take();
    let at = json!({"restapi_id": "rest", "resource_id": root, "http_method": "GET"});
    let with = |more: Value| {
        let mut all = at.clone();
        all.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
        all
    };
    tandem.call("apigateway", "PutMethod", with(json!({"authorizationType": "NONE"}))).await;
    let integration = with(json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": FUNCTION}));
    tandem.call("apigateway", "PutIntegration", integration).await;
    tandem.call("apigateway", "CreateDeployment", json!({"restapi_id": "rest", "stageName": "dev"})).await;
    tandem.permit("rest/*/GET/").await;
    let (status, answer) = tandem.get("/_tandem/apis/rest/dev", &[]).await;
    assert!(status == 502 && answer.contains("x-amzn-requestid: "), "{answer}");
    assert_eq!(tandem.get("/_tandem/apis/rest/dev/x", &[]).await.0, 403);
}

/// Both versions of the API have operations of one name, at paths of their own.
#[tokio::test]
async fn operations_are_found_by_their_paths() {
    let tandem = Tandem::start(Signatures::Unchecked).await;
    tandem.api(json!({"routeKey": "GET /"})).await;
    let (status, answer) = tandem.get("/v2/apis/api/stages", &[]).await;
    assert!(status == 200 && answer.contains(r#""stageName":"$default""#), "{answer}");
    let (status, answer) = tandem.get("/restapis/api", &[]).await;
    assert!(status == 404 && answer.contains("x-amzn-errortype: NotFoundException"), "{answer}");
    let arn = "arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapis%2Fapi";
    let (status, answer) = tandem.get(&format!("/v2/tags/{arn}"), &[]).await;
    assert!(status == 200 && answer.ends_with(r#"{"tags":{}}"#), "{answer}");
}
