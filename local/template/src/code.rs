//! Where the code of functions and layers lies. What lies on disk becomes `{S3Bucket: local, S3Key: <absolute path>}`,
//! which the function host runs where it lies; source text becomes `{S3Bucket: inline, S3Key: <text>}`.

use std::path::{Component, Path, PathBuf};

use crate::make::Make;
use crate::node::{Map, Node};
use crate::template::Resource;

/// CDK's assets are named by a hash of this many digits.
const ASSET_HASH_LEN: usize = 64;

/// The member in which a kind of resource has its code.
fn member(kind: &str) -> Option<&'static str> {
    match kind {
        "AWS::Lambda::Function" => Some("Code"),
        "AWS::Lambda::LayerVersion" => Some("Content"),
        _ => None,
    }
}

/// Says of a resource with code where that lies on this machine.
pub(crate) fn localize(resource: &mut Resource) {
    let Some(member) = member(&resource.kind) else { return };
    let asset = asset(resource.metadata.as_ref(), member);
    let binary = binary(resource.metadata.as_ref()).cloned();
    let Some(properties) = resource.properties.as_map_mut() else { return };
    if let Some(code) = properties.get_mut(member)
        && let Some(located) = located(code, asset.as_deref())
    {
        *code = located;
    }
    if let Some(binary) = binary {
        let span = binary.span.clone();
        properties.insert("Handler", &span, binary);
    }
}

/// The executable that `sam build` would take of a Rust project: the function host finds it by the handler's name.
fn binary(metadata: Option<&Node>) -> Option<&Node> {
    let metadata = metadata?;
    let is_rust = metadata.get("BuildMethod").and_then(Node::as_str) == Some("rust-cargolambda");
    metadata.at(&["BuildProperties", "Binary"]).filter(|_| is_rust)
}

/// What CDK wrote of an asset: its path beside the template.
fn asset(metadata: Option<&Node>, member: &str) -> Option<PathBuf> {
    let metadata = metadata?;
    let of = metadata.get("aws:asset:property").and_then(Node::as_str);
    let path = metadata.get("aws:asset:path").filter(|_| of.is_none_or(|of| of == member))?;
    Some(local_path(path, path.as_str()?))
}

/// The code with its place; nothing if it stays what it is.
fn located(code: &Node, asset: Option<&Path>) -> Option<Node> {
    if let Some(path) = asset {
        return Some(local(code, path));
    }
    if let Some(text) = code.as_str() {
        return Some(of_uri(code, text));
    }
    let map = code.as_map()?;
    if let Some(text) = map.get("ZipFile") {
        let make = Make(&text.span);
        return Some(make.map([("S3Bucket", make.text("inline")), ("S3Key", text.clone())]));
    }
    let key = map.get("S3Key")?;
    packaged(map, key.as_str()?).map(|file| local(code, &local_path(key, &file)))
}

/// `s3://bucket/key`, or a path.
pub(crate) fn of_uri(node: &Node, uri: &str) -> Node {
    let make = Make(&node.span);
    let Some((bucket, key)) = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) else {
        return local(node, &local_path(node, uri));
    };
    let (key, version) = key.split_once("?versionId=").map_or((key, None), |(key, version)| (key, Some(version)));
    make.some([
        ("S3Bucket", Some(make.text(bucket))),
        ("S3Key", Some(make.text(key))),
        ("S3ObjectVersion", version.map(|version| make.text(version))),
    ])
}

/// What tools lay beside the template that they generate: CDK a folder for each asset, Serverless its archive.
fn packaged(code: &Map, key: &str) -> Option<String> {
    let (folders, file) = key.rsplit_once('/').unwrap_or(("", key));
    let hash = file.strip_suffix(".zip")?;
    let is_hash = hash.len() == ASSET_HASH_LEN && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash && folders.is_empty() {
        return Some(format!("asset.{hash}"));
    }
    let bucket = code.at_bucket();
    let of_serverless = bucket == Some("ServerlessDeploymentBucket") || folders.starts_with("serverless/");
    of_serverless.then(|| file.to_owned())
}

impl Map {
    /// The resource that is the bucket.
    fn at_bucket(&self) -> Option<&str> {
        self.get("S3Bucket")?.get("Ref")?.as_str()
    }
}

fn local(node: &Node, path: &Path) -> Node {
    let make = Make(&node.span);
    make.map([("S3Bucket", make.text("local")), ("S3Key", make.text(path.to_string_lossy()))])
}

/// A path that starts where the file lies that names it.
pub(crate) fn local_path(node: &Node, path: &str) -> PathBuf {
    let path = node.span.source.folder().join(path);
    let path = std::path::absolute(&path).unwrap_or(path);
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = tidy.pop(),
            Component::CurDir => {}
            part => tidy.push(part),
        }
    }
    tidy
}
