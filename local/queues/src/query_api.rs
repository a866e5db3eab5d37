//! SQS in the query protocol, which SDKs of before November 2023 speak: what its operations take and give there.
//!
//! Source: the service model of that time (`botocore` 1.29, `data/sqs/2012-11-05`).

use aws_api::{Member, QueryApi, QueryOperation, Shape};

const fn text(name: &'static str) -> Member {
    Member::text(name)
}

const fn number(name: &'static str) -> Member {
    Member::number(name)
}

const fn texts(name: &'static str, wire: &'static str) -> Member {
    Member::entries(name, wire, Shape::List(&Shape::Text))
}

const fn structures(name: &'static str, wire: &'static str, shape: &'static Shape) -> Member {
    Member::entries(name, wire, Shape::List(shape))
}

const URL: Member = text("QueueUrl");
const ATTRIBUTES: Member = Member::entries("Attributes", "Attribute", Shape::Map("Name", "Value", &Shape::Text));
const VALUE: Shape = Shape::Structure(&[text("StringValue"), text("BinaryValue"), text("DataType")]);
const MESSAGE_ATTRIBUTES: Member =
    Member::entries("MessageAttributes", "MessageAttribute", Shape::Map("Name", "Value", &VALUE));
const SYSTEM_ATTRIBUTES: Member =
    Member::entries("MessageSystemAttributes", "MessageSystemAttribute", Shape::Map("Name", "Value", &VALUE));

const fn tags(name: &'static str) -> Member {
    Member::entries(name, "Tag", Shape::Map("Key", "Value", &Shape::Text))
}

const MESSAGE: Shape = Shape::Structure(&[
    text("MessageId"),
    text("ReceiptHandle"),
    text("MD5OfBody"),
    text("Body"),
    ATTRIBUTES,
    text("MD5OfMessageAttributes"),
    MESSAGE_ATTRIBUTES,
]);
const SEND_ENTRY: Shape = Shape::Structure(&[
    text("Id"),
    text("MessageBody"),
    number("DelaySeconds"),
    MESSAGE_ATTRIBUTES,
    SYSTEM_ATTRIBUTES,
    text("MessageDeduplicationId"),
    text("MessageGroupId"),
]);
const SENT_ENTRY: Shape = Shape::Structure(&[
    text("Id"),
    text("MessageId"),
    text("MD5OfMessageBody"),
    text("MD5OfMessageAttributes"),
    text("MD5OfMessageSystemAttributes"),
    text("SequenceNumber"),
]);
const DELETE_ENTRY: Shape = Shape::Structure(&[text("Id"), text("ReceiptHandle")]);
const VISIBILITY_ENTRY: Shape = Shape::Structure(&[text("Id"), text("ReceiptHandle"), number("VisibilityTimeout")]);
const DONE_ENTRY: Shape = Shape::Structure(&[text("Id")]);
const FAILED: Member = structures(
    "Failed",
    "BatchResultErrorEntry",
    &Shape::Structure(&[
        text("Id"),
        Member { name: "SenderFault", wire: "SenderFault", shape: Shape::Flag },
        text("Code"),
        text("Message"),
    ]),
);
const MOVE_TASK: Shape = Shape::Structure(&[
    text("TaskHandle"),
    text("Status"),
    text("SourceArn"),
    text("DestinationArn"),
    number("MaxNumberOfMessagesPerSecond"),
    number("ApproximateNumberOfMessagesMoved"),
    number("ApproximateNumberOfMessagesToMove"),
    text("FailureReason"),
    number("StartedTimestamp"),
]);

const fn operation(name: &'static str, input: &'static [Member], output: &'static [Member]) -> QueryOperation {
    QueryOperation { name, input, output }
}

/// See the module.
pub(crate) static QUERY_API: QueryApi = QueryApi {
    version: "2012-11-05",
    namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
    address_member: Some("QueueUrl"),
    operations: &[
        operation(
            "AddPermission",
            &[URL, text("Label"), texts("AWSAccountIds", "AWSAccountId"), texts("Actions", "ActionName")],
            &[],
        ),
        operation("CancelMessageMoveTask", &[text("TaskHandle")], &[number("ApproximateNumberOfMessagesMoved")]),
        operation("ChangeMessageVisibility", &[URL, text("ReceiptHandle"), number("VisibilityTimeout")], &[]),
        operation(
            "ChangeMessageVisibilityBatch",
            &[URL, structures("Entries", "ChangeMessageVisibilityBatchRequestEntry", &VISIBILITY_ENTRY)],
            &[structures("Successful", "ChangeMessageVisibilityBatchResultEntry", &DONE_ENTRY), FAILED],
        ),
        operation("CreateQueue", &[text("QueueName"), ATTRIBUTES, tags("tags")], &[URL]),
        operation("DeleteMessage", &[URL, text("ReceiptHandle")], &[]),
        operation(
            "DeleteMessageBatch",
            &[URL, structures("Entries", "DeleteMessageBatchRequestEntry", &DELETE_ENTRY)],
            &[structures("Successful", "DeleteMessageBatchResultEntry", &DONE_ENTRY), FAILED],
        ),
        operation("DeleteQueue", &[URL], &[]),
        operation("GetQueueAttributes", &[URL, texts("AttributeNames", "AttributeName")], &[ATTRIBUTES]),
        operation("GetQueueUrl", &[text("QueueName"), text("QueueOwnerAWSAccountId")], &[URL]),
        operation(
            "ListDeadLetterSourceQueues",
            &[URL, text("NextToken"), number("MaxResults")],
            &[texts("queueUrls", "QueueUrl"), text("NextToken")],
        ),
        operation(
            "ListMessageMoveTasks",
            &[text("SourceArn"), number("MaxResults")],
            &[structures("Results", "ListMessageMoveTasksResultEntry", &MOVE_TASK)],
        ),
        operation("ListQueueTags", &[URL], &[tags("Tags")]),
        operation(
            "ListQueues",
            &[text("QueueNamePrefix"), text("NextToken"), number("MaxResults")],
            &[texts("QueueUrls", "QueueUrl"), text("NextToken")],
        ),
        operation("PurgeQueue", &[URL], &[]),
        operation(
            "ReceiveMessage",
            &[
                URL,
                texts("AttributeNames", "AttributeName"),
                texts("MessageSystemAttributeNames", "MessageSystemAttributeName"),
                texts("MessageAttributeNames", "MessageAttributeName"),
                number("MaxNumberOfMessages"),
                number("VisibilityTimeout"),
                number("WaitTimeSeconds"),
                text("ReceiveRequestAttemptId"),
            ],
            &[structures("Messages", "Message", &MESSAGE)],
        ),
        operation("RemovePermission", &[URL, text("Label")], &[]),
        operation(
            "SendMessage",
            &[
                URL,
                text("MessageBody"),
                number("DelaySeconds"),
                MESSAGE_ATTRIBUTES,
                SYSTEM_ATTRIBUTES,
                text("MessageDeduplicationId"),
                text("MessageGroupId"),
            ],
            &[
                text("MD5OfMessageBody"),
                text("MD5OfMessageAttributes"),
                text("MD5OfMessageSystemAttributes"),
                text("MessageId"),
                text("SequenceNumber"),
            ],
        ),
        operation(
            "SendMessageBatch",
            &[URL, structures("Entries", "SendMessageBatchRequestEntry", &SEND_ENTRY)],
            &[structures("Successful", "SendMessageBatchResultEntry", &SENT_ENTRY), FAILED],
        ),
        operation("SetQueueAttributes", &[URL, ATTRIBUTES], &[]),
        operation(
            "StartMessageMoveTask",
            &[text("SourceArn"), text("DestinationArn"), number("MaxNumberOfMessagesPerSecond")],
            &[text("TaskHandle")],
        ),
        operation("TagQueue", &[URL, tags("Tags")], &[]),
        operation("UntagQueue", &[URL, texts("TagKeys", "TagKey")], &[]),
    ],
};
