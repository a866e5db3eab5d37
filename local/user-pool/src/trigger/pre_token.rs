//! The `PreTokenGeneration` function: changes what tokens say before they are signed.
//!
//! Version 1 of the event changes the id token, and groups in both; versions 2 and 3 change the access token and its
//! scopes too. Source: "Pre token generation Lambda trigger" in Cognito's developer guide.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Context, Source, told, unrecognizable};
use crate::Error;
use crate::group::Membership;
use crate::token::{ClaimChanges, TokenChanges};
use crate::user::User;

/// Claims added, changed or suppressed in one answer.
const CHANGES_MAX: usize = 5_000;

/// What no function changes. `cognito:…` is not either: groups and roles have a member of their own.
const PROTECTED: &[&str] = &[
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "client_id",
    "device_key",
    "event_id",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "scope",
    "sub",
    "token_use",
    "username",
    "version",
];
/// What is never an object or a list.
const SIMPLE: &[&str] = &["address", "email_verified", "phone_number_verified", "updated_at"];

/// One token's part of an answer; in version 1 the whole of it.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Generation {
    claims_to_add_or_override: Option<Map<String, Value>>,
    claims_to_suppress: Option<Vec<String>>,
    scopes_to_add: Option<Vec<String>>,
    scopes_to_suppress: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct GroupOverrideDetails {
    groups_to_override: Option<Vec<String>>,
    iam_roles_to_override: Option<Vec<String>>,
    preferred_role: Option<String>,
}

impl Context<'_> {
    /// Asks the function what the tokens shall say. Groups are changed in place; nothing if there is nothing else.
    pub async fn pre_token_generation(
        &self,
        source: Source,
        user: &User,
        membership: &mut Membership,
        scopes: &[&str],
    ) -> Result<Option<TokenChanges>, Error> {
        let is_first = source.version(self.pool) == "1";
        let request = || {
            let groups = json!({
                "groupsToOverride": membership.groups,
                "iamRolesToOverride": membership.roles,
                "preferredRole": membership.preferred_role,
            });
            let mut request = json!({"userAttributes": told(user), "groupConfiguration": groups});
            if !is_first {
                request["scopes"] = json!(scopes);
            }
            request
        };
        let member = if is_first { "claimsOverrideDetails" } else { "claimsAndScopeOverrideDetails" };
        let Some(mut response) = self.run(source, &user.username, request, json!({member: null})).await? else {
            return Ok(None);
        };
        let mut details = match response.get_mut(member).map(Value::take) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(details)) => details,
            Some(_) => return Err(unrecognizable()),
        };
        if let Some(groups) = details.remove("groupOverrideDetails") {
            *membership = override_groups(groups)?;
        }
        let (id, access) = if is_first {
            (part(Value::Object(details))?, Generation::default())
        } else {
            let mut of = |token: &str| part(details.remove(token).unwrap_or_default());
            (of("idTokenGeneration")?, of("accessTokenGeneration")?)
        };
        check(&[&id, &access], is_first)?;
        let mut changes = TokenChanges::default();
        let mut ignored = Vec::new();
        (changes.scopes_to_add, changes.scopes_to_suppress) =
            (access.scopes_to_add.clone().unwrap_or_default(), access.scopes_to_suppress.clone().unwrap_or_default());
        changes.id = self.claims(id, "id", &mut ignored);
        changes.access = self.claims(access, "access", &mut ignored);
        if !ignored.is_empty() {
            let what = format!("claims that no function changes: {}", ignored.join(", "));
            self.report_ignored(source, &user.username, &what);
        }
        Ok(Some(changes))
    }

    /// What may be changed of what a function wants to change; the rest is ignored, and named.
    fn claims(&self, generation: Generation, token: &str, ignored: &mut Vec<String>) -> ClaimChanges {
        let client = self.client.map(|client| client.0.as_str());
        let is_own_audience =
            |name: &str, value: &Value| token == "access" && name == "aud" && value.as_str() == client;
        let mut changes = ClaimChanges::default();
        for (name, value) in generation.claims_to_add_or_override.into_iter().flatten() {
            let complex = value.is_object() || value.is_array();
            let refused =
                is_protected(&name) || name.starts_with("dev:") || (complex && SIMPLE.contains(&name.as_str()));
            if refused && !is_own_audience(&name, &value) {
                ignored.push(name);
            } else {
                changes.add.insert(name, value);
            }
        }
        for name in generation.claims_to_suppress.into_iter().flatten() {
            let list = if is_protected(&name) { &mut *ignored } else { &mut changes.suppress };
            list.push(name);
        }
        changes
    }
}

fn is_protected(claim: &str) -> bool {
    claim.starts_with("cognito:") || PROTECTED.contains(&claim)
}

/// Null is as good as nothing.
fn part(generation: Value) -> Result<Generation, Error> {
    let generation: Option<Generation> = serde_json::from_value(generation).map_err(|_| unrecognizable())?;
    Ok(generation.unwrap_or_default())
}

/// What is said of groups replaces all that was; null or nothing in it takes all away. So it is documented.
fn override_groups(groups: Value) -> Result<Membership, Error> {
    let groups: Option<GroupOverrideDetails> = serde_json::from_value(groups).map_err(|_| unrecognizable())?;
    let groups = groups.unwrap_or_default();
    Ok(Membership {
        groups: groups.groups_to_override.unwrap_or_default(),
        roles: groups.iam_roles_to_override.unwrap_or_default(),
        preferred_role: groups.preferred_role,
    })
}

/// Version 1 knows texts alone, and there is an end to all things.
fn check(parts: &[&Generation], texts_alone: bool) -> Result<(), Error> {
    let added = || parts.iter().filter_map(|part| part.claims_to_add_or_override.as_ref());
    if texts_alone && added().flat_map(Map::values).any(|value| !value.is_string()) {
        return Err(unrecognizable());
    }
    let suppressed = parts.iter().filter_map(|part| part.claims_to_suppress.as_ref()).map(Vec::len);
    if added().map(Map::len).chain(suppressed).sum::<usize>() > CHANGES_MAX {
        let message = format!("PreTokenGeneration changed more than {CHANGES_MAX} claims");
        return Err(Error::InvalidLambdaResponse(message));
    }
    let scopes = parts.iter().filter_map(|part| part.scopes_to_add.as_ref()).flatten();
    if scopes.into_iter().any(|scope| scope.is_empty() || scope.chars().any(char::is_whitespace)) {
        return Err(unrecognizable());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Kit, claims};

    const ROLE: &str = "arn:aws:iam::123456789012:role/admin";

    /// Somebody with a group, and a function that gives this answer.
    async fn kit(version: &str, answer: Value) -> Kit {
        let t = Kit::new().await;
        t.confirmed("ann@example.com").await;
        let group = json!({"UserPoolId": t.pool, "GroupName": "admins", "RoleArn": ROLE});
        t.call("CreateGroup", group).await.ok();
        t.join("ann@example.com", "admins").await;
        let function = "arn:aws:lambda:us-east-1:000000000000:function:hook";
        let config = json!({"PreTokenGenerationConfig": {"LambdaVersion": version, "LambdaArn": function}});
        t.call("UpdateUserPool", json!({"UserPoolId": t.pool, "LambdaConfig": config})).await.ok();
        t.trigger_changes_response(answer);
        t
    }

    async fn id_and_access(t: &Kit) -> (Value, Value) {
        let tokens = t.tokens("ann@example.com").await;
        (claims(&tokens["IdToken"]), claims(&tokens["AccessToken"]))
    }

    #[tokio::test]
    async fn the_first_version_changes_texts_of_the_id_token() {
        let added = json!({"tenant": "t1", "email": "x@example.com"});
        let details = json!({"claimsToAddOrOverride": added, "claimsToSuppress": ["email_verified"]});
        let t = kit("V1_0", json!({"claimsOverrideDetails": details})).await;
        let (id, access) = id_and_access(&t).await;
        assert_eq!((&id["tenant"], &id["email"]), (&json!("t1"), &json!("x@example.com")));
        assert!(id.get("email_verified").is_none());
        assert_eq!(id["cognito:groups"], json!(["admins"]));
        assert!(access.get("tenant").is_none());
        let event = t.events().remove(0);
        assert_eq!(
            (&event["version"], &event["triggerSource"]),
            (&json!("1"), &json!("TokenGeneration_Authentication"))
        );
        let configuration =
            json!({"groupsToOverride": ["admins"], "iamRolesToOverride": [ROLE], "preferredRole": ROLE});
        assert_eq!(event["request"]["groupConfiguration"], configuration);
        assert_eq!(event["request"]["userAttributes"]["cognito:user_status"], "CONFIRMED");
        assert!(event["request"].get("scopes").is_none() && event["request"].get("clientMetadata").is_none());
        assert_eq!(event["response"], json!({"claimsOverrideDetails": null}));
    }

    #[tokio::test]
    async fn later_versions_change_both_tokens_and_scopes() {
        for (version, number) in [("V2_0", "2"), ("V3_0", "3")] {
            let details = json!({
                "idTokenGeneration": {"claimsToAddOrOverride": {"plan": {"name": "pro", "seats": 3}}},
                "accessTokenGeneration": {
                    "claimsToAddOrOverride": {"tenants": ["a", "b"]},
                    "scopesToAdd": ["orders/read"],
                },
            });
            let t = kit(version, json!({"claimsAndScopeOverrideDetails": details})).await;
            let (id, access) = id_and_access(&t).await;
            assert_eq!(id["plan"], json!({"name": "pro", "seats": 3}));
            assert_eq!(access["tenants"], json!(["a", "b"]));
            assert_eq!(access["scope"], "aws.cognito.signin.user.admin orders/read");
            let event = t.events().remove(0);
            assert_eq!(event["version"], number);
            assert_eq!(event["request"]["scopes"], json!(["aws.cognito.signin.user.admin"]));
            assert_eq!(event["response"], json!({"claimsAndScopeOverrideDetails": null}));
        }
    }

    #[tokio::test]
    async fn a_suppressed_scope_shuts_the_api() {
        let generation = json!({"scopesToSuppress": ["aws.cognito.signin.user.admin"]});
        let t = kit("V2_0", json!({"claimsAndScopeOverrideDetails": {"accessTokenGeneration": generation}})).await;
        let token = t.sign_in("ann@example.com").await;
        let message = t.call("GetUser", json!({"AccessToken": token})).await.error("NotAuthorizedException");
        assert_eq!(message, "Access Token does not have required scopes");
    }

    #[tokio::test]
    async fn an_answer_to_another_version_changes_nothing() {
        let answer = json!({"claimsOverrideDetails": {"claimsToAddOrOverride": {"tenant": "t1"}}});
        let (id, _) = id_and_access(&kit("V2_0", answer).await).await;
        assert!(id.get("tenant").is_none());
    }

    #[tokio::test]
    async fn groups_are_replaced_as_a_whole() {
        let other = json!({"groupsToOverride": ["guests"]});
        let cases = [
            (other, json!(["guests"]), Value::Null),
            (json!({}), Value::Null, Value::Null),
            (Value::Null, Value::Null, Value::Null),
        ];
        for (groups, expected, role) in cases {
            let t = kit("V1_0", json!({"claimsOverrideDetails": {"groupOverrideDetails": groups}})).await;
            let (id, access) = id_and_access(&t).await;
            assert_eq!(id["cognito:groups"], expected);
            assert_eq!(access["cognito:groups"], expected);
            assert_eq!(id["cognito:roles"], role);
        }
    }

    #[tokio::test]
    async fn what_no_function_changes_is_ignored_and_named() {
        let added =
            json!({"sub": "x", "cognito:username": "x", "dev:plan": "x", "scope": "x", "aud": "x", "tenant": "t1"});
        let generation = json!({"claimsToAddOrOverride": added, "claimsToSuppress": ["iss", "exp"]});
        let details = json!({"idTokenGeneration": generation, "accessTokenGeneration": generation});
        let t = kit("V2_0", json!({"claimsAndScopeOverrideDetails": details})).await;
        let (id, access) = id_and_access(&t).await;
        assert_eq!((&id["aud"], &id["tenant"]), (&json!(t.client), &json!("t1")));
        for token in [&id, &access] {
            assert!(token["sub"] != "x" && token["iss"].is_string() && token["exp"].is_number(), "{token}");
            assert!(token.get("dev:plan").is_none() && token["scope"] != "x" && token["cognito:username"] != "x");
        }
        assert!(access.get("aud").is_none());
        let warnings = t.warnings();
        let warning = warnings.iter().find(|warning| warning.contains("claims that no function changes")).expect("one");
        assert!(warning.contains("cognito:username") && warning.contains("exp"), "{warning}");
    }

    #[tokio::test]
    async fn an_access_token_may_name_its_client_as_audience() {
        let t = Kit::new().await;
        let generation = json!({"claimsToAddOrOverride": {"aud": t.client}});
        let answer = json!({"claimsAndScopeOverrideDetails": {"accessTokenGeneration": generation}});
        let function = "arn:aws:lambda:us-east-1:000000000000:function:hook";
        let config = json!({"PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": function}});
        t.confirmed("ann@example.com").await;
        t.call("UpdateUserPool", json!({"UserPoolId": t.pool, "LambdaConfig": config})).await.ok();
        t.trigger_changes_response(answer);
        let (_, access) = id_and_access(&t).await;
        assert_eq!(access["aud"], json!(t.client));
    }

    #[tokio::test]
    async fn answers_of_another_shape_are_refused() {
        let cases = [
            ("V1_0", json!({"claimsOverrideDetails": {"claimsToAddOrOverride": {"seats": 3}}})),
            ("V1_0", json!({"claimsOverrideDetails": "text"})),
            ("V2_0", json!({"claimsAndScopeOverrideDetails": {"idTokenGeneration": {"claimsToSuppress": "sub"}}})),
            ("V2_0", json!({"claimsAndScopeOverrideDetails": {"accessTokenGeneration": {"scopesToAdd": ["a b"]}}})),
        ];
        for (version, answer) in cases {
            let t = kit(version, answer).await;
            let refused = t.sign_in_with("ann@example.com", crate::testing::PASSWORD).await;
            assert_eq!(refused.error("InvalidLambdaResponseException"), "Unrecognizable lambda output");
        }
    }

    #[tokio::test]
    async fn a_refresh_and_a_new_password_have_sources_of_their_own() {
        let t = Kit::new().await;
        t.attach("PreTokenGeneration").await;
        let create = json!({"UserPoolId": t.pool, "Username": "ann@example.com", "TemporaryPassword": "Temp0rary!"});
        t.call("AdminCreateUser", create).await.ok();
        let challenge = t.sign_in_with("ann@example.com", "Temp0rary!").await.ok();
        let responses = json!({"USERNAME": "ann@example.com", "NEW_PASSWORD": crate::testing::PASSWORD});
        let respond = json!({
            "ClientId": t.client, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": challenge["Session"],
            "ChallengeResponses": responses, "ClientMetadata": {"from": "app"},
        });
        let result = t.call("RespondToAuthChallenge", respond).await.ok()["AuthenticationResult"].take();
        let refresh = json!({
            "ClientId": t.client, "RefreshToken": result["RefreshToken"], "ClientMetadata": {"from": "page"},
        });
        t.call("GetTokensFromRefreshToken", refresh).await.ok();
        assert_eq!(t.sources(), ["TokenGeneration_NewPasswordChallenge", "TokenGeneration_RefreshTokens"]);
        let from =
            t.events().iter().map(|event| event["request"]["clientMetadata"]["from"].clone()).collect::<Vec<_>>();
        assert_eq!(from, [json!("app"), json!("page")]);
    }
}
