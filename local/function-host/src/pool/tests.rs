//! Who gets which sandbox, and when another is started.

use serde_json::json;

use crate::testing::{Gate, Tandem};

/// Returns when so many sandboxes of `f` are idle: an answer reaches us before its process asks for more.
async fn idle(tandem: &Tandem, count: usize) {
    while tandem.host.named("f").is_some_and(|f| f.pool.idle_count() != count) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_warm_sandbox_is_used_again() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    for invocations in 1..=5 {
        assert_eq!(tandem.invoke("f", json!({})).await.0["invocations"], invocations);
    }
    assert_eq!(tandem.host.sandboxes(), 1);
}

#[tokio::test]
async fn busy_sandboxes_get_company() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let gate = Gate::open().await;
    let work = async {
        let (first, second) = (gate.next().await, gate.next().await);
        first.let_go().await;
        second.let_go().await;
    };
    let ((one, _), (two, _), ()) =
        tokio::join!(tandem.invoke("f", gate.event()), tandem.invoke("f", gate.event()), work);
    assert_ne!(one["process"], two["process"]);
}

#[tokio::test]
async fn beyond_the_limit_they_wait_in_order() {
    let tandem = Tandem::with(|settings, limits| {
        settings.sandboxes_per_function_max = 1;
        limits.sandboxes_max = 1;
    });
    tandem.create("f", "h").await;
    let gate = Gate::open().await;
    let work = async {
        for _ in 0..3 {
            let waiting = gate.next().await;
            assert!(gate.is_quiet().await, "only one works at a time");
            waiting.let_go().await;
        }
    };
    let invoke = || tandem.invoke("f", gate.event());
    let ((one, _), (two, _), (three, _), ()) = tokio::join!(invoke(), invoke(), invoke(), work);
    assert!(one["process"] == two["process"] && two["process"] == three["process"]);
    assert_eq!(tandem.host.sandboxes(), 1);
}

#[tokio::test]
async fn the_one_used_last_is_used_first() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let gate = Gate::open().await;
    let work = async {
        let (first, second) = (gate.next().await, gate.next().await);
        first.let_go().await;
        second.let_go().await;
    };
    tokio::join!(tandem.invoke("f", gate.event()), tandem.invoke("f", gate.event()), work);
    idle(&tandem, 2).await;
    let used = tandem.invoke("f", json!({})).await.0["process"].clone();
    for _ in 0..4 {
        idle(&tandem, 2).await;
        assert_eq!(tandem.invoke("f", json!({})).await.0["process"], used);
    }
}

#[tokio::test]
async fn reserved_concurrency_is_all_there_is() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let reserve = json!({"FunctionName": "f", "ReservedConcurrentExecutions": 1});
    tandem.call("PutFunctionConcurrency", reserve).await.expect("it is reserved");
    let gate = Gate::open().await;
    let throttled = async {
        let waiting = gate.next().await;
        let error = tandem.invoke_with("f", json!({}), &[]).await.expect_err("one runs");
        waiting.let_go().await;
        error
    };
    let (result, error) = tokio::join!(tandem.invoke("f", gate.event()), throttled);
    assert!(!result.1);
    assert_eq!((error.short_code(), error.status.as_u16()), ("TooManyRequestsException", 429));
    assert_eq!(error.message, "Rate Exceeded.");
    assert_eq!(error.members["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert!(!tandem.invoke("f", json!({})).await.1, "there is room again");
    tandem.call("DeleteFunctionConcurrency", json!({"FunctionName": "f"})).await.expect("it is free again");
    assert_eq!(tandem.call("GetFunctionConcurrency", json!({"FunctionName": "f"})).await.expect("none"), json!({}));
}

#[tokio::test]
async fn a_changed_function_gets_new_sandboxes_and_finishes_in_the_old() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let gate = Gate::open().await;
    let change = async {
        let waiting = gate.next().await;
        let input = json!({"FunctionName": "f", "Environment": {"Variables": {"STAGE": "two"}}});
        tandem.call("UpdateFunctionConfiguration", input).await.expect("it is changed");
        let seen = tandem.invoke("f", json!({"do": "environment"})).await.0;
        assert_eq!(seen["environment"]["STAGE"], "two");
        waiting.let_go().await;
    };
    let ((_, failed), ()) = tokio::join!(tandem.invoke("f", gate.event()), change);
    assert!(!failed);
    let mut sandboxes = tandem.host.surroundings.sandboxes();
    sandboxes.wait_for(|count| *count == 1).await.expect("the old one ends");
}

#[tokio::test]
async fn a_setting_that_does_not_matter_to_a_sandbox_leaves_it_alone() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let process = tandem.invoke("f", json!({})).await.0["process"].clone();
    let tag = json!({"Resource": "arn:aws:lambda:us-east-1:000000000000:function:f", "Tags": {"a": "b"}});
    tandem.call("TagResource", tag).await.expect("it is tagged");
    assert_eq!(tandem.invoke("f", json!({})).await.0["process"], process);
}

#[tokio::test]
async fn a_process_that_dies_while_it_is_idle_is_not_used_any_more() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let process = tandem.invoke("f", json!({})).await.0["process"].as_i64().expect("a number");
    idle(&tandem, 1).await;
    let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is killed");
    idle(&tandem, 0).await;
    assert_eq!(tandem.invoke("f", json!({})).await.0["invocations"], 1);
}

#[tokio::test]
async fn an_idle_sandbox_is_ended_at_last() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    tandem.invoke("f", json!({})).await;
    idle(&tandem, 1).await;
    let mut sandboxes = tandem.host.surroundings.sandboxes();
    tokio::time::pause();
    tokio::time::advance(tandem.host.surroundings.limits.idle_time * 2).await;
    sandboxes.wait_for(|count| *count == 0).await.expect("it ends");
}

#[tokio::test]
async fn a_shutdown_ends_everything() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    let gate = Gate::open().await;
    let shutdown = async {
        let waiting = gate.next().await;
        tandem.host.shutdown().await;
        waiting.gone().await;
    };
    let ((payload, failed), ()) = tokio::join!(tandem.invoke("f", gate.event()), shutdown);
    assert!(failed, "{payload}");
    assert_eq!(tandem.host.sandboxes(), 0);
    let error = tandem.invoke_with("f", json!({}), &[]).await.expect_err("it is closed");
    assert_eq!((error.short_code(), error.status.as_u16()), ("ServiceException", 500));
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let tandem = Tandem::new();
    tandem.create("f", "h").await;
    tandem.invoke("f", json!({})).await;
    tandem.host.reset().await.expect("it forgets");
    assert_eq!(tandem.invoke_with("f", json!({}), &[]).await.expect_err("it is gone").status.as_u16(), 404);
    let mut sandboxes = tandem.host.surroundings.sandboxes();
    sandboxes.wait_for(|count| *count == 0).await.expect("its sandbox ends");
    tandem.create("f", "h").await;
    assert!(!tandem.invoke("f", json!({})).await.1);
}
