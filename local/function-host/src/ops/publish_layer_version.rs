//! `PublishLayerVersion`.

use aws_api::{ApiError, Call, Reply};
use http::StatusCode;
use serde::Deserialize;

use crate::alias::check_description;
use crate::code::{copy, unpack};
use crate::error::Error;
use crate::function::Source;
use crate::host::FunctionHost;
use crate::layer::{LayerVersion, LayerVersionAnswer, layer_name};
use crate::runtime;

const RUNTIMES_MAX: usize = 15;
const LICENSE_LENGTH_MAX: usize = 512;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    layer_name: String,
    content: Content,
    description: Option<String>,
    compatible_architectures: Option<Vec<String>>,
    compatible_runtimes: Option<Vec<String>>,
    license_info: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    /// Base64.
    zip_file: Option<String>,
    /// `local`, for what lies on this machine.
    s3_bucket: Option<String>,
    s3_key: Option<String>,
}

pub(crate) async fn run(host: &FunctionHost, request: Request, _call: &Call) -> Result<Reply, ApiError> {
    let name = layer_name(&request.layer_name)?;
    check(&request)?;
    let description = check_description(request.description.clone())?.unwrap_or_default();
    let code = match (request.content.zip_file, request.content.s3_bucket.as_deref(), request.content.s3_key) {
        (Some(zip), None, None) => unpack(host, zip).await?,
        (None, Some("local" | "hot-reload"), Some(path)) => copy(host, path.into()).await?,
        _ => {
            let message = "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified \
                           bucket does not exist (this server has no S3: use ZipFile, or S3Bucket `local` with a path as \
                           S3Key)";
            return Err(Error::InvalidParameterValue(message.into()).into());
        }
    };
    let Source::Unpacked(directory) = code.source else {
        return Err(Error::Service("The layer could not be unpacked".into()).into());
    };
    let version = LayerVersion {
        description,
        license: request.license_info,
        architectures: request.compatible_architectures,
        runtimes: request.compatible_runtimes,
        created_ms: host.world().clock.now().millis(),
        size_bytes: code.size_bytes,
        unzipped_bytes: code.unzipped_bytes,
        sha256: code.sha256,
        directory,
        policy: Vec::new(),
        revision_id: String::new(),
        deleted: false,
    };
    let change = host.change_layer(name, |layer| {
        layer.version_last += 1;
        layer.versions.insert(layer.version_last, version.clone());
        Ok(layer.version_last)
    });
    let number = change.await?;
    let answer = LayerVersionAnswer::of(host, &host.layer_arn(name), number, &version);
    Ok(Reply::json(&answer)?.status(StatusCode::CREATED))
}

fn check(request: &Request) -> Result<(), Error> {
    let mut violations = Vec::new();
    let mut refuse = |list: &[String], member: &str, constraint: &str| {
        violations
            .push(format!("Value '[{}]' at '{member}' failed to satisfy constraint: {constraint}", list.join(", ")));
    };
    let runtimes = request.compatible_runtimes.as_deref().unwrap_or_default();
    if runtimes.len() > RUNTIMES_MAX {
        let constraint = format!("Member must have length less than or equal to {RUNTIMES_MAX}");
        refuse(runtimes, "compatibleRuntimes", &constraint);
    } else if runtimes.iter().any(|name| !runtime::is_known(name)) {
        let constraint = format!("Member must satisfy enum value set: [{}]", runtime::known().join(", "));
        refuse(runtimes, "compatibleRuntimes", &constraint);
    }
    let architectures = request.compatible_architectures.as_deref().unwrap_or_default();
    if architectures.iter().any(|name| !matches!(name.as_str(), "x86_64" | "arm64")) {
        let constraint = "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]";
        refuse(architectures, "compatibleArchitectures", constraint);
    }
    if let Some(license) = request.license_info.as_ref().filter(|license| license.len() > LICENSE_LENGTH_MAX) {
        let constraint = format!("Member must have length less than or equal to {LICENSE_LENGTH_MAX}");
        violations.push(format!("Value '{license}' at 'licenseInfo' failed to satisfy constraint: {constraint}"));
    }
    match violations.len() {
        0 => Ok(()),
        1 => Err(Error::Validation(format!("1 validation error detected: {}", violations[0]))),
        count => Err(Error::Validation(format!("{count} validation errors detected: {}", violations.join("; ")))),
    }
}
