//! SQS as older SDKs speak to it: forms in, XML out, to the server's address or the queue's.

use aws_api::{Router, Signatures};
use axum::body::{Body, to_bytes};
use http::Request;
use serde_json::json;

use crate::tests::Room;

const XMLNS: &str = "xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"";

async fn send(room: &Room, request: Request<Body>) -> (u16, String) {
    let router = Router::new(room.world.clone(), Signatures::default(), &room.queues.services());
    let response = router.answer(request).await;
    let (status, content_type) = (response.status().as_u16(), response.headers()["content-type"].clone());
    assert_eq!(content_type, "text/xml");
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

async fn post(room: &Room, path: &str, form: &str) -> (u16, String) {
    let request = Request::post(path)
        .header("host", "127.0.0.1:4566")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    send(room, request.body(Body::from(form.to_owned())).expect("a request")).await
}

/// What the answer to a form has between its result's tags.
async fn result(room: &Room, form: &str) -> String {
    let (status, xml) = post(room, "/", &format!("Version=2012-11-05&{form}")).await;
    assert_eq!(status, 200, "{xml}");
    let action = form.split(['=', '&']).nth(1).expect("an action");
    let head = format!("<?xml version=\"1.0\"?><{action}Response {XMLNS}>");
    let (_, behind) = xml.split_once(&head).unwrap_or_else(|| panic!("{xml}"));
    let (result, _) = behind.split_once("<ResponseMetadata><RequestId>").expect("metadata");
    let result = result.strip_prefix(&format!("<{action}Result>")).unwrap_or(result);
    result.strip_suffix(&format!("</{action}Result>")).unwrap_or(result).to_owned()
}

const URL: &str = "http://127.0.0.1:4566/000000000000/orders";

#[tokio::test]
async fn a_queue_lives_and_dies() {
    let room = Room::new();
    let create = "Action=CreateQueue&QueueName=orders&Attribute.1.Name=DelaySeconds&Attribute.1.Value=0\
                  &Attribute.2.Name=VisibilityTimeout&Attribute.2.Value=40&Tag.1.Key=team&Tag.1.Value=a";
    assert_eq!(result(&room, create).await, format!("<QueueUrl>{URL}</QueueUrl>"));
    assert_eq!(result(&room, "Action=ListQueues").await, format!("<QueueUrl>{URL}</QueueUrl>"));
    assert_eq!(result(&room, "Action=GetQueueUrl&QueueName=orders").await, format!("<QueueUrl>{URL}</QueueUrl>"));
    assert_eq!(
        result(&room, &format!("Action=ListQueueTags&QueueUrl={URL}")).await,
        "<Tag><Key>team</Key><Value>a</Value></Tag>"
    );
    let get =
        format!("Action=GetQueueAttributes&QueueUrl={URL}&AttributeName.1=VisibilityTimeout&AttributeName.2=QueueArn");
    assert_eq!(
        result(&room, &get).await,
        "<Attribute><Name>QueueArn</Name><Value>arn:aws:sqs:us-east-1:000000000000:orders</Value></Attribute>\
         <Attribute><Name>VisibilityTimeout</Name><Value>40</Value></Attribute>"
    );
    assert_eq!(result(&room, &format!("Action=UntagQueue&QueueUrl={URL}&TagKey.1=team")).await, "");
    assert_eq!(result(&room, &format!("Action=DeleteQueue&QueueUrl={URL}")).await, "");
}

#[tokio::test]
async fn a_message_is_sent_received_and_deleted() {
    let room = Room::new();
    room.queue("orders", json!({})).await;
    let sent = result(
        &room,
        &format!(
            "Action=SendMessage&QueueUrl={URL}&MessageBody=a%3Cb%26c&MessageAttribute.1.Name=Foo\
             &MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=Bar&DelaySeconds=0"
        ),
    )
    .await;
    assert!(
        sent.contains("<MD5OfMessageAttributes>ae7155c6026991b6d54b11589678bf9c</MD5OfMessageAttributes>"),
        "{sent}"
    );
    let receive = "Action=ReceiveMessage&Version=2012-11-05&MaxNumberOfMessages=10&AttributeName.1=SenderId\
                   &MessageAttributeName.1=All";
    let (status, xml) = post(&room, "/000000000000/orders", receive).await;
    assert_eq!(status, 200);
    for part in [
        "<ReceiveMessageResult><Message><MessageId>",
        "<Body>a&lt;b&amp;c</Body><Attribute><Name>SenderId</Name><Value>000000000000</Value></Attribute>",
        "<MessageAttribute><Name>Foo</Name><Value><StringValue>Bar</StringValue><DataType>String</DataType></Value>\
         </MessageAttribute></Message></ReceiveMessageResult>",
    ] {
        assert!(xml.contains(part), "{part} is not in {xml}");
    }
    let handle = xml.split("<ReceiptHandle>").nth(1).and_then(|rest| rest.split('<').next()).expect("a handle");
    let handle = handle.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let delete = format!(
        "Action=DeleteMessageBatch&QueueUrl={URL}&DeleteMessageBatchRequestEntry.1.Id=one\
         &DeleteMessageBatchRequestEntry.1.ReceiptHandle={handle}&DeleteMessageBatchRequestEntry.2.Id=two\
         &DeleteMessageBatchRequestEntry.2.ReceiptHandle=x"
    );
    assert_eq!(
        result(&room, &delete).await,
        "<DeleteMessageBatchResultEntry><Id>one</Id></DeleteMessageBatchResultEntry><BatchResultErrorEntry>\
         <Id>two</Id><SenderFault>true</SenderFault><Code>ReceiptHandleIsInvalid</Code><Message>The input receipt \
         handle &quot;x&quot; is not a valid receipt handle.</Message></BatchResultErrorEntry>"
    );
    assert_eq!(result(&room, &format!("Action=ReceiveMessage&QueueUrl={URL}")).await, "");
}

#[tokio::test]
async fn a_batch_keeps_its_order() {
    let room = Room::new();
    room.fifo("orders.fifo", json!({})).await;
    let entry = |n: usize| {
        let at = format!("SendMessageBatchRequestEntry.{n}");
        format!("&{at}.Id=e{n}&{at}.MessageBody=m{n}&{at}.MessageGroupId=g")
    };
    let entries = (1..=10).map(entry).collect::<Vec<_>>().concat();
    let sent = result(&room, &format!("Action=SendMessageBatch&QueueUrl={URL}.fifo{entries}")).await;
    assert_eq!(sent.matches("<SequenceNumber>").count(), 10);
    let bodies = room.bodies(&format!("{URL}.fifo")).await;
    assert_eq!(bodies, (1..=10).map(|n| format!("m{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn errors_have_their_older_codes() {
    let room = Room::new();
    for (form, status, code, text) in [
        (
            "Action=GetQueueUrl&QueueName=none",
            400,
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist.",
        ),
        ("Action=CreateQueue", 400, "MissingParameter", "The request must contain the parameter QueueName."),
        ("Action=Dance", 400, "InvalidAction", "Dance is not implemented by this server"),
        (
            "Action=ReceiveMessage&QueueUrl=x&MaxNumberOfMessages=many",
            400,
            "MalformedInput",
            "invalid type: string, expected i64",
        ),
    ] {
        let (given, xml) = post(&room, "/", &format!("Version=2012-11-05&{form}")).await;
        let text = text.replace('"', "&quot;");
        let expected = format!(
            "<?xml version=\"1.0\"?><ErrorResponse {XMLNS}><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{text}</Message><Detail/></Error><RequestId>"
        );
        assert!(given == status && xml.starts_with(&expected), "{given} {xml}");
    }
    let (status, xml) = post(&room, "/", "Version=1999-01-01&Action=GetQueueUrl").await;
    assert!(status == 400 && xml.contains("<Code>InvalidAction</Code>"), "{status} {xml}");
}

#[tokio::test]
async fn an_address_in_a_browser_works() {
    let room = Room::new();
    room.queue("orders", json!({})).await;
    let request = Request::get("/000000000000/orders?Action=SendMessage&MessageBody=hello+there");
    let (status, xml) = send(&room, request.header("host", "127.0.0.1:4566").body(Body::empty()).expect("one")).await;
    assert_eq!(status, 200, "{xml}");
    assert_eq!(room.bodies(URL).await, ["hello there"]);
}
