//! `PUT /_tandem/user-import/{pool}/{job}`: the address in `PreSignedUrl` of an import job, where S3 is on AWS. It answers as S3
//! does: nothing when the file is there, XML when it is not taken.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use user_pool::{FILE_BYTES_MAX, UploadError};

use crate::http::Port;

/// What Cognito signs into the address; S3 refuses a request without it.
const ENCRYPTION: (&str, &str) = ("x-amz-server-side-encryption", "aws:kms");

#[derive(Deserialize)]
pub struct UploadQuery {
    #[serde(rename = "X-Amz-Signature")]
    signature: Option<String>,
}

/// Takes a file.
pub async fn user_import(
    State(port): State<Arc<Port>>,
    Path((pool, job)): Path<(String, String)>,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Response {
    if !is_signed_for(request.headers()) {
        let message = format!("The request must have the header {}: {}, which is signed.", ENCRYPTION.0, ENCRYPTION.1);
        return refused(StatusCode::FORBIDDEN, "AccessDenied", &message);
    }
    let Ok(file) = to_bytes(Body::new(request.into_body()), FILE_BYTES_MAX).await else {
        let message = format!("Your proposed upload exceeds the maximum allowed size of {FILE_BYTES_MAX} bytes");
        return refused(StatusCode::BAD_REQUEST, "EntityTooLarge", &message);
    };
    let signature = query.signature.unwrap_or_default();
    match port.rooms.pools.upload_import(&pool, &job, &signature, file).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(UploadError::Forbidden(message)) => refused(StatusCode::FORBIDDEN, "AccessDenied", &message),
        Err(error @ UploadError::TooLarge) => refused(StatusCode::BAD_REQUEST, "EntityTooLarge", &error.to_string()),
        Err(UploadError::Failed(error)) => {
            tracing::error!(%error, "the file of an import job could not be kept");
            refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", &error.to_string())
        }
    }
}

fn is_signed_for(headers: &HeaderMap) -> bool {
    headers.get(ENCRYPTION.0).is_some_and(|value| value == ENCRYPTION.1)
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    let message = message.replace('&', "&amp;").replace('<', "&lt;");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    (status, [(CONTENT_TYPE, "application/xml")], body).into_response()
}
