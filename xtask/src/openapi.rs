//! `docs/openapi/`: the document of the Profile API, from its code, as the binary prints it.

use std::fs;

use anyhow::{Context, Result};

use crate::project::{self, Project};

const PAGE: &str = "docs/openapi/profile-api.json";

/// Writes the document.
pub fn write(project: &Project) -> Result<()> {
    let path = project.root.join(PAGE);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(&path, document(project)?).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {PAGE}");
    Ok(())
}

/// What is wrong with the document that is there.
pub fn check(project: &Project) -> Result<Vec<String>> {
    let there = fs::read_to_string(project.root.join(PAGE)).unwrap_or_default();
    let stale = there != document(project)?;
    Ok(stale.then(|| format!("{PAGE} is not what the API does: run `cargo xtask docs`")).into_iter().collect())
}

fn document(project: &Project) -> Result<String> {
    project.build()?;
    project::read(project.command(project.binary("debug")?).arg("openapi"))
}
