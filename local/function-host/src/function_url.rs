//! Function URLs: an address of its own for a function or an alias, and who may call it.
//!
//! A URL's id is made from the ARN, so that a stack that is made anew has the same addresses. It is reached by the
//! `Host` header (`http://{id}.lambda-url.{region}.localhost:{port}/`: browsers and curl take any name under
//! `localhost` for this machine), and for clients that do not by a path, `/_tandem/urls/{id}/`. What the function
//! is sent and how its answer is read is in `http_event.rs`; CORS is in `cors.rs`.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use world::{Kind, Outcome as Went, TraceId};

use crate::cors::Cors;
use crate::error::Error;
use crate::host::FunctionHost;
use crate::http_event::{HttpAnswer, HttpRequest, answer_of, event_of};
use crate::invocation::Order;
use crate::named::Named;
use crate::policy::Statement;

/// Of a request's body, and of an answer.
pub const URL_BODY_BYTES_MAX: usize = 6 * 1024 * 1024;
const ID_LENGTH: usize = 32;
const ID_LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The URL of a function or of an alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FunctionUrl {
    pub(crate) id: String,
    pub(crate) auth: Auth,
    pub(crate) cors: Option<Cors>,
    pub(crate) created_ms: i64,
    pub(crate) last_modified_ms: i64,
}

/// `AuthType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Auth {
    #[serde(rename = "NONE")]
    None,
    #[serde(rename = "AWS_IAM")]
    Iam,
}

impl Auth {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "NONE" => Ok(Self::None),
            "AWS_IAM" => Ok(Self::Iam),
            other => {
                let constraint = "Member must satisfy enum value set: [NONE, AWS_IAM]";
                Err(Error::constraint(other, "authType", constraint))
            }
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Iam => "AWS_IAM",
        }
    }
}

/// A function URL that somebody calls: see [`FunctionHost::url`].
pub struct UrlTarget {
    named: Named,
    url: FunctionUrl,
}

impl UrlTarget {
    /// For people: the function, and the alias.
    pub fn label(&self) -> String {
        self.named.label()
    }

    /// Whether callers must sign.
    pub fn is_signed(&self) -> bool {
        self.url.auth == Auth::Iam
    }

    /// Whether it is meant for pages of other sites.
    pub fn has_cors(&self) -> bool {
        self.url.cors.is_some()
    }
}

/// The id of the URL of a function or an alias.
pub(crate) fn id_of(qualified_arn: &str) -> String {
    let hash = digest(&SHA256, qualified_arn.as_bytes());
    let letter = |byte: &u8| char::from(ID_LETTERS[usize::from(byte % 32)]);
    hash.as_ref().iter().take(ID_LENGTH).map(letter).collect()
}

/// The id of the function URL that a request for `host` (the header) or `path` is for, and the path under it.
pub fn url_id<'a>(host: &'a str, path: &'a str) -> Option<(&'a str, &'a str)> {
    if let Some((id, rest)) = host.split_once('.')
        && rest.starts_with("lambda-url.")
    {
        return Some((id, path));
    }
    let rest = path.strip_prefix("/_tandem/urls/")?;
    Some(rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash)))
}

impl FunctionHost {
    /// The function URL of this id.
    pub fn url(&self, id: &str) -> Option<UrlTarget> {
        self.all().into_iter().find_map(|deployment| {
            let urls =
                deployment.function.all_qualified().filter_map(|(at, configured)| Some((at, configured.url.as_ref()?)));
            let found = { urls }.find(|(_, url)| url.id == id);
            let (qualifier, url) = found.map(|(at, url)| (at.map(str::to_owned), url.clone()))?;
            Some(UrlTarget { named: Named { deployment, qualifier }, url })
        })
    }

    /// The address of the URL of this id.
    pub(crate) fn url_text(&self, id: &str) -> String {
        let endpoint = self.surroundings.endpoint();
        let port = endpoint.trim_end_matches('/').rsplit_once(':').map(|(_, port)| port);
        let port = port.filter(|port| port.parse::<u16>().is_ok()).map_or(String::new(), |port| format!(":{port}"));
        format!("http://{}{port}/", self.url_domain(id))
    }

    /// Its domain, without the port.
    pub fn url_domain(&self, id: &str) -> String {
        format!("{id}.lambda-url.{}.localhost", self.world().place.region)
    }

    /// Calls the function behind a URL; every outcome is an answer. Whether the caller's signature is right has
    /// been looked at before.
    pub async fn call_url(&self, target: UrlTarget, request: HttpRequest, trace: TraceId) -> HttpAnswer {
        let UrlTarget { named, url } = target;
        let cors = url.cors.as_ref();
        if let Some(preflight) = cors.and_then(|cors| cors.preflight(&request)) {
            return preflight;
        }
        let origin = request.headers.get(http::header::ORIGIN).cloned();
        let mut answer = if self.lets_in(&named, &url) {
            self.call_behind(named, &request, trace).await
        } else {
            HttpAnswer::forbidden()
        };
        if let (Some(cors), Some(origin)) = (cors, origin) {
            cors.apply(&origin, &mut answer.headers);
        }
        answer
    }

    /// On AWS, a URL that everybody may call needs a policy that says so.
    fn lets_in(&self, named: &Named, url: &FunctionUrl) -> bool {
        if url.auth == Auth::Iam || named.policy().iter().any(Statement::opens_url) {
            return true;
        }
        let arn = named.qualified_arn();
        let text = format!(
            "the URL of {arn} was refused to a caller: its policy has no statement for lambda:InvokeFunctionUrl, \
             Principal *, FunctionUrlAuthType NONE (AddPermission makes one)"
        );
        tracing::warn!(function = named.function.name, "{text}");
        let timeline = &self.world().timeline;
        timeline.record(timeline.moment(Kind::Warning, &named.function.name).outcome(Went::Failed).detail(text));
        false
    }

    async fn call_behind(&self, named: Named, request: &HttpRequest, trace: TraceId) -> HttpAnswer {
        let event = event_of(request, &self.world().place.account);
        if event.len() > URL_BODY_BYTES_MAX {
            return HttpAnswer::too_large();
        }
        let order = Order {
            payload: Bytes::from(event),
            trace,
            client_context: None,
            request_id: request.request_id.clone(),
            tail: false,
            if_failed: Went::Failed,
        };
        let function = named.function.name.clone();
        match self.run(named, order).await {
            Ok(invoked) if invoked.function_error.is_none() => answer_of(&invoked.payload).unwrap_or_else(|reason| {
                tracing::warn!(function, "its answer cannot be sent by HTTP, so the caller got a 502: {reason}");
                HttpAnswer::bad_gateway()
            }),
            Err(Error::TooManyRequests { reason }) => HttpAnswer::throttled(reason),
            Ok(_) | Err(_) => HttpAnswer::bad_gateway(),
        }
    }

    /// All function URLs: the function (and the alias) and the address.
    pub fn function_urls(&self) -> Vec<(String, String)> {
        let mut urls = Vec::new();
        for deployment in self.all() {
            for (qualifier, configured) in deployment.function.all_qualified() {
                let Some(url) = &configured.url else { continue };
                let named = Named { deployment: Arc::clone(&deployment), qualifier: qualifier.map(str::to_owned) };
                urls.push((named.label(), self.url_text(&url.id)));
            }
        }
        urls
    }
}
