//! `docs/operations.md`: every operation that works, from the tables that dispatch reads, as the binary prints them.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::project::{self, Project};

const PAGE: &str = "docs/operations.md";

/// A line of `tandem operations --json`.
#[derive(Deserialize)]
struct Service {
    #[serde(rename = "service")]
    title: String,
    signing: String,
    operations: Vec<String>,
}

/// Writes the page.
pub fn write(project: &Project) -> Result<()> {
    let path = project.root.join(PAGE);
    fs::write(&path, page(project)?).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {PAGE}");
    Ok(())
}

/// What is wrong with the page that is there.
pub fn check(project: &Project) -> Result<Vec<String>> {
    let there = fs::read_to_string(project.root.join(PAGE)).unwrap_or_default();
    let stale = there != page(project)?;
    Ok(stale.then(|| format!("{PAGE} is not what the binary can do: run `cargo xtask docs`")).into_iter().collect())
}

fn page(project: &Project) -> Result<String> {
    project.build()?;
    let printed = project::read(project.command(project.binary("debug")?).args(["operations", "--json"]))?;
    let services: Vec<Service> = serde_json::from_str(&printed).context("tandem operations --json")?;
    Ok(render(services))
}

fn render(mut services: Vec<Service>) -> String {
    services.sort_by(|one, other| one.title.cmp(&other.title));
    let total: usize = services.iter().map(|service| service.operations.len()).sum();
    let mut page =
        String::from("# Operations\n\n<!-- Written by `cargo xtask docs` from the tables that dispatch reads. -->\n\n");
    let _ = writeln!(
        page,
        "The {total} operations of AWS's API that `tandem` answers. Any other answers `UnknownOperationException` with \
         its name.\n"
    );
    page.push_str("| Service | Signing name | Operations |\n|---|---|---|\n");
    for service in &services {
        let _ = writeln!(page, "| {} | `{}` | {} |", service.title, service.signing, service.operations.len());
    }
    for service in &mut services {
        service.operations.sort();
        let _ = writeln!(page, "\n## {}\n", service.title);
        for operation in &service.operations {
            let _ = writeln!(page, "- `{operation}`");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_so_that_the_page_does_not_depend_on_tables() {
        let service = |name: &str, operations: &[&str]| Service {
            title: name.to_owned(),
            signing: "x".to_owned(),
            operations: operations.iter().map(|&name| name.to_owned()).collect(),
        };
        let one = render(vec![service("B", &["Two", "One"]), service("A", &["Three"])]);
        let other = render(vec![service("A", &["Three"]), service("B", &["One", "Two"])]);
        assert_eq!(one, other);
        assert!(one.contains("The 3 operations"), "{one}");
    }
}
