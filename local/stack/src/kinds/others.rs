//! What is not made: roles, metadata, and types that are not here. References to it come to something all the same.

use async_trait::async_trait;
use serde_json::json;

use super::{existing_pool, placeholder};
use crate::StackError;
use crate::kind::{
    At, Identity, Kind, Made, Named, Operation, Presence, Properties, Rank, Standing, gone_tags, tag_map,
};
use crate::nested;
use crate::shape::{Member, meaningless, not_honoured, number, tags, text};

pub const KINDS: &[(&str, &dyn Kind)] = &[
    ("AWS::ApiGateway::Account", &SILENT), // where API Gateway logs to
    ("AWS::CDK::Metadata", &SILENT),
    ("AWS::CloudFormation::WaitConditionHandle", &SILENT),
    (nested::TYPE, &nested::NestedStack),
    ("Custom::CognitoUserPool", &existing_pool::ExistingPool),
    ("AWS::IAM::Role", &Role),
    ("AWS::IAM::ManagedPolicy", &ManagedPolicy),
    ("AWS::Logs::LogGroup", &LogGroup),
    ("AWS::Logs::LogStream", &LogStream),
    ("AWS::SES::EmailIdentity", &EmailIdentity),
];

/// What stands for a type that is not made.
pub fn absent(name: &str) -> &'static dyn Kind {
    if name.starts_with("AWS::IAM::") {
        return &IAM;
    }
    if name.starts_with("Custom::") || name == "AWS::CloudFormation::CustomResource" {
        return &CUSTOM;
    }
    &UNKNOWN
}

/// Nothing is made, and everything may be asked of it.
struct Nothing(Presence);

const NOT_ENFORCED: &str = "IAM is read and not enforced: every role may do everything here";
static SILENT: Nothing = Nothing(Presence::Silent);
static IAM: Nothing = Nothing(Presence::AbsentAll(NOT_ENFORCED));
static CUSTOM: Nothing = Nothing(Presence::Absent("custom resources are not run by this server"));
static UNKNOWN: Nothing = Nothing(Presence::Absent("resources of this type are not made by this server"));

#[async_trait]
impl Kind for Nothing {
    fn members(&self) -> &'static [Member] {
        &[]
    }

    fn made_by(&self) -> Operation {
        super::BY_THE_LOADER
    }

    fn rank(&self) -> Rank {
        Rank::First
    }

    fn presence(&self) -> Presence {
        self.0
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity { open: true, ..Identity::of(placeholder(named.logical_id)) }
    }

    async fn make(&self, _: &At<'_>, _: &Properties) -> Result<Made, StackError> {
        Ok(Made::default())
    }

    async fn find(&self, _: &At<'_>, _: &Standing) -> Result<Option<Made>, StackError> {
        Ok(Some(Made::default()))
    }

    async fn delete(&self, _: &At<'_>, _: &Standing) -> Result<(), StackError> {
        Ok(())
    }
}

/// What has an ARN of IAM's, which functions must name.
struct Role;
struct ManagedPolicy;

fn iam_arn(named: &Named<'_>, resource: &str, name: &str) -> String {
    let path = named.given("Path").unwrap_or("/").trim_matches('/');
    let path = if path.is_empty() { String::new() } else { format!("{path}/") };
    format!("arn:aws:iam::{}:{resource}/{path}{name}", named.around.place.account)
}

#[async_trait]
impl Kind for Role {
    fn members(&self) -> &'static [Member] {
        &[]
    }

    fn made_by(&self) -> Operation {
        super::BY_THE_LOADER
    }

    fn rank(&self) -> Rank {
        Rank::First
    }

    fn presence(&self) -> Presence {
        Presence::AbsentAll(NOT_ENFORCED)
    }

    fn naming(&self) -> &'static [&'static str] {
        &["RoleName", "Path"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let name = named.name("RoleName", 64);
        let id = crate::name::derived_id(&format!("role/{name}"), 17).to_uppercase();
        Identity::of(&name).with("Arn", iam_arn(named, "role", &name)).with("RoleId", format!("AROA{id}"))
    }

    async fn make(&self, _: &At<'_>, _: &Properties) -> Result<Made, StackError> {
        Ok(Made::default())
    }

    async fn find(&self, _: &At<'_>, _: &Standing) -> Result<Option<Made>, StackError> {
        Ok(Some(Made::default()))
    }

    async fn delete(&self, _: &At<'_>, _: &Standing) -> Result<(), StackError> {
        Ok(())
    }
}

#[async_trait]
impl Kind for ManagedPolicy {
    fn members(&self) -> &'static [Member] {
        &[]
    }

    fn made_by(&self) -> Operation {
        super::BY_THE_LOADER
    }

    fn rank(&self) -> Rank {
        Rank::First
    }

    fn presence(&self) -> Presence {
        Presence::AbsentAll(NOT_ENFORCED)
    }

    fn naming(&self) -> &'static [&'static str] {
        &["ManagedPolicyName", "Path"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let arn = iam_arn(named, "policy", &named.name("ManagedPolicyName", 128));
        Identity { open: true, ..Identity::of(&arn).with("PolicyArn", arn) }
    }

    async fn make(&self, _: &At<'_>, _: &Properties) -> Result<Made, StackError> {
        Ok(Made::default())
    }

    async fn find(&self, _: &At<'_>, _: &Standing) -> Result<Option<Made>, StackError> {
        Ok(Some(Made::default()))
    }

    async fn delete(&self, _: &At<'_>, _: &Standing) -> Result<(), StackError> {
        Ok(())
    }
}

const LOGS: &str = "logs";

struct LogGroup;

#[async_trait]
impl Kind for LogGroup {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            not_honoured("DataProtectionPolicy"),
            not_honoured("DeletionProtectionEnabled"),
            meaningless("FieldIndexPolicies"),
            meaningless("KmsKeyId"),
            text("LogGroupClass").fixed(),
            text("LogGroupName").fixed(),
            meaningless("ResourcePolicyDocument"),
            number("RetentionInDays"),
            tags("Tags"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (LOGS, "CreateLogGroup")
    }

    fn rank(&self) -> Rank {
        Rank::First
    }

    fn naming(&self) -> &'static [&'static str] {
        &["LogGroupName"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let name = named.name("LogGroupName", 512);
        Identity::of(&name).with("Arn", named.arn(LOGS, &format!("log-group:{name}:*")))
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = json!({"logGroupName": at.id, "tags": tag_map(properties)});
        if let Some(class) = properties.get("LogGroupClass") {
            input["logGroupClass"] = class.clone();
        }
        // A function that has run made its own.
        at.unless("ResourceAlreadyExistsException", (LOGS, "CreateLogGroup"), input).await?;
        match properties.get("RetentionInDays") {
            Some(days) => {
                let input = json!({"logGroupName": at.id, "retentionInDays": days});
                at.call((LOGS, "PutRetentionPolicy"), input).await?;
            }
            None => {
                at.ask((LOGS, "DeleteRetentionPolicy"), json!({"logGroupName": at.id})).await?;
            }
        }
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let made = self.make(at, properties).await?;
        // The group's ARN without its end, as the operations of tags take it.
        let arn = at.arn(LOGS, &format!("log-group:{}", at.id));
        let gone = gone_tags(&before.properties, properties);
        if !gone.is_empty() {
            at.call((LOGS, "UntagResource"), json!({"resourceArn": arn, "tagKeys": gone})).await?;
        }
        let tags = tag_map(properties);
        if tags != tag_map(&before.properties) && tags != json!({}) {
            at.call((LOGS, "TagResource"), json!({"resourceArn": arn, "tags": tags})).await?;
        }
        Ok(made)
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let listed = at.call((LOGS, "DescribeLogGroups"), json!({"logGroupNamePrefix": standing.id})).await?;
        let groups = listed["logGroups"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(groups.iter().any(|group| group["logGroupName"] == *standing.id).then(Made::default))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((LOGS, "DeleteLogGroup"), json!({"logGroupName": standing.id})).await.map(drop)
    }

    fn adopts(&self) -> bool {
        true
    }
}

struct LogStream;

#[async_trait]
impl Kind for LogStream {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[text("LogGroupName").required().fixed(), text("LogStreamName").fixed()];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (LOGS, "CreateLogStream")
    }

    fn rank(&self) -> Rank {
        Rank::Stores
    }

    fn naming(&self) -> &'static [&'static str] {
        &["LogStreamName"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        Identity::of(named.name("LogStreamName", 512))
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let input = json!({"logGroupName": crate::kind::text(properties, "LogGroupName"), "logStreamName": at.id});
        at.unless("ResourceAlreadyExistsException", (LOGS, "CreateLogStream"), input).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let input = json!({"logGroupName": standing.text("LogGroupName"), "logStreamNamePrefix": standing.id});
        let listed = at.ask((LOGS, "DescribeLogStreams"), input).await?.unwrap_or_default();
        let streams = listed["logStreams"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(streams.iter().any(|stream| stream["logStreamName"] == *standing.id).then(Made::default))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        let input = json!({"logGroupName": standing.text("LogGroupName"), "logStreamName": standing.id});
        at.ask((LOGS, "DeleteLogStream"), input).await.map(drop)
    }

    fn adopts(&self) -> bool {
        true
    }
}

const SES: &str = "ses";

struct EmailIdentity;

#[async_trait]
impl Kind for EmailIdentity {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            not_honoured("ConfigurationSetAttributes"),
            meaningless("DkimAttributes"),
            meaningless("DkimSigningAttributes"),
            text("EmailIdentity").required().fixed(),
            not_honoured("FeedbackAttributes"),
            not_honoured("MailFromAttributes"),
            meaningless("Tags"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (SES, "CreateEmailIdentity")
    }

    fn rank(&self) -> Rank {
        Rank::Stores
    }

    fn naming(&self) -> &'static [&'static str] {
        &["EmailIdentity"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let later: &[&str] = &[
            "DkimDNSTokenName1",
            "DkimDNSTokenName2",
            "DkimDNSTokenName3",
            "DkimDNSTokenValue1",
            "DkimDNSTokenValue2",
            "DkimDNSTokenValue3",
        ];
        Identity::of(named.given("EmailIdentity").unwrap_or_default()).and_later(later)
    }

    async fn make(&self, at: &At<'_>, _: &Properties) -> Result<Made, StackError> {
        let answer = at.call((SES, "CreateEmailIdentity"), json!({"EmailIdentity": at.id})).await?;
        Ok(dkim(at.id, &answer))
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((SES, "GetEmailIdentity"), json!({"EmailIdentity": standing.id})).await?;
        Ok(found.map(|answer| dkim(&standing.id, &answer)))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((SES, "DeleteEmailIdentity"), json!({"EmailIdentity": standing.id})).await.map(drop)
    }

    fn adopts(&self) -> bool {
        true // whoever made it, it is verified
    }

    async fn update(&self, _: &At<'_>, _: &Standing, _: &Properties) -> Result<Made, StackError> {
        Ok(Made::default())
    }
}

fn dkim(identity: &str, answer: &serde_json::Value) -> Made {
    let tokens = answer["DkimAttributes"]["Tokens"].as_array().map(Vec::as_slice).unwrap_or_default();
    let tokens = tokens.iter().filter_map(|token| token.as_str()).enumerate();
    tokens.fold(Made::default(), |made, (at, token)| {
        let made = made.with(&format!("DkimDNSTokenName{}", at + 1), format!("{token}._domainkey.{identity}"));
        made.with(&format!("DkimDNSTokenValue{}", at + 1), format!("{token}.dkim.amazonses.com"))
    })
}
