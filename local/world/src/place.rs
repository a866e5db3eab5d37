//! The account and region that we pretend to be.

/// Where the local cloud pretends to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A region's name, such as `us-east-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

impl Place {
    /// The ARN of a resource of ours: `arn:aws:{service}:{region}:{account}:{resource}`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}

impl Default for Place {
    /// `us-east-1` and the account of twelve zeros: what SDK examples and other local tools use.
    fn default() -> Self {
        Self { region: "us-east-1".into(), account: "000000000000".into() }
    }
}
