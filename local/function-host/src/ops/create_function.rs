//! `CreateFunction`. The function can be invoked when this returns; AWS takes its time.

use std::collections::BTreeMap;

use aws_api::{Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::code::CodeRequest;
use crate::configuration::{ConfigurationRequest, FunctionConfiguration, check_architecture};
use crate::error::Error;
use crate::function::{Function, Qualified};
use crate::host::FunctionHost;
use crate::name::{NAME_LENGTH_MAX, Target, invalid_name};
use crate::ops::publish_version;
use crate::ops::tag_resource::check_tags;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    #[serde(default)]
    function_name: String,
    #[serde(default)]
    code: CodeRequest,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    package_type: Option<String>,
    architectures: Option<Vec<String>>,
    #[serde(default)]
    publish: bool,
    #[serde(flatten)]
    settings: ConfigurationRequest,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, aws_api::ApiError> {
    let publish = request.publish;
    let mut function = make(host, request).await?;
    if publish {
        publish_version::publish(host, &mut function, None);
    }
    let deployment = host.add(function).await?;
    // A version that is published at once is answered, but under the function's own ARN (recorded).
    let version = publish.then_some(deployment.function.version_last);
    let shown = deployment.function.shown(version);
    let shown = shown.ok_or_else(|| Error::function_not_found(&deployment.arn))?;
    let answer = FunctionConfiguration::of(host, shown, &deployment.arn);
    Ok(Reply::json(&answer)?.status(StatusCode::CREATED))
}

async fn make(host: &FunctionHost, request: Request) -> Result<Function, Error> {
    let place = &host.world().place;
    let target = Target::resolve(place, "CreateFunction", &request.function_name, None)?;
    if target.qualifier.is_some() {
        return Err(invalid_name(&request.function_name));
    }
    if target.name.len() > NAME_LENGTH_MAX {
        let constraint = format!("Member must have length less than or equal to {NAME_LENGTH_MAX}");
        return Err(Error::invalid_member(target.name, "functionName", &constraint));
    }
    let name = target.name.to_owned();
    if request.package_type.is_some_and(|package| package != "Zip") {
        return Err(Error::InvalidParameterValue("Container images are not implemented by this server".into()));
    }
    let architecture = check_architecture(request.architectures)?.unwrap_or_else(|| "x86_64".into());
    let settings = request.settings.create(&name, architecture)?;
    check_tags(&request.tags)?;
    if host.named(&name).is_some() {
        return Err(Error::ResourceConflict(format!("Function already exist: {name}")));
    }
    let code = request.code.take(host, settings.runtime).await?;
    let mut function = Function {
        name,
        settings,
        code,
        last_modified_ms: 0,
        revision_id: String::new(),
        unqualified: Qualified::default(),
        reserved_concurrency: None,
        tags: request.tags,
        versions: BTreeMap::new(),
        version_last: 0,
        aliases: BTreeMap::new(),
        qualified: BTreeMap::new(),
        recursive_loop: None,
    };
    if let Err(error) = host.check_layers(&function.settings.layers, &[], function.code.unzipped_bytes) {
        host.discard(&function.code);
        return Err(error);
    }
    function.touch(host.world());
    Ok(function)
}
