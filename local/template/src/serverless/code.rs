//! Where a function's code lies. Nothing is packaged: the function host runs it where it is written, so the "bucket" of
//! local code is `local` and its key the absolute path of the service's folder, or of the artifact that was built.

use crate::error::TemplateError;
use crate::node::Node;
use crate::source::Span;

use super::service::{Draft, Function, Service, falsy};
use super::write::Block;

/// The bucket of code that lies on disk.
pub(super) const LOCAL: &str = "local";

/// The properties that say what a function runs.
pub(super) fn of(service: &Service, function: &Function, draft: &mut Draft) -> Result<Block, TemplateError> {
    let span = &function.span;
    match (function.get("handler"), function.get("image")) {
        (Some(handler), None) => {
            handler.expect_str("a handler")?;
            let code = local(span, &artifact(service, function, draft)?);
            Ok(Block::at(span).set("Code", code).set("Handler", handler))
        }
        (None, Some(image)) => {
            draft.warn(
                &image.span,
                format!("image of the function {}: container images do not run locally", function.key),
            );
            Ok(image_properties(span, image))
        }
        (Some(_), Some(image)) => {
            let message =
                format!("the function {} has both a handler and an image: it takes one of them", function.key);
            Err(TemplateError::new(&image.span, message))
        }
        (None, None) => {
            let message = format!("the function {} needs a handler", function.key);
            Err(TemplateError::new(span, message).hint("as in handler: src/handlers/name.handler"))
        }
    }
}

/// `{S3Bucket: local, S3Key: path}`
pub(super) fn local(span: &Span, path: &str) -> Block {
    Block::at(span).set("S3Bucket", LOCAL).set("S3Key", path)
}

/// The artifact that a function or the service names, or the service's folder.
fn artifact(service: &Service, function: &Function, draft: &mut Draft) -> Result<String, TemplateError> {
    let own = function.get("package").and_then(|package| package.get("artifact"));
    let artifact = own.or_else(|| service.config.at(&["package", "artifact"])).filter(|artifact| !falsy(artifact));
    let Some(artifact) = artifact else { return Ok(service.path(".")) };
    let path = artifact.expect_str("package.artifact")?;
    if path.starts_with("s3://") || path.starts_with("https://") {
        draft.warn(&artifact.span, format!("package.artifact: {path} is not fetched, the service's folder is run"));
        return Ok(service.path("."));
    }
    Ok(service.path(path))
}

fn image_properties(span: &Span, image: &Node) -> Block {
    let uri = image.get("uri").or_else(|| image.get("name")).unwrap_or(image);
    let config = Block::at(&image.span)
        .maybe("Command", image.get("command"))
        .maybe("EntryPoint", image.get("entryPoint"))
        .maybe("WorkingDirectory", image.get("workingDirectory"));
    let config = (!config.is_empty()).then_some(config);
    Block::at(span)
        .set("Code", Block::at(&image.span).set("ImageUri", uri))
        .set("PackageType", "Image")
        .maybe("ImageConfig", config)
}

impl Service<'_> {
    /// The absolute path of a file of the service.
    pub(super) fn path(&self, path: &str) -> String {
        let path = self.options.service_folder.join(path);
        path.components().collect::<std::path::PathBuf>().to_string_lossy().into_owned()
    }
}
