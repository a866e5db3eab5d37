//! User pools and what belongs to them.

use serde_json::json;

use super::{FUNCTION, Kit};

const POOL: &str = "
Resources:
  Pool:
    Type: AWS::Cognito::UserPool
    Properties:
      UserPoolName: users
      UsernameAttributes: [email]
      UsernameConfiguration: {CaseSensitive: false}
      Schema: [{Name: plan, AttributeDataType: String}]
";

#[tokio::test]
async fn a_pool_changes_and_keeps_its_users() {
    let t = Kit::new().await;
    let stack = t.load(POOL).await.expect("it loads").stack;
    let pool = json!({"UserPoolId": stack.user_pool_id});
    t.call("cognito-idp", "AdminCreateUser", json!({"UserPoolId": stack.user_pool_id, "Username": "ann@example.com"}))
        .await;
    let more = POOL.replace("DataType: String}]", "DataType: String}, {Name: team, AttributeDataType: String}]")
        + "      AutoVerifiedAttributes: [email]\n      UserPoolTags: {a: b}\n";
    assert_eq!(t.loaded(&more).await, ["updated Pool"]);
    let described = t.call("cognito-idp", "DescribeUserPool", pool.clone()).await;
    let names: Vec<_> =
        described["UserPool"]["SchemaAttributes"].as_array().expect("a schema").iter().map(|a| &a["Name"]).collect();
    assert!(names.contains(&&json!("custom:team")) && names.contains(&&json!("custom:plan")), "{names:?}");
    assert_eq!(described["UserPool"]["AutoVerifiedAttributes"], json!(["email"]));
    t.call("cognito-idp", "AdminGetUser", json!({"UserPoolId": stack.user_pool_id, "Username": "ann@example.com"}))
        .await;
}

#[tokio::test]
async fn what_is_settled_for_good_is_refused_before_anything_changes() {
    let t = Kit::new().await;
    t.loaded(POOL).await;
    let place = "template.yaml:3:3: Pool (AWS::Cognito::UserPool): ";
    for (from, to, expected) in [
        ("[email]", "[phone_number]", "Updates are not allowed for property - UsernameAttributes."),
        (
            "CaseSensitive: false",
            "CaseSensitive: true",
            "Updates are not allowed for property - UsernameConfiguration.",
        ),
        ("DataType: String", "DataType: Number", "Existing schema attributes cannot be modified or deleted."),
    ] {
        assert_eq!(t.refused(&POOL.replace(from, to)).await, format!("{place}{expected}"));
    }
}

#[tokio::test]
async fn an_id_can_be_pinned() {
    let t = Kit::new().await;
    let pinned = format!("{POOL}      UserPoolTags: {{_custom_id_: myPool1}}\n");
    let stack = t.load(&pinned).await.expect("it loads").stack;
    assert_eq!(stack.user_pool_id, "us-east-1_myPool1");
}

/// What the Serverless Framework makes of `cognitoUserPool: {pool: users, trigger: PostConfirmation, existing: true}`.
const EXISTING: &str = "
  AnnounceCustomCognitoUserPool1:
    Type: Custom::CognitoUserPool
    DependsOn: [Announce]
    Properties:
      ServiceToken: any
      FunctionName: announce
      UserPoolName: users
      UserPoolConfigs: [{Trigger: PostConfirmation}, {Trigger: PreTokenGeneration, LambdaVersion: V2_0}]
";
const ANNOUNCE_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:announce";

#[tokio::test]
async fn a_trigger_is_attached_to_a_pool_that_the_api_made() {
    let t = Kit::new().await;
    let made = t
        .call("cognito-idp", "CreateUserPool", json!({"PoolName": "users", "AutoVerifiedAttributes": ["email"]}))
        .await;
    let pool = json!({"UserPoolId": made["UserPool"]["Id"]});
    let text = format!("Resources:{FUNCTION}{}", EXISTING.trim_start_matches('\n'));
    assert_eq!(t.loaded(&text).await, ["made Announce", "made AnnounceCustomCognitoUserPool1"]);
    let described = t.call("cognito-idp", "DescribeUserPool", pool.clone()).await;
    assert_eq!(described["UserPool"]["LambdaConfig"]["PostConfirmation"], ANNOUNCE_ARN);
    assert_eq!(described["UserPool"]["LambdaConfig"]["PreTokenGenerationConfig"]["LambdaVersion"], "V2_0");
    assert_eq!(described["UserPool"]["AutoVerifiedAttributes"], json!(["email"]));
    let policy = t.call("lambda", "GetPolicy", json!({"FunctionName": "announce"})).await;
    assert!(policy["Policy"].as_str().is_some_and(|policy| policy.contains("cognito-idp.amazonaws.com")), "{policy}");
    assert_eq!(t.loaded(&text).await, [""; 0]);

    assert_eq!(t.loaded(&format!("Resources:{FUNCTION}")).await, ["removed AnnounceCustomCognitoUserPool1"]);
    let described = t.call("cognito-idp", "DescribeUserPool", pool).await;
    assert!(described["UserPool"]["LambdaConfig"]["PostConfirmation"].is_null(), "{described}");
    assert_eq!(described["UserPool"]["AutoVerifiedAttributes"], json!(["email"]));
}

#[tokio::test]
async fn a_trigger_of_a_pool_of_the_same_stack_survives_the_pools_changes() {
    let t = Kit::new().await;
    let (function, existing) = (FUNCTION.trim_start_matches('\n'), EXISTING.trim_start_matches('\n'));
    let stack = t.load(&format!("{POOL}{function}{existing}")).await.expect("it loads").stack;
    let pool = json!({"UserPoolId": stack.user_pool_id});
    let changed = format!("{POOL}      AutoVerifiedAttributes: [email]\n{function}{existing}");
    assert_eq!(t.loaded(&changed).await, ["updated Pool", "updated AnnounceCustomCognitoUserPool1"]);
    let described = t.call("cognito-idp", "DescribeUserPool", pool).await;
    assert_eq!(described["UserPool"]["LambdaConfig"]["PostConfirmation"], ANNOUNCE_ARN);
}

#[tokio::test]
async fn a_client_is_replaced_only_if_it_must_be() {
    let t = Kit::new().await;
    let client = |more: &str| {
        format!(
            "{POOL}  Client:\n    Type: AWS::Cognito::UserPoolClient\n    Properties:\n      UserPoolId: !Ref Pool\n{more}"
        )
    };
    let stack = t.load(&client("      IdTokenValidity: 5\n")).await.expect("it loads").stack;
    assert_eq!(t.loaded(&client("      IdTokenValidity: 6\n")).await, ["updated Client"]);
    assert_eq!(t.loaded(&client("      GenerateSecret: true\n")).await, ["replaced Client"]);
    let input = json!({"UserPoolId": stack.user_pool_id, "ClientId": stack.user_pool_client_id});
    let described = t.call("cognito-idp", "DescribeUserPoolClient", input).await;
    assert!(described["UserPoolClient"]["ClientSecret"].is_string(), "{described}");
}

#[tokio::test]
async fn groups_and_users_come_with_the_pool() {
    let t = Kit::new().await;
    let text = format!(
        "{POOL}{}",
        r"  Admins:
    Type: AWS::Cognito::UserPoolGroup
    Properties: {UserPoolId: !Ref Pool, GroupName: admins, Precedence: 1}
  Ann:
    Type: AWS::Cognito::UserPoolUser
    Properties:
      UserPoolId: !Ref Pool
      Username: ann@example.com
      MessageAction: SUPPRESS
      UserAttributes: [{Name: email, Value: ann@example.com}, {Name: email_verified, Value: true}]
  AnnIsAdmin:
    Type: AWS::Cognito::UserPoolUserToGroupAttachment
    Properties: {UserPoolId: !Ref Pool, GroupName: !Ref Admins, Username: !Ref Ann}
"
    );
    let stack = t.load(&text).await.expect("it loads").stack;
    let input = json!({"UserPoolId": stack.user_pool_id, "GroupName": "admins"});
    let users = t.call("cognito-idp", "ListUsersInGroup", input.clone()).await;
    assert_eq!(users["Users"].as_array().map(Vec::len), Some(1), "{users}");
    assert_eq!(t.loaded(&text).await, [""; 0]);
    let described = text.replace("Precedence: 1", "Precedence: 2, Description: all");
    assert_eq!(t.loaded(&described).await, ["updated Admins"]);
    let group = t.call("cognito-idp", "GetGroup", input.clone()).await;
    assert_eq!((&group["Group"]["Precedence"], &group["Group"]["Description"]), (&json!(2), &json!("all")));
    let without = text.split("  AnnIsAdmin:").next().expect("a part").to_owned();
    assert_eq!(t.loaded(&without).await, ["updated Admins", "removed AnnIsAdmin"]);
    let users = t.call("cognito-idp", "ListUsersInGroup", input).await;
    assert_eq!(users["Users"], json!([]));
}

#[tokio::test]
async fn login_pages_get_their_style_sheet() {
    let t = Kit::new().await;
    let text = r"
Resources:
  Looks: {Type: AWS::Cognito::UserPoolUICustomizationAttachment, Properties: {UserPoolId: !Ref Users, ClientId: !Ref Web, CSS: '.a {}'}}
  Domain: {Type: AWS::Cognito::UserPoolDomain, Properties: {UserPoolId: !Ref Users, Domain: users}}
  Users: {Type: AWS::Cognito::UserPool}
  Web: {Type: AWS::Cognito::UserPoolClient, Properties: {UserPoolId: !Ref Users}}
";
    let stack = t.load(text).await.expect("it loads").stack;
    let of = json!({"UserPoolId": stack.user_pool_id, "ClientId": stack.user_pool_client_id});
    let css = async || t.call("cognito-idp", "GetUICustomization", of.clone()).await["UICustomization"]["CSS"].clone();
    assert_eq!(css().await, ".a {}");
    assert_eq!(t.loaded(text).await, [""; 0]);
    assert_eq!(t.loaded(&text.replace(".a {}", ".b {}")).await, ["updated Looks"]);
    assert_eq!(css().await, ".b {}");
    let line = text.lines().find(|line| line.contains("Looks:")).expect("a line");
    assert_eq!(t.loaded(&text.replace(line, "")).await, ["removed Looks"]);
    assert_eq!(css().await, "");
}

#[tokio::test]
async fn what_a_pool_does_about_risks_and_logs_is_kept() {
    let t = Kit::new().await;
    let text = r"
Resources:
  Users: {Type: AWS::Cognito::UserPool}
  Risks:
    Type: AWS::Cognito::UserPoolRiskConfigurationAttachment
    Properties: {UserPoolId: !Ref Users, ClientId: ALL, RiskExceptionConfiguration: {BlockedIPRangeList: [192.0.2.0/24]}}
  Logs:
    Type: AWS::Cognito::LogDeliveryConfiguration
    Properties: {UserPoolId: !Ref Users, LogConfigurations: [{EventSource: userNotification, LogLevel: ERROR}]}
";
    let stack = t.load(text).await.expect("it loads").stack;
    let of = json!({"UserPoolId": stack.user_pool_id});
    let risks = t.call("cognito-idp", "DescribeRiskConfiguration", of.clone()).await;
    let blocked = &risks["RiskConfiguration"]["RiskExceptionConfiguration"]["BlockedIPRangeList"];
    assert_eq!(*blocked, json!(["192.0.2.0/24"]));
    let logs = t.call("cognito-idp", "GetLogDeliveryConfiguration", of.clone()).await;
    assert_eq!(logs["LogDeliveryConfiguration"]["LogConfigurations"][0]["LogLevel"], "ERROR");
    assert_eq!(t.loaded(text).await, [""; 0]);
    assert_eq!(t.loaded("Resources: {Users: {Type: AWS::Cognito::UserPool}}").await, ["removed Logs", "removed Risks"]);
    let logs = t.call("cognito-idp", "GetLogDeliveryConfiguration", of).await;
    assert_eq!(logs["LogDeliveryConfiguration"]["LogConfigurations"], json!([]));
}
