//! What people write down of a stack: serverless.yml, SAM, CloudFormation. Files are read into located nodes, and the
//! nodes made into one CloudFormation template with every value resolved that can be.
//!
//! Not here: making anything (`stack` does), and judging what is written (`check` does). Nothing here reads the
//! environment or the network; files are read through what the caller gives. Start at [`load`].

mod error;
mod load;
mod node;
pub mod serverless;
mod source;

pub use error::{TemplateError, Warning};
pub use load::load;
pub use node::{Entry, Kind, Map, Node, Scalar};
pub use source::{Source, Span};
