//! The process dies between the making of a resource and the record of it.
//!
//! What could be lost is the way forward: a resource that stands and that nobody knows, so that the next start finds its
//! name taken and can never finish, or makes a second one beside it. It is not, because what will be made is recorded
//! before the service is called, with the properties that find it again; the next load looks for it, takes away what was
//! begun, and makes it anew.
//!
//! Here, every load is cut off behind another call, the last answer unheard, and begun again.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_api::{ApiError, Call, QueryApi, Reply, Route, Service, ServiceName};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{FUNCTION, Kit};

const STACK: &str = "
  Users: {Type: AWS::Cognito::UserPool, Properties: {LambdaConfig: {PostConfirmation: !GetAtt Announce.Arn}}}
  Web: {Type: AWS::Cognito::UserPoolClient, Properties: {UserPoolId: !Ref Users, GenerateSecret: true}}
  Admins: {Type: AWS::Cognito::UserPoolGroup, Properties: {UserPoolId: !Ref Users, GroupName: admins}}
  Invoke: {Type: AWS::Lambda::Permission, Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Announce, Principal: cognito-idp.amazonaws.com, SourceArn: !GetAtt Users.Arn}}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: users}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  Seen: {Type: AWS::Events::Rule, Properties: {EventBusName: !Ref Bus, EventPattern: {source: [a]}, Targets: [{Id: t, Arn: !GetAtt Dead.Arn}]}}
  Fed: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref Announce, EventSourceArn: !GetAtt Dead.Arn}}
  Profiles: {Type: AWS::DynamoDB::Table, Properties: {TableName: profiles, BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{AttributeName: pk, AttributeType: S}], KeySchema: [{AttributeName: pk, KeyType: HASH}]}}
  Value: {Type: AWS::SSM::Parameter, Properties: {Name: /users/table, Type: String, Value: !Ref Profiles}}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: key, SecretString: s}}
  Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /users}}
  Http: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: users, ProtocolType: HTTP}}
  To: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Http, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Announce.Arn, PayloadFormatVersion: '2.0'}}
  Way: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Http, RouteKey: GET /users, Target: !Sub 'integrations/${To}'}}
  Guard: {Type: AWS::ApiGatewayV2::Authorizer, Properties: {ApiId: !Ref Http, Name: guard, AuthorizerType: JWT, IdentitySource: [$request.header.Authorization], JwtConfiguration: {Audience: [a], Issuer: !GetAtt Users.ProviderURL}}}
  Rest: {Type: AWS::ApiGateway::RestApi, Properties: {Name: users}}
  Path: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: users}}
  Door: {Type: AWS::ApiGateway::Authorizer, Properties: {RestApiId: !Ref Rest, Name: door, Type: COGNITO_USER_POOLS, ProviderARNs: [!GetAtt Users.Arn], IdentitySource: method.request.header.Authorization}}
  Get: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Rest, ResourceId: !Ref Path, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: MOCK}}}
  Deployed: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Rest}}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Rest, StageName: dev, DeploymentId: !Ref Deployed}}
Outputs:
  Http: {Value: !Ref Http}
  Rest: {Value: !Ref Rest}
";

/// A service after whose n-th answer, counted over all of them, nothing happens any more.
struct CutOff {
    service: Arc<dyn Service>,
    left: Arc<AtomicUsize>,
    dead: Arc<Notify>,
}

impl Service for CutOff {
    fn name(&self) -> ServiceName {
        self.service.name()
    }

    fn operations(&self) -> Vec<(&'static str, Option<Route>)> {
        self.service.operations()
    }

    fn call<'a>(&'a self, call: &'a Call) -> Pin<Box<dyn Future<Output = Result<Reply, ApiError>> + Send + 'a>> {
        Box::pin(async move {
            let reply = self.service.call(call).await;
            if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
                self.dead.notify_one();
                std::future::pending::<()>().await;
            }
            reply
        })
    }

    fn query(&self) -> Option<&'static QueryApi> {
        self.service.query()
    }
}

/// Loads the stack until it has had so many answers; whether it came to its end before.
async fn cut_off(t: &Kit, text: &str, answers: usize) -> bool {
    let (left, dead) = (Arc::new(AtomicUsize::new(answers)), Arc::new(Notify::new()));
    let cut = |service: &Arc<dyn Service>| -> Arc<dyn Service> {
        Arc::new(CutOff { service: Arc::clone(service), left: Arc::clone(&left), dead: Arc::clone(&dead) })
    };
    let services: Vec<Arc<dyn Service>> = t.rooms.services.iter().map(cut).collect();
    tokio::select! {
        loaded = t.load_by(&services, text) => {
            loaded.expect("it loads");
            true
        }
        () = dead.notified() => false,
    }
}

/// How many there are of each kind, by the services' own word.
async fn counted(t: &Kit, http: &Value, rest: &Value) -> BTreeMap<&'static str, usize> {
    let mut counted = BTreeMap::new();
    let (http, rest) = (json!({"apiId": http}), json!({"restapi_id": rest}));
    let lists: [(&str, &str, &'static str, Value); 13] = [
        ("cognito-idp", "ListUserPools", "/UserPools", json!({"MaxResults": 60})),
        ("events", "ListEventBuses", "/EventBuses", json!({})),
        ("events", "ListRules", "/Rules", json!({"EventBusName": "users"})),
        ("sqs", "ListQueues", "/QueueUrls", json!({})),
        ("lambda", "ListEventSourceMappings", "/EventSourceMappings", json!({})),
        ("dynamodb", "ListTables", "/TableNames", json!({})),
        ("ssm", "DescribeParameters", "/Parameters", json!({})),
        ("secretsmanager", "ListSecrets", "/SecretList", json!({})),
        ("apigatewayv2", "GetIntegrations", "/items", http.clone()),
        ("apigatewayv2", "GetRoutes", "/items", http.clone()),
        ("apigatewayv2", "GetAuthorizers", "/items", http),
        ("apigateway", "GetResources", "/item", rest.clone()),
        ("apigateway", "GetAuthorizers", "/item", rest),
    ];
    for (service, operation, list, input) in lists {
        let answer = t.resources().call(service, operation.to_owned().leak(), &input).await;
        let answer = answer.unwrap_or_else(|error| panic!("{operation}: {error}"));
        let count = answer.pointer(list).and_then(Value::as_array).map(Vec::len).unwrap_or_default();
        *counted.entry(if service == "apigateway" { "REST" } else { list }).or_insert(0) += count;
    }
    counted
}

#[tokio::test]
async fn a_load_that_is_cut_off_anywhere_is_finished_by_the_next() {
    let text = format!("Resources:{FUNCTION}{}", STACK.trim_start_matches('\n'));
    let mut whole = None;
    for answers in 1.. {
        let t = Kit::new().await;
        let ended = cut_off(&t, &text, answers).await;
        let loaded = t.load(&text).await.unwrap_or_else(|error| panic!("cut off behind answer {answers}: {error}"));
        let outputs = &loaded.stack.outputs;
        let found = counted(&t, &outputs["Http"].clone().into(), &outputs["Rest"].clone().into()).await;
        assert_eq!(t.loaded(&text).await, [""; 0], "cut off behind answer {answers}");
        let whole = whole.get_or_insert_with(|| found.clone());
        assert_eq!(*whole, found, "cut off behind answer {answers}");
        if ended {
            return;
        }
    }
}
