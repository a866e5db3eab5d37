//! Comments that say that a finding is meant so: `# tandem-ignore: rule-id, rule-id reason` on its line or the line above.

use crate::finding::Finding;

const WORD: &str = "tandem-ignore:";

/// Whether a comment ignores this.
pub fn is_ignored(finding: &Finding) -> bool {
    let text = &finding.span.source.text;
    let start = finding.span.start.min(text.len());
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let above = text[..line_start].lines().next_back().unwrap_or_default();
    let is_comment = |line: &str| ["#", "//", "/*"].iter().any(|sign| line.trim_start().starts_with(sign));
    names(line, finding.rule.id) || (is_comment(above) && names(above, finding.rule.id))
}

/// Whether the comment in a line names the rule.
fn names(line: &str, id: &str) -> bool {
    let Some(at) = line.find(WORD) else { return false };
    if !line[..at].trim_end().ends_with(['#', '/', '*']) {
        return false;
    }
    // Ids stand between commas; what comes behind the last one is the reason.
    let mut goes_on = true;
    line[at + WORD.len()..].split_whitespace().any(|word| {
        let is_id = std::mem::replace(&mut goes_on, word.ends_with(','));
        is_id && word.split(',').any(|one| one == id)
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[track_caller]
    fn check(line: &str, expected: bool) {
        assert_eq!(names(line, "a-rule"), expected, "{line}");
    }

    #[test]
    fn comments_name_rules() {
        check("x: 1 # tandem-ignore: a-rule", true);
        check("// tandem-ignore: b-rule, a-rule because of c", true);
        check("# tandem-ignore: b-rule,a-rule", true);
        check("/* tandem-ignore: a-rule */", true);
        check("# tandem-ignore: b-rule as a-rule says so", false);
        check("# tandem-ignore: a-rule-2", false);
        check("x: 'tandem-ignore: a-rule'", false);
    }
}
