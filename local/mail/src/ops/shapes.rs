//! Shapes that several operations share.

use serde::{Deserialize, Serialize};

use crate::identity::Identity;

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// The state of a domain's signatures; of an address, that there are none.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DkimAttributes {
    signing_enabled: bool,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<String>,
    signing_attributes_origin: &'static str,
    next_signing_key_length: &'static str,
}

impl DkimAttributes {
    pub fn of(identity: &Identity) -> Self {
        let is_domain = !identity.dkim_tokens.is_empty();
        Self {
            signing_enabled: is_domain,
            status: if is_domain { "SUCCESS" } else { "NOT_STARTED" },
            tokens: identity.dkim_tokens.clone(),
            signing_attributes_origin: "AWS_SES",
            next_signing_key_length: if is_domain { "RSA_2048_BIT" } else { "RSA_1024_BIT" },
        }
    }
}

/// Says by name which settings of a request have no effect here.
pub fn warn_ignored(operation: &str, settings: &[(&str, bool)]) {
    for (setting, given) in settings {
        if *given {
            tracing::warn!(operation, setting, "this setting has no effect here");
        }
    }
}
