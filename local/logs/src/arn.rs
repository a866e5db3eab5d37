//! What names a group: its name, or its ARN.

use aws_api::Arn;
use world::Place;

use crate::constraint::Constraints;
use crate::error::Error;

/// `arn:…:log-group:NAME`
pub fn group_arn(place: &Place, name: &str) -> String {
    place.arn("logs", &format!("log-group:{name}"))
}

/// The group that a caller names by `logGroupName` or `logGroupIdentifier`. An ARN of another account or region
/// stays as it is, and so names no group of ours.
pub fn named(place: &Place, name: Option<String>, identifier: Option<String>) -> Result<String, Error> {
    match (name, identifier) {
        (Some(_), Some(_)) => {
            Err(Error::Validation("LogGroup name and LogGroup ARN are mutually exclusive parameters.".into()))
        }
        (Some(name), None) => {
            Constraints::new().group(Some(&name), "logGroupName").check()?;
            Ok(name)
        }
        (None, Some(identifier)) => {
            let fits = |c: char| c.is_ascii_alphanumeric() || "_#+=/:,.@-".contains(c);
            let mut constraints = Constraints::new();
            constraints.length(Some(&identifier), "logGroupIdentifier", 1, 2048);
            constraints.form(Some(&identifier), "logGroupIdentifier", r"[\w#+=/:,.@-]*", fits).check()?;
            Ok(of_arn(place, &identifier).unwrap_or(identifier))
        }
        (None, None) => {
            let rule = "Value null at 'logGroupName' failed to satisfy constraint: Member must not be null";
            Err(Error::invalid(format!("1 validation error detected: {rule}")))
        }
    }
}

/// The group in `resourceArn`.
pub fn tagged(place: &Place, arn: &str) -> Result<String, Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_#+=/:,.@-".contains(c);
    let mut constraints = Constraints::new();
    constraints.length(Some(arn), "resourceArn", 1, 1011);
    constraints.form(Some(arn), "resourceArn", r"[\w+=/:,.@-]*", fits).check()?;
    of_arn(place, arn).ok_or_else(Error::no_group)
}

fn of_arn(place: &Place, text: &str) -> Option<String> {
    let arn: Arn = text.parse().ok()?;
    let ours = arn.service == "logs" && arn.region == place.region && arn.account == place.account;
    arn.resource.strip_prefix("log-group:").filter(|_| ours).map(str::to_owned)
}
