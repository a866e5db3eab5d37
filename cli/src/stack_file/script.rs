//! JavaScript and TypeScript that a stack is written in, evaluated by the user's own Node.js.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use super::disk::Disk;

const EVALUATE: &str = include_str!("evaluate.js");
/// What stands before the answer: the script may print something of its own.
const MARK: &str = "tandem-evaluated:";

/// What a file exports, or what must be answered before it can be told.
#[derive(Debug)]
pub enum Exported {
    Json(String),
    Needs(String),
}

#[derive(Deserialize)]
struct Printed {
    json: Option<String>,
    needs: Option<String>,
    error: Option<String>,
    #[serde(default)]
    files: Vec<String>,
}

/// What is evaluated, and where.
#[derive(Debug)]
pub struct Script<'a> {
    pub file: &'a Path,
    /// Members to go into, apart by dots.
    pub address: Option<&'a str>,
    pub options: &'a BTreeMap<String, String>,
    pub answers: &'a BTreeMap<String, Value>,
    /// Node.js runs here.
    pub folder: &'a Path,
    /// Variables beside those of this process.
    pub environment: &'a BTreeMap<String, String>,
}

impl Script<'_> {
    /// Evaluates it. The files that it reads are watched.
    pub fn evaluate(&self, disk: &Disk) -> Result<Exported, String> {
        let asked = json!({
            "file": self.file,
            "address": self.address,
            "options": self.options,
            "answers": self.answers,
            "mark": MARK,
        });
        let mut node = Command::new("node");
        node.args(["-e", EVALUATE]).arg(asked.to_string()).current_dir(self.folder);
        node.envs(self.environment).env("TANDEM_EVALUATE", EVALUATE);
        node.stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = node.output().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                "it takes Node.js to read this file, and there is no program `node` in the PATH".to_owned()
            }
            _ => format!("node could not be started: {error}"),
        })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let answer = text.lines().rev().find_map(|line| line.strip_prefix(MARK));
        let printed = answer.and_then(|answer| serde_json::from_str::<Printed>(answer).ok());
        let Some(printed) = printed else {
            return Err(format!("Node.js ended without an answer ({})", output.status));
        };
        for file in &printed.files {
            disk.watch(Path::new(file));
        }
        match printed {
            Printed { error: Some(error), .. } => Err(error),
            Printed { needs: Some(variable), .. } => Ok(Exported::Needs(variable)),
            Printed { json, .. } => Ok(Exported::Json(json.unwrap_or_else(|| "null".to_owned()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// What a file with this text comes to; without Node.js, there is nothing to test.
    fn evaluated(
        name: &str,
        text: &str,
        address: Option<&str>,
        answers: &[(&str, Value)],
    ) -> Option<Result<String, String>> {
        Command::new("node").arg("--version").output().ok()?;
        let folder = std::env::temp_dir().join(format!("tandem-script-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file: PathBuf = folder.join(name);
        fs::write(&file, text).expect("it is written");
        let answers = answers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let none = BTreeMap::new();
        let options = BTreeMap::from([("stage".to_owned(), "prod".to_owned())]);
        let script =
            Script { file: &file, address, options: &options, answers: &answers, folder: &folder, environment: &none };
        let exported = script.evaluate(&Disk::default());
        fs::remove_dir_all(&folder).expect("it is removed");
        Some(exported.map(|exported| match exported {
            Exported::Json(json) => json,
            Exported::Needs(variable) => format!("needs {variable}"),
        }))
    }

    #[track_caller]
    fn check(name: &str, text: &str, address: Option<&str>, expected: Result<&str, &str>) {
        let Some(found) = evaluated(name, text, address, &[("sls:stage", "dev".into())]) else { return };
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn objects_functions_and_promises_are_evaluated() {
        check("a.js", "console.log('hi'); module.exports = {a: [1, 'x'], f() {}};", None, Ok(r#"{"a":[1,"x"]}"#));
        check("b.js", "module.exports = Promise.resolve({a: {b: async () => 7}});", Some("a.b"), Ok("7"));
        check("c.mjs", "export default ({options}) => ({stage: options.stage});", None, Ok(r#"{"stage":"prod"}"#));
        check("d.mjs", "export const table = 'users';", Some("table"), Ok(r#""users""#));
        check("e.js", "exports.x = 1;", Some("y.z"), Ok("null"));
        check("f.js", "throw new Error('no');", None, Err("no"));
    }

    #[test]
    fn variables_are_asked_back() {
        let text = "module.exports = async ({resolveVariable, resolveConfigurationProperty: property}) => \
                    `${await resolveVariable('sls:stage')}-${await property(['custom', 'x'])}`;";
        check("g.js", text, None, Ok("needs self:custom.x"));
        let answers = [("sls:stage", "dev".into()), ("self:custom.x", "y".into())];
        let found = evaluated("h.js", text, None, &answers);
        assert!(found.is_none_or(|found| found.as_deref() == Ok(r#""dev-y""#)));
    }
}
