//! Identities: the addresses and domains that an account may send from. Kept and shown; not enforced.

use serde::{Deserialize, Serialize};
use world::Random;

use crate::error::Error;

/// An address or a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `ann@example.com` or `example.com`.
    pub name: String,
    /// What the owner of a domain would put into its DNS; none for an address.
    pub dkim_tokens: Vec<String>,
    /// Names and values.
    pub tags: Vec<(String, String)>,
}

impl Identity {
    /// A new identity, if `name` is an address or a domain.
    pub fn new(name: &str, tags: Vec<(String, String)>, random: &Random) -> Result<Self, Error> {
        let domain = name.rsplit('@').next().unwrap_or_default();
        let label =
            |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let is_domain = domain.contains('.') && domain.split('.').all(label);
        if !is_domain || name.starts_with('@') || name.contains(char::is_whitespace) {
            return Err(Error::bad_request(format!("Invalid email address or domain name {name}.")));
        }
        let tokens = if name.contains('@') { 0 } else { 3 };
        let dkim_tokens = (0..tokens).map(|_| random.alphanumeric(32)).collect();
        Ok(Self { name: name.to_owned(), dkim_tokens, tags })
    }

    /// `EMAIL_ADDRESS` or `DOMAIN`.
    pub fn kind(&self) -> &'static str {
        if self.name.contains('@') { "EMAIL_ADDRESS" } else { "DOMAIN" }
    }
}
