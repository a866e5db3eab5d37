//! The APIs of a template: those that are written, and the two that SAM makes for events that name none.

use std::rc::Rc;

use super::events::Event;
use super::{Expansion, Serverless, serverless_kind};
use crate::error::{TemplateError, Warning};
use crate::node::{Map, Node};
use crate::source::Span;

/// What SAM calls the APIs of events that name none.
const HTTP: &str = "ServerlessHttpApi";
const REST: &str = "ServerlessRestApi";

/// An API, as SAM knows it.
pub(super) struct Api {
    pub(super) id: String,
    pub(super) span: Span,
    pub(super) attributes: Map,
    pub(super) properties: Map,
    pub(super) is_rest: bool,
}

/// An authorizer of an API, and whether it is the one that `AWS_IAM` stands for.
pub(super) struct Authorizer {
    /// Its name.
    pub(super) name: String,
    /// What is said of it; nothing for `AWS_IAM`.
    pub(super) declared: Option<Node>,
}

impl Api {
    /// The API as the owner of what is made for it.
    pub(super) fn serverless(&self) -> Serverless<'_> {
        let kind = if self.is_rest { "Api" } else { "HttpApi" };
        let properties = self.properties.clone();
        Serverless { id: &self.id, span: &self.span, kind, attributes: &self.attributes, properties }
    }

    /// Its `Auth`.
    pub(super) fn auth(&self) -> Option<&Map> {
        self.properties.get("Auth")?.as_map()
    }

    /// The authorizers that it declares.
    pub(super) fn authorizers(&self) -> impl Iterator<Item = (&str, &Node)> {
        let declared = self.auth().and_then(|auth| auth.get("Authorizers")).and_then(Node::as_map);
        declared.into_iter().flat_map(Map::iter)
    }

    /// The logical id of one of its authorizers, which the translator has not: it writes them into a document.
    pub(super) fn authorizer_id(&self, name: &str) -> String {
        format!("{}{}Authorizer", self.id, letters(name))
    }

    /// The logical id of an API's stage.
    pub(super) fn stage_id(&self, name: &Node) -> String {
        let id = &self.id;
        match name.as_str() {
            Some("$default") => format!("{id}ApiGatewayDefaultStage"),
            Some(name) if !name.is_empty() && name.chars().all(char::is_alphanumeric) => format!("{id}{name}Stage"),
            Some(name) => format!("{id}Stage{}", super::hash_text(name)),
            None => format!("{id}Stage"),
        }
    }
}

/// The letters and digits of a text.
pub(super) fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// A path as a permission's ARN has it: no parameters, and no slash at the end.
pub(super) fn permitted_path(path: &str) -> String {
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    let (mut made, mut rest) = (String::new(), path);
    while let Some((before, inside)) = rest.split_once('{')
        && let Some((name, after)) = inside.split_once('}')
    {
        made.push_str(before);
        let of_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        match name {
            "proxy+" => made.push('*'),
            name if !name.is_empty() && name.chars().all(of_names) => made.push('*'),
            name => made.extend(["{", name, "}"]),
        }
        rest = after;
    }
    made + rest
}

impl Expansion<'_> {
    /// Reads the APIs that are written: events refer to them.
    pub(super) fn declare_apis(&mut self) -> Result<(), TemplateError> {
        for entry in self.written.entries() {
            let Some(kind @ ("Api" | "HttpApi")) = serverless_kind(&entry.value) else { continue };
            let Some(attributes) = entry.value.as_map() else { continue };
            let serverless = self.serverless(entry, kind, attributes)?;
            let api = Api {
                id: entry.key.clone(),
                span: entry.key_span.clone(),
                attributes: attributes.clone(),
                properties: serverless.properties,
                is_rest: kind == "Api",
            };
            self.apis.insert(entry.key.clone(), Rc::new(api));
        }
        Ok(())
    }

    /// The API that an event names, or the one for those that name none.
    pub(super) fn api_of(&mut self, event: &Event<'_>, key: &str, is_rest: bool) -> Result<Rc<Api>, TemplateError> {
        let kind = if is_rest { "Api" } else { "HttpApi" };
        if let Some(node) = event.properties.get(key).filter(|node| !node.is_null()) {
            let named = match node.as_intrinsic() {
                Some(("Ref", name)) => name.as_str(),
                _ => node.as_str(),
            };
            return match named.and_then(|name| self.apis.get(name)).filter(|api| api.is_rest == is_rest) {
                Some(api) => Ok(Rc::clone(api)),
                None => Err(event.invalid(&format!(
                    "{key} must be a valid reference to an 'AWS::Serverless::{kind}' resource in same template."
                ))),
            };
        }
        let id = if is_rest { REST } else { HTTP };
        if let Some(api) = self.apis.get(id) {
            return Ok(Rc::clone(api));
        }
        let mut properties = self.globals.of(kind, None);
        if is_rest {
            properties.insert("StageName", &event.entry.key_span, event.make().text("Prod"));
        }
        let span = event.function.span.clone();
        let api = Rc::new(Api { id: id.to_owned(), span, attributes: Map::default(), properties, is_rest });
        self.apis.insert(id.to_owned(), Rc::clone(&api));
        Ok(api)
    }

    /// Makes the APIs themselves, now that everything about their events is known.
    pub(super) fn finish_apis(&mut self) -> Result<(), TemplateError> {
        let apis: Vec<Rc<Api>> = self.apis.values().cloned().collect();
        for api in apis {
            if api.properties.get("Domain").is_some_and(|node| !node.is_null()) {
                let message = format!("the Domain of {} is not made here", api.id);
                self.warnings.push(Warning::new(&api.span, message));
            }
            if let Some(auth) = api.auth() {
                self.name_unasked(auth, &api.id);
            }
            if api.is_rest { self.rest_api(&api)? } else { self.http_api(&api)? }
        }
        Ok(())
    }

    /// What of an `Auth` nothing here asks: it must not look as if it kept anybody out.
    pub(super) fn name_unasked(&mut self, auth: &Map, whose: &str) {
        for key in ["ApiKeyRequired", "ResourcePolicy", "UsagePlan"] {
            if let Some(entry) = auth.entry(key).filter(|entry| entry.value.as_bool() != Some(false)) {
                let message = format!("{key} in the Auth of {whose} has no effect here: everybody is let in");
                self.warnings.push(Warning::new(&entry.key_span, message));
            }
        }
    }

    /// Who may call a route: the event's own authorizer, or the API's default.
    pub(super) fn authorizer(
        &self,
        event: &Event<'_>,
        api: &Api,
        method: &str,
        path: &str,
    ) -> Result<Option<Authorizer>, TemplateError> {
        let auth = match self.given(event.properties, "Auth")? {
            Some(node) => node.expect_map("Auth")?.clone(),
            None => Map::default(),
        };
        let of_api = api.auth();
        let default = match of_api {
            Some(auth) => self.given_text(auth, "DefaultAuthorizer")?,
            None => None,
        };
        let own = self.given_text(&auth, "Authorizer")?;
        if own.is_none() && default.is_none() && !api.is_rest && !auth.is_empty() {
            return Err(event.invalid(
                "'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' configured on the \
                 HttpApi.",
            ));
        }
        let Some(name) = own.as_deref().or(default.as_deref()) else { return Ok(None) };
        let declared = api.authorizers().find(|(known, _)| *known == name).map(|(_, node)| node.clone());
        let has_some = api.authorizers().next().is_some();
        let refuse = |why: &str| {
            let words =
                format!("Unable to set Authorizer [{name}] on API method [{method}] for path [{path}] because {why}");
            Err(event.invalid(&words))
        };
        match (name, declared) {
            ("NONE", _) if default.is_none() => {
                let words = format!(
                    "Unable to set Authorizer on API method [{method}] for path [{path}] because 'NONE' is only a valid \
                     value when a DefaultAuthorizer on the API is specified."
                );
                Err(event.invalid(&words))
            }
            ("NONE", _) => Ok(None),
            (_, Some(declared)) => Ok(Some(Authorizer { name: name.to_owned(), declared: Some(declared) })),
            ("AWS_IAM", None) => Ok(Some(Authorizer { name: name.to_owned(), declared: None })),
            _ if has_some => refuse("it wasn't defined in the API's Authorizers."),
            _ => refuse("the related API does not define any Authorizers."),
        }
    }

    /// Lets an API call a function.
    pub(super) fn api_permission(
        &mut self,
        event: &Event<'_>,
        id: &str,
        api: &Api,
        route: &str,
    ) -> Result<(), TemplateError> {
        let make = event.make();
        let text = format!(
            "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/${{__Stage__}}/{route}"
        );
        let source = make.sub_with(&text, [("__ApiId__", make.reference(&api.id)), ("__Stage__", make.text("*"))]);
        self.permission(event, id, "apigateway.amazonaws.com", source)
    }
}
