//! The routes and their `OpenAPI` document, which are written in one place: at the handlers.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::response::IntoResponse as _;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use serde_json::{Value, json};
use tandem_profiles::OWNED_ATTRIBUTES;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, Object, Ref, RefOr, ResponseBuilder, Schema, SecurityRequirement, ServerBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::front::Prefix;
use super::limits::{CHANGES_MAX, NAME_BYTES_MAX};
use super::problem::{Fault, PROBLEM_JSON, Problem};
use super::{Api, me, profiles};

const SCHEME: &str = "cognito";
const PATCH: &str = "MergePatch";

/// A schema counts letters, and each has a byte at least.
const NAME_LETTERS_MAX: usize = NAME_BYTES_MAX;

/// Answers that every operation has.
const COMMON: &[(&str, &str)] = &[
    ("401", "There is no token, or none that is accepted"),
    ("403", "The token is not enough for this, or the account is disabled"),
    ("500", "Something is wrong on our side"),
    ("503", "Something that is needed does not answer: try again"),
];

/// The routes with their documents.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default()
        .routes(routes!(me::get_me, me::patch_me, me::delete_me))
        .routes(routes!(profiles::get_profile))
}

/// The document as JSON, in the form that is kept in `docs/openapi/`.
pub fn document() -> String {
    let mut text = written("/");
    text.push('\n');
    text
}

/// `GET /openapi.json`, for everybody: it says nothing that the source does not.
pub(crate) async fn serve(Extension(Prefix(prefix)): Extension<Prefix>) -> Response<Body> {
    let mut response = written(if prefix.is_empty() { "/" } else { &prefix }).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Sorted by name, so that it does not depend on the order of declarations.
fn written(server: &str) -> String {
    serde_json::to_string_pretty(&open_api(server)).expect("it is JSON already")
}

fn open_api(server: &str) -> Value {
    let mut document = routes().into_openapi();
    document.info = InfoBuilder::new()
        .title("Profile API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("A person's own profile, and everybody's for administrators."))
        .build();
    document.servers = Some(vec![ServerBuilder::new().url(server).build()]);
    document.security = Some(vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]);
    let components = document.components.get_or_insert_default();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("A token of the user pool: the access token, unless the API is told to take id tokens"));
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme.build()));
    for (name, schema) in [(Fault::name(), Fault::schema()), (Problem::name(), Problem::schema())] {
        components.schemas.insert(name.into_owned(), schema);
    }
    for path in document.paths.paths.values_mut() {
        for operation in [&mut path.get, &mut path.patch, &mut path.delete].into_iter().flatten() {
            for (status, description) in COMMON {
                let response = ResponseBuilder::new().description(*description).build();
                operation.responses.responses.entry((*status).to_owned()).or_insert(RefOr::T(response));
            }
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && status.as_str() >= "400"
                {
                    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
                    response.content.insert(PROBLEM_JSON.to_owned(), problem.into());
                }
            }
        }
    }
    let mut document = serde_json::to_value(document).expect("a document is JSON");
    for (name, schema) in [(PATCH, patch_schema()), ("Value", value_schema())] {
        document["components"]["schemas"][name] = schema;
    }
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let operations = paths.filter_map(Value::as_object_mut).flat_map(|path| path.values_mut());
    let parameters = operations.filter_map(|operation| operation.get_mut("parameters")?.as_array_mut()).flatten();
    for parameter in parameters {
        // An optional header is left out; none is null.
        parameter["schema"]["type"] = "string".into();
    }
    document
}

/// The body of a patch, by its name in the document.
pub(crate) struct PatchBody;

impl ToSchema for PatchBody {
    fn name() -> Cow<'static, str> {
        PATCH.into()
    }
}

impl PartialSchema for PatchBody {
    /// [`patch_schema`] takes its place.
    fn schema() -> RefOr<Schema> {
        Object::new().into()
    }
}

/// Any names but those of the identity. As JSON, because the builders know no `propertyNames` of this form.
fn patch_schema() -> Value {
    let owned: BTreeSet<_> = OWNED_ATTRIBUTES.iter().collect();
    json!({
        "type": "object",
        "description": "Attributes of the application's, with their new values; null takes one away",
        "propertyNames": {"minLength": 1, "maxLength": NAME_LETTERS_MAX, "not": {"enum": owned}},
        "additionalProperties": {"$ref": "#/components/schemas/Value"},
        "maxProperties": CHANGES_MAX,
        "example": {"theme": "dark", "nickname": null},
    })
}

/// What an attribute may be: JSON, as far as `DynamoDB` can keep it.
fn value_schema() -> Value {
    let value = json!({"$ref": "#/components/schemas/Value"});
    let names = json!({"minLength": 1, "maxLength": NAME_LETTERS_MAX});
    json!({
        "description": "JSON, no deeper than 32 levels; numbers have 17 digits at most",
        "anyOf": [
            {"type": "null"},
            {"type": "boolean"},
            {"type": "string"},
            {"type": "number", "minimum": -9.99e125, "maximum": 9.99e125},
            {"type": "array", "items": value},
            {"type": "object", "propertyNames": names, "additionalProperties": value},
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_can_fail_in_problem_documents() {
        let document = open_api("/");
        let paths = document["paths"].as_object().expect("paths");
        assert_eq!(paths.keys().collect::<Vec<_>>(), ["/me", "/profiles/{id}"]);
        for operation in paths.values().flat_map(|path| path.as_object().expect("operations").values()) {
            let content = &operation["responses"]["401"]["content"];
            assert_eq!(content[PROBLEM_JSON]["schema"]["$ref"], "#/components/schemas/Problem", "{operation}");
        }
        assert_eq!(document["openapi"], "3.1.0");
    }

    #[test]
    fn a_patch_has_no_names_of_the_identity() {
        let document = open_api("/");
        let names = &document["components"]["schemas"]["MergePatch"]["propertyNames"]["not"]["enum"];
        assert!(names.as_array().is_some_and(|names| names.contains(&json!("email"))), "{document}");
    }
}
