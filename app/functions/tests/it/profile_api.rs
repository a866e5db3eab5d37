//! `profile-api`: requests, tokens, the table, and the end of an account.

use std::sync::LazyLock;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tandem_functions::profile_api::{ProfileApi, Schema, Settings, TokenUse};
use tandem_profiles::{
    Change, Changes, DeletedUser, Identity, IdentityEvent, Origin, Standing, UserId, UserProfile, Version,
};

use crate::cloud::{Cloud, START_MILLIS, TABLE, at};
use crate::testing::{CLIENT, ISSUER, POOL, Published, Signer, access_claims};

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new("key"));

const PATCH_JSON: &str = "application/merge-patch+json";

fn settings() -> Settings {
    Settings {
        user_pool: POOL.into(),
        issuer: ISSUER.into(),
        keys_url: format!("{ISSUER}/.well-known/jwks.json"),
        clients: vec![CLIENT.into()],
        token_use: TokenUse::Any,
        table: TABLE.into(),
        unique_email: false,
        bus: "tandem".into(),
        admin_group: "admin".into(),
        schema: None,
        origins: Vec::new(),
        base_path: String::new(),
    }
}

fn id(sub: &str) -> UserId {
    UserId::new(sub).expect("an id")
}

fn identity(sub: &str) -> Identity {
    let attributes = [("sub", sub), ("email", "ada@example.com"), ("email_verified", "true"), ("name", "Ada")];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Identity::from_attributes(POOL, sub, &attributes, &[]).expect("there is a sub")
}

/// A cloud, and the API in front of it.
struct Kit {
    cloud: Cloud,
    api: ProfileApi,
    keys: Published,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    #[track_caller]
    fn is(self, status: u16, problem: &str) -> Self {
        let kind = format!("urn:tandem:problem:{problem}");
        assert_eq!((self.status, self.body["type"].as_str()), (status, Some(kind.as_str())), "{self:?}");
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.headers[CACHE_CONTROL], "no-store");
        self
    }

    #[track_caller]
    fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{self:?}");
        self
    }

    fn etag(&self) -> &str {
        self.headers[ETAG].to_str().expect("text")
    }
}

/// A request before it is sent.
struct Ask<'a> {
    kit: &'a Kit,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Ask<'_> {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As somebody who is signed in.
    fn by(self, sub: &str) -> Self {
        self.by_token(&access_claims(sub, START_MILLIS / 1000))
    }

    fn by_admin(self) -> Self {
        let mut claims = access_claims("root", START_MILLIS / 1000);
        claims["cognito:groups"] = json!(["staff", "admin"]);
        self.by_token(&claims)
    }

    fn by_token(self, claims: &Value) -> Self {
        let token = SIGNER.token(claims);
        self.with("authorization", format!("Bearer {token}"))
    }

    async fn send(self) -> Answer {
        let mut request = http::Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let body = lambda_http::Body::from(self.body);
        self.kit.answer(request.body(body).expect("a request")).await
    }
}

impl Kit {
    async fn new() -> Self {
        Self::with(settings()).await
    }

    async fn with(settings: Settings) -> Self {
        let (cloud, keys) = (Cloud::new().await, Published::with(&[&SIGNER]));
        let api = ProfileApi::new(&cloud.sdk(), settings, keys.connector(), || at(60));
        Self { cloud, api, keys }
    }

    /// One in which Ada has a profile.
    async fn with_ada() -> Self {
        let kit = Self::new().await;
        kit.know("ada").await;
        kit
    }

    async fn know(&self, sub: &str) {
        self.tell(Change::Created(identity(sub)), 0).await;
    }

    async fn tell(&self, change: Change, seconds: i64) {
        let event = IdentityEvent::new(change, at(seconds), Origin::SignUp);
        self.cloud.profiles().apply(&event, at(seconds)).await.expect("it is applied");
    }

    async fn forget(&self, sub: &str) {
        let user = DeletedUser { user_id: id(sub), user_pool_id: POOL.into() };
        self.tell(Change::Deleted(user), 1).await;
    }

    fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        Ask { kit: self, method, path: path.to_owned(), headers: Vec::new(), body: String::new() }
    }

    fn get_me(&self) -> Ask<'_> {
        self.ask(Method::GET, "/me").by("ada")
    }

    fn patch_me(&self, patch: &Value) -> Ask<'_> {
        let mut ask = self.ask(Method::PATCH, "/me").by("ada").with("content-type", PATCH_JSON);
        ask.body = patch.to_string();
        ask
    }

    fn delete_me(&self) -> Ask<'_> {
        self.ask(Method::DELETE, "/me").by("ada")
    }

    async fn answer(&self, request: lambda_http::Request) -> Answer {
        let response = self.api.handle(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn profile(&self) -> UserProfile {
        self.cloud.profiles().get(&id("ada")).await.expect("it is read").expect("it is there")
    }

    async fn is_erased(&self) -> bool {
        let standing = self.cloud.profiles().standing(&id("ada")).await.expect("it is read");
        matches!(standing, Standing::Tombstone { .. })
    }
}

// Who calls

#[tokio::test]
async fn whoever_is_not_signed_in_is_told_how_to() {
    let kit = Kit::with_ada().await;
    for ask in [
        kit.ask(Method::GET, "/me"),
        kit.ask(Method::GET, "/me").with("authorization", "Basic YTpi"),
        kit.ask(Method::PATCH, "/me"),
        kit.ask(Method::DELETE, "/me"),
        kit.ask(Method::GET, "/profiles/ada"),
    ] {
        let answer = ask.send().await.is(401, "no-token");
        assert_eq!(answer.headers[WWW_AUTHENTICATE], "Bearer");
    }
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_named() {
    let kit = Kit::with_ada().await;
    let expired = kit.ask(Method::GET, "/me").by_token(&access_claims("ada", START_MILLIS / 1000 - 7200));
    let answer = expired.send().await.is(401, "invalid-token");
    assert_eq!(answer.headers[WWW_AUTHENTICATE], "Bearer error=\"invalid_token\"");
    assert_eq!(answer.body["detail"], "it has expired");
    kit.ask(Method::GET, "/me").with("authorization", "bearer x.y.z").send().await.is(401, "invalid-token");
    kit.get_me().by("ada").send().await.is(401, "no-token"); // two of them
}

#[tokio::test]
async fn without_the_pools_keys_nobody_is_let_in_and_nobody_is_refused() {
    let kit = Kit::with_ada().await;
    kit.keys.fail(Some(500));
    let answer = kit.get_me().send().await.is(503, "unavailable");
    assert_eq!(answer.headers[RETRY_AFTER], "1");
}

#[tokio::test(start_paused = true)]
async fn the_pools_keys_are_fetched_once_and_not_waited_for_long() {
    let kit = Kit::with_ada().await;
    kit.keys.take(Duration::from_hours(1));
    kit.get_me().send().await.is(503, "unavailable");
    kit.keys.take(Duration::ZERO);
    tokio::time::advance(Duration::from_secs(2)).await;
    for _ in 0..3 {
        kit.get_me().send().await.ok();
    }
    assert_eq!(kit.keys.fetched(), 2);
}

// Reading

#[tokio::test]
async fn a_profile_has_the_identity_and_the_applications_attributes() {
    let kit = Kit::with_ada().await;
    let changes = Changes::new().set("plan", &"pro").expect("a change").set("groups", &["a"]).expect("a change");
    let updated = kit.cloud.profiles().update::<Value>(&id("ada"), Version::default(), &changes, at(5)).await;
    updated.expect("it is written");
    let answer = kit.get_me().send().await.ok();
    let expected = json!({
        "userId": "ada", "userPoolId": POOL, "username": "ada", "email": "ada@example.com", "emailVerified": true,
        "emailConflict": false, "name": "Ada", "identityStatus": "ACTIVE", "identityGroups": [], "identityAttributes": {},
        "identityAsOf": "2026-01-01T00:00:00.000Z", "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:05.000Z", "version": 1, "plan": "pro", "groups": ["a"],
    });
    assert_eq!(answer.body, expected);
    assert_eq!(answer.headers[CACHE_CONTROL], "private, no-cache");
}

#[tokio::test]
async fn what_the_caller_has_is_not_sent_again() {
    let kit = Kit::with_ada().await;
    let etag = kit.get_me().send().await.ok().etag().to_owned();
    for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        let answer = kit.get_me().with("if-none-match", known).send().await;
        assert_eq!((answer.status, answer.etag(), &answer.body), (304, etag.as_str(), &Value::Null));
    }
    kit.tell(Change::Updated(Identity { enabled: true, name: None, ..identity("ada") }), 3).await;
    let after_the_event = kit.get_me().with("if-none-match", etag.clone()).send().await.ok().etag().to_owned();
    assert_ne!(after_the_event, etag);
    kit.patch_me(&json!({"a": 1})).send().await.ok();
    kit.get_me().with("if-none-match", after_the_event).send().await.ok();
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let kit = Kit::with_ada().await;
    let answer = kit.ask(Method::HEAD, "/me").by("ada").send().await.ok();
    assert!(answer.headers.contains_key(ETAG) && answer.body.is_null(), "{answer:?}");
    let refused = kit.ask(Method::HEAD, "/me").send().await;
    assert_eq!((refused.status, refused.body), (401, Value::Null));
}

#[tokio::test]
async fn a_profile_may_be_about_to_come() {
    let kit = Kit::new().await;
    let answer = kit.get_me().send().await.is(404, "no-profile");
    assert_eq!(answer.headers[RETRY_AFTER], "1");
    kit.patch_me(&json!({"a": 1})).send().await.is(404, "no-profile");
}

#[tokio::test]
async fn a_deleted_account_is_gone() {
    let kit = Kit::with_ada().await;
    kit.forget("ada").await;
    kit.get_me().send().await.is(410, "account-deleted");
    kit.patch_me(&json!({"a": 1})).send().await.is(410, "account-deleted");
    kit.ask(Method::GET, "/profiles/ada").by_admin().send().await.is(410, "account-deleted");
}

/// The token lives on; the profile knows better.
#[tokio::test]
async fn a_disabled_account_is_turned_away() {
    let kit = Kit::with_ada().await;
    kit.tell(Change::Updated(Identity { enabled: false, ..identity("ada") }), 1).await;
    kit.get_me().send().await.is(403, "account-disabled");
    kit.patch_me(&json!({"a": 1})).send().await.is(403, "account-disabled");
    let seen = kit.ask(Method::GET, "/profiles/ada").by_admin().send().await.ok();
    assert_eq!(seen.body["identityStatus"], "DISABLED");
}

// Administrators

#[tokio::test]
async fn other_profiles_are_for_administrators() {
    let kit = Kit::with_ada().await;
    kit.know("eve").await;
    kit.ask(Method::GET, "/profiles/eve").by("ada").send().await.is(403, "not-an-administrator");
    let eve = kit.ask(Method::GET, "/profiles/eve").by_admin().send().await.ok();
    assert_eq!(eve.body["userId"], "eve");
    let etag = eve.etag().to_owned();
    let again = kit.ask(Method::GET, "/profiles/eve").by_admin().with("if-none-match", etag).send().await;
    assert_eq!(again.status, 304);
    kit.ask(Method::GET, "/profiles/nobody").by_admin().send().await.is(404, "no-profile");
    kit.ask(Method::GET, "/profiles/%FF").by_admin().send().await.is(404, "no-profile");
    kit.ask(Method::GET, &format!("/profiles/{}", "x".repeat(3000))).by_admin().send().await.is(404, "no-profile");
}

#[tokio::test]
async fn a_disabled_administrator_is_turned_away() {
    let kit = Kit::with_ada().await;
    kit.tell(Change::Created(Identity { enabled: false, ..identity("root") }), 0).await;
    kit.ask(Method::GET, "/profiles/ada").by_admin().send().await.is(403, "account-disabled");
}

// Changing

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let kit = Kit::with_ada().await;
    let first = json!({"plan": "free", "settings": {"theme": "dark", "size": 3}, "tags": ["a", null]});
    let answer = kit.patch_me(&first).send().await.ok();
    assert_eq!((&answer.body["plan"], &answer.body["version"]), (&json!("free"), &json!(1)));
    let second = json!({"plan": null, "settings": {"size": null, "font": {"name": "x", "gone": null}}});
    let answer = kit.patch_me(&second).send().await.ok();
    let kept = kit.profile().await;
    let expected = json!({"settings": {"theme": "dark", "font": {"name": "x"}}, "tags": ["a", null]});
    assert_eq!(serde_json::to_value(kept.application.clone()).expect("JSON"), expected);
    assert_eq!(answer.etag(), kept.etag());
    assert_eq!((kept.version, kept.identity), (Version::new(2), identity("ada")));
}

#[tokio::test]
async fn a_patch_that_changes_nothing_writes_nothing() {
    let kit = Kit::with_ada().await;
    kit.patch_me(&json!({"a": {"b": 1}})).send().await.ok();
    let before = kit.profile().await;
    for patch in [json!({}), json!({"a": {"b": 1}}), json!({"nothing": null}), json!({"a": {"c": null}})] {
        assert_eq!(kit.patch_me(&patch).send().await.ok().etag(), before.etag());
    }
    assert_eq!(kit.profile().await, before);
}

#[tokio::test]
async fn a_patch_is_refused_with_reasons() {
    let kit = Kit::with_ada().await;
    let owned = kit.patch_me(&json!({"email": "eve@example.com", "pk": "x"})).send().await.is(422, "owned-attribute");
    assert_eq!(owned.body["errors"][0]["pointer"], "#/email");
    kit.patch_me(&json!([1])).send().await.is(422, "not-storable");
    kit.patch_me(&json!({"a": 1e200})).send().await.is(422, "not-storable");
    let mut cut = kit.patch_me(&json!({}));
    cut.body = "{\"a\": ".into();
    cut.send().await.is(400, "not-json");
    let plain = kit.ask(Method::PATCH, "/me").by("ada").with("content-type", "application/json").send().await;
    assert_eq!(plain.is(415, "not-a-merge-patch").headers["accept-patch"], PATCH_JSON);
    assert_eq!(kit.profile().await.version, Version::default());
}

#[tokio::test]
async fn there_is_room_for_the_identity() {
    let kit = Kit::with_ada().await;
    kit.patch_me(&json!({"a": "x".repeat(200_000)})).send().await.ok();
    kit.patch_me(&json!({"b": "x".repeat(200_000)})).send().await.is(422, "not-storable");
    kit.patch_me(&json!({"b": "x".repeat(500_000)})).send().await.is(413, "body-too-large");
}

#[tokio::test]
async fn if_match_protects_from_other_changes() {
    let kit = Kit::with_ada().await;
    let etag = kit.get_me().send().await.ok().etag().to_owned();
    let answer = kit.patch_me(&json!({"a": 1})).with("if-match", etag.clone()).send().await.ok();
    kit.patch_me(&json!({"a": 2})).with("if-match", etag).send().await.is(412, "changed");
    kit.patch_me(&json!({"a": 3})).with("if-match", format!("\"x\", {}", answer.etag())).send().await.ok();
    kit.patch_me(&json!({"a": 4})).with("if-match", "*").send().await.ok();
    kit.patch_me(&json!({"a": 5})).with("if-none-match", "*").send().await.is(412, "changed");
    assert_eq!(kit.profile().await.application["a"], 4);
}

/// Whoever sends no condition wants the change, not the race.
#[tokio::test]
async fn changes_at_the_same_time_are_all_made() {
    let kit = Kit::with_ada().await;
    let (a, b, c, d) = (json!({"a": 1}), json!({"b": 1}), json!({"c": {"x": 1}}), json!({"c": {"y": 1}}));
    let answers = tokio::join!(
        kit.patch_me(&a).send(),
        kit.patch_me(&b).send(),
        kit.patch_me(&c).send(),
        kit.patch_me(&d).send()
    );
    assert_eq!((answers.0.status, answers.1.status, answers.2.status, answers.3.status), (200, 200, 200, 200));
    let application = serde_json::to_value(kit.profile().await.application).expect("JSON");
    assert_eq!(application, json!({"a": 1, "b": 1, "c": {"x": 1, "y": 1}}));
}

#[tokio::test]
async fn of_changes_with_the_same_condition_one_is_made() {
    let kit = Kit::with_ada().await;
    let etag = kit.get_me().send().await.ok().etag().to_owned();
    let (a, b) = (json!({"a": 1}), json!({"a": 2}));
    let (first, second) = tokio::join!(
        kit.patch_me(&a).with("if-match", etag.clone()).send(),
        kit.patch_me(&b).with("if-match", etag.clone()).send()
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

#[tokio::test]
async fn a_profile_follows_its_schema() {
    let schema = json!({
        "type": "object",
        "properties": {"plan": {"enum": ["free", "pro"]}, "settings": {"properties": {"size": {"maximum": 9}}}},
        "additionalProperties": false,
    });
    let kit = Kit::with(Settings { schema: Some(Schema::new(&schema).expect("a schema")), ..settings() }).await;
    kit.know("ada").await;
    kit.patch_me(&json!({"plan": "pro", "settings": {"size": 1}})).send().await.ok();
    let patch = json!({"settings": {"size": 10}, "plan": "gold", "more": 1});
    let answer = kit.patch_me(&patch).send().await.is(422, "against-schema");
    let faults = answer.body["errors"].as_array().expect("faults");
    let mut pointers: Vec<_> = faults.iter().filter_map(|fault| fault["pointer"].as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["#", "#/plan", "#/settings/size"], "{faults:?}");
    assert!(!answer.body.to_string().contains("gold"), "{}", answer.body);
}

// The end

#[tokio::test]
async fn an_account_is_deleted_and_the_bus_is_told() {
    let kit = Kit::with_ada().await;
    let answer = kit.delete_me().send().await;
    assert_eq!((answer.status, &answer.body["profile"]), (202, &json!("being-erased")), "{answer:?}");
    let received = kit.cloud.received();
    let [deletion, publication] = received.as_slice() else { panic!("two calls: {received:?}") };
    assert!(deletion["AccessToken"].is_string(), "{deletion}");
    let entry = &publication["Entries"][0];
    assert_eq!(entry["DetailType"], "UserDeleted");
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().expect("text")).expect("JSON");
    assert_eq!(detail["data"], json!({"userId": "ada", "userPoolId": POOL}));
    assert_eq!(detail["metadata"]["occurredAt"], "2026-01-01T00:01:00.000Z");
    let event = IdentityEvent::parse("UserDeleted", &detail).expect("an event");
    kit.cloud.profiles().apply(&event, at(61)).await.expect("it is applied");
    kit.get_me().send().await.is(410, "account-deleted");
}

#[tokio::test]
async fn without_the_bus_the_profile_is_erased_at_once() {
    let kit = Kit::with_ada().await;
    kit.cloud.answer(200, json!({}));
    kit.cloud.answer(400, json!({"__type": "AccessDeniedException"}));
    let answer = kit.delete_me().send().await;
    assert_eq!((answer.status, answer.body), (204, Value::Null));
    assert!(kit.is_erased().await);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_hangs_holds_nobody_up() {
    let kit = Kit::with_ada().await;
    // The pool hangs as long as the bus; it is waited for.
    kit.cloud.take(Duration::from_millis(2500));
    let began = tokio::time::Instant::now();
    assert_eq!(kit.delete_me().send().await.status, 204);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(kit.is_erased().await);
}

#[tokio::test]
async fn what_the_pool_refuses_changes_nothing() {
    let kit = Kit::with_ada().await;
    for (message, status, problem) in [
        ("Access Token does not have required scopes", 403, "missing-scope"),
        ("Access Token has been revoked", 401, "invalid-token"),
        ("User is disabled.", 403, "account-disabled"),
    ] {
        kit.cloud.answer(400, json!({"__type": "NotAuthorizedException", "message": message}));
        let answer = kit.delete_me().send().await.is(status, problem);
        if problem == "missing-scope" {
            let challenge = "Bearer error=\"insufficient_scope\", scope=\"aws.cognito.signin.user.admin\"";
            assert_eq!(answer.headers[WWW_AUTHENTICATE], challenge);
        }
    }
    kit.cloud.answer(400, json!({"__type": "TooManyRequestsException"}));
    kit.cloud.answer(400, json!({"__type": "TooManyRequestsException"}));
    kit.cloud.answer(400, json!({"__type": "TooManyRequestsException"}));
    kit.delete_me().send().await.is(503, "unavailable");
    assert_eq!(kit.profile().await.identity, identity("ada"));
    assert!(kit.cloud.received().iter().all(|call| call.get("Entries").is_none()), "the bus heard of it");
}

#[tokio::test]
async fn an_id_token_deletes_nothing() {
    let kit = Kit::with_ada().await;
    let seconds = START_MILLIS / 1000;
    let claims = json!({"sub": "ada", "iss": ISSUER, "aud": CLIENT, "token_use": "id", "exp": seconds + 60});
    kit.ask(Method::GET, "/me").by_token(&claims).send().await.ok();
    kit.ask(Method::DELETE, "/me").by_token(&claims).send().await.is(403, "missing-scope");
    assert!(kit.cloud.received().is_empty());
}

/// The first run deleted the account and died, or could do nothing more.
#[tokio::test]
async fn a_repeated_deletion_does_what_is_left() {
    let kit = Kit::with_ada().await;
    let gone = || kit.cloud.answer(400, json!({"__type": "UserNotFoundException", "message": "User does not exist."}));
    gone();
    assert_eq!(kit.delete_me().send().await.status, 202);
    assert_eq!(kit.cloud.received().len(), 2);
    kit.forget("ada").await;
    gone();
    assert_eq!(kit.delete_me().send().await.status, 204);
    assert_eq!(kit.cloud.received().len(), 3, "nothing is told twice");
}

#[tokio::test]
async fn where_nothing_works_the_caller_is_told_to_repeat() {
    let kit = Kit::with(Settings { table: "nowhere".into(), ..settings() }).await;
    kit.cloud.answer(200, json!({}));
    kit.cloud.answer(400, json!({"__type": "AccessDeniedException"}));
    let answer = kit.delete_me().send().await.is(503, "half-deleted");
    assert_eq!(answer.headers[RETRY_AFTER], "1");
}

#[tokio::test]
async fn an_account_without_a_profile_can_be_deleted() {
    let kit = Kit::new().await;
    assert_eq!(kit.delete_me().send().await.status, 202);
}

#[tokio::test]
async fn a_deletion_can_have_a_condition() {
    let kit = Kit::with_ada().await;
    kit.delete_me().with("if-match", "\"x\"").send().await.is(412, "changed");
    assert!(kit.cloud.received().is_empty());
    let etag = kit.get_me().send().await.ok().etag().to_owned();
    assert_eq!(kit.delete_me().with("if-match", etag).send().await.status, 202);
}

// The front

#[tokio::test]
async fn other_paths_and_methods_are_named() {
    let kit = Kit::new().await;
    for path in ["/", "/me/", "/profiles", "/profiles/a/b", "/nothing"] {
        kit.ask(Method::GET, path).send().await.is(404, "no-such-path");
    }
    for (method, path, allowed) in [
        (Method::POST, "/me", ["GET", "HEAD", "PATCH", "DELETE"].as_slice()),
        (Method::OPTIONS, "/me", &["GET", "HEAD", "PATCH", "DELETE"]),
        (Method::DELETE, "/profiles/ada", &["GET", "HEAD"]),
    ] {
        let answer = kit.ask(method, path).send().await.is(405, "method-not-allowed");
        let mut named: Vec<_> = answer.headers[ALLOW].to_str().expect("text").split(',').map(str::trim).collect();
        let mut expected = allowed.to_vec();
        named.sort_unstable();
        expected.sort_unstable();
        assert_eq!(named, expected);
    }
}

/// What an HTTP API sends, by a stage's own path.
#[tokio::test]
async fn a_stage_is_no_part_of_the_path() {
    let kit = Kit::with_ada().await;
    let token = SIGNER.token(&access_claims("ada", START_MILLIS / 1000));
    let event = |stage: &str, path: &str| {
        json!({
            "version": "2.0", "routeKey": "ANY /{proxy+}", "rawPath": path, "rawQueryString": "a=b%20c",
            "headers": {"authorization": format!("Bearer {token}"), "host": "x.execute-api.eu-west-1.amazonaws.com"},
            "requestContext": {
                "accountId": "0", "apiId": "x", "domainName": "x.execute-api.eu-west-1.amazonaws.com",
                "domainPrefix": "x", "requestId": "r", "routeKey": "ANY /{proxy+}", "stage": stage,
                "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": START_MILLIS,
                "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "1.2.3.4", "userAgent": "t"},
            },
            "isBase64Encoded": false,
        })
        .to_string()
    };
    for (stage, path, status) in [
        ("$default", "/me", 200),
        ("prod", "/prod/me", 200),
        ("prod", "/me", 200), // a domain of one's own
        ("prod", "/prod/prod/me", 404),
        ("$default", "/prod/me", 404),
    ] {
        let request = lambda_http::request::from_str(&event(stage, path)).expect("an event");
        assert_eq!(kit.answer(request).await.status, status, "{stage} {path}");
    }
    let request = lambda_http::request::from_str(&event("prod", "/prod/openapi.json")).expect("an event");
    assert_eq!(kit.answer(request).await.ok().body["servers"][0]["url"], "/prod");
    let request = lambda_http::request::from_str(&event("prod", "/openapi.json")).expect("an event");
    assert_eq!(kit.answer(request).await.ok().body["servers"][0]["url"], "/");
}

#[tokio::test]
async fn the_document_is_there_for_everybody() {
    let answer = Kit::new().await.ask(Method::GET, "/openapi.json").send().await.ok();
    assert_eq!(answer.body["info"]["title"], "Profile API");
    let document: Value = serde_json::from_str(&tandem_functions::profile_api::openapi_document()).expect("JSON");
    assert_eq!(answer.body, document);
}

#[tokio::test]
async fn pages_of_other_origins_are_for_the_front_unless_told_otherwise() {
    let kit = Kit::with_ada().await;
    let answer = kit.get_me().with("origin", "https://app.example").send().await.ok();
    assert!(!answer.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));

    let kit = Kit::with(Settings { origins: vec!["https://app.example".into()], ..settings() }).await;
    kit.know("ada").await;
    let asked = || kit.ask(Method::OPTIONS, "/me").with("access-control-request-method", "PATCH");
    let preflight = asked().with("origin", "https://app.example").send().await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
    assert_eq!(asked().with("origin", "https://evil.example").send().await.status, 405);
    let refused = kit.ask(Method::GET, "/me").with("origin", "https://app.example").send().await;
    assert_eq!(refused.headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example", "pages may read why");
    let other = kit.get_me().with("origin", "https://evil.example").send().await.ok();
    assert!(!other.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
}
