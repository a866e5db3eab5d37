//! A server that other machines could reach wants signatures, from functions too.

use aws_sdk_dynamodb::Client as Tables;
use e2e::Server;

#[tokio::test]
async fn signed_requests_work_all_the_way_to_the_profile() {
    let server = Server::remote().await;
    server.confirmed("ann@example.com").await;
    server.settle().await;
    let scan = Tables::new(&server.config()).scan().table_name(server.of_stack("tableName"));
    let items = scan.send().await.expect("Scan").items.unwrap_or_default();
    assert!(items.iter().any(|item| item["sk"].as_s().is_ok_and(|sk| sk == "PROFILE")));
}

#[tokio::test]
async fn an_unsigned_request_is_refused() {
    let server = Server::remote().await;
    let (status, body) = server.inside("GET", "/2015-03-31/functions/", "").await;
    assert_eq!(status, 403, "{body}");
}
