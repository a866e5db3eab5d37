//! `UntagResource`.

use std::collections::BTreeMap;

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::ops::tag_resource::{change_tags, tagged};

#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    #[serde(rename = "Resource")]
    resource: String,
    /// A query parameter that may come more than once; the wire joins its values with commas, which no tag's
    /// key may have.
    #[serde(rename = "tagKeys")]
    tag_keys: Option<String>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, Error> {
    let Some(keys) = request.tag_keys.filter(|keys| !keys.is_empty()) else {
        return Err(Error::Validation(
            "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"
                .into(),
        ));
    };
    let remove = |tags: &mut BTreeMap<String, String>| {
        tags.retain(|key, _| !keys.split(',').any(|removed| removed == key));
        Ok(())
    };
    change_tags(host, tagged(host, "UntagResource", &request.resource)?, remove).await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
