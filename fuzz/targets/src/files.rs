//! What comes as a file: archives of function code, raw mails.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use serde_json::{Value, json};

use crate::house;

/// A zip archive as a function's code: nothing of it may land outside of the state directory.
pub fn function_code(bytes: &[u8]) {
    house::visit(|house| {
        let input = json!({
            "FunctionName": "fuzz", "Runtime": "provided.al2023", "Handler": "h",
            "Role": "arn:aws:iam::000000000000:role/fuzz", "Code": {"ZipFile": STANDARD.encode(bytes)},
        });
        house.post("/2015-03-31/functions", &[], &input);
        let outside = fs::read_dir(house.outside()).expect("the directory is there");
        let names: Vec<_> = outside.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
        assert_eq!(names, ["state"], "code outside of its directory");
        let delete = Request::delete("/2015-03-31/functions/fuzz").body(Vec::new()).expect("a request");
        house.answer(delete);
    });
}

/// A raw mail, and what the mailbox makes of it.
pub fn raw_mail(bytes: &[u8]) {
    house::visit(|house| {
        let content = json!({"Raw": {"Data": STANDARD.encode(bytes)}});
        let with = |content: &Value, to: Value| json!({"Content": content, "Destination": to});
        house.post("/v2/email/outbound-emails", &[], &with(&content, json!({})));
        let to = json!({"ToAddresses": [String::from_utf8_lossy(bytes)]});
        house.post("/v2/email/outbound-emails", &[], &with(&content, to));
    });
}
