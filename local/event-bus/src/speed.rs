use std::time::Instant;
use crate::pattern::*;
use serde_json::json;

fn time(label: &str, n: u32, mut f: impl FnMut()) {
    for _ in 0..n / 10 { f() }
    #[expect(clippy::disallowed_methods, reason = "x")]
    let t = Instant::now();
    for _ in 0..n { f() }
    println!("{label}: {:.0} ns", t.elapsed().as_nanos() as f64 / f64::from(n));
}

const EVENT: &str = r#"{"version":"0","id":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","detail-type":"UserCreated","source":"tandem.identity","account":"000000000000","time":"2026-01-01T00:00:00Z","region":"us-east-1","resources":[],"detail":{"metadata":{"schemaVersion":1,"eventId":"0198c1a0-1111-7222-8333-444455556666","occurredAt":"2026-01-01T00:00:00.000Z","origin":"sign-up","traceparent":"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"},"data":{"userId":"6a7e8feb-b491-4cf7-a9f1-bf3703467718","userPoolId":"us-east-1_abcdef","username":"ann","email":"ann@example.com","emailVerified":true,"name":"Ann","attributes":{}}}}"#;

#[test]
fn matcher() {
    for (kind, make) in [
        ("distinct detail-type", (|n| format!(r#"{{"source":["tandem.identity"],"detail-type":["UserCreated{n}"]}}"#)) as fn(usize) -> String),
        ("same type, distinct user", |n| format!(r#"{{"source":["tandem.identity"],"detail-type":["UserCreated"],"detail":{{"data":{{"userId":["u{n}"]}}}}}}"#)),
        ("prefix only", |n| format!(r#"{{"detail":{{"data":{{"email":[{{"prefix":"x{n}"}}]}}}}}}"#)),
        ("same type, or + numeric", |n| format!(r#"{{"source":["tandem.identity"],"$or":[{{"detail-type":["UserCreated{n}"]}},{{"detail":{{"n":[{{"numeric":[">",{n}]}}]}}}}]}}"#)),
    ] {
        for count in [1, 100, 10_000] {
            let mut patterns: Vec<_> = (0..count).map(|n| Pattern::compile(&make(n)).unwrap()).collect();
            patterns[0] = Pattern::compile(r#"{"source":["tandem.identity"],"detail-type":["UserCreated"],"detail":{"metadata":{"origin":["sign-up",{"prefix":"adm"}]}}}"#).unwrap();
            #[expect(clippy::disallowed_methods, reason = "x")]
            let t = Instant::now();
            let index = Index::new(&patterns);
            println!("build {count}: {:?}", t.elapsed());
            let n = 20_000;
            time(&format!("{kind} {count}: read+match"), n, || { let e = Event::read(EVENT, &index).unwrap(); assert_eq!(index.matching(&e).len(), 1); });
            let e = Event::read(EVENT, &index).unwrap();
            time(&format!("{kind} {count}: match"), n, || { std::hint::black_box(index.matching(&e)); });
        }
    }
    time("compile", 20_000, || { std::hint::black_box(Pattern::compile(r#"{"source":["tandem.identity"],"detail-type":["UserCreated"],"detail":{"metadata":{"origin":["sign-up",{"prefix":"adm"}]}}}"#).unwrap()); });
    time("minify detail", 20_000, || { std::hint::black_box(crate::json::minified(EVENT).unwrap()); });
    time("people", 20_000, || { std::hint::black_box(crate::envelope::people(EVENT)); });
}

#[tokio::test]
async fn put_events() {
    for count in [1, 100, 10_000] {
        let t = crate::testing::Room::new();
        #[expect(clippy::disallowed_methods, reason = "x")]
        let s = Instant::now();
        t.rule("default", "yes", r#"{"source":["tandem.identity"],"detail-type":["UserCreated"]}"#).await;
        t.target("default", "yes", json!({"Id":"t","Arn":"arn:aws:lambda:us-east-1:000000000000:function:f"})).await;
        for n in 1..count { t.rule("default", &format!("r{n}"), &format!(r#"{{"source":["tandem.identity"],"detail-type":["User{n}"]}}"#)).await; }
        println!("{count} PutRule: {:?}", s.elapsed());
        let event: serde_json::Value = serde_json::from_str(EVENT).unwrap();
        let entry = json!({"Source":"tandem.identity","DetailType":"UserCreated","Detail":event["detail"].to_string()});
        let input = json!({"Entries":[entry]});
        t.call("PutEvents", input.clone()).await.ok();
        #[expect(clippy::disallowed_methods, reason = "x")]
        let s = Instant::now();
        for _ in 0..5000 { t.call("PutEvents", input.clone()).await.ok(); }
        println!("{count} rules: PutEvents {:?}", s.elapsed() / 5000);
        let d = t.queued().remove(0);
        #[expect(clippy::disallowed_methods, reason = "x")]
        let s = Instant::now();
        for _ in 0..5000 { std::hint::black_box(t.attempt(&d, 0, t.world.clock.now()).await); }
        println!("attempt {:?}, body {} bytes", s.elapsed() / 5000, d.body.len());
    }
}
