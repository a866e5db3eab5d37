//! Rust projects: `provided.*` functions whose code is a directory with a `Cargo.toml`.
//!
//! They are built with the `cargo` on the server's PATH, in the developer's profile and target directory, so that
//! nothing is compiled twice. What the compiler says of an error is the invocation's error, and on the console.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::tool::{self, Failed};
use crate::runtime::{InvalidEntrypoint, Program};

/// A first build of an SDK takes minutes.
const BUILD_TIME_MAX: Duration = Duration::from_mins(20);
/// Of the compiler's words, as an error carries them.
const ERROR_CHARS_MAX: usize = 4000;

/// Whether `code` is built and not run as it is: a directory with a manifest and no `bootstrap`.
pub(crate) fn is_project(code: &Path) -> bool {
    code.join("Cargo.toml").is_file() && !code.join("bootstrap").exists()
}

/// One line of `--message-format=json`.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    executable: Option<PathBuf>,
    #[serde(default)]
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the project and finds the executable: the only one, or the one that is named as the handler, the function
/// or `bootstrap`.
pub(super) async fn build(function: &str, handler: &str, project: &Path) -> Result<Program, InvalidEntrypoint> {
    tracing::info!(function, project = %project.display(), "building with cargo");
    let mut command = tool::command("cargo", project);
    command.args(["build", "--bins", "--message-format=json-render-diagnostics", "--color=never"]);
    let output = tool::run(&mut command, BUILD_TIME_MAX).await.map_err(|failed| match failed {
        Failed::NotFound => InvalidEntrypoint(
            "This function is a Rust project, and there is no `cargo` on this server's PATH: install Rust \
             (https://rustup.rs)"
                .into(),
        ),
        Failed::Other(error) => InvalidEntrypoint(format!("cargo build failed: {error}")),
    })?;
    if !output.succeeded {
        let words = errors(&output.stderr);
        tracing::error!(function, "cargo build failed:\n{words}");
        return Err(InvalidEntrypoint(format!("cargo build failed: {words}")));
    }
    let built = executables(&output.stdout);
    let path = match built.as_slice() {
        [(_, path)] => Some(path),
        all => [handler, function, "bootstrap"]
            .iter()
            .find_map(|wanted| all.iter().find(|(name, _)| name == wanted).map(|(_, path)| path)),
    };
    let Some(path) = path else {
        let names: Vec<&str> = built.iter().map(|(name, _)| name.as_str()).collect();
        return Err(InvalidEntrypoint(format!(
            "{} has the executables [{}]: name the function's handler like one of them",
            project.display(),
            names.join(", ")
        )));
    };
    Ok(Program { path: path.clone(), task_root: project.to_owned(), ..Program::default() })
}

fn executables(messages: &str) -> Vec<(String, PathBuf)> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages.filter_map(|message| Some((message.target?.name, message.executable?))).collect()
}

/// From the first error on: warnings of dependencies help nobody here.
fn errors(stderr: &str) -> String {
    let first = stderr.lines().position(|line| line.starts_with("error")).unwrap_or(0);
    let lines: Vec<&str> = stderr.lines().skip(first).collect();
    lines.join("\n").chars().take(ERROR_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_executables_among_the_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"library"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"one"},"executable":"/t/one"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executables(messages), [("one".to_owned(), PathBuf::from("/t/one"))]);
    }

    #[test]
    fn an_error_begins_where_it_begins() {
        assert_eq!(errors("warning: w\n\nerror[E1]: e\n --> f"), "error[E1]: e\n --> f");
        assert_eq!(errors("something else"), "something else");
    }
}
