//! User pools, and what belongs to them. A pool's properties have names of their own where the API's differ:
//! facts in <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html>.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::pool_parts;
use crate::StackError;
use crate::kind::{
    At, Expected, Identity, Kind, Made, Named, Operation, Properties, Rank, Standing, only, text as text_of, without,
};
use crate::name::derived_id;
use crate::shape::{
    Member, Shape, anything, items, meaningless, members, not_honoured, number, text, text_map, texts, truth,
};

pub const KINDS: &[(&str, &dyn Kind)] = &[
    ("AWS::Cognito::LogDeliveryConfiguration", &pool_parts::LOGS),
    ("AWS::Cognito::UserPool", &UserPool),
    ("AWS::Cognito::UserPoolClient", &UserPoolClient),
    ("AWS::Cognito::UserPoolDomain", &pool_parts::DOMAIN),
    ("AWS::Cognito::UserPoolGroup", &pool_parts::GROUP),
    ("AWS::Cognito::UserPoolIdentityProvider", &pool_parts::IDENTITY_PROVIDER),
    ("AWS::Cognito::UserPoolResourceServer", &pool_parts::RESOURCE_SERVER),
    ("AWS::Cognito::UserPoolRiskConfigurationAttachment", &pool_parts::RISKS),
    ("AWS::Cognito::UserPoolUICustomizationAttachment", &pool_parts::LOOKS),
    ("AWS::Cognito::UserPoolUser", &pool_parts::USER),
    ("AWS::Cognito::UserPoolUserToGroupAttachment", &pool_parts::Membership),
];

const IDP: &str = "cognito-idp";
/// Of a pool's id, behind the region.
const POOL_ID_LENGTH: usize = 9;
const CLIENT_ID_LENGTH: usize = 26;
const NAME_LENGTH_MAX: usize = 128;
/// A client's id is pinned by its name: `_custom_id_:{id}:{name}`.
const PINNED_CLIENT: &str = "_custom_id_";
/// A pool's id is pinned by a tag.
const PINNED_POOL: &str = "UserPoolTags._custom_id_";

struct UserPool;

/// Operations that a pool's multi-factor properties go to.
const MFA: &[&str] =
    &["EnabledMfas", "WebAuthnRelyingPartyID", "WebAuthnUserVerification", "WebAuthnFactorConfiguration"];
const SET_MFA: Operation = (IDP, "SetUserPoolMfaConfig");
/// What is settled for good when a pool is made.
const SETTLED: &[&str] = &["AliasAttributes", "UsernameAttributes", "UsernameConfiguration"];

#[async_trait]
impl Kind for UserPool {
    fn members(&self) -> &'static [Member] {
        const LAMBDA_VERSION: &[Member] = &[text("LambdaArn").required(), text("LambdaVersion")];
        const SCHEMA: Shape = Shape::Members(&[
            text("AttributeDataType"),
            truth("DeveloperOnlyAttribute"),
            truth("Mutable"),
            text("Name"),
            members("NumberAttributeConstraints", &[text("MaxValue"), text("MinValue")]),
            truth("Required"),
            members("StringAttributeConstraints", &[text("MaxLength"), text("MinLength")]),
        ]);
        const MECHANISM: Shape = Shape::Members(&[text("Name").required(), number("Priority").required()]);
        const MEMBERS: &[Member] = &[
            members("AccountRecoverySetting", &[items("RecoveryMechanisms", &MECHANISM)]),
            members(
                "AdminCreateUserConfig",
                &[
                    truth("AllowAdminCreateUserOnly"),
                    members("InviteMessageTemplate", &[text("EmailMessage"), text("EmailSubject"), text("SMSMessage")]),
                    number("UnusedAccountValidityDays"),
                ],
            ),
            texts("AliasAttributes"),
            texts("AutoVerifiedAttributes"),
            text("DeletionProtection"),
            members(
                "DeviceConfiguration",
                &[truth("ChallengeRequiredOnNewDevice"), truth("DeviceOnlyRememberedOnUserPrompt")],
            ),
            text("EmailAuthenticationMessage"),
            text("EmailAuthenticationSubject"),
            text_map("EmailConfiguration"),
            text("EmailVerificationMessage"),
            text("EmailVerificationSubject"),
            texts("EnabledMfas"),
            anything("IssuerConfiguration"),
            meaningless("KeyConfiguration"),
            members(
                "LambdaConfig",
                &[
                    text("CreateAuthChallenge"),
                    members("CustomEmailSender", LAMBDA_VERSION),
                    text("CustomMessage"),
                    members("CustomSMSSender", LAMBDA_VERSION),
                    text("DefineAuthChallenge"),
                    members("InboundFederation", LAMBDA_VERSION),
                    text("KMSKeyID"),
                    text("PostAuthentication"),
                    text("PostConfirmation"),
                    text("PreAuthentication"),
                    text("PreSignUp"),
                    text("PreTokenGeneration"),
                    members("PreTokenGenerationConfig", LAMBDA_VERSION),
                    text("UserMigration"),
                    text("VerifyAuthChallengeResponse"),
                ],
            ),
            text("MfaConfiguration"),
            members(
                "Policies",
                &[
                    members(
                        "PasswordPolicy",
                        &[
                            number("MinimumLength"),
                            number("PasswordHistorySize"),
                            truth("RequireLowercase"),
                            truth("RequireNumbers"),
                            truth("RequireSymbols"),
                            truth("RequireUppercase"),
                            number("TemporaryPasswordValidityDays"),
                        ],
                    ),
                    members("SignInPolicy", &[texts("AllowedFirstAuthFactors")]),
                ],
            ),
            items("Schema", &SCHEMA),
            text("SmsAuthenticationMessage"),
            text_map("SmsConfiguration"),
            text("SmsVerificationMessage"),
            members("UserAttributeUpdateSettings", &[texts("AttributesRequireVerificationBeforeUpdate")]),
            anything("UserPoolAddOns"),
            text("UserPoolName"),
            text_map("UserPoolTags"),
            text("UserPoolTier"),
            texts("UsernameAttributes"),
            members("UsernameConfiguration", &[truth("CaseSensitive")]),
            members(
                "VerificationMessageTemplate",
                &[
                    text("DefaultEmailOption"),
                    text("EmailMessage"),
                    text("EmailMessageByLink"),
                    text("EmailSubject"),
                    text("EmailSubjectByLink"),
                    text("SmsMessage"),
                ],
            ),
            anything("WebAuthnFactorConfiguration"),
            text("WebAuthnRelyingPartyID"),
            text("WebAuthnUserVerification"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (IDP, "CreateUserPool")
    }

    fn rank(&self) -> Rank {
        Rank::Callers
    }

    fn naming(&self) -> &'static [&'static str] {
        &[PINNED_POOL]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let region = &named.around.place.region;
        let id = match named.given(PINNED_POOL) {
            Some(pinned) if pinned.contains('_') => pinned.to_owned(),
            Some(pinned) => format!("{region}_{pinned}"),
            None => {
                let name = format!("user-pool/{}/{}", named.around.stack, named.logical_id);
                format!("{region}_{}", derived_id(&name, POOL_ID_LENGTH))
            }
        };
        let provider = format!("{IDP}.{region}.amazonaws.com/{id}");
        Identity::of(&id)
            .with("Arn", named.arn(IDP, &format!("userpool/{id}")))
            .with("ProviderURL", format!("https://{provider}"))
            .with("ProviderName", provider)
            .with("UserPoolId", id)
    }

    fn unordered(&self) -> &'static [&'static str] {
        &["LambdaConfig"]
    }

    fn notes(&self, at: &At<'_>, properties: &Properties) -> Vec<String> {
        let names: Vec<String> = only(properties, MFA).into_iter().map(|(name, _)| name).collect();
        let unheard = !names.is_empty() && !at.resources.has(SET_MFA);
        let mut notes: Vec<String> =
            unheard.then(|| format!("{} not honoured by this server", names.join(", "))).into_iter().collect();
        let triggers = properties.get("LambdaConfig").and_then(Value::as_object).into_iter().flatten();
        notes.extend(triggers.filter(|(_, function)| leads_nowhere(function)).map(|(trigger, _)| {
            format!("the function of {trigger} is not made: the trigger is left out, and people sign in without it")
        }));
        notes
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = pool_input(at, properties);
        if !input["UserPoolTags"].is_object() {
            input["UserPoolTags"] = json!({});
        }
        input["UserPoolTags"]["_custom_id_"] = at.id.into();
        at.call((IDP, "CreateUserPool"), input).await?;
        set_mfa(at, properties).await?;
        Ok(Made::default())
    }

    async fn update(&self, at: &At<'_>, before: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let added = added_attributes(&before.properties, properties);
        if !added.is_empty() {
            at.call((IDP, "AddCustomAttributes"), json!({"UserPoolId": at.id, "CustomAttributes": added})).await?;
        }
        let changeable = without(&without(properties, SETTLED), &["Schema"]);
        let mut input = pool_input(at, &changeable);
        input["UserPoolId"] = at.id.into();
        at.call((IDP, "UpdateUserPool"), input).await?;
        set_mfa(at, properties).await?;
        Ok(Made::default())
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let pool = at.ask((IDP, "DescribeUserPool"), json!({"UserPoolId": standing.id})).await?;
        Ok(pool.map(|_| Made::default()))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        at.ask((IDP, "DeleteUserPool"), json!({"UserPoolId": standing.id})).await.map(drop)
    }

    fn is_precious(&self) -> bool {
        true
    }

    async fn holds(&self, at: &At<'_>, standing: &Standing) -> Result<Option<String>, StackError> {
        let users = at.ask((IDP, "ListUsers"), json!({"UserPoolId": standing.id, "Limit": 1})).await?;
        let any = users.is_some_and(|users| users["Users"].as_array().is_some_and(|users| !users.is_empty()));
        Ok(any.then(|| "users".to_owned()))
    }

    /// `CloudFormation` plans no replacement for these: it is Cognito that refuses the update, in these words.
    fn refuses(&self, before: &Properties, after: &Properties) -> Option<String> {
        if let Some(name) = SETTLED.iter().find(|name| before.get(**name) != after.get(**name)) {
            return Some(format!("Updates are not allowed for property - {name}."));
        }
        let schema = |properties: &Properties| properties.get("Schema").and_then(Value::as_array).cloned();
        let after = schema(after).unwrap_or_default();
        let gone = schema(before).unwrap_or_default().iter().any(|attribute| !after.contains(attribute));
        gone.then(|| "Existing schema attributes cannot be modified or deleted.".to_owned())
    }
}

/// The properties under the API's names.
fn pool_input(at: &At<'_>, properties: &Properties) -> Value {
    let mut input = without(properties, MFA);
    let name = input.remove("UserPoolName");
    let made_up = || crate::name::physical_name(&at.around.stack, at.logical_id, NAME_LENGTH_MAX).into();
    input.insert("PoolName".into(), name.unwrap_or_else(made_up));
    if let Some(triggers) = input.get_mut("LambdaConfig").and_then(Value::as_object_mut) {
        triggers.retain(|_, function| !leads_nowhere(function));
    }
    Value::Object(input)
}

/// Whether a trigger names a function that is not made.
fn leads_nowhere(function: &Value) -> bool {
    let arn = function.as_str().or_else(|| function["LambdaArn"].as_str());
    arn.is_some_and(super::is_placeholder)
}

async fn set_mfa(at: &At<'_>, properties: &Properties) -> Result<(), StackError> {
    let given = only(properties, MFA);
    if given.is_empty() {
        return Ok(());
    }
    if !at.resources.has(SET_MFA) {
        return Ok(());
    }
    let mut input = json!({"UserPoolId": at.id});
    if let Some(mode) = properties.get("MfaConfiguration") {
        input["MfaConfiguration"] = mode.clone();
    }
    for factor in given.get("EnabledMfas").and_then(Value::as_array).into_iter().flatten() {
        match factor.as_str() {
            Some("SOFTWARE_TOKEN_MFA") => input["SoftwareTokenMfaConfiguration"] = json!({"Enabled": true}),
            Some("SMS_MFA") => {
                let sms = properties.get("SmsConfiguration").cloned();
                input["SmsMfaConfiguration"] = sms.map_or_else(|| json!({}), |sms| json!({"SmsConfiguration": sms}));
            }
            Some("EMAIL_OTP") => input["EmailMfaConfiguration"] = json!({}),
            _ => {}
        }
    }
    for (property, member) in [
        ("WebAuthnRelyingPartyID", "RelyingPartyId"),
        ("WebAuthnUserVerification", "UserVerification"),
        ("WebAuthnFactorConfiguration", "FactorConfiguration"),
    ] {
        if let Some(value) = given.get(property) {
            input["WebAuthnConfiguration"][member] = value.clone();
        }
    }
    at.call(SET_MFA, input).await.map(drop)
}

fn added_attributes(before: &Properties, after: &Properties) -> Vec<Value> {
    let schema = |properties: &Properties| properties.get("Schema").and_then(Value::as_array).cloned();
    let before = schema(before).unwrap_or_default();
    schema(after).unwrap_or_default().into_iter().filter(|attribute| !before.contains(attribute)).collect()
}

struct UserPoolClient;

#[async_trait]
impl Kind for UserPoolClient {
    fn members(&self) -> &'static [Member] {
        const MEMBERS: &[Member] = &[
            number("AccessTokenValidity"),
            texts("AllowedOAuthFlows"),
            truth("AllowedOAuthFlowsUserPoolClient"),
            texts("AllowedOAuthScopes"),
            not_honoured("AnalyticsConfiguration"),
            number("AuthSessionValidity"),
            texts("CallbackURLs"),
            text("ClientName"),
            text("DefaultRedirectURI"),
            truth("EnablePropagateAdditionalUserContextData"),
            truth("EnableTokenRevocation"),
            texts("ExplicitAuthFlows"),
            truth("GenerateSecret").fixed(),
            number("IdTokenValidity"),
            texts("LogoutURLs"),
            text("PreventUserExistenceErrors"),
            texts("ReadAttributes"),
            members("RefreshTokenRotation", &[text("Feature"), number("RetryGracePeriodSeconds")]),
            number("RefreshTokenValidity"),
            texts("SupportedIdentityProviders"),
            members("TokenValidityUnits", &[text("AccessToken"), text("IdToken"), text("RefreshToken")]),
            text("UserPoolId").required().fixed(),
            texts("WriteAttributes"),
        ];
        MEMBERS
    }

    fn made_by(&self) -> Operation {
        (IDP, "CreateUserPoolClient")
    }

    fn rank(&self) -> Rank {
        Rank::OfCallers
    }

    fn naming(&self) -> &'static [&'static str] {
        &["ClientName"]
    }

    fn identity(&self, named: &Named<'_>) -> Identity {
        let name = format!("user-pool-client/{}/{}", named.around.stack, named.logical_id);
        let id = derived_id(&name, CLIENT_ID_LENGTH).to_lowercase();
        Identity::of(&id)
            .with("ClientId", id)
            .with("Name", named.name("ClientName", NAME_LENGTH_MAX))
            .and_later(&["ClientSecret"])
    }

    fn expects(&self, _: &At<'_>, properties: &Properties) -> Vec<Expected> {
        let pool = text_of(properties, "UserPoolId");
        vec![Expected {
            what: format!("the user pool {pool}"),
            name: pool.to_owned(),
            operation: (IDP, "DescribeUserPool"),
            input: json!({"UserPoolId": pool}),
            made_by: "aws cognito-idp create-user-pool --pool-name NAME".into(),
        }]
    }

    async fn make(&self, at: &At<'_>, properties: &Properties) -> Result<Made, StackError> {
        let mut input = client_input(at, properties);
        let name = format!("{PINNED_CLIENT}:{}:{}", at.id, text_of(&input, "ClientName"));
        input.insert("ClientName".into(), name.into());
        let client = at.call((IDP, "CreateUserPoolClient"), Value::Object(input)).await?;
        Ok(Made::default().member("ClientSecret", &client, "/UserPoolClient/ClientSecret"))
    }

    async fn update(&self, at: &At<'_>, _: &Standing, properties: &Properties) -> Result<Made, StackError> {
        let mut input = without(&client_input(at, properties), &["GenerateSecret"]);
        input.insert("ClientId".into(), at.id.into());
        let client = at.call((IDP, "UpdateUserPoolClient"), Value::Object(input)).await?;
        Ok(Made::default().member("ClientSecret", &client, "/UserPoolClient/ClientSecret"))
    }

    async fn find(&self, at: &At<'_>, standing: &Standing) -> Result<Option<Made>, StackError> {
        let input = json!({"UserPoolId": standing.text("UserPoolId"), "ClientId": standing.id});
        let client = at.ask((IDP, "DescribeUserPoolClient"), input).await?;
        Ok(client.map(|client| Made::default().member("ClientSecret", &client, "/UserPoolClient/ClientSecret")))
    }

    async fn delete(&self, at: &At<'_>, standing: &Standing) -> Result<(), StackError> {
        let input = json!({"UserPoolId": standing.text("UserPoolId"), "ClientId": standing.id});
        at.ask((IDP, "DeleteUserPoolClient"), input).await.map(drop)
    }
}

fn client_input(at: &At<'_>, properties: &Properties) -> Properties {
    let mut input = properties.clone();
    let made_up = || crate::name::physical_name(&at.around.stack, at.logical_id, NAME_LENGTH_MAX).into();
    input.entry("ClientName").or_insert_with(made_up);
    input
}
