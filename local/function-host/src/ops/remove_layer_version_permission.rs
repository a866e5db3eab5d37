//! `RemoveLayerVersionPermission`.

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::layer::{check_number, layer_name};
use crate::ops::get_layer_version_policy::find;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    layer_name: String,
    version_number: String,
    statement_id: String,
    revision_id: Option<String>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, Error> {
    find(host, &request.layer_name, &request.version_number)?;
    let number = check_number(&request.version_number)?;
    let sid = &request.statement_id;
    let change = host.change_layer(layer_name(&request.layer_name)?, |layer| {
        let version = layer.versions.get_mut(&number).ok_or_else(Error::resource_not_found)?;
        if request.revision_id.is_some_and(|revision| revision != version.revision_id) {
            return Err(Error::LayerPreconditionFailed);
        }
        let before = version.policy.len();
        version.policy.retain(|statement| statement.sid != *sid);
        if version.policy.len() == before {
            return Err(Error::ResourceNotFound(format!("Statement {sid} is not found in resource policy.")));
        }
        version.revision_id = host.world().random.uuid();
        Ok(())
    });
    change.await?;
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
