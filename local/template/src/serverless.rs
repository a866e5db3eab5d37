//! serverless.yml to one CloudFormation document, as the Serverless Framework makes it: variables, functions, events, and
//! the user's own resources merged into what was generated.
//! <https://www.serverless.com/framework/docs/providers/aws/guide/serverless.yml>
//!
//! Not here: packaging (code is run where it lies), deployment, plugins. What is not honoured is a warning with its name
//! and line. A file in JavaScript or TypeScript is evaluated by the caller and comes in as JSON. Start at [`compile`].

mod code;
mod events;
mod function_url;
mod functions;
mod keys;
mod layers;
mod merge;
mod mistakes;
mod naming;
mod relocate;
mod resources;
mod roles;
mod scalars;
mod service;
mod surroundings;
mod variables;
mod write;

#[cfg(test)]
mod testing;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::{TemplateError, Warning};
use crate::node::Node;

use service::{Draft, Service};
use variables::Resolver;

pub use relocate::{is_generated, relocate};
pub use surroundings::{Evaluated, Evaluation, StoredParameter, Surroundings};

/// What the caller knows of one compilation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `--stage`.
    pub stage: Option<String>,
    /// `--region`.
    pub region: Option<String>,
    /// Further options, for `${opt:…}`.
    pub options: BTreeMap<String, String>,
    /// `--param`, for `${param:…}`.
    pub parameters: BTreeMap<String, String>,
    /// The account, for `${aws:accountId}`.
    pub account_id: String,
    /// `${sls:instanceId}`: new at every run on AWS. It is a part of a logical id, so the same here at every start.
    pub instance_id: String,
    /// Absolute path of the folder that the file lies in: paths of files and code start there.
    pub service_folder: PathBuf,
}

/// A compiled service.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The service's name.
    pub service: String,
    /// The stage.
    pub stage: String,
    /// The region.
    pub region: String,
    /// `service-stage`, or what `provider.stackName` says.
    pub stack_name: String,
    /// `provider.stackParameters`: values for the template's parameters.
    pub parameters: BTreeMap<String, String>,
    /// The folder that code lies in.
    pub service_folder: PathBuf,
    /// The CloudFormation document.
    pub document: Node,
    /// What is not honoured.
    pub warnings: Vec<Warning>,
}

/// Compiles a service's file.
pub fn compile(config: Node, surroundings: &dyn Surroundings, options: &Options) -> Result<Compiled, TemplateError> {
    config.expect_map("the file")?;
    let mut resolver = Resolver::new(config, surroundings, options);
    let (stage, region) = (resolver.stage()?, resolver.region()?);
    let (config, warnings) = resolver.document()?;
    let service = Service::read(&config, stage, region, options)?;
    let mut draft = Draft { warnings, ..Draft::default() };
    keys::check(&service, &mut draft);
    functions::log_groups(&service, &mut draft);
    roles::compile(&service, &mut draft);
    layers::compile(&service, &mut draft)?;
    functions::compile(&service, &mut draft)?;
    events::compile(&service, &mut draft)?;
    let warnings = std::mem::take(&mut draft.warnings);
    let document = resources::document(&service, draft)?;
    Ok(Compiled {
        service: service.name.clone(),
        stage: service.stage.clone(),
        region: service.region.clone(),
        stack_name: service.stack_name(),
        parameters: service.stack_parameters()?,
        service_folder: options.service_folder.clone(),
        document,
        warnings,
    })
}

/// Whether a document is a file of the Serverless Framework.
pub fn is_service(document: &Node) -> bool {
    document.get("service").is_some() && document.get("Resources").is_none()
}

/// The entries of an `.env` file.
pub fn dotenv(text: &str) -> BTreeMap<String, String> {
    variables::dotenv::entries(text, |_| None)
}

impl Service<'_> {
    fn stack_name(&self) -> String {
        let named = self.provider(&["stackName"]).and_then(Node::as_str);
        named.map_or_else(|| self.prefix(), str::to_owned)
    }

    fn stack_parameters(&self) -> Result<BTreeMap<String, String>, TemplateError> {
        let mut parameters = BTreeMap::new();
        let Some(list) = self.provider(&["stackParameters"]) else { return Ok(parameters) };
        for parameter in list.expect_list("provider.stackParameters")? {
            if let (Some(key), Some(value)) = (parameter.get("ParameterKey"), parameter.get("ParameterValue")) {
                let value = value.expect_str("ParameterValue")?;
                parameters.insert(key.expect_str("ParameterKey")?.to_owned(), value.to_owned());
            }
        }
        Ok(parameters)
    }
}
