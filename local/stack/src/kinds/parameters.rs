//! Values: of Parameter Store and of Secrets Manager.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::StackError;
use crate::kind::{
    At, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, gone_tags, only, text as text_of, without,
};
use crate::name::{derived_id, physical_name};
use crate::shape::{Member, meaningless, members, number, tags, text, text_map, truth};

pub const KINDS: &[(&str, &dyn Kind)] = &[(super::PARAMETER, &Parameter), (super::SECRET, &Secret)];

const SSM: &str = "ssm";
const SECRETS: &str = "secretsmanager";
const NAME_LENGTH_MAX: usize = 512;

struct Parameter;

#[async_trait]
impl Kind for Parameter {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            text("AllowedPattern"),
            text("DataType").fixed(),
            text("Description"),
            text("Name").fixed(),
            meaningless("Policies"),
            text_map("Tags"),
            text("Tier"),
            text("Type").required(),
            text("Value").required(),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (SSM, "PutParameter")
    }

    fn rank(&self) -> Rank {
        Rank::First
    }

    fn naming(&self) -> &'static [&'static str] {
        &["Name", "Type", "Value"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let made_up = || {
            let suffix = derived_id(&format!("{}/{}", named.around.stack, named.logical_id), 12);
            format!("CFN-{}-{suffix}", named.logical_id)
        };
        let name = named.given("Name").map_or_else(made_up, str::to_owned);
        let identity = Identity::of(name).with("Type", named.given("Type").unwrap_or_default());
        match named.given("Value") {
            Some(value) => identity.with("Value", value),
            None => identity.and_later(&["Value"]),
        }
    }

    fn telling(&self) -> &'static [&'static str] {
        &["Value"]
    }

    fn unordered(&self) -> &'static [&'static str] {
        &["Description", "Tags"]
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = without(properties, &["Tags"]);
        input.insert("Name".into(), at.id.into());
        input.insert("Tags".into(), tag_list(properties));
        at.call((SSM, "PutParameter"), Value::Object(input)).await?;
        Ok(told(properties))
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let mut input = without(properties, &["Tags"]);
        input.insert("Name".into(), at.id.into());
        input.insert("Overwrite".into(), true.into());
        at.call((SSM, "PutParameter"), Value::Object(input)).await?;
        if before.properties.get("Tags") != properties.get("Tags") {
            let key = json!({"ResourceType": "Parameter", "ResourceId": at.id});
            let tags = |properties: &Properties| {
                properties.get("Tags").and_then(Value::as_object).cloned().unwrap_or_default()
            };
            let after = tags(properties);
            let gone: Vec<String> = tags(&before.properties)
                .into_iter()
                .map(|(name, _)| name)
                .filter(|name| !after.contains_key(name))
                .collect();
            if !gone.is_empty() {
                let mut input = key.clone();
                input["TagKeys"] = gone.into();
                at.call((SSM, "RemoveTagsFromResource"), input).await?;
            }
            if !after.is_empty() {
                let mut input = key;
                input["Tags"] = tag_list(properties);
                at.call((SSM, "AddTagsToResource"), input).await?;
            }
        }
        Ok(told(properties))
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((SSM, "GetParameter"), json!({"Name": standing.id})).await?;
        Ok(found.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((SSM, "DeleteParameter"), json!({"Name": standing.id})).await.map(drop)
    }
}

/// What is in it may be known only when it is made.
fn told(properties: &Properties) -> Made {
    Made::default().with("Value", text_of(properties, "Value")).with("Type", text_of(properties, "Type"))
}

/// A map in templates, a list on the wire.
fn tag_list(properties: &Properties) -> Value {
    let tags = properties.get("Tags").and_then(Value::as_object).cloned().unwrap_or_default();
    tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

struct Secret;

#[async_trait]
impl Kind for Secret {
    fn members(&self) -> &'static [Member] {
        const GENERATE: &[Member] = &[
            text("ExcludeCharacters"),
            truth("ExcludeLowercase"),
            truth("ExcludeNumbers"),
            truth("ExcludePunctuation"),
            truth("ExcludeUppercase"),
            text("GenerateStringKey"),
            truth("IncludeSpace"),
            number("PasswordLength"),
            truth("RequireEachIncludedType"),
            text("SecretStringTemplate"),
        ];
        const MEMBERS: &[Member] = &[
            text("Description"),
            members("GenerateSecretString", GENERATE),
            text("KmsKeyId"),
            text("Name").fixed(),
            meaningless("ReplicaRegions"),
            text("SecretString"),
            tags("Tags"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (SECRETS, "CreateSecret")
    }

    fn rank(&self) -> Rank {
        Rank::First
    }

    /// Its ARN ends in letters that are made up when it is made.
    fn identity(&self, _: &Named<'_>) -> Identity {
        Identity::later().and_later(&["Id"])
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = only(properties, &["Description", "KmsKeyId", "Name", "SecretString", "Tags"]);
        let made_up = || physical_name(&at.around.stack, at.logical_id, NAME_LENGTH_MAX).into();
        input.entry("Name").or_insert_with(made_up);
        if let Some(text) = generated(at, properties).await? {
            input.insert("SecretString".into(), text.into());
        }
        input.insert("ClientRequestToken".into(), at.resources.world().random.uuid().into());
        let answer = at.call((SECRETS, "CreateSecret"), Value::Object(input)).await?;
        let arn = answer["ARN"].as_str().unwrap_or_default();
        Ok(Made::of(arn).with("Id", arn))
    }

    async fn begun(&self, at: &At<'_>, properties: &Properties, _: &[&str]) -> Result<Option<String>, StackError> {
        let name = Some(text_of(properties, "Name")).filter(|name| !name.is_empty()).map(str::to_owned);
        let name = name.unwrap_or_else(|| physical_name(&at.around.stack, at.logical_id, NAME_LENGTH_MAX));
        let found = at.ask((SECRETS, "DescribeSecret"), json!({"SecretId": name})).await?;
        Ok(found.and_then(|secret| secret["ARN"].as_str().map(str::to_owned)))
    }

    /// What was generated stays, unless other things shall be generated.
    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let mut input = only(properties, &["Description", "KmsKeyId", "SecretString"]);
        input.insert("SecretId".into(), before.id.as_str().into());
        let generate = "GenerateSecretString";
        if before.properties.get(generate) != properties.get(generate)
            && let Some(text) = generated(at, properties).await?
        {
            input.insert("SecretString".into(), text.into());
        }
        if input.contains_key("SecretString") {
            input.insert("ClientRequestToken".into(), at.resources.world().random.uuid().into());
        }
        at.call((SECRETS, "UpdateSecret"), Value::Object(input)).await?;
        let gone = gone_tags(&before.properties, properties);
        if !gone.is_empty() {
            at.call((SECRETS, "UntagResource"), json!({"SecretId": before.id, "TagKeys": gone})).await?;
        }
        if let Some(tags) = properties.get("Tags").filter(|tags| before.properties.get("Tags") != Some(tags)) {
            at.call((SECRETS, "TagResource"), json!({"SecretId": before.id, "Tags": tags})).await?;
        }
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let found = at.ask((SECRETS, "DescribeSecret"), json!({"SecretId": standing.id})).await?;
        Ok(found.filter(|secret| secret.get("DeletedDate").is_none()).map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        // Without waiting, as CloudFormation deletes them: the name may be wanted again.
        let input = json!({"SecretId": standing.id, "ForceDeleteWithoutRecovery": true});
        at.ask((SECRETS, "DeleteSecret"), input).await.map(drop)
    }
}

/// A password, or a JSON text with one in it.
async fn generated(at: &At<'_>, properties: &Properties) -> Result<Option<String>, StackError> {
    let Some(generate) = properties.get("GenerateSecretString").and_then(Value::as_object) else { return Ok(None) };
    let input = without(generate, &["GenerateStringKey", "SecretStringTemplate"]);
    let answer = at.call((SECRETS, "GetRandomPassword"), Value::Object(input)).await?;
    let password = answer["RandomPassword"].as_str().unwrap_or_default();
    let key = text_of(generate, "GenerateStringKey");
    if key.is_empty() {
        return Ok(Some(password.to_owned()));
    }
    let template = text_of(generate, "SecretStringTemplate");
    let mut members: Properties = serde_json::from_str(template).unwrap_or_default();
    members.insert(key.to_owned(), password.into());
    Ok(Some(Value::Object(members).to_string()))
}
