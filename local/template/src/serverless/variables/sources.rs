//! The sources of variables, one after the other.
//! <https://www.serverless.com/framework/docs/guides/variables>

use crate::error::{TemplateError, Warning};
use crate::near::did_you_mean;
use crate::node::Node;
use crate::source::Span;

use super::{Answer, Resolver, Value};

/// Sources that are known.
const NAMES: &[&str] = &["self", "opt", "env", "file", "sls", "param", "cf", "ssm", "git", "aws", "strToBool"];

/// Sources of the framework or of widespread plugins that reach for what a laptop does not have.
const REFUSED: &[(&str, &str)] = &[
    ("s3", "objects of S3 are not read locally"),
    ("output", "outputs of Serverless Dashboard are not read locally"),
    ("outputs", "outputs of Serverless Dashboard are not read locally"),
    ("state", "states of Serverless Dashboard are not read locally"),
    ("terraform", "Terraform's outputs are not read locally"),
    ("vault", "secrets of Vault are not read locally"),
    ("doppler", "secrets of Doppler are not read locally"),
];

/// Asks a source.
pub(super) fn ask(
    resolver: &mut Resolver,
    kind: &str,
    parameters: &[String],
    address: Option<&str>,
    place: &Span,
) -> Result<Answer, TemplateError> {
    // `cf.eu-west-1:stack.output` is how earlier versions name a region.
    let (kind, region) = match kind.split_once('.') {
        Some((kind @ ("cf" | "ssm"), region)) => (kind, Some(region)),
        _ => (kind, None),
    };
    let address = address.filter(|address| !address.is_empty());
    let needed =
        || address.ok_or_else(|| TemplateError::new(place, format!("{kind} needs an address: ${{{kind}:address}}")));
    match kind {
        "self" => own(resolver, address.unwrap_or_default()),
        "opt" => Ok(option(resolver, address, place)),
        "env" => {
            let name = needed()?;
            let value = resolver.environment(name, place)?;
            Ok(text_or(value, place, || format!("neither the environment nor a .env file has {name}")))
        }
        "file" => {
            let path = parameters.first().map(String::as_str).unwrap_or_default();
            resolver.file(path, address, place)
        }
        "sls" => sls(resolver, needed()?, place),
        "param" => parameter(resolver, needed()?, place),
        "cf" => stack_output(resolver, needed()?, region.or(parameters.first().map(String::as_str)), place),
        "ssm" => stored(resolver, needed()?, region, parameters, place),
        "git" => {
            let fact = needed()?;
            let value = resolver.surroundings.git(fact);
            Ok(text_or(value, place, || format!("Git says nothing of {fact} here")))
        }
        "aws" => aws(resolver, needed()?, place),
        "strToBool" => truth(parameters.first().map(String::as_str).unwrap_or_default(), place),
        _ => Ok(refused(resolver, kind, place)),
    }
}

fn found(node: Node) -> Answer {
    Answer::Found(Value { node, finished: false })
}

fn text_or(text: Option<String>, place: &Span, reason: impl Fn() -> String) -> Answer {
    text.map_or_else(|| Answer::Missing(reason()), |text| found(Node::string(place, text)))
}

fn own(resolver: &mut Resolver, address: &str) -> Result<Answer, TemplateError> {
    let keys: Vec<String> = address.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect();
    if let Some(node) = resolver.property(&keys)? {
        return Ok(Answer::Found(Value { node, finished: true }));
    }
    // These two have a value even if the file does not say so.
    let place = resolver.document.span.clone();
    match address {
        "provider.stage" if !resolver.asking_stage => Ok(found(Node::string(&place, resolver.stage()?))),
        "provider.region" => Ok(found(Node::string(&place, resolver.region()?))),
        _ => Ok(Answer::Missing(format!("there is no {address} in the file"))),
    }
}

fn option(resolver: &Resolver, name: Option<&str>, place: &Span) -> Answer {
    let options = resolver.options;
    let Some(name) = name else {
        let entries = options.options.iter().map(|(name, value)| (name.as_str(), Node::string(place, value)));
        return found(Node::map(place, entries));
    };
    let value = match name {
        "stage" | "s" => options.stage.as_ref(),
        "region" | "r" => options.region.as_ref(),
        _ => None,
    };
    let value = value.or_else(|| options.options.get(name)).cloned();
    text_or(value, place, || format!("no --{name} was given"))
}

fn sls(resolver: &mut Resolver, address: &str, place: &Span) -> Result<Answer, TemplateError> {
    match address {
        "stage" => Ok(found(Node::string(place, resolver.stage()?))),
        "instanceId" => Ok(found(Node::string(place, &resolver.options.instance_id))),
        _ => Err(TemplateError::new(place, format!("sls has stage and instanceId, but no {address}"))),
    }
}

fn aws(resolver: &mut Resolver, address: &str, place: &Span) -> Result<Answer, TemplateError> {
    let value = match address {
        "accountId" => resolver.options.account_id.clone(),
        "region" => resolver.region()?,
        "partition" => "aws".to_owned(),
        _ => {
            let message = format!("aws has accountId, region and partition, but no {address}");
            return Err(TemplateError::new(place, message));
        }
    };
    Ok(found(Node::string(place, value)))
}

/// The command line's, then the stage's, then the default.
fn parameter(resolver: &mut Resolver, name: &str, place: &Span) -> Result<Answer, TemplateError> {
    if let Some(value) = resolver.options.parameters.get(name) {
        return Ok(found(Node::string(place, value)));
    }
    let stage = resolver.stage()?;
    for stage in [stage.as_str(), "default"] {
        for path in [["stages", stage, "params", name].as_slice(), &["params", stage, name]] {
            let address: Vec<String> = path.iter().map(|&key| key.to_owned()).collect();
            if let Some(node) = resolver.property(&address)? {
                return Ok(Answer::Found(Value { node, finished: true }));
            }
        }
    }
    Ok(Answer::Missing(format!(
        "the parameter {name} is given neither by --param, nor by params of the stage {stage} or of default"
    )))
}

fn stack_output(
    resolver: &mut Resolver,
    address: &str,
    region: Option<&str>,
    place: &Span,
) -> Result<Answer, TemplateError> {
    let Some((stack, output)) = address.split_once('.') else {
        return Err(TemplateError::new(
            place,
            format!("cf needs a stack and an output, as in ${{cf:{address}.Output}}"),
        ));
    };
    let region = match region {
        Some(region) => region.to_owned(),
        None => resolver.region()?,
    };
    let value = resolver.surroundings.stack_output(stack, output, &region);
    Ok(text_or(value, place, || {
        format!(
            "no stack {stack} with an output {output} is known in {region}; one that was served from the same state directory is"
        )
    }))
}

/// `ssm(region, raw, noDecrypt):name`. A secret is a parameter under the name that Parameter Store has for it.
fn stored(
    resolver: &mut Resolver,
    name: &str,
    region: Option<&str>,
    parameters: &[String],
    place: &Span,
) -> Result<Answer, TemplateError> {
    let raw = parameters.iter().any(|parameter| parameter == "raw");
    let named = parameters.iter().find(|parameter| !matches!(parameter.as_str(), "raw" | "noDecrypt" | ""));
    let region = match region.or(named.map(String::as_str)) {
        Some(region) => region.to_owned(),
        None => resolver.region()?,
    };
    if let Some(id) = name.strip_prefix("/aws/reference/secretsmanager/") {
        let Some(secret) = resolver.surroundings.secret(id, &region) else {
            return Ok(Answer::Missing(format!("there is no secret {id} in {region}")));
        };
        return Ok(found(if raw { Node::string(place, secret) } else { structured(secret, place) }));
    }
    let Some(parameter) = resolver.surroundings.parameter(name, &region) else {
        return Ok(Answer::Missing(format!("there is no parameter {name} in Parameter Store ({region})")));
    };
    Ok(found(match parameter.kind.as_str() {
        "StringList" if !raw => {
            Node::list(place, parameter.value.split(',').map(|item| Node::string(place, item)).collect())
        }
        "SecureString" if !raw => structured(parameter.value, place),
        _ => Node::string(place, parameter.value),
    }))
}

/// A secret that is JSON is read as such.
fn structured(value: String, place: &Span) -> Node {
    match serde_json::from_str(&value) {
        Ok(json) if value.starts_with('{') => Node::from_json(place, &json),
        _ => Node::string(place, value),
    }
}

fn truth(text: &str, place: &Span) -> Result<Answer, TemplateError> {
    let value = match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => "true",
        "false" | "0" => "false",
        _ => {
            let message = format!("strToBool takes true, false, 1 or 0, not \"{text}\"");
            return Err(TemplateError::new(place, message));
        }
    };
    Ok(found(Node::plain(place, value)))
}

fn refused(resolver: &mut Resolver, kind: &str, place: &Span) -> Answer {
    let known = REFUSED.iter().find(|(name, _)| *name == kind).map(|(_, reason)| (*reason).to_owned());
    let reason = known.unwrap_or_else(|| match did_you_mean(kind, NAMES.iter().copied()) {
        Some(hint) => format!("there is no source {kind}, {hint}"),
        None => format!("{kind} is a source of a plugin or resolver, which is not run here"),
    });
    resolver.warnings.push(Warning::new(place, format!("{reason}; the fallback is taken")));
    Answer::Missing(reason)
}
