//! TypeScript handlers. AWS does not run TypeScript: what people deploy was compiled by some plugin. Here the
//! project's own esbuild makes a bundle, as such plugins do; without it Node.js strips the types where it can.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::interpreter::Interpreter;
use super::tool::{self, Failed};
use crate::runtime::InvalidEntrypoint;

const BUNDLE_TIME_MAX: Duration = Duration::from_mins(2);
/// Of the bundler's words, as an error carries them.
const ERROR_CHARS_MAX: usize = 4000;

/// How a TypeScript handler runs.
pub(super) enum Run {
    /// As this file, which was made of it.
    Bundle(PathBuf),
    /// As it is, if Node.js is given these flags.
    Stripped(&'static [&'static str]),
}

/// The TypeScript file that `handler` names, if it names one and JavaScript does not come first.
pub(super) fn source(root: &Path, handler: &str) -> Option<PathBuf> {
    let (directory, base) = handler.rsplit_once('/').unwrap_or(("", handler));
    let name = base.split('.').next().filter(|name| !name.is_empty())?;
    let file = root.join(directory).join(name);
    let with = |extension: &str| PathBuf::from(format!("{}.{extension}", file.display()));
    if ["js", "mjs", "cjs"].iter().any(|extension| with(extension).exists()) {
        return None;
    }
    ["ts", "mts", "cts"].into_iter().map(with).find(|file| file.is_file())
}

/// Prepares a handler at `source`.
pub(super) async fn bundle(
    function: &str,
    root: &Path,
    source: &Path,
    node: &Interpreter,
) -> Result<Run, InvalidEntrypoint> {
    let from = source.parent().unwrap_or(root);
    let esbuild = from.ancestors().map(|place| place.join("node_modules/.bin/esbuild")).find(|path| path.exists());
    if let Some(esbuild) = esbuild {
        return with_esbuild(function, root, source, &esbuild, node).await;
    }
    let (major, minor, _) = node.version;
    if (major, minor) >= (22, 18) {
        return Ok(Run::Stripped(&["--disable-warning=ExperimentalWarning"]));
    }
    if (major, minor) >= (22, 6) {
        return Ok(Run::Stripped(&["--experimental-strip-types", "--disable-warning=ExperimentalWarning"]));
    }
    Err(InvalidEntrypoint(format!(
        "{} is TypeScript, which Node.js {major}.{minor} does not run: install Node.js 22.18 or newer, or esbuild in \
         the project (npm install --save-dev esbuild)",
        source.display()
    )))
}

/// The bundle goes below the `node_modules` that has esbuild: there it finds what it leaves out, and nobody's
/// version control sees it.
async fn with_esbuild(
    function: &str,
    root: &Path,
    source: &Path,
    esbuild: &Path,
    node: &Interpreter,
) -> Result<Run, InvalidEntrypoint> {
    let modules = esbuild.parent().and_then(Path::parent).unwrap_or(root);
    let is_module = source.extension().is_some_and(|extension| extension == "mts")
        || source.extension().is_some_and(|extension| extension == "ts") && is_module_folder(source);
    let (format, extension) = if is_module { ("esm", "mjs") } else { ("cjs", "cjs") };
    let bundle = modules.join(".cache/tandem").join(function).join(format!("handler.{extension}"));
    let mut command = tool::command(esbuild, root);
    command.arg(source).args(["--bundle", "--platform=node", "--packages=external", "--sourcemap=inline"]);
    command.args(["--log-level=error", "--color=false"]);
    command.arg(format!("--target=node{}", node.version.0)).arg(format!("--format={format}"));
    command.arg(format!("--outfile={}", bundle.display()));
    let output = tool::run(&mut command, BUNDLE_TIME_MAX).await;
    let words = match output {
        Ok(output) if output.succeeded => return Ok(Run::Bundle(bundle)),
        Ok(output) => output.stderr.trim().chars().take(ERROR_CHARS_MAX).collect(),
        Err(Failed::Other(error)) => error,
        Err(Failed::NotFound) => "it is not there".to_owned(),
    };
    tracing::error!(function, "esbuild failed:\n{words}");
    Err(InvalidEntrypoint(format!("esbuild failed: {words}")))
}

/// `"type": "module"` in the nearest package.json.
fn is_module_folder(source: &Path) -> bool {
    #[derive(serde::Deserialize)]
    struct Package {
        #[serde(rename = "type", default)]
        kind: String,
    }
    let file = source.ancestors().skip(1).map(|place| place.join("package.json")).find(|path| path.is_file());
    let text = file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    serde_json::from_slice::<Package>(&text).is_ok_and(|package| package.kind == "module")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How a handler would run on a Node.js of this version, in a project without esbuild.
    async fn with_node(version: (u32, u32, u32)) -> Result<Run, InvalidEntrypoint> {
        let root = tempfile::tempdir().expect("a directory");
        let source = root.path().join("user.ts");
        let node = Interpreter { path: "node".into(), version, has_boto3: false };
        bundle("f", root.path(), &source, &node).await
    }

    #[tokio::test]
    async fn without_esbuild_node_strips_the_types_where_it_can() {
        for (version, flags) in [((22, 18, 0), 1), ((24, 1, 0), 1), ((22, 6, 0), 2)] {
            let Ok(Run::Stripped(given)) = with_node(version).await else { panic!("{version:?} can") };
            assert_eq!(given.len(), flags, "{version:?}: {given:?}");
        }
    }

    #[tokio::test]
    async fn where_nothing_runs_typescript_both_ways_out_are_named() {
        let Err(InvalidEntrypoint(text)) = with_node((20, 11, 1)).await else { panic!("it cannot") };
        let ways = "user.ts is TypeScript, which Node.js 20.11 does not run: install Node.js 22.18 or newer, or esbuild in \
                    the project (npm install --save-dev esbuild)";
        assert!(text.ends_with(ways), "{text}");
    }

    #[test]
    fn javascript_comes_before_typescript() {
        let root = tempfile::tempdir().expect("a directory");
        let root = root.path();
        std::fs::create_dir(root.join("src")).expect("it is made");
        std::fs::write(root.join("src/user.ts"), "").expect("it is written");
        assert_eq!(source(root, "src/user.handler"), Some(root.join("src/user.ts")));
        assert_eq!(source(root, "user.handler"), None);
        std::fs::write(root.join("src/user.js"), "").expect("it is written");
        assert_eq!(source(root, "src/user.handler"), None);
    }
}
