//! SAM: what becomes of each of its resources, by logical id, and what it refuses in its own words. The ids and hashes
//! were compared with the output of aws-sam-translator 1.115.

use serde_json::{Value, json};
use template::{Inputs, Source, Template, TemplateError, load_template};

const HEAD: &str = "Transform: AWS::Serverless-2016-10-31\n";

fn read(text: &str) -> Result<Template, TemplateError> {
    let document = load_template(&Source::new("/app/t.yml", format!("{HEAD}{text}")))?;
    Template::read(document, Inputs::default())
}

/// A function with these properties, besides what else is in the template.
fn function(properties: &str, others: &str) -> String {
    let properties = properties.replace('\n', "\n      ");
    format!(
        "Resources:\n  Pool: {{Type: AWS::Cognito::UserPool}}\n  Queue: {{Type: AWS::SQS::Queue}}\n{others}  Fn:\n    Type: \
         AWS::Serverless::Function\n    Properties:\n      Handler: a.h\n      Runtime: nodejs22.x\n      {properties}\n"
    )
}

fn expanded(text: &str) -> Template {
    read(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The types of what was made, by logical id, but of what the tests' templates have in common.
#[track_caller]
fn check_made(template: &Template, expected: &[(&str, &str)]) {
    let common = ["Pool", "Queue", "Fn", "FnRole"];
    let mut made: Vec<(&str, &str)> = template
        .resources
        .iter()
        .map(|resource| (resource.logical_id.as_str(), resource.kind.as_str()))
        .filter(|(id, _)| !common.contains(id))
        .collect();
    let mut expected = expected.to_vec();
    made.sort_unstable();
    expected.sort_unstable();
    assert_eq!(made, expected);
}

#[track_caller]
fn properties(template: &Template, id: &str) -> Value {
    let resource = template.resource(id).unwrap_or_else(|| panic!("{id} is made"));
    resource.properties.to_json()
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = read(text).expect_err(text).to_string();
    assert_eq!(error.split_once(": ").map(|(_, words)| words), Some(expected), "{text}");
}

#[test]
fn a_function_and_its_role() {
    let template = expanded(&function(
        "CodeUri: ./src\nEnvironment: {Variables: {A: b}}\nTracing: Active\nTags: {x: y}\nDeadLetterQueue: {Type: SQS, \
         TargetArn: !GetAtt Queue.Arn}\nPolicies: [{DynamoDBCrudPolicy: {TableName: t}}]",
        "",
    ));
    assert_eq!(
        properties(&template, "Fn"),
        json!({
            "Code": {"S3Bucket": "local", "S3Key": "/app/src"},
            "DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["Queue", "Arn"]}},
            "Environment": {"Variables": {"A": "b"}},
            "Handler": "a.h",
            "Role": {"Fn::GetAtt": ["FnRole", "Arn"]},
            "Runtime": "nodejs22.x",
            "Tags": [{"Key": "lambda:createdBy", "Value": "SAM"}, {"Key": "x", "Value": "y"}],
            "TracingConfig": {"Mode": "Active"},
        })
    );
    check_made(&template, &[]);
    assert_eq!(template.resource("FnRole").map(|role| role.kind.as_str()), Some("AWS::IAM::Role"));
    assert_eq!(template.warnings, []);
}

#[test]
fn globals_are_merged_and_may_be_ignored() {
    let template = expanded(
        "Globals:\n  Function: {Runtime: python3.13, Handler: a.h, Timeout: 5, Layers: [g], Environment: {Variables: {A: '1', B: \
         '2'}}}\nResources:\n  One: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Timeout: 7, Layers: [o], \
         Environment: {Variables: {B: '3'}}}}\n  Two: {Type: AWS::Serverless::Function, IgnoreGlobals: [Layers, Timeout], \
         Properties: {InlineCode: x}}\n  Three: {Type: AWS::Serverless::Function, IgnoreGlobals: '*', Properties: {InlineCode: \
         x}}\n",
    );
    let of = |id: &str, key: &str| properties(&template, id)[key].clone();
    assert_eq!(of("One", "Environment"), json!({"Variables": {"A": "1", "B": "3"}}));
    assert_eq!((of("One", "Layers"), of("One", "Timeout")), (json!(["g", "o"]), json!(7)));
    assert_eq!(of("One", "Code"), json!({"S3Bucket": "inline", "S3Key": "x"}));
    assert_eq!(
        (of("Two", "Layers"), of("Two", "Timeout"), of("Two", "Handler")),
        (json!(null), json!(null), json!("a.h"))
    );
    assert_eq!(of("Three", "Runtime"), json!(null));
}

#[test]
fn a_pool_calls_the_function() {
    let template = expanded(&function(
        "Events: {Up: {Type: Cognito, Properties: {UserPool: !Ref Pool, Trigger: [PostConfirmation, PreSignUp]}}}",
        "",
    ));
    check_made(&template, &[("FnCognitoPermission", "AWS::Lambda::Permission")]);
    let function = json!({"Fn::GetAtt": ["Fn", "Arn"]});
    assert_eq!(
        properties(&template, "Pool"),
        json!({"LambdaConfig": {"PostConfirmation": function, "PreSignUp": function}})
    );
    assert_eq!(
        properties(&template, "FnCognitoPermission"),
        json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "Fn"},
            "Principal": "cognito-idp.amazonaws.com",
            "SourceArn": {"Fn::GetAtt": ["Pool", "Arn"]},
        })
    );
}

#[test]
fn a_pool_that_cannot_call_the_function() {
    let event =
        |properties: &str| function(&format!("Events: {{Up: {{Type: Cognito, Properties: {properties}}}}}"), "");
    let start = "Resource with id [Fn] is invalid. Event with id [Up] is invalid.";
    let same = format!("{start} Cognito events must reference a Cognito UserPool in the same template.");
    check_error(&event("{UserPool: eu-west-1_abc, Trigger: PreSignUp}"), &same);
    check_error(&event("{UserPool: !Ref Other, Trigger: PreSignUp}"), &same);
    check_error(
        &event("{UserPool: !Ref Pool, Trigger: [PreSignUp, PreSignUp]}"),
        &format!("{start} Cognito trigger \"['PreSignUp', 'PreSignUp']\" defined multiple times."),
    );
    check_error(
        &event("{UserPool: !Ref Pool}"),
        "Resource with id [FnUp] is invalid. Missing required property 'Trigger'.",
    );
}

#[test]
fn an_alias_stands_for_the_function() {
    let template = expanded(&function(
        "CodeUri: s3://bucket/key2\nTimeout: 10\nAutoPublishAlias: live-1\nEnvironment: {Variables: {A: '1', B: '2'}}\n\
         FunctionUrlConfig: {AuthType: AWS_IAM}\nEventInvokeConfig: {MaximumRetryAttempts: 0}\nEvents:\n  Up: {Type: Cognito, \
         Properties: {UserPool: !Ref Pool, Trigger: CustomMessage}}\n  Sq: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}",
        "",
    ));
    check_made(
        &template,
        &[
            ("FnAliasliveD1", "AWS::Lambda::Alias"),
            ("FnAliasliveD1CognitoPermission", "AWS::Lambda::Permission"),
            ("FnEventInvokeConfig", "AWS::Lambda::EventInvokeConfig"),
            ("FnSq", "AWS::Lambda::EventSourceMapping"),
            ("FnUrl", "AWS::Lambda::Url"),
            ("FnVersion4d3d0e8884", "AWS::Lambda::Version"),
        ],
    );
    let alias = json!({"Ref": "FnAliasliveD1"});
    assert_eq!(properties(&template, "Pool"), json!({"LambdaConfig": {"CustomMessage": alias}}));
    assert_eq!(properties(&template, "FnSq")["FunctionName"], alias);
    assert_eq!(properties(&template, "FnEventInvokeConfig")["Qualifier"], json!("live-1"));
    let version = template.resource("FnVersion4d3d0e8884").expect("it is made");
    assert_eq!(version.deletion_policy.as_deref(), Some("Retain"));
    assert_eq!(template.resource("FnEventInvokeConfig").expect("it is made").depends_on, ["FnAliasliveD1"]);
}

#[test]
fn names_of_generated_resources_are_written_out() {
    let text = "Outputs:\n  A: {Value: !Ref Fn.Alias}\n  V: {Value: !GetAtt Fn.Version.Version}\n  L: {Value: !Sub \
                '${Layer}|${Fn.Version}'}\n";
    let layer = "  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: s3://a/b, LayerName: l, \
                 CompatibleRuntimes: [nodejs20.x], RetentionPolicy: Delete}}\n";
    let template = expanded(&format!(
        "{}{text}",
        function("InlineCode: x\nAutoPublishAlias: live\nAutoPublishCodeSha256: 0123456789abcdef", layer)
    ));
    let outputs: Vec<Value> = template.outputs.iter().map(|output| output.value.to_json()).collect();
    assert_eq!(
        outputs,
        [
            json!({"Ref": "FnAliaslive"}),
            json!({"Fn::GetAtt": ["FnVersion0123456789", "Version"]}),
            json!({"Fn::Sub": "${Layer70072d7291}|${FnVersion0123456789}"}),
        ]
    );
    assert_eq!(template.resource("Layer70072d7291").expect("it is made").deletion_policy.as_deref(), Some("Delete"));
}

#[test]
fn events_of_the_bus() {
    let template = expanded(&function(
        "InlineCode: x\nEvents:\n  Made: {Type: EventBridgeRule, Properties: {EventBusName: b, Pattern: {source: [a]}, \
         DeadLetterConfig: {Type: SQS}, RetryPolicy: {MaximumRetryAttempts: 2}, InputPath: $.detail, RuleName: rn, Enabled: \
         false}}\n  Tick: {Type: Schedule, Properties: {Schedule: rate(1 minute), Name: n, DeadLetterConfig: {Arn: !GetAtt \
         Queue.Arn}}}\n  Tock: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute), Input: '{}'}}",
        "",
    ));
    check_made(
        &template,
        &[
            ("FnMade", "AWS::Events::Rule"),
            ("FnMadePermission", "AWS::Lambda::Permission"),
            ("FnMadeQueue", "AWS::SQS::Queue"),
            ("FnMadeQueuePolicy", "AWS::SQS::QueuePolicy"),
            ("FnTick", "AWS::Events::Rule"),
            ("FnTickPermission", "AWS::Lambda::Permission"),
            ("FnTock", "AWS::Scheduler::Schedule"),
            ("FnTockRole", "AWS::IAM::Role"),
        ],
    );
    assert_eq!(
        properties(&template, "FnMade"),
        json!({
            "EventBusName": "b",
            "EventPattern": {"source": ["a"]},
            "Name": "rn",
            "State": "DISABLED",
            "Targets": [{
                "Arn": {"Fn::GetAtt": ["Fn", "Arn"]},
                "Id": "FnMadeLambdaTarget",
                "InputPath": "$.detail",
                "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["FnMadeQueue", "Arn"]}},
                "RetryPolicy": {"MaximumRetryAttempts": 2},
            }],
        })
    );
    assert_eq!(properties(&template, "FnTock")["Name"], json!("FnTock"));
    assert_eq!(properties(&template, "FnTock")["Target"]["RoleArn"], json!({"Fn::GetAtt": ["FnTockRole", "Arn"]}));
}

#[test]
fn streams_queues_and_results() {
    let template = expanded(&function(
        "InlineCode: x\nEventInvokeConfig:\n  MaximumEventAgeInSeconds: 70\n  DestinationConfig: {OnFailure: {Type: SQS}, \
         OnSuccess: {Type: EventBridge, Destination: arn:bus}}\nEvents:\n  Str: {Type: DynamoDB, Properties: {Stream: arn:s, \
         StartingPosition: LATEST, DestinationConfig: {OnFailure: {Type: SQS, Destination: arn:q}}}}\n  Sq: {Type: SQS, \
         Properties: {Queue: arn:q, BatchSize: 2}}\n  S3: {Type: S3, Properties: {Bucket: b, Events: x}}",
        "",
    ));
    check_made(
        &template,
        &[
            ("FnEventInvokeConfig", "AWS::Lambda::EventInvokeConfig"),
            ("FnEventInvokeConfigOnFailureQueue", "AWS::SQS::Queue"),
            ("FnSq", "AWS::Lambda::EventSourceMapping"),
            ("FnStr", "AWS::Lambda::EventSourceMapping"),
        ],
    );
    assert_eq!(
        properties(&template, "FnStr"),
        json!({
            "DestinationConfig": {"OnFailure": {"Destination": "arn:q"}},
            "EventSourceArn": "arn:s",
            "FunctionName": {"Ref": "Fn"},
            "StartingPosition": "LATEST",
        })
    );
    let failures = json!({"Destination": {"Fn::GetAtt": ["FnEventInvokeConfigOnFailureQueue", "Arn"]}});
    assert_eq!(properties(&template, "FnEventInvokeConfig")["DestinationConfig"]["OnFailure"], failures);
    let warnings: Vec<&str> = template.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(warnings, ["the event S3 of Fn is not made here: S3"]);
}

#[test]
fn http_apis_are_routes() {
    let api = "  Http:\n    Type: AWS::Serverless::HttpApi\n    Properties:\n      StageName: prod\n      CorsConfiguration: \
               true\n      Auth:\n        DefaultAuthorizer: Jwt\n        Authorizers:\n          Jwt: {AuthorizationScopes: \
               [email], JwtConfiguration: {audience: [a], issuer: i}}\n";
    let template = expanded(&function(
        "InlineCode: x\nEvents:\n  Any: {Type: HttpApi}\n  One: {Type: HttpApi, Properties: {Path: '/one/{id}', Method: \
         get}}\n  Three: {Type: HttpApi, Properties: {Path: /three, Method: any, ApiId: !Ref Http, Auth: {Authorizer: NONE}, \
         RouteSettings: {ThrottlingBurstLimit: 3}}}\n  Two: {Type: HttpApi, Properties: {Path: '/two/{id}', Method: POST, ApiId: \
         !Ref Http}}",
        api,
    ));
    check_made(
        &template,
        &[
            ("FnAnyIntegration", "AWS::ApiGatewayV2::Integration"),
            ("FnAnyPermission", "AWS::Lambda::Permission"),
            ("FnAnyRoute", "AWS::ApiGatewayV2::Route"),
            // No permission of its own: the one for everything is enough, as the translator has it.
            ("FnOneIntegration", "AWS::ApiGatewayV2::Integration"),
            ("FnOneRoute", "AWS::ApiGatewayV2::Route"),
            ("FnThreeIntegration", "AWS::ApiGatewayV2::Integration"),
            ("FnThreePermission", "AWS::Lambda::Permission"),
            ("FnThreeRoute", "AWS::ApiGatewayV2::Route"),
            ("FnTwoIntegration", "AWS::ApiGatewayV2::Integration"),
            ("FnTwoPermission", "AWS::Lambda::Permission"),
            ("FnTwoRoute", "AWS::ApiGatewayV2::Route"),
            ("Http", "AWS::ApiGatewayV2::Api"),
            ("HttpJwtAuthorizer", "AWS::ApiGatewayV2::Authorizer"),
            ("HttpprodStage", "AWS::ApiGatewayV2::Stage"),
            ("ServerlessHttpApi", "AWS::ApiGatewayV2::Api"),
            ("ServerlessHttpApiApiGatewayDefaultStage", "AWS::ApiGatewayV2::Stage"),
        ],
    );
    assert_eq!(
        properties(&template, "FnTwoRoute"),
        json!({
            "ApiId": {"Ref": "Http"},
            "AuthorizationScopes": ["email"],
            "AuthorizationType": "JWT",
            "AuthorizerId": {"Ref": "HttpJwtAuthorizer"},
            "RouteKey": "POST /two/{id}",
            "Target": {"Fn::Sub": "integrations/${FnTwoIntegration}"},
        })
    );
    assert_eq!(properties(&template, "FnThreeRoute")["AuthorizationType"], json!(null));
    assert_eq!(properties(&template, "FnAnyRoute")["RouteKey"], json!("$default"));
    assert_eq!(
        properties(&template, "HttpprodStage")["RouteSettings"],
        json!({"ANY /three": {"ThrottlingBurstLimit": 3}})
    );
    let source = &properties(&template, "FnTwoPermission")["SourceArn"]["Fn::Sub"][0];
    assert!(source.as_str().is_some_and(|source| source.ends_with("/${__Stage__}/POST/two/*")), "{source}");
}

#[test]
fn routes_that_cannot_be() {
    let event = |properties: &str| {
        function(&format!("InlineCode: x\nEvents: {{A: {{Type: HttpApi, Properties: {properties}}}}}"), "")
    };
    let start = "Resource with id [Fn] is invalid. Event with id [A] is invalid.";
    check_error(&event("{Path: /a}"), &format!("{start} Property 'Method' is required."));
    check_error(
        &event("{Path: /a, Method: get, ApiId: !Ref X}"),
        &format!("{start} ApiId must be a valid reference to an 'AWS::Serverless::HttpApi' resource in same template."),
    );
    check_error(
        &event("{Path: /a, Method: get, Auth: {Authorizer: J}}"),
        &format!(
            "{start} Unable to set Authorizer [J] on API method [get] for path [/a] because the related API does not define \
             any Authorizers."
        ),
    );
}

#[test]
fn rest_apis_are_resources_and_methods() {
    let api = "  Rest:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: dev\n      Cors: \"'*'\"\n      \
               EndpointConfiguration: {Type: REGIONAL}\n      Auth: {DefaultAuthorizer: Cog, Authorizers: {Cog: {UserPoolArn: \
               !GetAtt Pool.Arn}}, AddDefaultAuthorizerToCorsPreflight: false}\n";
    let template = expanded(&function(
        "InlineCode: x\nEvents:\n  A: {Type: Api, Properties: {Path: '/x/{id}', Method: get, RestApiId: !Ref Rest}}\n  B: {Type: \
         Api, Properties: {Path: /x, Method: any, RestApiId: !Ref Rest, Auth: {Authorizer: NONE}}}",
        api,
    ));
    let made: Vec<&str> = template.resources.iter().map(|resource| resource.logical_id.as_str()).collect();
    for id in [
        "FnAMethod",
        "FnAPermissiondev",
        "FnBMethod",
        "Rest",
        "RestCogAuthorizer",
        "RestOptionsXIdVarMethod",
        "RestResourceX",
        "RestResourceXIdVar",
        "RestdevStage",
    ] {
        assert!(made.contains(&id), "{id} in {made:?}");
    }
    assert_eq!(
        properties(&template, "FnAMethod"),
        json!({
            "AuthorizationType": "COGNITO_USER_POOLS",
            "AuthorizerId": {"Ref": "RestCogAuthorizer"},
            "HttpMethod": "GET",
            "Integration": {
                "IntegrationHttpMethod": "POST",
                "Type": "AWS_PROXY",
                "Uri": {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Fn.Arn}/invocations"},
            },
            "ResourceId": {"Ref": "RestResourceXIdVar"},
            "RestApiId": {"Ref": "Rest"},
        })
    );
    assert_eq!(properties(&template, "RestResourceXIdVar")["ParentId"], json!({"Ref": "RestResourceX"}));
    assert_eq!(properties(&template, "Rest")["EndpointConfiguration"], json!({"Types": ["REGIONAL"]}));
    assert_eq!(properties(&template, "RestOptionsXIdVarMethod")["AuthorizationType"], json!("NONE"));
    let deployment = made.iter().find(|id| id.starts_with("RestDeployment")).expect("a deployment");
    let before = &template.resource(deployment).expect("it is made").depends_on;
    assert_eq!(before, &["FnBMethod", "RestOptionsXMethod", "FnAMethod", "RestOptionsXIdVarMethod"]);
}

#[test]
fn one_audience_is_a_list_of_one() {
    let audiences = |written: &str| {
        let text = format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  Api:\n    Type: AWS::Serverless::HttpApi\n    Properties:\n      \
             Auth: {{Authorizers: {{J: {{JwtConfiguration: {{issuer: i, audience: {written}}}, IdentitySource: \
             $request.header.Authorization}}}}}}\n"
        );
        let document = load_template(&Source::new("/app/t.yml", text)).expect("YAML");
        let template = Template::read(document, Inputs::default()).expect("it is a template");
        let authorizer = template.resources.iter().find(|one| one.kind == "AWS::ApiGatewayV2::Authorizer");
        authorizer.expect("an authorizer").properties.to_json()["JwtConfiguration"]["Audience"].clone()
    };
    assert_eq!(audiences("https://example.com"), json!(["https://example.com"]));
    assert_eq!(audiences("[a, b]"), json!(["a", "b"]));
}

#[test]
fn documents_become_routes_too() {
    let text = "Resources:\n  Fn: {Type: AWS::Lambda::Function, Properties: {Code: ./f}}\n  Api:\n    Type: \
                AWS::ApiGatewayV2::Api\n    Properties:\n      Body:\n        openapi: 3.0.1\n        info: {title: t}\n        \
                components: {securitySchemes: {J: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, identitySource: \
                $request.header.Authorization, jwtConfiguration: {audience: [a], issuer: i}}}}}\n        paths:\n          \
                /a/{id}:\n            get: {security: [{J: [s]}], x-amazon-apigateway-integration: {type: aws_proxy, uri: !GetAtt \
                Fn.Arn, payloadFormatVersion: '2.0'}}\n            post: {summary: nowhere}\n          /$default: \
                {x-amazon-apigateway-any-method: {x-amazon-apigateway-integration: {type: aws_proxy, uri: !GetAtt Fn.Arn}}}\n";
    let document = load_template(&Source::new("/app/t.yml", text)).expect("YAML");
    let template = Template::read(document, Inputs::default()).expect("it is a template");
    check_made(
        &template,
        &[
            ("Api", "AWS::ApiGatewayV2::Api"),
            ("ApiAnyDefaultIntegration", "AWS::ApiGatewayV2::Integration"),
            ("ApiAnyDefaultRoute", "AWS::ApiGatewayV2::Route"),
            ("ApiGetAIdVarIntegration", "AWS::ApiGatewayV2::Integration"),
            ("ApiGetAIdVarRoute", "AWS::ApiGatewayV2::Route"),
            ("ApiJAuthorizer", "AWS::ApiGatewayV2::Authorizer"),
        ],
    );
    assert_eq!(properties(&template, "Api"), json!({"Name": "t", "ProtocolType": "HTTP"}));
    let route = properties(&template, "ApiGetAIdVarRoute");
    assert_eq!((&route["RouteKey"], &route["AuthorizationType"]), (&json!("GET /a/{id}"), &json!("JWT")));
    assert_eq!(route["AuthorizationScopes"], json!(["s"]));
    let warnings: Vec<&str> = template.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(warnings, ["post /a/{id} has no x-amazon-apigateway-integration: it leads nowhere"]);
}

#[test]
fn tables_connectors_and_what_is_not_made() {
    let others = "  Table: {Type: AWS::Serverless::SimpleTable, Properties: {TableName: t, PrimaryKey: {Name: pk, Type: \
                  Number}}}\n  Rule: {Type: AWS::Events::Rule}\n  Grant: {Type: AWS::Serverless::Connector, Properties: {Source: \
                  {Id: Rule}, Destination: {Id: Fn}, Permissions: [Write]}}\n  Flow: {Type: AWS::Serverless::StateMachine, \
                  Properties: {DefinitionUri: x}}\n";
    let template = expanded(&function("InlineCode: x", others));
    check_made(
        &template,
        &[
            ("Flow", "AWS::Serverless::StateMachine"),
            ("GrantWriteLambdaPermission", "AWS::Lambda::Permission"),
            ("Rule", "AWS::Events::Rule"),
            ("Table", "AWS::DynamoDB::Table"),
        ],
    );
    assert_eq!(
        properties(&template, "Table"),
        json!({
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "N"}],
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "TableName": "t",
        })
    );
    let warnings: Vec<&str> = template.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(warnings, ["Flow is not made here: AWS::Serverless::StateMachine is not supported"]);
}

#[test]
fn conditions_are_taken_along() {
    let text = "Conditions: {Never: !Equals [a, b]}\nResources:\n  Q: {Type: AWS::SQS::Queue}\n  Fn:\n    Type: \
                AWS::Serverless::Function\n    Condition: Never\n    Properties: {InlineCode: x, Handler: h, Events: {S: {Type: SQS, \
                Properties: {Queue: !GetAtt Q.Arn}}}}\n";
    check_made(&expanded(text), &[("Q", "AWS::SQS::Queue")]);
}

#[test]
fn what_sam_refuses() {
    check_error(
        &function("InlineCode: x\nTimout: 3", ""),
        "Resource with id [Fn] is invalid. property Timout not defined for resource of type AWS::Serverless::Function (did \
         you mean Timeout?)",
    );
    check_error(
        &function("InlineCode: x\nEvents: {A: {Type: Cognit}}", ""),
        "Resource with id [Fn] is invalid. Event with id [A] is invalid. Resource dict has missing or invalid value for key \
         Type. Event Type is: Cognit. (did you mean Cognito?)",
    );
    check_error(
        &function("InlineCode: x\nPolicies: [{SQSPollerPolicy: {QueueName: !GetAtt Quue.QueueName}}]", ""),
        "Template format error: Unresolved resource dependencies [Quue] in the Resources block of the template (did you mean \
         Queue?)",
    );
    let document =
        load_template(&Source::new("t.yml", "Resources: {F: {Type: AWS::Serverless::Function}}")).expect("YAML");
    let error = Template::read(document, Inputs::default()).expect_err("no transform").to_string();
    assert_eq!(
        error,
        "t.yml:1:13: Template format error: Unrecognized resource types: [AWS::Serverless::Function] (add Transform: \
         AWS::Serverless-2016-10-31)"
    );
}

#[test]
fn code_lies_where_tools_left_it() {
    let code = |path: &str, resource: Value| {
        let text = json!({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "F": resource}}).to_string();
        let text = text.replace("\"Bucket\":", "\"ServerlessDeploymentBucket\":");
        let template = Template::read(load_template(&Source::new(path, text)).expect("JSON"), Inputs::default());
        properties(&template.expect("it is a template"), "F")["Code"].clone()
    };
    let lambda = |code: Value| json!({"Type": "AWS::Lambda::Function", "Properties": {"Code": code}});
    let local = |path: &str| json!({"S3Bucket": "local", "S3Key": path});
    assert_eq!(code("/a/b/t.json", lambda(json!("../f"))), local("/a/f"));
    assert_eq!(code("/a/t.json", lambda(json!("s3://b/k"))), json!({"S3Bucket": "b", "S3Key": "k"}));
    let inline = json!({"S3Bucket": "inline", "S3Key": {"Fn::Join": ["", ["a"]]}});
    assert_eq!(code("/a/t.json", lambda(json!({"ZipFile": {"Fn::Join": ["", ["a"]]}}))), inline);
    let hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let key = json!({"S3Bucket": {"Fn::Sub": "cdk-x"}, "S3Key": format!("{hash}.zip")});
    assert_eq!(code("/a/cdk.out/S.template.json", lambda(key.clone())), local(&format!("/a/cdk.out/asset.{hash}")));
    let mut asset = lambda(key);
    asset["Metadata"] = json!({"aws:asset:path": "asset.abc", "aws:asset:property": "Code"});
    assert_eq!(code("/a/cdk.out/S.template.json", asset), local("/a/cdk.out/asset.abc"));
    let packaged =
        json!({"S3Bucket": {"Ref": "ServerlessDeploymentBucket"}, "S3Key": "serverless/shop/dev/1-2/shop.zip"});
    assert_eq!(code("/a/.serverless/t.json", lambda(packaged)), local("/a/.serverless/shop.zip"));
    let other = json!({"S3Bucket": "b", "S3Key": "dist/f.zip"});
    assert_eq!(code("/a/t.json", lambda(other.clone())), other);
    let text = "Resources: {F: {Type: AWS::Serverless::Function, Metadata: {BuildMethod: rust-cargolambda, BuildProperties: \
                {Binary: greet}}, Properties: {CodeUri: ./rust, Handler: bootstrap, Runtime: provided.al2023}}}";
    let template = expanded(text);
    assert_eq!(properties(&template, "F")["Code"], local("/app/rust"));
    assert_eq!(properties(&template, "F")["Handler"], json!("greet"));
}

#[test]
fn what_keeps_nobody_out_here_is_named() {
    let api = "  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: a\n      Auth: {ApiKeyRequired: true, UsagePlan: \
               {CreateUsagePlan: PER_API}}\n";
    let event = "Events: {Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /, Method: get, Auth: {ApiKeyRequired: \
                 true, ResourcePolicy: {IpRangeWhitelist: [1.2.3.4]}}}}}";
    let template = expanded(&function(event, api));
    let mut warnings: Vec<&str> = template.warnings.iter().map(|warning| warning.message.as_str()).collect();
    warnings.sort_unstable();
    assert_eq!(
        warnings,
        [
            "ApiKeyRequired in the Auth of Api has no effect here: everybody is let in",
            "ApiKeyRequired in the Auth of the event Get of Fn has no effect here: everybody is let in",
            "ResourcePolicy in the Auth of the event Get of Fn has no effect here: everybody is let in",
            "UsagePlan in the Auth of Api has no effect here: everybody is let in",
        ]
    );
}
