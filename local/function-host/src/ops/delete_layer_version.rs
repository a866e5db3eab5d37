//! `DeleteLayerVersion`. Functions that have it keep it; one that is not there is no error.

use aws_api::{Call, Reply};
use http::StatusCode;

use crate::error::Error;
use crate::host::FunctionHost;
use crate::layer::{check_number, layer_name};
use crate::ops::get_layer_version;

pub(crate) type Request = get_layer_version::Request;

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, Error> {
    let number = check_number(&request.version_number)?;
    let name = layer_name(&request.layer_name)?;
    if host.layer_version(name, number).is_some() {
        let change = host.change_layer(name, |layer| {
            if let Some(version) = layer.versions.get_mut(&number) {
                version.deleted = true;
            }
            Ok(())
        });
        change.await?;
    }
    Ok(Reply::bytes(StatusCode::NO_CONTENT, ""))
}
