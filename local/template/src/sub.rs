//! The text of `Fn::Sub`: `${Name}`, `${Resource.Attribute}`, `${!Literal}`.

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Stays as it is.
    Text(String),
    /// `${…}`: a variable, a parameter, a resource or one of its attributes.
    Variable(String),
}

/// The pieces of a text; what is wrong with it, in CloudFormation's words.
pub(crate) fn parts(text: &str) -> Result<Vec<Part>, String> {
    let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
    // A `${` without its `}` is text.
    while let Some((before, inside)) = rest.split_once("${")
        && let Some((name, after)) = inside.split_once('}')
    {
        rest = after;
        plain.push_str(before);
        if let Some(literal) = name.strip_prefix('!') {
            plain.extend(["${", literal, "}"]);
            continue;
        }
        let name = name.trim();
        let is_of_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_');
        if name.is_empty() || !name.chars().all(is_of_names) {
            return Err("variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, \
                        periods, and colons"
                .to_owned()
                + &format!(", not ${{{name}}} (what is not meant to be replaced is written ${{!{name}}})"));
        }
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(Part::Variable(name.to_owned()));
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[Part]) {
        assert_eq!(parts(text).as_deref(), Ok(expected));
    }

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    fn variable(name: &str) -> Part {
        Part::Variable(name.to_owned())
    }

    #[test]
    fn variables_and_what_stands_between() {
        check("", &[]);
        check("a", &[text("a")]);
        check("${A}", &[variable("A")]);
        check(
            "x${A.B}-${ AWS::Region }/",
            &[text("x"), variable("A.B"), text("-"), variable("AWS::Region"), text("/")],
        );
    }

    #[test]
    fn what_is_no_variable_stays() {
        check("${!A}b", &[text("${A}b")]);
        check("$A ${A", &[text("$A ${A")]);
        check("{{resolve:ssm:/a}} $${A}", &[text("{{resolve:ssm:/a}} $"), variable("A")]);
    }

    #[test]
    fn a_name_has_letters_digits_and_few_signs() {
        for bad in ["${}", "${ }", "${a-b}", "${a b}"] {
            assert!(
                parts(bad).expect_err(bad).starts_with("variable names in Fn::Sub syntax must contain only"),
                "{bad}"
            );
        }
    }
}
