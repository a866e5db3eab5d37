//! Comments that say that a finding is meant so: `# tandem-ignore: rule-id, rule-id reason` on its line or the line above.

use crate::finding::Finding;

const WORD: &str = "tandem-ignore:";

/// Whether a comment ignores this.
pub fn is_ignored(finding: &Finding) -> bool {
    let text = &finding.span.source.text;
    if finding.span.end == 0 {
        // What a script comes to has no lines of its own: any line of it speaks for the whole.
        return text.lines().any(|line| names(line, finding.rule.id));
    }
    let start = finding.span.start.min(text.len());
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let above = text[..line_start].lines().next_back().unwrap_or_default();
    let is_comment = |line: &str| ["#", "//", "/*"].iter().any(|sign| line.trim_start().starts_with(sign));
    names(line, finding.rule.id) || (is_comment(above) && names(above, finding.rule.id))
}

/// Whether the comment in a line names the rule.
fn names(line: &str, id: &str) -> bool {
    ids(line).any(|(_, one)| one == id)
}

/// The ids that the comment in a line names, each with its place in the line. They stand between commas; what comes
/// behind the last one is the reason.
pub fn ids(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let at = line.find(WORD).filter(|at| line[..*at].trim_end().ends_with(['#', '/', '*']));
    let begin = at.map_or(line.len(), |at| at + WORD.len());
    let mut goes_on = true;
    let words = line[begin..].split_inclusive(char::is_whitespace).scan(begin, |place, word| {
        let start = *place;
        *place += word.len();
        Some((start, word.trim_end()))
    });
    let words = words.filter(|(_, word)| !word.is_empty());
    let named = words.take_while(move |(_, word)| std::mem::replace(&mut goes_on, word.ends_with(',')));
    named.flat_map(|(start, word)| {
        let parts = word.split(',').scan(start, |place, part| {
            let start = *place;
            *place += part.len() + 1;
            Some((start, part))
        });
        parts.filter(|(_, part)| !part.is_empty())
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

    #[test]
    fn ids_have_a_place() {
        let line = "x: 1 # tandem-ignore: a-rule, b-rule,c-rule for d-rule";
        let found: Vec<_> = super::ids(line).collect();
        assert_eq!(found, [(22, "a-rule"), (30, "b-rule"), (37, "c-rule")]);
        assert!(found.iter().all(|(at, id)| line[*at..].starts_with(id)));
    }
}
