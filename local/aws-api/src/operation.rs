//! A service and its table of operations.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{ApiError, Call, QueryApi, Reply};

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `application/x-amz-json-1.0`, `POST /`, `X-Amz-Target`.
    Json10,
    /// `application/x-amz-json-1.1`, `POST /`, `X-Amz-Target`.
    Json11,
    /// `application/json`, a method and a path per operation.
    RestJson,
    /// Forms in, XML out, and nothing else: a service that has a [`QueryApi`].
    Query,
}

/// What the wire has to know of a service.
#[derive(Clone, Copy, Debug)]
pub struct ServiceName {
    /// For people: `Amazon Cognito user pools`.
    pub title: &'static str,
    /// The part of `X-Amz-Target` before the dot; for REST services empty, or what tells two apart that sign with one
    /// name (`apigatewayv2`).
    pub target: &'static str,
    /// The service's name in signatures and endpoints: `cognito-idp`.
    pub signing: &'static str,
    /// How it speaks.
    pub protocol: Protocol,
    /// The operations that AWS takes unsigned, also where signatures are checked.
    pub unsigned: &'static [&'static str],
    /// The exception for input that breaks a constraint of the service's model: `ValidationException` for most.
    pub constraint_exception: &'static str,
}

/// Method and path of a REST operation: `POST /2015-03-31/functions/{FunctionName}/invocations`.
/// A `{Name}` stands for one segment of the path; a query at the end (`?find=LayerVersion`) must be there too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// Segments, some of them `{Names}`.
    pub path: &'static str,
}

impl ServiceName {
    /// A member that must be there and is not: serde says so in its words, AWS's front door in others.
    fn in_aws_words(&self, error: ApiError) -> ApiError {
        let missing = error.message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        let Some(missing) = missing.filter(|_| error.code == ApiError::SERIALIZATION) else { return error };
        let (first, rest) = missing.split_at_checked(1).unwrap_or((missing, ""));
        let member = first.to_lowercase() + rest;
        let rule = format!("Value null at '{member}' failed to satisfy constraint: Member must not be null");
        ApiError::new(self.constraint_exception, format!("1 validation error detected: {rule}"))
    }
}

/// One operation of a room `R`.
pub struct Operation<R: 'static> {
    /// AWS's name for it.
    pub name: &'static str,
    /// Of a REST service.
    pub route: Option<Route>,
    /// What it does.
    pub run: for<'a> fn(&'a R, &'a Call) -> BoxFuture<'a, Result<Reply, ApiError>>,
}

/// A service as the router sees it: names, routes, and a way to run an operation.
pub trait Service: Send + Sync {
    /// What the wire has to know.
    fn name(&self) -> ServiceName;
    /// The operations that work.
    fn operations(&self) -> Vec<(&'static str, Option<Route>)>;
    /// Runs one; an unknown name is an [`ApiError::unknown_operation`].
    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Reply, ApiError>>;
    /// How it speaks the query protocol, if it does.
    fn query(&self) -> Option<&'static QueryApi> {
        None
    }
}

/// A room and its table.
struct Table<R: 'static> {
    name: ServiceName,
    room: Arc<R>,
    operations: &'static [Operation<R>],
    query: Option<&'static QueryApi>,
}

impl dyn Service {
    /// The service that a room and its table of operations make.
    pub fn of<R: Send + Sync>(
        name: ServiceName,
        room: Arc<R>,
        operations: &'static [Operation<R>],
    ) -> Arc<dyn Service> {
        Arc::new(Table { name, room, operations, query: None })
    }

    /// A service that speaks the query protocol too.
    pub fn with_query<R: Send + Sync>(
        name: ServiceName,
        room: Arc<R>,
        operations: &'static [Operation<R>],
        query: &'static QueryApi,
    ) -> Arc<dyn Service> {
        Arc::new(Table { name, room, operations, query: Some(query) })
    }
}

impl<R: Send + Sync> Service for Table<R> {
    fn name(&self) -> ServiceName {
        self.name
    }

    fn operations(&self) -> Vec<(&'static str, Option<Route>)> {
        self.operations.iter().map(|operation| (operation.name, operation.route)).collect()
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Reply, ApiError>> {
        match self.operations.iter().find(|operation| operation.name == call.operation) {
            Some(operation) => {
                let answer = (operation.run)(&self.room, call);
                Box::pin(async move { answer.await.map_err(|error| self.name.in_aws_words(error)) })
            }
            None => Box::pin(async { Err(ApiError::unknown_operation(&call.operation)) }),
        }
    }

    fn query(&self) -> Option<&'static QueryApi> {
        self.query
    }
}

/// What an operation may answer with: any serialisable value (a JSON body with status 200), or a [`Reply`].
pub trait IntoReply {
    /// The answer's bytes.
    fn into_reply(self) -> Result<Reply, ApiError>;
}

impl IntoReply for Reply {
    fn into_reply(self) -> Result<Reply, ApiError> {
        Ok(self)
    }
}

impl<T: serde::Serialize> IntoReply for T {
    fn into_reply(self) -> Result<Reply, ApiError> {
        Reply::json(&self)
    }
}

/// What an operation may take: any deserialisable value (see [`Call::input`]), or [`RawBody`].
pub trait FromCall: Sized {
    /// The input in a call.
    fn from_call(call: &Call) -> Result<Self, ApiError>;
}

/// The input of an operation whose body is no JSON object: it reads [`Call::body`] itself.
#[derive(Clone, Copy, Debug)]
pub struct RawBody;

impl FromCall for RawBody {
    fn from_call(_call: &Call) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

impl<T: serde::de::DeserializeOwned> FromCall for T {
    fn from_call(call: &Call) -> Result<Self, ApiError> {
        call.input()
    }
}

/// The table of a room's operations; stands in its `ops/mod.rs`.
///
/// A line `"SignUp" => sign_up,` declares the module `sign_up` (the file `sign_up.rs` beside it) and enters
/// the operation. The module has `Request` (which derives `Deserialize`, or is [`RawBody`]) and
/// `pub async fn run(room: &Room, request: Request, call: &Call) -> Result<impl IntoReply, impl Into<ApiError>>`.
/// A REST operation adds its route:
/// `"Invoke" => invoke at POST "/2015-03-31/functions/{FunctionName}/invocations",`.
#[macro_export]
macro_rules! operations {
    ($room:ty; $( $name:literal => $module:ident $( at $method:ident $path:literal )? ),+ $(,)?) => {
        $( mod $module; )+

        /// Every operation that works, by AWS's names.
        pub static OPERATIONS: &[$crate::Operation<$room>] = &[ $(
            $crate::Operation {
                name: $name,
                route: $crate::operations!(@route $( $method $path )?),
                run: |room, call| ::std::boxed::Box::pin(async move {
                    let request = <$module::Request as $crate::FromCall>::from_call(call)?;
                    let answer = $module::run(room, request, call).await;
                    $crate::IntoReply::into_reply(answer.map_err(::std::convert::Into::<$crate::ApiError>::into)?)
                }),
            }
        ),+ ];
    };
    (@route) => { ::std::option::Option::None };
    (@route $method:ident $path:literal) => {
        ::std::option::Option::Some($crate::Route { method: stringify!($method), path: $path })
    };
}
