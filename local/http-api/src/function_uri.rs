//! Where an integration or an authorizer leads: the ARN of a function, alone or inside of API Gateway's own address
//! for it (`arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations`).

use std::collections::BTreeMap;

const BEFORE: &str = ":lambda:path/2015-03-31/functions/";
const AFTER: &str = "/invocations";
const VARIABLE: &str = "${stageVariables.";

/// The function's ARN; stage variables may stand in it.
pub fn function_arn(uri: &str) -> Option<&str> {
    let arn = match uri.split_once(BEFORE) {
        Some((before, rest)) if before.starts_with("arn:aws:apigateway:") => rest.strip_suffix(AFTER)?,
        _ => uri,
    };
    let is_function = arn.starts_with("arn:aws:lambda:") && arn.contains(":function:");
    is_function.then_some(arn)
}

/// With the stage's variables in their places; one that is not set counts as empty.
pub fn with_variables(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(VARIABLE) {
        let Some((name, after)) = after.split_once('}') else { break };
        done.push_str(before);
        done.push_str(variables.get(name).map_or("", String::as_str));
        rest = after;
    }
    done + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

    #[test]
    fn both_forms_name_the_function() {
        let long = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}/invocations");
        assert_eq!((function_arn(ARN), function_arn(&long)), (Some(ARN), Some(ARN)));
        for other in ["https://example.com", "arn:aws:sqs:us-east-1:000000000000:q", "", &long[..long.len() - 1]] {
            assert_eq!(function_arn(other), None, "{other}");
        }
    }

    #[test]
    fn variables_are_put_in() {
        let variables = BTreeMap::from([("alias".to_owned(), "live".to_owned())]);
        assert_eq!(with_variables("f:${stageVariables.alias}", &variables), "f:live");
        assert_eq!(with_variables("f${stageVariables.x}${stageVariables.y", &variables), "f${stageVariables.y");
    }
}
