//! What STS's operations take and give as forms and XML.
//!
//! Source: the service model (`botocore`, `data/sts/2011-06-15`).

use aws_api::{Member, QueryApi, QueryOperation, Shape};

const fn text(name: &'static str) -> Member {
    Member::text(name)
}

const fn operation(name: &'static str, input: &'static [Member], output: &'static [Member]) -> QueryOperation {
    QueryOperation { name, input, output }
}

const fn structure(name: &'static str, members: &'static [Member]) -> Member {
    Member { name, wire: name, shape: Shape::Structure(members) }
}

const CREDENTIALS: Member =
    structure("Credentials", &[text("AccessKeyId"), text("SecretAccessKey"), text("SessionToken"), text("Expiration")]);
const USER: Member = structure("AssumedRoleUser", &[text("AssumedRoleId"), text("Arn")]);
const DURATION: Member = Member::number("DurationSeconds");

/// See the module.
pub(crate) static QUERY_API: QueryApi = QueryApi {
    version: "2011-06-15",
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    address_member: None,
    operations: &[
        operation("AssumeRole", &[text("RoleArn"), text("RoleSessionName"), DURATION], &[CREDENTIALS, USER]),
        operation(
            "AssumeRoleWithWebIdentity",
            &[text("RoleArn"), text("RoleSessionName"), text("WebIdentityToken"), DURATION],
            &[CREDENTIALS, text("SubjectFromWebIdentityToken"), USER, text("Provider"), text("Audience")],
        ),
        operation("GetCallerIdentity", &[], &[text("UserId"), text("Account"), text("Arn")]),
        operation("GetSessionToken", &[DURATION], &[CREDENTIALS]),
    ],
};
