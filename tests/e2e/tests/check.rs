//! `tandem check` as people and CI call it: what it looks for, its exit codes, its output.

use std::path::Path;

use e2e::binary;
use tempfile::TempDir;
use tokio::process::Command;

const POOL: &str = "Resources:
  Pool:
    Type: AWS::Cognito::UserPool
    DeletionPolicy: Retain
    Properties: {UsernameConfiguration: {CaseSensitive: false}}
";
const OPEN_POOL: &str = "Resources:
  Pool:
    Type: AWS::Cognito::UserPool
    DeletionPolicy: Retain
";
const NOTE: &str = "Resources:
  Rule:
    Type: AWS::Events::Rule
    Properties: {EventBusName: other, EventPattern: {source: [com.example]}}
";

struct Told {
    code: Option<i32>,
    out: String,
    error: String,
}

/// Runs the check in a folder with these files.
async fn check(files: &[(&str, &str)], arguments: &[&str]) -> Told {
    check_with(files, arguments, &[]).await
}

/// The same, with these variables in the environment.
async fn check_with(files: &[(&str, &str)], arguments: &[&str], variables: &[(&str, &str)]) -> Told {
    let folder = TempDir::new().expect("a directory");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).expect("it is made");
        std::fs::write(path, text).expect("it is written");
    }
    let mut command = Command::new(binary());
    command.envs(variables.iter().copied());
    let output = command.arg("check").args(arguments).current_dir(folder.path()).output().await.expect("it runs");
    Told {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[tokio::test]
async fn it_looks_for_the_stack_by_its_usual_names() {
    for path in ["template.yaml", "template.yml", "cdk.out/App.template.json"] {
        let text = if path.ends_with("json") {
            "{\"Resources\": {\"Pool\": {\"Type\": \"AWS::Cognito::UserPool\"}}}"
        } else {
            OPEN_POOL
        };
        let told = check(&[(path, text)], &[]).await;
        assert_eq!(told.code, Some(1), "{}", told.error);
        assert!(told.out.contains(&format!("--> {path}:")), "{}", told.out);
    }
    let service =
        "service: a\nprovider: {name: aws, runtime: nodejs22.x}\nfunctions: {hello: {handler: src/hello.handler}}\n";
    let told = check(&[("serverless.yml", service), ("template.yaml", OPEN_POOL)], &[]).await;
    assert_eq!((told.code, told.out.as_str()), (Some(0), "nothing found\n"), "{}", told.error);
}

#[tokio::test]
async fn without_a_stack_it_says_so_in_one_line() {
    let told = check(&[], &[]).await;
    assert_eq!((told.code, told.error.lines().count()), (Some(2), 1), "{}", told.error);
    assert!(told.error.contains("there is no stack here"), "{}", told.error);
}

#[tokio::test]
async fn what_is_found_decides_the_exit_code() {
    let run = |text: &'static str, arguments: &'static [&'static str]| check_template(text, arguments);
    assert_eq!(run(POOL, &[]).await, Some(0));
    assert_eq!(run(OPEN_POOL, &[]).await, Some(1));
    assert_eq!(run(OPEN_POOL, &["--json"]).await, Some(1));
    assert_eq!(run(OPEN_POOL, &["--ignore", "pool-case-sensitive"]).await, Some(0));
    assert_eq!(run(OPEN_POOL, &["--ignore", "no-such-rule"]).await, Some(2));
    assert_eq!(run(NOTE, &[]).await, Some(0));
    assert_eq!(run("Resources: {Pool: {}}\n", &[]).await, Some(2));
}

async fn check_template(text: &str, arguments: &[&str]) -> Option<i32> {
    check(&[("template.yml", text)], arguments).await.code
}

#[tokio::test]
async fn a_template_that_cannot_be_read_is_shown_with_its_line() {
    let told = check(&[("template.yml", "Resources:\n  Pool: [\n")], &[]).await;
    assert_eq!((told.code, told.out.as_str()), (Some(2), ""));
    assert!(told.error.contains("--> template.yml:") && told.error.contains('|'), "{}", told.error);
}

#[tokio::test]
async fn there_is_no_colour_where_no_terminal_is() {
    let told = check(&[("template.yml", OPEN_POOL)], &[]).await;
    assert!(told.out.contains("error[pool-case-sensitive]") && !told.out.contains('\x1b'), "{}", told.out);
}

#[tokio::test]
async fn rules_are_listed_and_explained() {
    let told = check(&[], &["--list-rules"]).await;
    assert!(told.code == Some(0) && told.out.contains("pool-case-sensitive"), "{}", told.out);
    let told = check(&[], &["--explain", "pool-case-sensitive"]).await;
    assert!(told.code == Some(0) && told.out.starts_with("## pool-case-sensitive\n"), "{}", told.out);
}

const SERVICE: &str = "
const table = () => ({ Type: 'AWS::DynamoDB::Table', Properties: { KeySchema: [], AttributeDefinitions: [] } });
module.exports = async ({ options }) => ({
  service: 'users',
  provider: { name: 'aws', runtime: 'nodejs22.x', stage: options.stage, iam: { role: '${cf:roles.UsersRole}' } },
  functions: { announce: { handler: 'src/announce.handler', events: [{ cognitoUserPool: { pool: 'users', trigger: 'PostConfirmation' } }] } },
  resources: { Resources: { Table: table(), Named: '${file(./name.js):table}' } },
});
";
const HANDLER: &str = "exports.handler = async (event) => {\n  console.log(event.userName);\n};\n";
const NAMED: &str = "module.exports = { table: { Type: 'AWS::DynamoDB::Table', DeletionPolicy: 'Retain' } };\n";

/// Whether the machine has Node.js; without it, there is nothing to evaluate with.
async fn has_node() -> bool {
    Command::new("node").arg("--version").output().await.is_ok()
}

#[tokio::test]
async fn a_service_in_javascript_is_evaluated_as_it_is_served() {
    if !has_node().await {
        return;
    }
    let files = [("serverless.js", SERVICE), ("src/announce.js", HANDLER), ("name.js", NAMED)];
    let told = check(&files, &["--stage", "dev"]).await;
    assert_eq!(told.code, Some(1), "{}{}", told.out, told.error);
    assert!(told.out.contains("--> src/announce.js:"), "{}", told.out);
    assert!(told.out.contains("[table-not-retained]") && told.out.contains("--> serverless.js:1:1"), "{}", told.out);
    let meant = SERVICE.replace("const table", "// tandem-ignore: table-not-retained they are made anew\nconst table");
    let files = [("serverless.js", meant.as_str()), ("src/announce.js", HANDLER), ("name.js", NAMED)];
    let told = check(&files, &[]).await;
    assert!(!told.out.contains("[table-not-retained]"), "{}", told.out);
}

#[tokio::test]
async fn without_node_one_line_says_what_it_takes() {
    let told = check_with(&[("serverless.ts", SERVICE)], &[], &[("PATH", "")]).await;
    assert_eq!((told.code, told.error.lines().count()), (Some(2), 1), "{}", told.error);
    assert!(told.error.contains("serverless.ts: it takes Node.js to read this file"), "{}", told.error);
}

/// What `serverless package` leaves: paths in it start in the folder above.
#[tokio::test]
async fn a_template_that_the_framework_has_made_is_checked_with_its_handlers() {
    let function = r#"{"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "src/announce.handler",
        "Role": "arn:aws:iam::123456789012:role/r", "Code": {"S3Bucket": {"Ref": "ServerlessDeploymentBucket"}, "S3Key": "a/b.zip"}}}"#;
    let pool = r#"{"Type": "AWS::Cognito::UserPool", "DeletionPolicy": "Retain", "Properties": {
        "UsernameConfiguration": {"CaseSensitive": false},
        "LambdaConfig": {"PostConfirmation": {"Fn::GetAtt": ["AnnounceLambdaFunction", "Arn"]}}}}"#;
    let bucket = r#"{"Type": "AWS::S3::Bucket"}"#;
    let text = format!(
        r#"{{"Resources": {{"ServerlessDeploymentBucket": {bucket}, "AnnounceLambdaFunction": {function}, "Users": {pool}}}}}"#
    );
    let path = ".serverless/cloudformation-template-update-stack.json";
    let told = check(&[(path, &text), ("src/announce.js", HANDLER)], &[path]).await;
    assert_eq!(told.code, Some(1), "{}{}", told.out, told.error);
    assert!(told.out.contains("[handler-without-event]") && told.out.contains("--> src/announce.js:"), "{}", told.out);
    assert!(told.out.contains("[trigger-without-permission]"), "{}", told.out);
}
