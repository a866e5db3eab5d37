//! What the tests of the operations share: the room behind a router, asked by HTTP.

use std::sync::Arc;

use aws_api::{Router, Signatures};
use http::Request;
use serde_json::{Value, json};
use storage::{Durability, Location};
use world::World;

use crate::Mail;

pub struct Harness {
    pub world: World,
    pub mail: Arc<Mail>,
    router: Router,
}

/// An answer: status and body.
pub struct Answer(pub u16, pub Value);

impl Harness {
    pub fn new() -> Self {
        let world = World::for_tests(1);
        let mail = Mail::open(world.clone(), Location::Memory, Durability::default(), None).expect("it opens");
        let router = Router::new(world.clone(), Signatures::default(), &mail.services());
        Self { world, mail, router }
    }

    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let response = self.router.answer(request.body(body.into()).expect("a request")).await;
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        Answer(status, serde_json::from_slice(&bytes).expect("JSON"))
    }

    pub async fn send(&self, content: Value) -> Answer {
        let request = json!({
            "FromEmailAddress": "shop@example.com",
            "Destination": {"ToAddresses": ["ann@example.com"]},
            "Content": content,
        });
        self.ask("POST", "/v2/email/outbound-emails", request).await
    }
}
