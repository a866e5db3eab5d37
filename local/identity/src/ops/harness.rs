//! What the tests of the operations share: the room behind a router, asked with forms.

use aws_api::{Router, Signatures};
use http::Request;
use world::World;

use crate::Identity;

pub struct Harness {
    router: Router,
}

/// An answer: status and XML.
pub struct Answer(pub u16, String);

impl Harness {
    pub fn new() -> Self {
        Self::keyed(None)
    }

    /// With the key that counts.
    pub fn keyed(key: Option<(&str, &str)>) -> Self {
        let world = World::for_tests(1);
        let identity = Identity::new(world.clone(), key.map(|(id, secret)| (id.into(), secret.into())));
        Self { router: Router::new(world, Signatures::default(), &identity.services()) }
    }

    pub async fn ask(&self, action: &str, members: &str, token: Option<&str>) -> Answer {
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let request = token.into_iter().fold(request, |request, token| request.header("x-amz-security-token", token));
        let body = format!("Action={action}&Version=2011-06-15&{members}");
        let response = self.router.answer(request.body(body.into()).expect("a request")).await;
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        Answer(status, String::from_utf8(body.to_vec()).expect("text"))
    }
}

impl Answer {
    /// The text of an element.
    pub fn text(&self, element: &str) -> &str {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let inside = self.1.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
        inside.unwrap_or_else(|| panic!("no {element} in {}", self.1)).0
    }

    #[track_caller]
    pub fn refused(&self, code: &str, message: &str) {
        assert_eq!((self.0, self.text("Code"), self.text("Message")), (400, code, message));
    }
}
