//! Reads the users of a pool.
//!
//! `ListUsers` and not `AdminGetUser`, which counts whoever is looked up among the users that a month is paid for.
//! It is eventually consistent: a user may be missing in it for a moment after their creation.

use std::collections::BTreeSet;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::admin_delete_user::AdminDeleteUserError;
use aws_sdk_cognitoidentityprovider::operation::admin_list_groups_for_user::AdminListGroupsForUserError;
use tandem_profiles::UserId;

use crate::error::Error;
use crate::user::PoolUser;

/// Cognito's largest page of users, and of a group's members.
pub const PAGE_USERS_MAX: i32 = 60;

/// A user pool. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {
    client: Client,
    id: String,
}

/// One answer of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds; may be empty and not the last.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

impl Pool {
    /// The pool with that id.
    pub fn new(client: Client, id: impl Into<String>) -> Self {
        Self { client, id: id.into() }
    }

    /// The pool's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Up to [`PAGE_USERS_MAX`] users, in no order that means anything: one call of `ListUsers`.
    pub async fn users(&self, after: Option<&str>) -> Result<Page<PoolUser>, Error> {
        let request = self.client.list_users().user_pool_id(&self.id).limit(PAGE_USERS_MAX);
        let answer = request.set_pagination_token(after.map(ToOwned::to_owned)).send().await;
        let answer = answer.map_err(|error| Error::from_sdk("ListUsers", &self.id, &error))?;
        let users = answer.users.unwrap_or_default();
        Ok(Page { items: users.into_iter().filter_map(PoolUser::from_sdk).collect(), next: answer.pagination_token })
    }

    /// The user with this `sub`, whatever their name; `None` if there is none (or not yet: see above).
    pub async fn user(&self, id: &UserId) -> Result<Option<PoolUser>, Error> {
        let request = self.client.list_users().user_pool_id(&self.id).limit(1);
        let answer = request.filter(filter("sub", id.as_str())).send().await;
        let answer = answer.map_err(|error| Error::from_sdk("ListUsers", &self.id, &error))?;
        Ok(answer.users.unwrap_or_default().into_iter().find_map(PoolUser::from_sdk))
    }

    /// The users whose attribute is exactly this: `username`, `email`, `phone_number`, … Of many, the first page.
    pub async fn find(&self, attribute: &str, value: &str) -> Result<Vec<PoolUser>, Error> {
        let request = self.client.list_users().user_pool_id(&self.id).limit(PAGE_USERS_MAX);
        let answer = request.filter(filter(attribute, value)).send().await;
        let answer = answer.map_err(|error| Error::from_sdk("ListUsers", &self.id, &error))?;
        Ok(answer.users.unwrap_or_default().into_iter().filter_map(PoolUser::from_sdk).collect())
    }

    /// Deletes a user, by their name in the pool. `false` if there is none.
    pub async fn delete(&self, username: &str) -> Result<bool, Error> {
        match self.client.admin_delete_user().user_pool_id(&self.id).username(username).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(AdminDeleteUserError::is_user_not_found_exception) => {
                Ok(false)
            }
            Err(error) => Err(Error::from_sdk("AdminDeleteUser", &self.id, &error)),
        }
    }

    /// The groups of a user, by their name in the pool; none if the user is gone.
    pub async fn groups_of(&self, username: &str) -> Result<BTreeSet<String>, Error> {
        let mut groups = BTreeSet::new();
        let mut next = None;
        loop {
            let request = self.client.admin_list_groups_for_user().user_pool_id(&self.id).username(username);
            let answer = match request.limit(PAGE_USERS_MAX).set_next_token(next).send().await {
                Ok(answer) => answer,
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(AdminListGroupsForUserError::is_user_not_found_exception) =>
                {
                    return Ok(BTreeSet::new());
                }
                Err(error) => return Err(Error::from_sdk("AdminListGroupsForUser", &self.id, &error)),
            };
            groups.extend(answer.groups.unwrap_or_default().into_iter().filter_map(|group| group.group_name));
            next = answer.next_token;
            if next.is_none() {
                return Ok(groups);
            }
        }
    }

    /// The names of the pool's groups, page by page.
    pub async fn groups(&self, after: Option<&str>) -> Result<Page<String>, Error> {
        let request = self.client.list_groups().user_pool_id(&self.id).limit(PAGE_USERS_MAX);
        let answer = request.set_next_token(after.map(ToOwned::to_owned)).send().await;
        let answer = answer.map_err(|error| Error::from_sdk("ListGroups", &self.id, &error))?;
        let names = answer.groups.unwrap_or_default().into_iter().filter_map(|group| group.group_name);
        Ok(Page { items: names.collect(), next: answer.next_token })
    }

    /// The members of a group, page by page.
    pub async fn members(&self, group: &str, after: Option<&str>) -> Result<Page<PoolUser>, Error> {
        let request = self.client.list_users_in_group().user_pool_id(&self.id).group_name(group);
        let answer = request.limit(PAGE_USERS_MAX).set_next_token(after.map(ToOwned::to_owned)).send().await;
        let answer = answer.map_err(|error| Error::from_sdk("ListUsersInGroup", &self.id, &error))?;
        let users = answer.users.unwrap_or_default();
        Ok(Page { items: users.into_iter().filter_map(PoolUser::from_sdk).collect(), next: answer.next_token })
    }
}

/// A filter of `ListUsers`. What is in the value stays in the value.
fn filter(attribute: &str, value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("{attribute} = \"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn a_value_cannot_leave_its_filter() {
        assert_eq!(filter("email", r#"a" or \b"#), r#"email = "a\" or \\b""#);
    }
}
