//! Whole stacks, and how what is found in them is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

use check::report::{self, People};
use check::{Checked, Given, check};
use serde_json::{Value, json};
use template::serverless::{Evaluated, Evaluation, StoredParameter, Surroundings};
use template::{Files, Inputs, Source};

/// A folder of `tests/stacks`, and how many files were read from it.
struct Folder(PathBuf, AtomicUsize);

impl Files for Folder {
    fn read(&self, path: &Path) -> io::Result<String> {
        let text = fs::read_to_string(self.0.join(path))?;
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok(text)
    }
}

impl Surroundings for Folder {
    fn environment(&self, _: &str) -> Option<String> {
        None
    }

    fn read(&self, path: &Path) -> Result<Option<String>, String> {
        Ok(fs::read_to_string(self.0.join(path)).ok())
    }

    fn evaluate(&self, _: &Evaluation) -> Result<Evaluated, String> {
        Ok(Evaluated::NoFile)
    }

    fn git(&self, _: &str) -> Option<String> {
        None
    }

    fn parameter(&self, _: &str, _: &str) -> Option<StoredParameter> {
        None
    }

    fn secret(&self, _: &str, _: &str) -> Option<String> {
        None
    }

    fn stack_output(&self, _: &str, _: &str, _: &str) -> Option<String> {
        None
    }
}

fn folder(name: &str) -> Folder {
    Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stacks").join(name), AtomicUsize::new(0))
}

/// What is found in a file whose text is this; paths start in a folder of `tests/stacks`.
fn check_text(name: &str, path: &str, text: &str) -> Checked {
    check_counting(name, path, text).0
}

/// The same, and how many of its handlers' files were read.
fn check_counting(name: &str, path: &str, text: &str) -> (Checked, usize) {
    let files = Arc::new(folder(name));
    let inputs = Inputs { files: Arc::clone(&files) as Arc<dyn Files>, ..Inputs::default() };
    let given = Given { inputs, surroundings: &folder(name), stage: None, ignored: &[] };
    (check(&Source::new(path, text), &given), files.1.load(Ordering::Relaxed))
}

fn text_of(name: &str, path: &str) -> String {
    fs::read_to_string(folder(name).0.join(path)).expect("a stack")
}

fn check_stack(name: &str, path: &str) -> Checked {
    check_text(name, path, &text_of(name, path))
}

/// What people see.
fn told(checked: &Checked) -> String {
    let people = People { colours: false, width: 120 };
    match &checked.error {
        Some(error) => people.error(error),
        None => people.findings(&checked.findings),
    }
}

#[test]
fn nothing_is_found_in_careful_stacks() {
    for (name, path, handlers) in [("serverless", "serverless.yml", 5), ("sam", "template.yaml", 2)] {
        let (checked, read) = check_counting(name, path, &text_of(name, path));
        let told = told(&checked);
        assert_eq!(told, "nothing found\n", "{told}");
        assert_eq!(read, handlers, "{name}: its handlers are looked at");
    }
}

#[test]
fn the_article_leaves_its_pool_unprotected_and_nothing_else() {
    insta::assert_snapshot!(told(&check_stack("article", "serverless.yml")));
}

/// A handler and a pool that wait for each other.
const CYCLE: &str = "Resources:
  UserPool:
    Type: AWS::Cognito::UserPool
    DeletionPolicy: Retain
    Properties:
      UsernameConfiguration: {CaseSensitive: false}
      LambdaConfig:
        PreSignUp: !GetAtt Allow.Arn
  Allow:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      Role: !Sub 'arn:aws:iam::${AWS::AccountId}:role/any'
      Environment: {Variables: {POOL: !Ref UserPool}}
      Code:
        ZipFile: |
          exports.handler = async (event) => {
            event.response.autoConfirmUser = true;
            return; // no event
          };
  Allowed:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref Allow
      Principal: cognito-idp.amazonaws.com
      SourceArn: !GetAtt UserPool.Arn
";

#[test]
fn a_cycle_and_code_within_a_template_are_shown_in_their_places() {
    insta::assert_snapshot!(told(&check_text("article", "template.yml", CYCLE)));
}

#[test]
fn a_template_that_cannot_be_read_is_shown_in_its_place() {
    let text =
        "Resources:\n  Pool:\n    Type: AWS::Cognito::UserPool\n    Properties:\n      UserPoolName: !Ref Stge\n";
    insta::assert_snapshot!(told(&check_text("article", "template.yml", text)));
}

#[test]
fn a_comment_on_the_line_or_above_it_ignores() {
    let pool = |comments: [&str; 2]| {
        let [above, beside] = comments;
        let text = format!("Resources:\n  {above}\n  Pool: {beside}\n    Type: AWS::Cognito::UserPool\n");
        let found = check_text("article", "template.yml", &text).findings;
        found.iter().map(|finding| finding.rule.id).collect::<Vec<_>>()
    };
    assert_eq!(pool(["", ""]), ["pool-case-sensitive", "pool-not-retained"]);
    assert_eq!(pool(["# tandem-ignore: pool-not-retained for tests", ""]), ["pool-case-sensitive"]);
    assert_eq!(pool(["", "# tandem-ignore: pool-not-retained, pool-case-sensitive"]), [""; 0]);
    let unknown = ["ignored-rule-unknown", "pool-case-sensitive", "pool-not-retained"];
    assert_eq!(pool(["# tandem-ignore: pool", ""]), unknown);
}

#[test]
fn json_has_places_and_counts() {
    let findings = check_stack("article", "serverless.yml").findings;
    let told = report::json(&findings);
    let one = &told["findings"][0];
    assert_eq!((&told["errors"], &told["warnings"], &told["notes"]), (&json!(0), &json!(1), &json!(0)));
    assert_eq!(
        (&one["rule"], &one["severity"], &one["file"]),
        (&json!("pool-not-retained"), &json!("warning"), &json!("serverless.yml"))
    );
    assert_eq!(one["link"], "docs/pitfalls.md#pool-not-retained");
    for key in ["line", "column", "endLine", "endColumn"] {
        assert!(one[key].as_u64().is_some_and(|number| number > 0), "{key}: {one}");
    }
}

/// What the schema of SARIF 2.1.0 requires, and what code scanning needs to show a result.
#[test]
fn sarif_has_what_its_schema_requires() {
    let findings = check_text("article", "template.yml", CYCLE).findings;
    let log = report::sarif(&findings, "1.2.3");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert!(driver["name"].is_string() && driver["version"] == "1.2.3");
    let rules: Vec<&Value> = driver["rules"].as_array().expect("rules").iter().collect();
    assert_eq!(rules.len(), check::RULES.len());
    for rule in &rules {
        assert!(rule["id"].is_string() && rule["shortDescription"]["text"].is_string());
        assert!(rule["help"]["markdown"].as_str().is_some_and(|text| text.starts_with("## ")), "{rule}");
        // It must be absolute, and a page of another version would be the wrong one.
        assert_eq!(rule["helpUri"], Value::Null);
    }
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), findings.len());
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("a small one");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().expect("a level")));
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "template.yml");
        assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 0));
        for related in result["relatedLocations"].as_array().expect("places") {
            assert!(related["message"]["text"].is_string() && related["physicalLocation"].is_object());
        }
    }
}
