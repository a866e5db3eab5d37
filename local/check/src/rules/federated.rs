//! People who come from another identity provider.

use template::Node;

use crate::finding::{Check, Mark, Rule, Severity};
use crate::project::{Project, Resource};

/// Identity providers, each with its pool.
fn providers(project: &Project) -> impl Iterator<Item = (&Resource, &Resource)> {
    project.of_kind("AWS::Cognito::UserPoolIdentityProvider").filter_map(|provider| {
        let pool = project.target_of_kind(provider.get("UserPoolId")?, "AWS::Cognito::UserPool")?;
        Some((provider, pool))
    })
}

/// Attributes of a pool's schema for which this holds.
fn schema<'p>(pool: &'p Resource, member: &'p str, value: bool) -> impl Iterator<Item = (&'p str, &'p Node)> {
    let schema = pool.get("Schema").and_then(Node::as_list).unwrap_or_default();
    schema.iter().filter_map(move |attribute| {
        let set = attribute.get(member)?;
        (set.as_bool() == Some(value)).then_some((attribute.get("Name")?.as_str()?, set))
    })
}

fn maps(provider: &Resource, attribute: &str) -> bool {
    let custom = format!("custom:{attribute}");
    provider.get("AttributeMapping").is_some_and(|mapping| mapping.get(attribute).or(mapping.get(&custom)).is_some())
}

pub const FIRST_SIGN_IN: Rule = Rule {
    id: "federated-first-sign-in",
    severity: Severity::Warning,
    reason: "the first sign-in through a provider runs PostConfirmation and not PostAuthentication, later ones the reverse",
    check: Check::Project(first_sign_in),
};

fn first_sign_in(project: &Project) -> Vec<Mark> {
    providers(project)
        .filter_map(|(provider, pool)| {
            let triggers = project.triggers_of(pool);
            let find = |name: &str| triggers.iter().find(|trigger| trigger.name == name);
            let authentication = find("PostAuthentication")?;
            if find("PostConfirmation").is_some() || find("PreTokenGeneration").is_some() {
                return None;
            }
            let message = format!(
                "the first sign-in through {} is not seen: PostAuthentication does not run at it",
                provider.logical_id
            );
            Some(
                Mark::at(&provider.span, message)
                    .also(authentication.span, "runs from the second sign-in on")
                    .help("attach PostConfirmation too, or PreTokenGeneration, which runs at all of them"),
            )
        })
        .collect()
}

pub const REQUIRED_ATTRIBUTE: Rule = Rule {
    id: "federated-required-attribute",
    severity: Severity::Warning,
    reason: "a required attribute that a provider does not send stops people before any trigger runs, and stays required for ever",
    check: Check::Project(required_attribute),
};

fn required_attribute(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (provider, pool) in providers(project) {
        for (name, place) in schema(pool, "Required", true).filter(|(name, _)| *name != "sub" && !maps(provider, name))
        {
            let message = format!(
                "{} does not map {name}, which the pool requires: sign-in fails with \"attributes required: [{name}]\"",
                provider.logical_id
            );
            marks.push(
                Mark::at(&place.span, message)
                    .also(&provider.span, "this provider")
                    .help("map the attribute if the provider sends it, or do not require it: this cannot be changed once the pool exists"),
            );
        }
    }
    marks
}

pub const IMMUTABLE_ATTRIBUTE: Rule = Rule {
    id: "federated-immutable-attribute",
    severity: Severity::Error,
    reason: "mapped attributes are written at every sign-in, so they must be mutable",
    check: Check::Project(immutable_attribute),
};

fn immutable_attribute(project: &Project) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (provider, pool) in providers(project) {
        for (name, place) in schema(pool, "Mutable", false).filter(|(name, _)| maps(provider, name)) {
            let message =
                format!("{} writes {name} at every sign-in, and the pool lets it be written once", provider.logical_id);
            marks.push(
                Mark::at(&place.span, message)
                    .also(&provider.span, "this provider")
                    .help("set Mutable: true: this cannot be changed once the pool exists"),
            );
        }
    }
    marks
}

pub const EMAIL_VERIFIED: Rule = Rule {
    id: "federated-email-unverified",
    severity: Severity::Note,
    reason: "an address that comes from a provider counts as unverified unless email_verified is mapped",
    check: Check::Project(email_verified),
};

fn email_verified(project: &Project) -> Vec<Mark> {
    providers(project)
        .filter(|(provider, _)| maps(provider, "email") && !maps(provider, "email_verified"))
        .filter_map(|(provider, _)| {
            let entry = provider.get("AttributeMapping")?.as_map()?.entry("email")?;
            let message =
                format!("addresses from {} are unverified: nobody can reset a password with them", provider.logical_id);
            Some(Mark::at(&entry.key_span, message).help("map email_verified as well, if the provider sends it"))
        })
        .collect()
}

pub const LINK_IN_PRE_SIGN_UP: Rule = Rule {
    id: "link-in-pre-sign-up",
    severity: Severity::Note,
    reason: "linking accounts in PreSignUp makes the first sign-in through the provider fail",
    check: Check::Project(link_in_pre_sign_up),
};

fn link_in_pre_sign_up(project: &Project) -> Vec<Mark> {
    let names = ["AdminLinkProviderForUserCommand", "adminLinkProviderForUser", "admin_link_provider_for_user"];
    let mut marks = Vec::new();
    for trigger in project.triggers().into_iter().filter(|trigger| trigger.name == "PreSignUp") {
        let Some(handler) = trigger.function.and_then(|function| project.handler_of(function)) else { continue };
        for (code, call) in handler.calls(&names) {
            let message =
                "the sign-in that runs this ends with \"Already found an entry for username\"; the second one works";
            marks.push(
                Mark::at(&code.span_of(call.name), message)
                    .also(trigger.span, "it runs at this trigger")
                    .help("let the application begin the sign-in again when it sees this error"),
            );
        }
    }
    marks
}
