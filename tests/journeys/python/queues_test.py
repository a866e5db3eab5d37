"""boto3: a queue as SQS has it. botocore checks the MD5 of every message by itself."""

import pytest

from cloud import refused


@pytest.fixture
def queue(cloud):
    queues = cloud.client("sqs")
    url = queues.create_queue(QueueName="letters", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    return Queue(cloud, queues, url)


class Queue:
    def __init__(self, cloud, client, url):
        self.cloud, self.client, self.url = cloud, client, url

    def send(self, body, **more):
        return self.client.send_message(QueueUrl=self.url, MessageBody=body, **more)

    def receive(self, **more):
        more = {"MaxNumberOfMessages": 10, **more}
        return self.client.receive_message(QueueUrl=self.url, **more).get("Messages", [])

    def delete(self, message):
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def attribute(self, name):
        answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return answer["Attributes"][name]


def test_a_message_comes_back_as_it_was_sent(queue):
    attribute = {"colour": {"DataType": "String", "StringValue": "red"}}
    sent = queue.send("grüße\n", MessageAttributes=attribute)
    [message] = queue.receive(MessageAttributeNames=["All"])
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "grüße\n")
    assert message["MessageAttributes"] == attribute


def test_a_received_message_is_hidden_for_a_while(queue):
    queue.send("hello")
    assert len(queue.receive()) == 1
    assert queue.receive() == []
    queue.cloud.advance(seconds=31)
    assert len(queue.receive()) == 1


def test_a_deleted_message_stays_away(queue):
    queue.send("hello")
    queue.delete(queue.receive()[0])
    queue.cloud.advance(seconds=31)
    assert queue.receive() == []


def test_deliveries_are_counted(queue):
    queue.send("hello")
    for expected in ("1", "2"):
        [message] = queue.receive(MessageSystemAttributeNames=["ApproximateReceiveCount"])
        assert message["Attributes"]["ApproximateReceiveCount"] == expected
        queue.cloud.advance(seconds=31)


def test_a_delayed_message_waits(queue):
    queue.send("later", DelaySeconds=60)
    assert queue.receive() == []
    queue.cloud.advance(seconds=61)
    assert len(queue.receive()) == 1


def test_a_queue_counts_its_messages(queue):
    queue.send("one")
    queue.send("two")
    assert queue.attribute("ApproximateNumberOfMessages") == "2"


def test_a_message_that_fails_again_and_again_moves_on(queue):
    letters = queue.client.create_queue(QueueName="dead")["QueueUrl"]
    arn = Queue(queue.cloud, queue.client, letters).attribute("QueueArn")
    policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": "2"}}'
    queue.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"RedrivePolicy": policy})
    queue.send("poison")
    for _ in range(2):
        assert len(queue.receive()) == 1
        queue.cloud.advance(seconds=31)
    assert queue.receive() == []
    [message] = Queue(queue.cloud, queue.client, letters).receive()
    assert message["Body"] == "poison"


def test_an_unknown_queue_is_refused(cloud):
    queues = cloud.client("sqs")
    with pytest.raises(queues.exceptions.QueueDoesNotExist):
        queues.get_queue_url(QueueName="nowhere")


def test_a_bad_receipt_handle_is_refused(queue):
    with refused("ReceiptHandleIsInvalid"):
        queue.client.delete_message(QueueUrl=queue.url, ReceiptHandle="nonsense")
