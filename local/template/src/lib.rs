//! What people write down of a stack: serverless.yml, SAM, CloudFormation. Files are read into located nodes, and the
//! nodes made into one CloudFormation template with every value resolved that can be.
//!
//! Not here: making anything (`stack` does), and judging what is written (`check` does). Nothing here reads the
//! environment or the network; files are read through what the caller gives. Start at [`load`], [`load_template`] and [`Template::read`].

mod call;
mod cidr;
mod code;
mod conditions;
mod dynamic;
mod error;
mod files;
mod include;
mod json;
mod load;
mod loops;
mod make;
mod near;
mod node;
mod openapi;
mod parameters;
mod references;
mod resolve;
mod rest;
mod sam;
mod scope;
mod sections;
pub mod serverless;
mod source;
mod sub;
mod template;
mod transforms;
mod verify;

pub use error::{TemplateError, Warning};
pub use files::Files;
pub use load::{load, load_template};
pub use node::{Entry, Kind, Map, Node, Scalar};
pub use parameters::Parameter;
pub use source::{Source, Span};
pub use template::{Awaited, Inputs, Output, Outside, Resource, Template};
