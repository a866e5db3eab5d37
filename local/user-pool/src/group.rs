//! Groups of users, and what belonging to some says in a token.

use world::Timestamp;

use crate::Error;
use crate::constraint::Constraints;
use crate::pool::PoolId;

/// Groups of one pool ("Quotas in Amazon Cognito").
pub const GROUPS_MAX: usize = 10_000;
/// Groups of one user.
pub const GROUPS_OF_USER_MAX: usize = 100;

const DESCRIPTION_LENGTH_MAX: usize = 2_048;
const PRECEDENCE_MAX: i64 = i32::MAX as i64;
const ROLE_ARN_PATTERN: &str =
    r"arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?";

/// A group as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub pool: PoolId,
    pub name: String,
    pub settings: GroupSettings,
    pub created: Timestamp,
    pub modified: Timestamp,
}

/// What may change about a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GroupSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The lower, the better; none is worse than any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precedence: Option<i64>,
}

impl GroupSettings {
    /// The rules that hold for a group, new or changed.
    pub fn check(&self, name: &str) -> Result<(), Error> {
        let mut constraints = Constraints::new().group_name(name);
        if let Some(description) = &self.description {
            constraints = constraints.length("description", description, 0..=DESCRIPTION_LENGTH_MAX);
        }
        if let Some(arn) = &self.role_arn {
            constraints = constraints.length("roleArn", arn, 20..=2_048);
            if !is_arn(arn) {
                constraints = constraints.not_like("roleArn", arn, ROLE_ARN_PATTERN);
            }
        }
        if let Some(precedence) = self.precedence {
            constraints = constraints.number("precedence", precedence, 0..=PRECEDENCE_MAX);
        }
        constraints.check()
    }

    /// What a call leaves out stays.
    pub fn updated(self, change: Self) -> Self {
        Self {
            description: change.description.or(self.description),
            role_arn: change.role_arn.or(self.role_arn),
            precedence: change.precedence.or(self.precedence),
        }
    }
}

fn is_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    let fits = |part: &&str| part.chars().all(|c| c.is_alphanumeric() || "_+=/,.@-".contains(c));
    let [scheme, partition, service, region, account, resource @ ..] = parts.as_slice() else { return false };
    let filled = [partition, service].into_iter().chain(resource).all(|part| !part.is_empty() && fits(part));
    let numeric = !account.is_empty() && account.bytes().all(|digit| digit.is_ascii_digit());
    *scheme == "arn" && filled && fits(region) && numeric && (1..=3).contains(&resource.len())
}

/// What a user's groups say in their tokens: `cognito:groups`, `cognito:roles` and `cognito:preferred_role`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    pub groups: Vec<String>,
    pub roles: Vec<String>,
    pub preferred_role: Option<String>,
}

impl Membership {
    /// Of groups in the order of their precedence. The preferred role is the only one there is, or the only one of the
    /// groups that come first; where two of those have different roles, none is.
    /// (<https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-user-groups.html>)
    pub fn of(groups: &[Group]) -> Self {
        let with_role = || groups.iter().filter_map(|group| Some((group, group.settings.role_arn.as_ref()?)));
        let mut roles: Vec<String> = Vec::new();
        for (_, role) in with_role() {
            if !roles.contains(role) {
                roles.push(role.clone());
            }
        }
        let best = with_role().map(|(group, _)| rank(group)).min();
        let mut first = with_role().filter(|(group, _)| Some(rank(group)) == best).map(|(_, role)| role);
        let candidate = first.next();
        let agreed = candidate.filter(|role| roles.len() == 1 || first.all(|other| other == *role)).cloned();
        Self { groups: groups.iter().map(|group| group.name.clone()).collect(), roles, preferred_role: agreed }
    }
}

fn rank(group: &Group) -> i64 {
    group.settings.precedence.unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(groups: &[(&str, Option<i64>)], expected: Option<&str>) {
        let group = |(at, (role, precedence)): (usize, &(&str, Option<i64>))| Group {
            pool: PoolId("p".into()),
            name: format!("g{at}"),
            settings: GroupSettings {
                role_arn: (!role.is_empty()).then(|| (*role).to_owned()),
                precedence: *precedence,
                description: None,
            },
            created: Timestamp::from_millis(0),
            modified: Timestamp::from_millis(0),
        };
        let groups: Vec<_> = groups.iter().enumerate().map(group).collect();
        assert_eq!(Membership::of(&groups).preferred_role.as_deref(), expected);
    }

    #[test]
    fn the_preferred_role_is_that_of_the_group_that_comes_first() {
        check(&[], None);
        check(&[("", Some(0))], None);
        check(&[("a", Some(1)), ("b", Some(2)), ("c", None)], Some("a"));
        check(&[("", Some(0)), ("b", Some(2)), ("c", None)], Some("b"));
        check(&[("a", None)], Some("a"));
    }

    #[test]
    fn groups_of_one_rank_must_agree_on_a_role() {
        check(&[("a", Some(1)), ("b", Some(1))], None);
        check(&[("a", Some(1)), ("a", Some(1)), ("b", Some(2))], Some("a"));
        check(&[("a", None), ("b", None)], None);
        check(&[("a", Some(1)), ("a", None)], Some("a"));
    }

    #[test]
    fn arns() {
        assert!(is_arn("arn:aws:iam::123456789012:role/admin"));
        for wrong in ["", "arn:aws:iam::x:role/admin", "arn:aws:iam::1", "arn:aws:iam::1:role admin", "a:b:c::1:d"] {
            assert!(!is_arn(wrong), "{wrong}");
        }
    }
}
