//! What names a parameter: a name or an ARN, perhaps with a version or a label behind it.

use aws_api::Arn;
use world::Place;

use super::error::Error;
use crate::constraint::Constraints;

/// Levels of a hierarchy.
const LEVELS_MAX: usize = 15;
/// A name, with what its ARN adds to it.
const NAME_CHARS_MAX: usize = 1011;
/// Parameters that are secrets.
pub const SECRET_PREFIX: &str = "/aws/reference/secretsmanager/";

/// Which parameter, and which of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name. An ARN fits two names where there is no hierarchy, `/a` and `a`: then both, in this order.
    pub names: Vec<String>,
    /// A version's number or a label.
    pub selector: Option<String>,
}

impl Named {
    /// Reads a name or an ARN, with or without a selector.
    pub fn read(place: &Place, text: &str) -> Result<Self, Error> {
        Constraints::new().length(Some(text), "name", 1, 2048).check()?;
        let Ok(arn) = text.parse::<Arn>() else {
            let (name, selector) = split_selector(text)?;
            return Ok(Self { names: vec![name.to_owned()], selector });
        };
        let (resource, selector) = split_selector(&arn.resource)?;
        let ours = arn.service == "ssm" && arn.region == place.region && arn.account == place.account;
        let path = resource.strip_prefix("parameter/").filter(|_| ours);
        // What is somebody else's is kept as it is, and so names nothing of ours.
        let names = path.map_or_else(|| vec![text.to_owned()], names_of_path);
        Ok(Self { names, selector })
    }

    /// Reads what means a parameter with all its versions: with a selector it is no parameter's name.
    pub fn whole(place: &Place, text: &str) -> Result<Vec<String>, Error> {
        let named = Self::read(place, text)?;
        Ok(if named.selector.is_none() { named.names } else { vec![text.to_owned()] })
    }
}

fn names_of_path(path: &str) -> Vec<String> {
    let absolute = format!("/{path}");
    if path.contains('/') { vec![absolute] } else { vec![absolute, path.to_owned()] }
}

fn split_selector(text: &str) -> Result<(&str, Option<String>), Error> {
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((name, selector)) if !selector.contains(':') => Ok((name, Some(selector.to_owned()))),
        Some(_) => Err(Error::invalid(
            "Invalid parameter name. Please use correct syntax for referencing a version/label  <name>:<version/label>",
        )),
    }
}

/// `arn:…:parameter/NAME`, with one slash, whether the name begins with one or not.
pub fn arn(place: &Place, name: &str) -> String {
    place.arn("ssm", &format!("parameter/{}", name.strip_prefix('/').unwrap_or(name)))
}

/// Checks the name of a parameter that is to be made.
pub fn check(name: &str) -> Result<(), Error> {
    Constraints::new().length(Some(name), "name", 1, 2048).check()?;
    if name.len() > NAME_CHARS_MAX {
        let message = format!("Parameter name: must have at most {NAME_CHARS_MAX} characters.");
        return Err(Error::invalid(message));
    }
    let lower = name.to_ascii_lowercase();
    let bare = lower.trim_start_matches('/');
    let is_path = name.matches('/').count() > 1;
    if is_path && lower.starts_with("/aws") {
        return Err(Error::AccessDenied(format!("No access to reserved parameter name: {name}.")));
    }
    if !is_path && (bare.starts_with("aws") || bare.starts_with("ssm")) {
        let message = "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).";
        return Err(Error::invalid(message));
    }
    let segments = name.strip_prefix('/').unwrap_or(name).split('/');
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if bare.starts_with("ssm") || segments.clone().any(|part| part.is_empty() || !part.chars().all(fits)) {
        return Err(Error::invalid(
            "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of \
             sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the \
             following 3 symbols .-_",
        ));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(Error::invalid("Parameter name must be a fully qualified name."));
    }
    if segments.count() > LEVELS_MAX {
        return Err(Error::HierarchyLevelLimitExceeded);
    }
    Ok(())
}

/// Checks a path that parameters are looked for under.
pub fn check_path(path: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_/".contains(c);
    if path.starts_with('/') && path.chars().all(fits) && !path.contains("//") {
        return Ok(());
    }
    Err(Error::invalid(
        "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \
         \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or \
         the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All \
         sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: /get/parameters2-/by1./path0_.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn named(text: &str, names: &[&str], selector: Option<&str>) {
        let found = Named::read(&Place::default(), text).expect("a name");
        assert_eq!(
            (found.names, found.selector.as_deref()),
            (names.iter().map(ToString::to_string).collect(), selector)
        );
    }

    #[test]
    fn a_name_may_be_an_arn_and_have_a_selector() {
        named("a", &["a"], None);
        named("/a/b:3", &["/a/b"], Some("3"));
        named("a:live", &["a"], Some("live"));
        assert_eq!(Named::whole(&Place::default(), "a:live").expect("a name"), ["a:live"]);
        named("arn:aws:ssm:us-east-1:000000000000:parameter/a/b", &["/a/b"], None);
        named("arn:aws:ssm:us-east-1:000000000000:parameter/a:2", &["/a", "a"], Some("2"));
        let elsewhere = "arn:aws:ssm:us-east-1:111111111111:parameter/a";
        named(elsewhere, &[elsewhere], None);
        assert!(Named::read(&Place::default(), "a:b:c").is_err());
    }

    #[test]
    fn an_arn_has_one_slash() {
        let expected = "arn:aws:ssm:us-east-1:000000000000:parameter/a";
        assert_eq!((arn(&Place::default(), "a"), arn(&Place::default(), "/a")), (expected.into(), expected.into()));
    }
}
