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

    /// The lines without the white space that all of them begin with.
    fn dedent(lines: &[&str]) -> Vec<String> {
        let indent =
            lines.iter().filter(|line| !line.is_empty()).map(|line| line.len() - line.trim_start().len()).min();
        lines.iter().map(|line| line.get(indent.unwrap_or_default()..).unwrap_or_default().to_owned()).collect()
    }

    /// The indented blocks of a section.
    fn blocks(section: &str) -> Vec<Vec<&str>> {
        let mut blocks: Vec<Vec<&str>> = vec![Vec::new()];
        for line in section.lines() {
            match (line.strip_prefix("    "), blocks.last_mut()) {
                (Some(code), Some(block)) => block.push(code),
                (None, Some(block)) if line.is_empty() && !block.is_empty() => block.push(""),
                _ => blocks.push(Vec::new()),
            }
        }
        for block in &mut blocks {
            while block.last().is_some_and(|line| line.is_empty()) {
                block.pop();
            }
        }
        blocks.retain(|block| !block.is_empty());
        blocks
    }

    #[test]
    fn what_sections_show_stands_in_good_examples() {
        let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules/examples");
        for rule in RULES {
            let files =
                std::fs::read_dir(examples.join(rule.id)).expect("examples").map(|entry| entry.expect("a file").path());
            let good = files.filter(|path| {
                path.is_file() && !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("bad"))
            });
            let good: Vec<String> = good.map(|path| std::fs::read_to_string(path).expect("a text")).collect();
            let blocks = blocks(explain(rule.id));
            assert!(!blocks.is_empty(), "{} shows nothing good", rule.id);
            for block in blocks {
                let wanted = dedent(&block);
                let stands_in = |text: &String| {
                    let lines: Vec<&str> = text.lines().collect();
                    lines.windows(block.len()).any(|window| dedent(window) == wanted)
                };
                assert!(good.iter().any(stands_in), "{}: not in its good examples:\n{}", rule.id, block.join("\n"));
            }
        }
    }
}
