//! The whole stack, from sign-up to profile, on `tandem dev`. By itself: `cargo test` in this folder. The server builds
//! the functions before it is ready. Calls are plain HTTP, so that nothing is compiled for this test alone.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

const EMAIL: &str = "ada@example.com";

struct Stack {
    server: Child,
    address: String,
}

impl Stack {
    fn start() -> Self {
        let project = env!("CARGO_MANIFEST_DIR");
        let binary = std::env::var("TANDEM_BIN").unwrap_or_else(|_| format!("{project}/../../target/debug/tandem"));
        let mut command = Command::new(binary);
        command.args(["dev", "--in-memory", "--port", "0"]).current_dir(project).stdout(Stdio::piped());
        let mut server = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(server.stdout.take().expect("its output")).lines();
        let first = lines.next().expect("a line").expect("a text");
        let address = first.strip_prefix("ready http://").unwrap_or_else(|| panic!("not ready: {first}")).to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self { server, address }
    }

    /// An AWS operation.
    fn call(&self, target: &str, input: &Value) -> Value {
        self.send("POST", "/", &format!("X-Amz-Target: {target}\r\n"), &input.to_string())
    }

    fn pools(&self, operation: &str, input: &Value) -> Value {
        self.call(&format!("AWSCognitoIdentityProviderService.{operation}"), input)
    }

    /// One of the local cloud's own calls.
    fn ask(&self, method: &str, path: &str) -> Value {
        self.send(method, &format!("/_tandem/{path}"), "", "")
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Type: application/x-amz-json-1.1\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{method} {path} {headers}{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).unwrap_or_default()
    }

    fn code(&self) -> String {
        let mails = self.ask("GET", &format!("mailbox?to={EMAIL}"));
        let mails = mails["messages"].as_array().expect("messages").iter();
        mails.filter_map(|mail| mail["code"].as_str()).last().expect("a code was mailed").to_owned()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_sign_up_becomes_a_profile() {
    let stack = Stack::start();
    let ids = stack.ask("GET", "stack");
    let user = json!({"ClientId": ids["userPoolClientId"], "Username": EMAIL});
    let with = |more: Value| {
        let mut input = user.clone();
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        input
    };
    let attributes = json!([{"Name": "email", "Value": EMAIL}]);
    let signed_up = with(json!({"Password": "Correct-Horse-7", "UserAttributes": attributes}));
    let sub = stack.pools("SignUp", &signed_up)["UserSub"].clone();
    stack.pools("ConfirmSignUp", &with(json!({"ConfirmationCode": stack.code()})));
    stack.ask("POST", "settle?timeoutMs=60000");
    let items = stack.call("DynamoDB_20120810.Scan", &json!({"TableName": ids["tableName"]}))["Items"].clone();
    let [item] = items.as_array().expect("items").as_slice() else { panic!("{items}") };
    assert_eq!(item["id"]["S"], sub);
    assert_eq!(item["email"]["S"], EMAIL);
}
