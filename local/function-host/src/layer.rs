//! Layers: archives that are unpacked once and laid under the code of the functions that name them.
//!
//! A version of a layer never changes. One that was deleted is still there for the functions that have it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use aws_api::Arn;
use serde::{Deserialize, Serialize};
use world::Timestamp;

use crate::code::{self, UNZIPPED_BYTES_MAX};
use crate::error::Error;
use crate::host::FunctionHost;
use crate::store;

/// Of one function.
const LAYERS_MAX: usize = 5;
const LAYERS_PATTERN: &str = r"(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)";
const NAME_PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+";
const NAME_LENGTH_MAX: usize = 140;
/// How the layer of AWS's Parameters and Secrets extension is called, whatever the processor.
const PARAMETERS_EXTENSION: &str = "AWS-Parameters-and-Secrets-Lambda-Extension";

/// Everything that is stored of a layer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Layer {
    pub(crate) versions: BTreeMap<u64, LayerVersion>,
    /// The number of the version published last; a number is never used again.
    pub(crate) version_last: u64,
}

/// A version of a layer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LayerVersion {
    pub(crate) description: String,
    pub(crate) license: Option<String>,
    pub(crate) architectures: Option<Vec<String>>,
    pub(crate) runtimes: Option<Vec<String>>,
    pub(crate) created_ms: i64,
    /// Of the archive.
    pub(crate) size_bytes: u64,
    pub(crate) unzipped_bytes: u64,
    pub(crate) sha256: String,
    /// Its name among the directories of unpacked code.
    pub(crate) directory: String,
    pub(crate) policy: Vec<LayerStatement>,
    /// Of the policy.
    pub(crate) revision_id: String,
    /// Nobody sees it but the functions that have it.
    pub(crate) deleted: bool,
}

/// Who else may use a version. Kept and given back: there are no other accounts here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LayerStatement {
    pub(crate) sid: String,
    pub(crate) action: String,
    pub(crate) principal: String,
    pub(crate) organization: Option<String>,
}

/// What functions have to do without where a layer of another account is missing.
fn loss(name: &str) -> &'static str {
    if name.starts_with(PARAMETERS_EXTENSION) {
        "the Parameters and Secrets extension is not there: nothing answers on localhost:2773, ask Parameter Store and \
         Secrets Manager by the SDK"
    } else {
        "functions run without what is in it"
    }
}

/// What the operations answer of a version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LayerVersionAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer_arn: Option<String>,
    layer_version_arn: String,
    description: String,
    created_date: String,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    compatible_runtimes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compatible_architectures: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    /// AWS gives a URL of S3; here it tells where the layer lies.
    location: String,
    code_sha256: String,
    code_size: u64,
}

impl Layer {
    /// Those that were not deleted.
    pub(crate) fn visible(&self) -> impl DoubleEndedIterator<Item = (u64, &LayerVersion)> {
        self.versions.iter().filter(|(_, version)| !version.deleted).map(|(number, version)| (*number, version))
    }
}

impl LayerVersion {
    /// Whether it says that it is for this runtime and this architecture. What it does not say is no reason.
    pub(crate) fn fits(&self, runtime: Option<&str>, architecture: Option<&str>) -> bool {
        let has = |list: &Option<Vec<String>>, wanted: Option<&str>| {
            wanted.is_none_or(|wanted| list.iter().flatten().any(|item| item == wanted))
        };
        has(&self.runtimes, runtime) && has(&self.architectures, architecture)
    }
}

impl LayerVersionAnswer {
    /// As lists have it.
    pub(crate) fn listed(layer_arn: &str, number: u64, version: &LayerVersion) -> Self {
        Self {
            content: None,
            layer_arn: None,
            layer_version_arn: format!("{layer_arn}:{number}"),
            description: version.description.clone(),
            created_date: Timestamp::from_millis(version.created_ms).format("%Y-%m-%dT%H:%M:%S%.3f+0000"),
            version: number,
            compatible_runtimes: version.runtimes.clone(),
            license_info: version.license.clone(),
            compatible_architectures: version.architectures.clone(),
        }
    }

    /// With its content.
    pub(crate) fn of(host: &FunctionHost, layer_arn: &str, number: u64, version: &LayerVersion) -> Self {
        let content = Content {
            location: format!("file://{}", host.code_directory().join(&version.directory).display()),
            code_sha256: version.sha256.clone(),
            code_size: version.size_bytes,
        };
        Self {
            content: Some(content),
            layer_arn: Some(layer_arn.to_owned()),
            ..Self::listed(layer_arn, number, version)
        }
    }
}

/// The name in a name or an ARN of a layer.
pub(crate) fn layer_name(reference: &str) -> Result<&str, Error> {
    let name = match reference.parse::<Arn>() {
        Ok(arn) if arn.service == "lambda" => {
            let name = arn.resource.strip_prefix("layer:").map(str::len);
            name.and_then(|length| reference.get(reference.len() - length..))
        }
        _ => Some(reference),
    };
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    name.filter(|name| !name.is_empty() && name.len() <= NAME_LENGTH_MAX && name.bytes().all(word)).ok_or_else(|| {
        let constraint = format!("Member must satisfy regular expression pattern: {NAME_PATTERN}");
        Error::constraint(reference, "layerName", &constraint)
    })
}

/// The ARN of a version: region, account, name and number.
fn version_arn(text: &str) -> Option<(Arn, String, u64)> {
    let arn: Arn = text.parse().ok().filter(|arn: &Arn| arn.service == "lambda")?;
    let (name, number) = arn.resource.strip_prefix("layer:")?.split_once(':')?;
    let (name, number) = (name.to_owned(), number.parse().ok()?);
    Some((arn, name, number))
}

/// `VersionNumber`, as a path has it.
pub(crate) fn check_number(text: &str) -> Result<u64, Error> {
    let number: i64 = text.parse().map_err(|_| {
        Error::Validation(format!("1 validation error detected: Value '{text}' at 'versionNumber' is no number"))
    })?;
    let number = u64::try_from(number).ok().filter(|number| *number > 0);
    number.ok_or_else(|| Error::InvalidParameterValue("Layer Version Cannot be less than 1".into()))
}

impl FunctionHost {
    pub(crate) fn layer_arn(&self, name: &str) -> String {
        self.world().place.arn("lambda", &format!("layer:{name}"))
    }

    /// All layers, by name.
    pub(crate) fn layers(&self) -> BTreeMap<String, Arc<Layer>> {
        self.layers.read().expect("no holder panics").clone()
    }

    /// A version by the name (or ARN) of its layer and its number, if it was not deleted.
    pub(crate) fn layer_version(&self, name: &str, number: u64) -> Option<LayerVersion> {
        let layers = self.layers.read().expect("no holder panics");
        layers.get(name)?.versions.get(&number).filter(|version| !version.deleted).cloned()
    }

    /// The version of an ARN.
    pub(crate) fn layer_version_by_arn(&self, text: &str) -> Option<(String, u64, LayerVersion)> {
        let (arn, name, number) = version_arn(text)?;
        let version = self.layer_version(&name, number).filter(|_| self.is_here(&arn))?;
        Some((name, number, version))
    }

    fn is_here(&self, arn: &Arn) -> bool {
        let place = &self.world().place;
        arn.account == place.account && arn.region == place.region
    }

    /// Changes a layer, which is made if it was not there.
    pub(crate) async fn change_layer<T>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Layer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _changing = self.changing.lock().await;
        let mut layer = self.layers().get(name).map(|layer| Layer::clone(layer)).unwrap_or_default();
        let result = change(&mut layer)?;
        let unused = self.drop_unused(name, &mut layer);
        store::save_layer(&self.database, name, &layer).await?;
        self.layers.write().expect("no holder panics").insert(name.to_owned(), Arc::new(layer));
        for directory in unused {
            code::remove(&directory);
        }
        Ok(result)
    }

    /// Takes out the versions that were deleted and that no function has; their directories.
    fn drop_unused(&self, name: &str, layer: &mut Layer) -> Vec<PathBuf> {
        let all = self.all();
        let layer_arn = self.layer_arn(name);
        let is_used = |number: u64| {
            let arn = format!("{layer_arn}:{number}");
            all.iter()
                .any(|deployment| deployment.function.configurations().any(|settings| settings.layers.contains(&arn)))
        };
        let unused: Vec<u64> = layer
            .versions
            .iter()
            .filter(|(number, version)| version.deleted && !is_used(**number))
            .map(|(n, _)| *n)
            .collect();
        let dropped = unused.iter().filter_map(|number| layer.versions.remove(number));
        dropped.map(|version| self.code_directory().join(version.directory)).collect()
    }

    /// Whether a function may have these layers, beside code of this size. `had` are those that it has already,
    /// which may have been deleted since.
    pub(crate) fn check_layers(&self, layers: &[String], had: &[String], unzipped_bytes: u64) -> Result<(), Error> {
        if layers.len() > LAYERS_MAX {
            return Err(Error::InvalidParameterValue(format!("Cannot reference more than {LAYERS_MAX} layers.")));
        }
        let mut seen: Vec<(String, &String)> = Vec::new();
        let mut total = unzipped_bytes;
        for text in layers {
            let Some((arn, name, _)) = version_arn(text) else {
                let constraint = format!(
                    "Member must satisfy constraint: [Member must have length less than or equal to 140, Member must \
                     have length greater than or equal to 1, Member must satisfy regular expression pattern: \
                     {LAYERS_PATTERN}, Member must not be null]"
                );
                return Err(Error::constraint(&format!("[{}]", layers.join(", ")), "layers", &constraint));
            };
            let place = &self.world().place;
            if arn.region != place.region {
                return Err(Error::InvalidParameterValue(format!(
                    "Layers are not in the same region as the function. Layers are expected to be in region {}.",
                    place.region
                )));
            }
            if let Some((_, other)) = seen.iter().find(|(other, _)| *other == format!("{}:{name}", arn.account)) {
                return Err(Error::InvalidParameterValue(format!(
                    "Two different versions of the same layer are not allowed to be referenced in the same function. \
                     {other} and {text} are versions of the same layer."
                )));
            }
            seen.push((format!("{}:{name}", arn.account), text));
            if arn.account != place.account {
                tracing::warn!(layer = text, "this layer is another account's; {}", loss(&name));
                continue;
            }
            let stored = self.stored_layer(text);
            let version = stored.filter(|version| !version.deleted || had.contains(text));
            let missing = || Error::InvalidParameterValue(format!("Layer version {text} does not exist."));
            total += version.ok_or_else(missing)?.unzipped_bytes;
        }
        if !layers.is_empty() && total > UNZIPPED_BYTES_MAX {
            return Err(Error::InvalidParameterValue(format!(
                "Function code combined with layers exceeds the maximum allowed size of {UNZIPPED_BYTES_MAX} bytes. \
                 The actual size is {total} bytes."
            )));
        }
        Ok(())
    }

    /// The version of an ARN of ours, also one that was deleted.
    fn stored_layer(&self, text: &str) -> Option<LayerVersion> {
        let (arn, name, number) = version_arn(text)?;
        let layers = self.layers.read().expect("no holder panics");
        layers.get(&name).filter(|_| self.is_here(&arn))?.versions.get(&number).cloned()
    }

    /// The size of a layer's archive; 0 if it is not ours.
    pub(crate) fn layer_size(&self, arn: &str) -> u64 {
        self.stored_layer(arn).map_or(0, |version| version.size_bytes)
    }

    /// Where the layers of a function lie, in the order in which they are laid over each other.
    pub(crate) fn layer_directories(&self, layers: &[String]) -> Vec<PathBuf> {
        let versions = layers.iter().filter_map(|arn| self.stored_layer(arn));
        versions.map(|version| self.code_directory().join(version.directory)).collect()
    }
}

/// Whether a text is the ARN of a layer's version.
pub(crate) fn is_version_arn(text: &str) -> bool {
    version_arn(text).is_some()
}
