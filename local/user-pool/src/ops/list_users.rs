//! `ListUsers`.
//!
//! A page's token carries where the next page begins; it is sealed, lasts an hour and fits the same question alone.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::attributes::AttributeType;
use crate::constraint::Constraints;
use crate::filter;
use crate::page_token::{self, PageTokens};
use crate::store::Listed;
use crate::{Error, UserPools};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    user_pool_id: String,
    #[serde(default)]
    filter: String,
    limit: Option<i64>,
    pagination_token: Option<String>,
    attributes_to_get: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    users: Vec<UserType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination_token: Option<String>,
}

/// The API's shape of a user in lists and after creation. (`AdminGetUser` has one of its own.)
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserType {
    username: String,
    attributes: Vec<AttributeType>,
    user_create_date: f64,
    user_last_modified_date: f64,
    enabled: bool,
    user_status: &'static str,
}

impl UserType {
    /// With all attributes.
    pub fn of(user: Listed) -> Self {
        let attributes = user.attributes.listed(&user.sub.0);
        Self::with_attributes(user, attributes)
    }

    /// With these attributes alone, all of which the user must have: one who lacks one fails the whole call.
    fn with(user: Listed, names: &[String]) -> Result<Self, Error> {
        let attribute = |name: &String| match user.attributes.get(name) {
            Some(value) => Ok(AttributeType { name: name.clone(), value: value.clone() }),
            None => Err(Error::InvalidParameter("One or more requested attributes do not exist.".into())),
        };
        let attributes = names.iter().map(attribute).collect::<Result<_, _>>()?;
        Ok(Self::with_attributes(user, attributes))
    }

    fn with_attributes(user: Listed, attributes: Vec<AttributeType>) -> Self {
        Self {
            username: user.username,
            attributes,
            user_create_date: user.created.epoch_seconds(),
            user_last_modified_date: user.modified.epoch_seconds(),
            enabled: user.enabled,
            user_status: user.status.as_str(),
        }
    }
}

pub async fn run(room: &UserPools, request: Request, _call: &Call) -> Result<Response, Error> {
    let limit = page_token::limit(request.limit)?;
    Constraints::new().length("filter", &request.filter, 0..=256).check()?;
    let pool = room.pool(&request.user_pool_id)?;
    let wanted = request.attributes_to_get;
    if wanted.iter().flatten().any(|name| name == "sub") {
        return Err(Error::InvalidParameter("Input fails to satisfy the constraints.".into()));
    }
    let search = filter::parse(&request.filter, &pool.settings)?;
    let tokens = PageTokens::new(room, &pool, &(&request.filter, request.limit, &wanted));
    let after = tokens.after(request.pagination_token.as_deref())?;

    let found = room.store.list_users(&pool.id, search, after, limit + 1).await?;
    let (found, pagination_token) = tokens.page(found, limit);
    let users = found.into_iter().map(|user| match &wanted {
        Some(names) => UserType::with(user, names),
        None => Ok(UserType::of(user)),
    });
    Ok(Response { users: users.collect::<Result<_, _>>()?, pagination_token })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::testing::Kit;

    async fn kit() -> Kit {
        let t = Kit::new().await;
        for (name, plan) in [("ann", "Ann One"), ("bob", "Bob Two"), ("anton", "ann three")] {
            let mut input = t.sign_up(&format!("{name}@example.com"));
            input["UserAttributes"] = json!([{"Name": "name", "Value": plan}]);
            t.call("SignUp", input).await.ok();
        }
        t
    }

    fn emails(answer: &Value) -> Vec<String> {
        let users = answer["Users"].as_array().expect("a list").iter();
        let email = |user: &Value| {
            let attributes = user["Attributes"].as_array().expect("a list");
            let email = attributes.iter().find(|attribute| attribute["Name"] == "email").expect("an address");
            email["Value"].as_str().expect("a text").trim_end_matches("@example.com").to_owned()
        };
        users.map(email).collect()
    }

    #[track_caller]
    fn found(answer: &Value, expected: &[&str]) {
        let mut emails = emails(answer);
        emails.sort_unstable();
        assert_eq!(emails, expected);
    }

    #[tokio::test]
    async fn filters() {
        let t = kit().await;
        t.call("AdminConfirmSignUp", json!({"UserPoolId": t.pool, "Username": "bob@example.com"})).await.ok();
        t.call("AdminDisableUser", json!({"UserPoolId": t.pool, "Username": "anton@example.com"})).await.ok();
        let cases: &[(&str, &[&str])] = &[
            ("", &["ann", "anton", "bob"]),
            (r#"email = "ANN@example.com""#, &["ann"]),
            (r#"email ^= "an""#, &["ann", "anton"]),
            (r#"name ^= "Ann""#, &["ann", "anton"]),
            (r#"username = "ann@example.com""#, &[]),
            (r#"cognito:user_status = "confirmed""#, &["bob"]),
            (r#"cognito:user_status ^= "UN""#, &["ann", "anton"]),
            (r#"status = "Disabled""#, &["anton"]),
            (r#"cognito:user_status ^= """#, &["ann", "anton", "bob"]),
            (r#"status = "Enabled""#, &["ann", "bob"]),
            (r#"status = "nothing""#, &[]),
            (r#"sub ^= """#, &["ann", "anton", "bob"]),
            (r#"username ^= """#, &["ann", "anton", "bob"]),
            (r#"phone_number = "+1""#, &[]),
        ];
        for (filter, expected) in cases {
            let answer = t.call("ListUsers", json!({"UserPoolId": t.pool, "Filter": filter})).await.ok();
            found(&answer, expected);
        }
    }

    #[tokio::test]
    async fn a_sub_finds_its_user() {
        let t = kit().await;
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
        let sub = user["UserAttributes"][0]["Value"].as_str().expect("a sub").to_owned();
        for filter in [format!("sub = \"{sub}\""), format!("username = \"{sub}\""), format!("sub ^= \"{}\"", &sub[..9])]
        {
            let answer = t.call("ListUsers", json!({"UserPoolId": t.pool, "Filter": filter})).await.ok();
            found(&answer, &["ann"]);
        }
    }

    #[tokio::test]
    async fn a_wrong_filter_is_refused() {
        let t = kit().await;
        let list = async |filter: &str| {
            let answer = t.call("ListUsers", json!({"UserPoolId": t.pool, "Filter": filter})).await;
            answer.error("InvalidParameterException")
        };
        assert_eq!(list(r#"custom:plan = "free""#).await, "Invalid search attribute: custom:plan");
        assert_eq!(list("email=ann").await, "Error while parsing filter");
    }

    #[tokio::test]
    async fn pages_hold_every_user_once() {
        let t = kit().await;
        t.call("AdminConfirmSignUp", json!({"UserPoolId": t.pool, "Username": "bob@example.com"})).await.ok();
        let filters = ["", r#"email ^= """#, r#"sub ^= """#, r#"username ^= """#, r#"cognito:user_status ^= """#];
        for filter in filters.into_iter().chain([r#"status = "Enabled""#]) {
            let (mut all, mut input) = (Vec::new(), json!({"UserPoolId": t.pool, "Limit": 1, "Filter": filter}));
            loop {
                let page = t.call("ListUsers", input.clone()).await.ok();
                all.extend(emails(&page));
                match page.get("PaginationToken") {
                    Some(token) => input["PaginationToken"] = token.clone(),
                    None => break,
                }
            }
            all.sort_unstable();
            assert_eq!(all, ["ann", "anton", "bob"], "{filter}");
        }
    }

    #[tokio::test]
    async fn a_token_fits_its_question_for_an_hour() {
        let t = kit().await;
        let page = t.call("ListUsers", json!({"UserPoolId": t.pool, "Limit": 1})).await.ok();
        let again = json!({"UserPoolId": t.pool, "Limit": 1, "PaginationToken": page["PaginationToken"]});
        t.call("ListUsers", again.clone()).await.ok();
        let mut other = again.clone();
        other["Filter"] = json!(r#"email ^= "a""#);
        t.call("ListUsers", other).await.error("InvalidParameterException");
        let mut forged = again.clone();
        forged["PaginationToken"] = json!("AAAA");
        t.call("ListUsers", forged).await.error("InvalidParameterException");
        t.clock.advance(Duration::from_secs(3601));
        t.call("ListUsers", again).await.error("InvalidParameterException");
    }

    #[tokio::test]
    async fn attributes_to_get() {
        let t = kit().await;
        let list = |names: Value| json!({"UserPoolId": t.pool, "AttributesToGet": names});
        let answer = t.call("ListUsers", list(json!(["email"]))).await.ok();
        assert_eq!(answer["Users"][0]["Attributes"], json!([{"Name": "email", "Value": "ann@example.com"}]));
        let answer = t.call("ListUsers", list(json!([]))).await.ok();
        assert_eq!(answer["Users"][0]["Attributes"], json!([]));
        let message = t.call("ListUsers", list(json!(["gender"]))).await.error("InvalidParameterException");
        assert_eq!(message, "One or more requested attributes do not exist.");
        let message = t.call("ListUsers", list(json!(["sub"]))).await.error("InvalidParameterException");
        assert_eq!(message, "Input fails to satisfy the constraints.");
    }
}
