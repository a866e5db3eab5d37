//! What `docs/pitfalls.md` says of a rule. The page is in the binary, so that it is the one of this version.

const PAGE: &str = include_str!("../../../../docs/pitfalls.md");

/// The section of a rule, from its heading to the next one.
pub fn explain(id: &str) -> &'static str {
    let heading = format!("\n## {id}\n");
    let Some(at) = PAGE.find(&heading) else { return "" };
    let section = &PAGE[at + 1..];
    let end = section[1..].find("\n## ").map_or(section.len(), |end| end + 2);
    &section[..end]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules::RULES;

    #[test]
    fn every_rule_has_its_section_and_every_section_its_rule() {
        let sections: BTreeSet<&str> = PAGE.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(sections, ids);
    }
}
