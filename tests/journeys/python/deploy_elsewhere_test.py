"""The packaged executable against moto: an AWS that is not ours, so that both cannot be wrong in the same way."""

import json
import subprocess
import urllib.request

import boto3
import pytest
from moto.server import ThreadedMotoServer

from packaged import Function, unpacked

PLACE = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
TABLE, BUS, SENDER = "profiles", "identities", "no-reply@example.com"
SUB = "91192d26-7031-7069-06eb-000000000000"
SOURCE = "tandem.identity"


@pytest.fixture
def elsewhere():
    """moto as a server, with a table, a bus, and a queue that shows what the bus took."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        reset = f"http://{':'.join(map(str, server.get_host_and_port()))}/moto-api/reset"
        urllib.request.urlopen(urllib.request.Request(reset, method="POST")).close()
        host, port = server.get_host_and_port()
        yield Elsewhere(f"http://{host}:{port}")
    finally:
        server.stop()


class Elsewhere:
    def __init__(self, url):
        self.url = url
        text = {"AttributeType": "S"}
        self.dynamodb = self.client("dynamodb")
        self.dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, **text} for name in ("pk", "sk", "emailKey")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "byEmail",
                    "KeySchema": [{"AttributeName": "emailKey", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        self.events, self.sqs = self.client("events"), self.client("sqs")
        self.events.create_event_bus(Name=BUS)
        self.queue = self.sqs.create_queue(QueueName="seen")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.events.put_rule(Name="seen", EventBusName=BUS, EventPattern=json.dumps({"source": [SOURCE]}))
        self.events.put_targets(Rule="seen", EventBusName=BUS, Targets=[{"Id": "seen", "Arn": arn}])

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, **PLACE)

    def function(self, handler, directory, **variables):
        names = {"EVENT_BUS_NAME": BUS, "TABLE_NAME": TABLE, "SENDER_ADDRESS": SENDER}
        return Function.start(handler, directory, AWS_ENDPOINT_URL=self.url, **{**names, **variables})

    def seen(self):
        """The events that the bus took."""
        messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    def item(self, sort="PROFILE"):
        key = {"pk": {"S": f"USER#{SUB}"}, "sk": {"S": sort}}
        return self.dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")


def confirmation(source="PostConfirmation_ConfirmSignUp"):
    user = {"sub": SUB, "cognito:user_status": "CONFIRMED", "email_verified": "true", "email": "ada@example.com", "name": "Ada"}
    return {
        "version": "1",
        "triggerSource": source,
        "region": "us-east-1",
        "userPoolId": "us-east-1_A",
        "userName": SUB,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "c"},
        "request": {"userAttributes": user},
        "response": {},
    }


def delivery(detail_type, event_id, at, **data):
    """What EventBridge hands to a function."""
    metadata = {"schemaVersion": 1, "eventId": event_id, "occurredAt": at, "origin": "sign-up"}
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": detail_type,
        "source": SOURCE,
        "account": "123456789012",
        "time": "2026-12-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"metadata": metadata, "data": {"userId": SUB, "userPoolId": "us-east-1_A", **data}},
    }


def user(detail_type, number, **data):
    at = f"2026-12-01T00:00:{number:02}.000Z"
    event_id = f"019ad{number:03}-0000-7000-8000-000000000000"
    identity = {} if detail_type == "UserDeleted" else {"username": SUB, "email": "ada@example.com", "emailVerified": True}
    return delivery(detail_type, event_id, at, **identity, **data)


def test_a_confirmed_user_is_put_on_the_bus_and_becomes_an_item(elsewhere, tmp_path):
    with elsewhere.function("announce-user", tmp_path) as announce_user:
        event = confirmation()
        assert announce_user.invoke(event) == event
        (seen,) = elsewhere.seen()
        assert (seen["source"], seen["detail-type"]) == (SOURCE, "UserCreated")
        assert (seen["detail"]["data"]["userId"], seen["detail"]["data"]["email"]) == (SUB, "ada@example.com")
        reset = confirmation("PostConfirmation_ConfirmForgotPassword")
        assert announce_user.invoke(reset) == reset
        assert elsewhere.seen() == []
    with elsewhere.function("create-profile", tmp_path) as create_profile:
        create_profile.invoke(seen)
    item = elsewhere.item()
    assert (item["email"]["S"], item["name"]["S"], item["identityStatus"]["S"]) == ("ada@example.com", "Ada", "ACTIVE")
    assert item["identityAsOf"]["S"] == seen["detail"]["metadata"]["occurredAt"]
    found = elsewhere.dynamodb.query(
        TableName=TABLE, IndexName="byEmail", KeyConditionExpression="emailKey = :e",
        ExpressionAttributeValues={":e": {"S": "ada@example.com"}},
    )
    assert found["Count"] == 1


def test_a_bus_that_is_not_there_fails_the_trigger_or_does_not(elsewhere, tmp_path):
    # An endpoint that refuses connections: at once, and again after the SDK's second attempt.
    nowhere = {"AWS_ENDPOINT_URL_EVENTBRIDGE": "http://127.0.0.1:9"}
    with elsewhere.function("announce-user", tmp_path, **nowhere) as announce_user:
        kind, error = announce_user.run(confirmation())
        assert (kind, error["errorType"]) == ("error", "EventNotPublished")
    with elsewhere.function("announce-user", tmp_path, ON_PUBLISH_FAILURE="continue", **nowhere) as announce_user:
        assert announce_user.invoke(confirmation()) == confirmation()


def test_conditions_hold_against_repetition_and_disorder(elsewhere, tmp_path):
    with elsewhere.function("create-profile", tmp_path) as create_profile:
        create_profile.invoke(user("UserCreated", 5, name="Ada"))
        # The application's own attribute, which no event may touch.
        elsewhere.dynamodb.update_item(
            TableName=TABLE, Key={"pk": {"S": f"USER#{SUB}"}, "sk": {"S": "PROFILE"}},
            UpdateExpression="SET theme = :t", ExpressionAttributeValues={":t": {"S": "dark"}},
        )
        first = elsewhere.item()
        create_profile.invoke(user("UserCreated", 5, name="Ada"))
        assert elsewhere.item() == first
        create_profile.invoke(user("UserUpdated", 7, name="Countess"))
        create_profile.invoke(user("UserUpdated", 6, name="Late"))
        item = elsewhere.item()
        assert (item["name"]["S"], item["theme"]["S"]) == ("Countess", "dark")
        create_profile.invoke(user("UserDeleted", 8))
        tombstone = elsewhere.item()
        assert "email" not in tombstone and "theme" not in tombstone and tombstone["identityStatus"]["S"] == "DELETED"
        create_profile.invoke(user("UserUpdated", 9, name="Ghost"))
        assert elsewhere.item() == tombstone


def test_what_is_no_event_is_an_error_with_a_name(elsewhere, tmp_path):
    with elsewhere.function("create-profile", tmp_path) as create_profile:
        kind, error = create_profile.run({"not": "an event"})
        assert (kind, error["errorType"]) == ("error", "NotABusEvent")
        # It goes on with the next.
        create_profile.invoke(user("UserCreated", 1))


def test_a_newcomer_is_welcomed_once(elsewhere, tmp_path):
    elsewhere.client("ses").verify_email_identity(EmailAddress=SENDER)
    with elsewhere.function("welcome-email", tmp_path) as welcome_email:
        for _ in range(2):
            welcome_email.invoke(user("UserCreated", 1))
    assert elsewhere.client("ses").get_send_quota()["SentLast24Hours"] == 1
    assert elsewhere.item("WELCOME")["status"]["S"] == "COMPLETED"


def test_a_table_that_is_not_there_is_told_by_its_name(elsewhere, tmp_path):
    with elsewhere.function("create-profile", tmp_path, TABLE_NAME="nowhere") as create_profile:
        kind, error = create_profile.run(user("UserCreated", 1))
        assert kind == "error" and "nowhere" in error["errorMessage"], error


def test_a_function_without_its_settings_says_which(tmp_path):
    environment = {"_HANDLER": "announce-user", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9", "AWS_REGION": "us-east-1"}
    told = subprocess.run([unpacked(tmp_path)], env=environment, capture_output=True, text=True)
    assert told.returncode == 1 and "EVENT_BUS_NAME" in told.stderr, told
