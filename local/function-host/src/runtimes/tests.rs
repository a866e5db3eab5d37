//! Handlers in JavaScript, Python and Rust, run by what is installed here.
//!
//! An interpreter that is missing is a test that is skipped with a line, except under CI, where it is a failure.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::testing::{Gate, Tandem, header, variable};

/// Whether `tool` can be run.
fn have(tool: &str) -> bool {
    let found = std::process::Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(found || variable("CI").is_none(), "{tool} must be installed where CI runs");
    if !found {
        println!("skipped: there is no {tool} here");
    }
    found
}

/// A host, and a project of one directory.
struct Project {
    tandem: Tandem,
    root: PathBuf,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let tandem = Tandem::with(|settings, _| settings.packages_dir = Some("/dev/null/packages".into()));
        let root = tandem.directory.path().join("project");
        let project = Self { tandem, root };
        for (name, text) in files {
            project.write(name, text);
        }
        project
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("it is made");
        fs::write(path, text).expect("it is written");
    }

    async fn create(&self, name: &str, runtime: &str, handler: &str, more: Value) {
        let mut members = json!({
            "Runtime": runtime, "Timeout": 20, "Code": {"S3Bucket": "hot-reload", "S3Key": self.root},
        });
        members.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.tandem.create_with(name, handler, members).await;
    }

    /// What a handler makes of an event.
    async fn run(&self, runtime: &str, handler: &str, event: Value) -> (Value, bool) {
        let name = handler.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        self.create(&name, runtime, handler, json!({})).await;
        let answer = self.tandem.invoke(&name, event).await;
        self.tandem.call("DeleteFunction", json!({"FunctionName": name})).await.expect("it is deleted");
        answer
    }

    #[track_caller]
    fn check(answer: &(Value, bool), expected: &Value) {
        assert_eq!(answer, &(expected.clone(), false));
    }

    /// The log of an invocation.
    async fn log(&self, name: &str, event: Value) -> String {
        let headers = [("x-amz-log-type", "Tail")];
        let reply = self.tandem.invoke_with(name, event, &headers).await.expect("it is invoked");
        let log = header(&reply, "x-amz-log-result").expect("a log");
        String::from_utf8(STANDARD.decode(log).expect("Base64")).expect("text")
    }
}

/// A failure: its type and its message, or how that begins.
#[track_caller]
fn check_failed((payload, failed): &(Value, bool), kind: &str, message: &str) {
    let text = payload["errorMessage"].as_str().expect("a message");
    assert!(*failed && payload["errorType"] == kind && text.starts_with(message), "{payload}");
}

const JAVASCRIPT: &str = r"
exports.returns = async (event, context) => ({ event, name: context.functionName, memory: context.memoryLimitInMB,
  time: context.getRemainingTimeInMillis() > 10000, trace: process.env._X_AMZN_TRACE_ID.startsWith('Root=1-') });
exports.waits = (event, context, callback) => { let n = 1; setTimeout(() => { n = 2; }, 20); callback(null, { get n() { return n; } }); };
exports.hurries = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false; setTimeout(() => {}, 60000); callback(null, 'now');
};
exports.done = (event, context) => { context.done(null, 'done'); context.done(null, 'twice'); };
exports.fails = (event, context) => context.fail(new TypeError('no'));
exports.throws = async () => { throw Object.assign(new Error('it broke'), { name: 'Broken' }); };
exports.never = () => new Promise(() => {});
exports.neverAsync = async () => new Promise(() => {});
exports.rejects = async () => { Promise.reject(new Error('lost')); await new Promise((then) => setTimeout(then, 10000)); };
exports.exits = async () => process.exit(3);
exports.inner = { handler: async () => undefined };
exports.number = 7;
exports.prints = async () => { console.log('two\nlines', { a: 1 }); console.error('bad'); process.stdout.write('raw\n'); };
exports.large = async () => { for (let i = 0; i < 1600; i++) process.stdout.write('x'.repeat(65535) + '\n'); };
exports.environment = async () => process.env;
exports.streams = awslambda.streamifyResponse(async (event, stream) => { stream.write('\'a'); stream.end('b\''.replaceAll('\'', '')); });
const leaves = (detached) => async ({ port }) => {
  const script = `require('net').connect(${port}).on('data', () => {})`;
  require('child_process').spawn(process.execPath, ['-e', script], { stdio: 'ignore', detached }).unref();
  await new Promise((then) => setTimeout(then, 100000));
};
exports.leaves = leaves(false);
exports.leavesForItself = leaves(true);
";

#[tokio::test]
async fn node_handlers_answer_in_all_their_ways() {
    if !have("node") {
        return;
    }
    let project = Project::new(&[
        ("index.js", JAVASCRIPT),
        ("src/user.mjs", "await null; export const handler = async () => import.meta.url.endsWith('user.mjs');"),
        ("module/package.json", r#"{"type": "module"}"#),
        (
            "module/index.js",
            "export const a = { b: async () => 'nested' }; export default { c: async () => 'default' };",
        ),
        ("old.cjs", "module.exports.handler = async () => 'cjs';"),
    ]);
    let (answer, failed) = project.run("nodejs20.x", "index.returns", json!({"a": "ü"})).await;
    assert!(!failed, "{answer}");
    let expected = json!({"event": {"a": "ü"}, "name": "index-returns", "memory": "128", "time": true, "trace": true});
    assert_eq!(answer, expected);
    for (handler, expected) in [
        ("index.waits", json!({"n": 2})),
        ("index.hurries", json!("now")),
        ("index.done", json!("done")),
        ("index.inner.handler", json!(null)),
        ("src/user.handler", json!(true)),
        ("module/index.a.b", json!("nested")),
        ("old.handler", json!("cjs")),
    ] {
        Project::check(&project.run("nodejs20.x", handler, json!({})).await, &expected);
    }
    Project::check(&project.run("nodejs24.x", "module/index.c", json!({})).await, &json!("default"));
    Project::check(&project.run("nodejs24.x", "old.handler", json!({})).await, &json!("cjs"));
}

/// As Lambda's managed runtimes have it; their open source has not.
const NODE_EXIT: &str = "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused \
                         by a Promise that was never settled. For more information, see \
                         https://nodejs.org/docs/latest/api/process.html#exit-codes";

#[tokio::test]
async fn node_failures_are_told_as_aws_tells_them() {
    if !have("node") {
        return;
    }
    let project = Project::new(&[
        ("index.js", JAVASCRIPT),
        ("syntax.js", "exports.handler = async () => {"),
        ("missing.js", "require('nowhere');"),
        (
            "late.js",
            // Within the invocation: a timer of the module may go off before the first one is there.
            "exports.handler = () => new Promise(() => setTimeout(() => { throw new RangeError('late'); }));",
        ),
    ]);
    for (runtime, handler, kind, message) in [
        ("nodejs20.x", "index.fails", "TypeError", "no"),
        ("nodejs20.x", "index.throws", "Broken", "it broke"),
        ("nodejs20.x", "index.neverAsync", "Runtime.NodeJsExit", NODE_EXIT),
        ("nodejs20.x", "index.rejects", "Runtime.UnhandledPromiseRejection", "Error: lost"),
        ("nodejs20.x", "index.number", "Runtime.HandlerNotFound", "index.number is not a function"),
        ("nodejs20.x", "index.gone", "Runtime.HandlerNotFound", "index.gone is undefined or not exported"),
        ("nodejs20.x", "index", "Runtime.MalformedHandlerName", "Bad handler"),
        ("nodejs20.x", "../index.a", "Runtime.MalformedHandlerName", "'../index.a' is not a valid handler name."),
        ("nodejs20.x", "syntax.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
        ("nodejs20.x", "missing.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'nowhere'\nRequire"),
        ("nodejs20.x", "absent.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'absent'\nRequire"),
        ("nodejs20.x", "late.handler", "RangeError", "late"),
        ("nodejs24.x", "index.waits", "Runtime.CallbackHandlerDeprecated", "ERROR: AWS Lambda has removed support"),
    ] {
        check_failed(&project.run(runtime, handler, json!({})).await, kind, message);
    }
    Project::check(&project.run("nodejs20.x", "index.never", json!({})).await, &json!(null));
    let exited = project.run("nodejs20.x", "index.exits", json!({})).await;
    check_failed(&exited, "Runtime.ExitError", "RequestId: ");
    assert!(exited.0["errorMessage"].as_str().is_some_and(|text| text.ends_with("exit status 3")), "{exited:?}");
    let (thrown, _) = project.run("nodejs20.x", "index.throws", json!({})).await;
    assert_eq!(thrown["trace"][0], "Broken: it broke");
}

#[tokio::test]
async fn node_logs_are_framed() {
    if !have("node") {
        return;
    }
    let project = Project::new(&[("index.js", JAVASCRIPT)]);
    project.create("f", "nodejs20.x", "index.prints", json!({})).await;
    let log = project.log("f", json!({})).await;
    let entries: Vec<Vec<&str>> = log.lines().map(|line| line.split('\t').collect()).collect();
    let of = |level: &str| entries.iter().find(|entry| entry.get(2) == Some(&level)).expect("an entry")[3];
    assert_eq!((of("INFO"), of("ERROR")), ("two\rlines { a: 1 }", "bad"));
    assert!(log.contains("\nraw\n"), "{log}");
    project.create("g", "nodejs20.x", "index.prints", json!({"LoggingConfig": {"LogFormat": "JSON"}})).await;
    let log = project.log("g", json!({})).await;
    let entry = log.lines().find_map(|line| serde_json::from_str::<Value>(line).ok()).expect("an entry");
    assert_eq!((&entry["level"], &entry["message"]), (&json!("INFO"), &json!("two\nlines { a: 1 }")));
}

#[tokio::test]
async fn a_function_that_prints_without_end_is_bounded_and_answers() {
    if !have("node") {
        return;
    }
    let project = Project::new(&[("index.js", JAVASCRIPT)]);
    Project::check(&project.run("nodejs20.x", "index.large", json!({})).await, &json!(null));
}

#[tokio::test]
async fn children_end_with_their_function() {
    if !have("node") {
        return;
    }
    let project = Project::new(&[("index.js", JAVASCRIPT)]);
    check_child(&project, "index.leaves").await;
    if cfg!(target_os = "linux") {
        check_child(&project, "index.leavesForItself").await;
    }
}

/// A child that the handler has started is gone when its time is over.
async fn check_child(project: &Project, handler: &str) {
    let name = handler.replace('.', "-");
    project.create(&name, "nodejs20.x", handler, json!({"Timeout": 2})).await;
    let gate = Gate::open().await;
    let (answer, child) = tokio::join!(project.tandem.invoke(&name, gate.event()), gate.next());
    check_failed(&answer, "Sandbox.Timedout", "RequestId: ");
    child.gone().await;
}

#[tokio::test]
async fn functions_see_lambdas_environment_and_not_ours() {
    if !have("node") {
        return;
    }
    let project = Project::new(&[("index.js", JAVASCRIPT)]);
    let (seen, _) = project.run("nodejs20.x", "index.environment", json!({})).await;
    let variable = |name: &str| seen[name].as_str();
    assert_eq!(variable("AWS_EXECUTION_ENV"), Some("AWS_Lambda_nodejs20.x"));
    assert_eq!(variable("LAMBDA_TASK_ROOT"), project.root.to_str());
    assert_eq!(variable("AWS_CONFIG_FILE"), Some("/dev/null"));
    assert_eq!(variable("AWS_SHARED_CREDENTIALS_FILE"), Some("/dev/null"));
    assert!(variable("NODE_PATH").is_some_and(|path| path.ends_with(project.root.to_str().expect("text"))));
    for foreign in ["HOME", "AWS_PROFILE", "CARGO_MANIFEST_DIR", "USER"] {
        assert_eq!(variable(foreign), None, "{foreign}");
    }
}

const PYTHON: &str = r#"
import decimal, logging, os, sys, time
log = logging.getLogger()
log.setLevel("INFO")
def returns(event, context):
    return {"event": event, "name": context.function_name, "time": context.get_remaining_time_in_millis() > 10000,
            "trace": os.environ["_X_AMZN_TRACE_ID"].startswith("Root=1-"), "home": os.environ.get("HOME")}
def exact(event, context): return {"price": decimal.Decimal("1.5"), "text": b"bytes", "big": 2 ** 70}
def fails(event, context): raise KeyError("gone")
def strange(event, context): return object()
def exits(event, context): sys.exit(4)
def crashes(event, context): os.abort()
def prints(event, context):
    print("printed"); log.info("logged %d", 7)
    try: 1 / 0
    except ZeroDivisionError: log.exception("caught")
def hangs(event, context): time.sleep(100)
"#;

#[tokio::test]
async fn python_handlers_answer() {
    if !have("python3") {
        return;
    }
    let project = Project::new(&[
        ("app.py", PYTHON),
        ("package/__init__.py", ""),
        ("package/deep.py", "from app import exact as handler"),
    ]);
    let (answer, failed) = project.run("python3.12", "app.returns", json!({"a": "ü"})).await;
    assert!(!failed, "{answer}");
    let expected = json!({"event": {"a": "ü"}, "name": "app-returns", "time": true, "trace": true, "home": null});
    assert_eq!(answer, expected);
    let exact: Value =
        serde_json::from_str(r#"{"price": 1.5, "text": "bytes", "big": 1180591620717411303424}"#).expect("JSON");
    for handler in ["app.exact", "package.deep.handler", "package/deep.handler"] {
        Project::check(&project.run("python3.12", handler, json!({})).await, &exact);
    }
}

#[tokio::test]
async fn python_failures_are_told_as_aws_tells_them() {
    if !have("python3") {
        return;
    }
    let project = Project::new(&[
        ("app.py", PYTHON),
        ("syntax.py", "def handler(:"),
        ("missing.py", "import nowhere"),
        ("raises.py", "raise RuntimeError('at import')"),
    ]);
    for (handler, kind, message) in [
        ("app.fails", "KeyError", "'gone'"),
        ("app.strange", "Runtime.MarshalError", "Unable to marshal response: Object of type object is not JSON"),
        ("app.gone", "Runtime.HandlerNotFound", "Handler 'gone' missing on module 'app'"),
        ("app", "Runtime.MalformedHandlerName", "Bad handler 'app': not enough values to unpack"),
        ("sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
        ("syntax.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'syntax': invalid syntax"),
        (
            "missing.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'missing': No module named 'nowhere'",
        ),
        ("absent.handler", "Runtime.ImportModuleError", "Unable to import module 'absent': No module named 'absent'"),
        ("raises.handler", "RuntimeError", "at import"),
    ] {
        check_failed(&project.run("python3.12", handler, json!({})).await, kind, message);
    }
    let (failed, _) = project.run("python3.12", "app.fails", json!({})).await;
    let frame = failed["stackTrace"][0].as_str().expect("a frame");
    assert!(frame.contains("app.py\", line ") && frame.contains("in fails"), "{failed}");
    for (handler, ending) in [("app.exits", "exit status 4"), ("app.crashes", "signal: aborted")] {
        let (exited, _) = project.run("python3.12", handler, json!({})).await;
        assert_eq!(exited["errorType"], "Runtime.ExitError");
        assert!(exited["errorMessage"].as_str().is_some_and(|text| text.contains(ending)), "{exited}");
    }
}

#[tokio::test]
async fn python_logs_are_framed() {
    if !have("python3") {
        return;
    }
    let project = Project::new(&[("app.py", PYTHON)]);
    project.create("f", "python3.12", "app.prints", json!({})).await;
    let log = project.log("f", json!({})).await;
    let entry = log.lines().find(|line| line.starts_with("[INFO]\t")).expect("an entry");
    assert!(entry.ends_with("\tlogged 7") && log.contains("printed\n"), "{log}");
    project.create("g", "python3.12", "app.prints", json!({"LoggingConfig": {"LogFormat": "JSON"}})).await;
    let log = project.log("g", json!({})).await;
    let entries: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!((&entries[0]["message"], &entries[1]["errorType"]), (&json!("logged 7"), &json!("ZeroDivisionError")));
}

#[tokio::test]
async fn changed_source_runs_at_the_next_invocation() {
    if !have("node") {
        return;
    }
    let project = Project::new(&[("index.js", "exports.handler = async () => require('./lib/answer');")]);
    project.write("lib/answer.js", "module.exports = 1;");
    project.create("f", "nodejs20.x", "index.handler", json!({})).await;
    assert_eq!(project.tandem.invoke("f", json!({})).await.0, 1);
    project.write("lib/answer.js", "module.exports = 22;");
    while project.tandem.invoke("f", json!({})).await.0 == 1 {} // we look a few times a second
    assert_eq!(project.tandem.invoke("f", json!({})).await.0, 22);
}

#[tokio::test]
async fn inline_source_and_archives_on_disk_run() {
    if !have("python3") {
        return;
    }
    let project = Project::new(&[]);
    let inline = json!({"Code": {"S3Bucket": "inline", "S3Key": "def handler(event, context): return event['a'] + 1"}});
    project.create("inline", "python3.12", "index.handler", inline).await;
    Project::check(&project.tandem.invoke("inline", json!({"a": 1})).await, &json!(2));
    let archive = crate::testing::zipped(&[("app.py", "handler = lambda event, context: 'from an archive'")]);
    let path = project.tandem.directory.path().join("code.zip");
    fs::write(&path, STANDARD.decode(archive).expect("Base64")).expect("it is written");
    let code = json!({"Code": {"S3Bucket": "local", "S3Key": path}});
    project.create("archive", "python3.12", "app.handler", code).await;
    Project::check(&project.tandem.invoke("archive", json!({})).await, &json!("from an archive"));
}

#[tokio::test]
async fn layers_lie_where_aws_has_opt() {
    if !have("node") || !have("python3") {
        return;
    }
    let project = Project::new(&[
        ("index.js", "exports.handler = async () => require('greeting');"),
        ("index.mjs", "import greeting from 'greeting'; export const handler = async () => greeting;"),
        ("esm.mjs", "import greeting from 'greeting'; export const handler = async () => greeting;"),
        ("app.py", "import greeting\ndef handler(event, context): return greeting.TEXT"),
    ]);
    let mut layers = Vec::new();
    for (name, files) in [
        ("js", vec![("nodejs/node_modules/greeting/index.js", "module.exports = 'hello';")]),
        ("py", vec![("python/greeting.py", "TEXT = 'hello'"), ("bin/tool", "")]),
    ] {
        let content = json!({"ZipFile": crate::testing::zipped(&files)});
        let published = json!({"LayerName": name, "Content": content});
        let published = project.tandem.call("PublishLayerVersion", published).await.expect("it is published");
        layers.push(published["LayerVersionArn"].clone());
    }
    for (name, runtime, handler) in
        [("a", "nodejs20.x", "index.handler"), ("b", "nodejs20.x", "esm.handler"), ("c", "python3.12", "app.handler")]
    {
        project.create(name, runtime, handler, json!({"Layers": layers})).await;
        Project::check(&project.tandem.invoke(name, json!({})).await, &json!("hello"));
    }
}

#[tokio::test]
async fn typescript_is_bundled_by_the_projects_own_esbuild() {
    if !have("node") {
        return;
    }
    let project = Project::new(&[("src/user.ts", "export const handler = async (): Promise<string> => 'typed';")]);
    // A stand-in that understands what it is asked for as well as the real one does.
    let script = "#!/bin/sh\nfor argument; do case $argument in --outfile=*) out=${argument#--outfile=};; esac; done\n\
                  mkdir -p \"${out%/*}\"; echo \"exports.handler = async () => 'bundled'\" > \"$out\"\n";
    project.write("node_modules/.bin/esbuild", script);
    let esbuild = project.root.join("node_modules/.bin/esbuild");
    fs::set_permissions(&esbuild, PermissionsExt::from_mode(0o755)).expect("it may run");
    Project::check(&project.run("nodejs20.x", "src/user.handler", json!({})).await, &json!("bundled"));
    project.write("node_modules/.bin/esbuild", "#!/bin/sh\necho 'src/user.ts:1:1: ERROR' >&2; exit 1\n");
    let failed = project.run("nodejs20.x", "src/user.handler", json!({})).await;
    check_failed(&failed, "Runtime.InvalidEntrypoint", "RequestId: ");
    let text = failed.0["errorMessage"].as_str().expect("a message");
    assert!(text.ends_with("esbuild failed: src/user.ts:1:1: ERROR"), "{text}");
}

/// Whether the `node` that is installed strips types; the reason is printed if not.
fn node_strips_types() -> bool {
    let output = std::process::Command::new("node").arg("--version").output().expect("it runs");
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut parts = version.trim_start_matches('v').split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let strips = (parts.next(), parts.next()) >= (Some(22), Some(6));
    if !strips {
        println!("the handler does not run: node is {version}, and strips types from 22.6 on");
    }
    strips
}

#[tokio::test]
async fn typescript_runs_without_esbuild_where_node_strips_types_and_says_what_helps_where_not() {
    if !have("node") {
        return;
    }
    let handler = "export const handler = async (event: { name: string }): Promise<string> => `hello ${event.name}`;";
    let project = Project::new(&[("src/user.mts", handler)]);
    let answer = project.run("nodejs22.x", "src/user.handler", json!({"name": "you"})).await;
    if node_strips_types() {
        Project::check(&answer, &json!("hello you"));
    } else {
        check_failed(&answer, "Runtime.InvalidEntrypoint", "RequestId: ");
        let line = last_line(&answer);
        assert!(line.contains("install Node.js 22.18 or newer, or esbuild in the project"), "{line}");
    }
}

#[tokio::test]
async fn rust_projects_are_built_and_errors_are_shown() {
    let project = Project::new(&[
        ("Cargo.toml", "[package]\nname = \"tiny\"\nedition = \"2021\"\n[workspace]\n"),
        ("src/main.rs", "fn main() { std::process::exit(NOTHING) }"),
    ]);
    project.create("f", "provided.al2023", "any", json!({})).await;
    let (failed, _) = project.tandem.invoke("f", json!({})).await;
    let text = failed["errorMessage"].as_str().expect("a message");
    assert!(text.contains("cargo build failed: error[E0425]"), "{text}");
    project.write("src/main.rs", "fn main() { std::process::exit(5) }");
    let exited = async || {
        let (payload, _) = project.tandem.invoke("f", json!({})).await;
        payload["errorMessage"].as_str().expect("a message").contains("exit status 5")
    };
    while !exited().await {} // we look a few times a second
}

/// The last line of a failure's message.
fn last_line((payload, _): &(Value, bool)) -> String {
    payload["errorMessage"].as_str().and_then(|text| text.lines().last()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_package_that_node_does_not_find_is_named_with_the_command_that_installs_it() {
    if !have("node") {
        return;
    }
    let project = Project::new(&[
        ("package.json", r#"{"dependencies": {"listed": "^1"}}"#),
        ("one.js", "require('nowhere/deep');"),
        ("scoped.mjs", "import '@a/b/c';"),
        ("needs.js", "require('listed');"),
        ("own.js", "require('./lib/gone');"),
        ("sdk.js", "require('@aws-sdk/client-s3');"),
    ]);
    let root = project.root.display().to_string();
    let packages = "/dev/null/packages/aws-sdk-3";
    for (handler, command) in [
        ("one.handler", format!("npm install --prefix {root} nowhere")),
        ("scoped.handler", format!("npm install --prefix {root} @a/b")),
        ("needs.handler", format!("npm install --prefix {root}")),
        ("sdk.handler", format!("npm install --prefix {packages} '@aws-sdk/client-s3@<=3.1169.0'")),
    ] {
        let failed = project.run("nodejs20.x", handler, json!({})).await;
        assert_eq!(last_line(&failed), format!("[tandem] To install it: {command}"), "{handler}");
    }
    for handler in ["own.handler", "absent.handler"] {
        let failed = project.run("nodejs20.x", handler, json!({})).await;
        assert!(failed.1 && !last_line(&failed).contains("[tandem]"), "{failed:?}");
    }
}

#[tokio::test]
async fn a_package_that_python_does_not_find_is_named_with_the_command_that_installs_it() {
    if !have("python3") {
        return;
    }
    let project = Project::new(&[
        ("requirements.txt", "# what it needs\nlisted-one >= 2 ; python_version > '3'\n"),
        ("one.py", "import nowhere.deep"),
        ("needs.py", "import listed_one"),
        ("own.py", "from package import gone"),
        ("package/__init__.py", ""),
    ]);
    let root = project.root.display().to_string();
    for (handler, named, arguments) in [
        ("one.handler", " (if its package is called so)", format!("--target {root} nowhere")),
        ("needs.handler", "", format!("--target {root} -r {root}/requirements.txt")),
    ] {
        let line = last_line(&project.run("python3.12", handler, json!({})).await);
        let begins = line.starts_with(&format!("[tandem] To install it{named}: /"));
        assert!(begins && line.ends_with(&format!(" -m pip install {arguments}")), "{line}");
    }
    for handler in ["own.handler", "absent.handler"] {
        let failed = project.run("python3.12", handler, json!({})).await;
        assert!(failed.1 && !last_line(&failed).contains("[tandem]"), "{failed:?}");
    }
}

/// What was uploaded lies where nobody should install anything.
#[tokio::test]
async fn what_an_archive_lacks_is_installed_before_it_is_packed() {
    if !have("node") {
        return;
    }
    let project = Project::new(&[]);
    let archive = crate::testing::zipped(&[("index.js", "require('nowhere')")]);
    project.create("f", "nodejs20.x", "index.handler", json!({"Code": {"ZipFile": archive}})).await;
    let line = last_line(&project.tandem.invoke("f", json!({})).await);
    let command = "npm install nowhere (in the project, before it is packed)";
    assert_eq!(line, format!("[tandem] To install it: {command}"));
}

#[tokio::test]
async fn preparing_waits_until_a_project_is_built() {
    let project = Project::new(&[
        ("Cargo.toml", "[package]\nname = \"waited-for\"\nedition = \"2021\"\nbuild = \"build.rs\"\n[workspace]\n"),
        ("build.rs", "fn main() { std::fs::write(\"built\", \"\").unwrap() }"),
        ("src/main.rs", "fn main() {}"),
    ]);
    project.create("f", "provided.al2023", "any", json!({})).await;
    project.tandem.host.prepare("f").await;
    assert!(project.root.join("built").is_file());
}

#[tokio::test]
async fn preparing_names_what_cannot_be_built() {
    let project = Project::new(&[
        ("Cargo.toml", "[package]\nname = \"tiny\"\nedition = \"2021\"\n[workspace]\n"),
        ("src/main.rs", "fn main() { NOTHING }"),
    ]);
    project.create("f", "provided.al2023", "any", json!({})).await;
    let failed = project.tandem.host.prepare_all().await;
    let [(name, why)] = failed.as_slice() else { panic!("{failed:?}") };
    assert!(name == "f" && why.contains("error[E0425]"), "{name}: {why}");
}

#[tokio::test]
async fn an_old_botocore_is_told_the_endpoint() {
    if !have("python3") {
        return;
    }
    // As much of it as matters: the version, and who makes clients.
    let session = "class Session:\n    def create_client(self, service_name, region_name=None, endpoint_url=None):\n        \
                   return endpoint_url\n";
    let app = "import os\nimport botocore.session\ndef handler(event, context):\n    session = \
               botocore.session.Session()\n    own = session.create_client('sqs', endpoint_url='http://mine')\n    return \
               [session.create_client('events') == os.environ['AWS_ENDPOINT_URL'], own]\n";
    for (version, reached) in [("1.29.165", true), ("1.31.0", false)] {
        let project = Project::new(&[
            ("app.py", app),
            ("botocore/__init__.py", &format!("__version__ = '{version}'\n")),
            ("botocore/session.py", session),
        ]);
        Project::check(&project.run("python3.9", "app.handler", json!({})).await, &json!([reached, "http://mine"]));
    }
}
