//! `tandem reconcile` and `tandem backfill` against the local cloud, whose clients know nothing of it.
//!
//! One of them is killed with -9 in the middle. What could be lost is what had been read, and what could be wrong is a
//! page that counts twice; neither is so, because a page counts from the moment on at which the progress says so.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client as Pools;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType};
use aws_sdk_lambda::Client as Lambda;
use e2e::{Server, binary};
use serde_json::Value;
use tokio::process::Command;

fn tandem(server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).args(["--endpoint-url", &server.endpoint]).stdin(Stdio::null()).kill_on_drop(true);
    for name in ["USER_POOL_ID", "TABLE_NAME", "EVENT_BUS_NAME", "EVENT_ATTRIBUTES", "UNIQUE_EMAIL", "AWS_PROFILE"] {
        command.env_remove(name);
    }
    command
}

/// A pool that nothing hangs on: whatever happens in it, nobody tells.
async fn quiet_pool(pools: &Pools) -> String {
    let pool = pools.create_user_pool().pool_name("quiet").send().await.expect("CreateUserPool");
    pool.user_pool.and_then(|pool| pool.id).expect("an id")
}

/// A run that keeps its progress in a directory of its own; its exit code and its report.
async fn reconciled(server: &Server, pool: &str, further: &[&str]) -> (i32, Value) {
    let place = tempfile::tempdir().expect("a directory");
    let state = place.path().join("state");
    let arguments = ["reconcile", "--json", "--min-age", "0s", "--user-pool-id", pool, "--state", text(&state)];
    let mut command = tandem(server, &arguments);
    let output = command.args(further).output().await.expect("it runs");
    assert!(!state.exists(), "nothing is left behind");
    report(&output)
}

fn report(output: &Output) -> (i32, Value) {
    let code = output.status.code().expect("it ends by itself");
    let error = String::from_utf8_lossy(&output.stderr);
    (code, serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{code}: {error}")))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// `kind fields outcome` of each finding, in order.
fn lines(report: &Value) -> Vec<String> {
    let line = |finding: &Value| {
        let fields = finding["fields"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let fields = fields.collect::<Vec<_>>().join(",");
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        format!("{} {fields} {}", text("kind"), text("outcome")).replace("  ", " ")
    };
    let mut lines: Vec<String> = report["findings"].as_array().expect("findings").iter().map(line).collect();
    lines.sort();
    lines
}

async fn create(pools: &Pools, pool: &str, address: &str) {
    let create = pools.admin_create_user().user_pool_id(pool).username(address);
    let email = AttributeType::builder().name("email").value(address).build().expect("an attribute");
    let verified = AttributeType::builder().name("email_verified").value("true").build().expect("an attribute");
    let create = create.user_attributes(email).user_attributes(verified).message_action(MessageActionType::Suppress);
    create.send().await.expect("AdminCreateUser");
}

#[tokio::test]
async fn a_table_comes_in_step_with_whatever_happened_in_the_pool() {
    let server = Server::in_memory().await;
    let pools = Pools::new(&server.config());
    let pool = quiet_pool(&pools).await;
    for name in ["ann", "bob", "cleo", "dan"] {
        create(&pools, &pool, &format!("{name}@example.com")).await;
    }

    let (code, report) = reconciled(&server, &pool, &[]).await;
    assert_eq!((code, lines(&report)), (1, vec!["missing found".to_owned(); 4]));
    let (code, report) = reconciled(&server, &pool, &["--repair"]).await;
    assert_eq!((code, lines(&report)), (0, vec!["missing applied".to_owned(); 4]));
    assert_eq!(reconciled(&server, &pool, &[]).await.0, 0);

    let named = |name: &str| format!("{name}@example.com");
    pools.admin_delete_user().user_pool_id(&pool).username(named("ann")).send().await.expect("AdminDeleteUser");
    pools.admin_disable_user().user_pool_id(&pool).username(named("bob")).send().await.expect("AdminDisableUser");
    let email = AttributeType::builder().name("name").value("Cleo").build().expect("an attribute");
    let update =
        pools.admin_update_user_attributes().user_pool_id(&pool).username(named("cleo")).user_attributes(email);
    update.send().await.expect("AdminUpdateUserAttributes");
    pools.create_group().user_pool_id(&pool).group_name("staff").send().await.expect("CreateGroup");
    let add = pools.admin_add_user_to_group().user_pool_id(&pool).group_name("staff").username(named("dan"));
    add.send().await.expect("AdminAddUserToGroup");

    let drift = ["differs enabled", "differs groups", "differs name", "orphan"];
    let (code, report) = reconciled(&server, &pool, &[]).await;
    assert_eq!((code, lines(&report)), (1, drift.map(|line| format!("{line} found")).to_vec()));
    let (code, report) = reconciled(&server, &pool, &["--repair", "--event-bus", "tandem"]).await;
    assert_eq!((code, lines(&report)), (0, drift.map(|line| format!("{line} published")).to_vec()));
    server.settle().await;
    assert_eq!(lines(&reconciled(&server, &pool, &[]).await.1), Vec::<String>::new());
}

#[tokio::test]
async fn young_users_are_left_alone_unless_somebody_says_otherwise() {
    let server = Server::in_memory().await;
    let pools = Pools::new(&server.config());
    let pool = quiet_pool(&pools).await;
    create(&pools, &pool, "ann@example.com").await;
    let place = tempfile::tempdir().expect("a directory");
    let state = place.path().join("state");
    let output = tandem(&server, &["reconcile", "--json", "--user-pool-id", &pool, "--state", text(&state)])
        .output()
        .await
        .expect("it runs");
    let (code, report) = report(&output);
    assert_eq!((code, &report["counts"]["young"]), (0, &1.into()));
    // The server's clock counts, not this machine's.
    server.advance(Duration::from_secs(601)).await;
    let output = tandem(&server, &["reconcile", "--json", "--user-pool-id", &pool, "--state", text(&state)])
        .output()
        .await
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn a_run_that_is_killed_goes_on_where_it_was() {
    const USERS: usize = 150;
    let server = Server::in_memory().await;
    let pools = Pools::new(&server.config());
    let pool = quiet_pool(&pools).await;
    for number in 0..USERS {
        create(&pools, &pool, &format!("user-{number}@example.com")).await;
    }
    let place = tempfile::tempdir().expect("a directory");
    let state = place.path().join("state");
    let arguments = [
        "reconcile",
        "--json",
        "--min-age",
        "0s",
        "--no-groups",
        "--repair",
        "--user-pool-id",
        &pool,
        "--state",
        text(&state),
    ];
    // Slow enough that there is a middle.
    let mut slow = tandem(&server, &arguments);
    let mut slow = slow.args(["--rate", "2"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let progress = state.join("progress.json");
    let has_read = || std::fs::read_to_string(&progress).is_ok_and(|progress| progress.contains(r#""users":60"#));
    tokio::time::timeout(Duration::from_secs(30), async {
        while !has_read() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("a page is read");
    slow.kill().await.expect("it is killed");

    let (code, report) = report(&tandem(&server, &arguments).output().await.expect("it runs"));
    assert_eq!((code, report["findings"].as_array().expect("findings").len()), (0, USERS));
    assert_eq!(report["counts"]["users"], USERS);
    let asked = report["requests"]["byOperation"]["ListUsers"].as_u64().expect("a number");
    assert_eq!(asked, 3 + 150, "three pages, none of them twice, and a look at each user");
    assert!(!state.exists(), "nothing is left behind");
    assert_eq!(reconciled(&server, &pool, &["--no-groups"]).await.0, 0);
}

#[tokio::test]
async fn on_the_first_day_everybody_gets_a_profile() {
    let server = Server::in_memory().await;
    let pools = Pools::new(&server.config());
    let pool = quiet_pool(&pools).await;
    for number in 0..70 {
        create(&pools, &pool, &format!("user-{number}@example.com")).await;
    }
    let place = tempfile::tempdir().expect("a directory");
    let state = place.path().join("state");
    for (written, unchanged) in [(70, 0), (0, 70)] {
        let output = tandem(&server, &["backfill", "--json", "--user-pool-id", &pool, "--state", text(&state)])
            .output()
            .await
            .expect("it runs");
        let (code, done) = report(&output);
        assert_eq!((code, &done["written"], &done["unchanged"]), (0, &written.into(), &unchanged.into()), "{done}");
    }
    assert_eq!(reconciled(&server, &pool, &[]).await.0, 0);
}

#[tokio::test]
async fn the_function_does_the_same() {
    let server = Server::in_memory().await;
    create(&Pools::new(&server.config()), server.of_stack("userPoolId"), "ann@example.com").await;
    server.settle().await;
    // Whoever told of the user, somebody takes the profile away.
    let tables = aws_sdk_dynamodb::Client::new(&server.config());
    let table = server.of_stack("tableName");
    let items = tables.scan().table_name(table).send().await.expect("Scan").items.unwrap_or_default();
    for mut item in items {
        let (pk, sk) = (item.remove("pk").expect("a key"), item.remove("sk").expect("a key"));
        tables.delete_item().table_name(table).key("pk", pk).key("sk", sk).send().await.expect("DeleteItem");
    }
    let lambda = Lambda::new(&server.config());
    let mut answers = Vec::new();
    for payload in [r#"{"minAge": 0}"#, r#"{"minAge": 0, "repair": true}"#, r#"{"minAge": 0}"#] {
        let invoke = lambda.invoke().function_name("reconcile-profiles").payload(payload.as_bytes().into());
        let answer = invoke.send().await.expect("Invoke");
        let body: Value = serde_json::from_slice(answer.payload().expect("an answer").as_ref()).expect("JSON");
        assert!(answer.function_error().is_none(), "{body}");
        server.settle().await; // a repair is an event
        answers.push((body["done"] == true, body["left"].as_u64(), body["report"]["counts"]["users"].as_u64()));
    }
    assert_eq!(answers, [(true, Some(1), Some(1)), (true, Some(0), Some(1)), (true, Some(0), Some(1))]);
}

#[tokio::test]
async fn what_cannot_be_run_says_so_in_one_line() {
    let server = Server::in_memory().await;
    let place = tempfile::tempdir().expect("a directory");
    let state = place.path().join("state");
    for (arguments, expected) in [
        (&["--user-pool-id", "us-east-1_Nowhere00"][..], "does not exist here"),
        (&["--table", "nowhere"], "does not exist here"),
        (&["--user-pool-id", "me"], "is no user pool's id"),
        (&["--min-age", "soon"], "--min-age takes a time"),
        (&["--output", "/nowhere/at/all"], "cannot write /nowhere/at/all"),
    ] {
        let output = tandem(&server, &["reconcile", "--state", text(&state)]).args(arguments).output().await;
        let output = output.expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        assert!(error.contains(expected), "{error}");
    }
}
