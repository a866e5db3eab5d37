//! Amazon Resource Names.

use std::fmt;
use std::str::FromStr;

/// `arn:{partition}:{service}:{region}:{account}:{resource}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arn {
    /// `lambda`, `sqs`, `events`, …
    pub service: String,
    /// Empty for global services.
    pub region: String,
    /// Empty for some global services.
    pub account: String,
    /// Everything behind the fifth colon, colons and all.
    pub resource: String,
}

/// The text is not an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ARN")]
pub struct NotAnArn;

impl FromStr for Arn {
    type Err = NotAnArn;

    fn from_str(text: &str) -> Result<Self, NotAnArn> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(NotAnArn);
        if next()? != "arn" || !next()?.starts_with("aws") {
            return Err(NotAnArn);
        }
        let (service, region, account, resource) = (next()?, next()?, next()?, next()?);
        if service.is_empty() || resource.is_empty() {
            return Err(NotAnArn);
        }
        Ok(Self { service: service.into(), region: region.into(), account: account.into(), resource: resource.into() })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, region, account, resource } = self;
        write!(f, "arn:aws:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        let text = "arn:aws:lambda:eu-west-1:123456789012:function:f:live";
        let arn: Arn = text.parse().expect("an ARN");
        assert_eq!((arn.service.as_str(), arn.resource.as_str()), ("lambda", "function:f:live"));
        assert_eq!(arn.to_string(), text);
    }

    #[test]
    fn refuses_what_is_none() {
        for text in ["", "arn:aws:sqs", "arn:aws:sqs:r:a:", "urn:aws:sqs:r:a:q", "my-queue"] {
            assert_eq!(text.parse::<Arn>(), Err(NotAnArn), "{text}");
        }
    }
}
