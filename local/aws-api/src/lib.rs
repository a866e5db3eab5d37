//! The wire of AWS: how a request finds its operation, and how answers and errors look.
//!
//! Not here: what any operation does. A room lists its operations in one table ([`operations!`]), makes a
//! [`Service`] of it, and never sees HTTP. Start at [`Router`], which is given the services and answers
//! requests; [`Call`] is what an operation gets, [`ApiError`] what it fails with.
//!
//! Four protocols: AWS JSON 1.0 and 1.1 (`X-Amz-Target: Prefix.Operation`), REST-JSON (method and path), and for
//! services that have a [`QueryApi`] the query protocol (forms in, XML out).
//! Source: the Smithy protocol definitions, as botocore's service models name them.

mod arn;
mod call;
mod error;
mod faulty;
mod operation;
mod query;
mod router;
pub mod sigv4;

pub use arn::Arn;
pub use call::{Call, Reply};
pub use error::ApiError;
pub use operation::{FromCall, IntoReply, Operation, Protocol, RawBody, Route, Service, ServiceName};
pub use query::{Member, QueryApi, QueryOperation, Shape};
pub use router::{BODY_BYTES_MAX, Router, Signatures, percent_decode, read_pairs};
