"""boto3: events, rules and where they lead."""

import json

import pytest

from cloud import refused


def entry(cloud, **more):
    settled = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": '{"order": 1}', "EventBusName": cloud.bus}
    settled.update(more)
    return {name: value for name, value in settled.items() if value is not None}


def make_queue(cloud, name="orders"):
    """A queue that takes what the bus delivers, and its ARN."""
    queues = cloud.client("sqs")
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def make_rule(cloud, pattern, arn, **target):
    events = cloud.client("events")
    events.put_rule(Name="orders", EventBusName=cloud.bus, EventPattern=json.dumps(pattern))
    answer = events.put_targets(
        Rule="orders", EventBusName=cloud.bus, Targets=[{"Id": "queue", "Arn": arn, **target}]
    )
    assert answer["FailedEntryCount"] == 0


def receive(cloud, url):
    cloud.settle()
    answer = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_some_events_fail_and_the_others_do_not(cloud):
    entries = [
        entry(cloud),
        entry(cloud, DetailType=None),
        entry(cloud, Detail="[1]"),
        entry(cloud, Source=None),
        entry(cloud),
    ]
    answer = cloud.client("events").put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 3
    told = [(one.get("ErrorCode"), one.get("ErrorMessage")) for one in answer["Entries"]]
    assert told == [
        (None, None),
        ("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."),
        ("MalformedDetail", "Detail is malformed."),
        ("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."),
        (None, None),
    ]
    assert answer["Entries"][0]["EventId"] != answer["Entries"][4]["EventId"]


def test_eleven_events_are_too_many(cloud):
    with refused("ValidationException") as caught:
        cloud.client("events").put_events(Entries=[entry(cloud)] * 11)
    assert "Member must have length less than or equal to 10" in str(caught.value)


def test_a_megabyte_of_events_is_too_much(cloud):
    detail = json.dumps({"text": "x" * 1_100_000})
    with refused("ValidationException", "Total size of the entries in the request is over the limit."):
        cloud.client("events").put_events(Entries=[entry(cloud, Detail=detail)])


def test_an_event_reaches_a_queue_in_its_envelope(cloud):
    url, arn = make_queue(cloud)
    make_rule(cloud, {"source": ["shop"]}, arn)
    sent = cloud.client("events").put_events(Entries=[entry(cloud, Resources=["one"])])["Entries"][0]["EventId"]
    [event] = receive(cloud, url)
    assert list(event) == [
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    ]
    assert (event["version"], event["id"], event["detail-type"]) == ("0", sent, "OrderPlaced")
    assert (event["source"], event["resources"], event["detail"]) == ("shop", ["one"], {"order": 1})
    assert (event["account"], event["region"]) == (cloud.stack["accountId"], cloud.region)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ({"source": ["shop"]}, True),
        ({"source": [{"prefix": "sh"}]}, True),
        ({"source": [{"anything-but": "shop"}]}, False),
        ({"detail": {"order": [{"numeric": [">", 0, "<=", 1]}]}}, True),
        ({"detail": {"order": [{"numeric": [">", 1]}]}}, False),
        ({"detail": {"gift": [{"exists": False}]}}, True),
        ({"detail-type": [{"wildcard": "Order*"}]}, True),
        ({"detail-type": [{"equals-ignore-case": "orderplaced"}]}, True),
        ({"$or": [{"source": ["bank"]}, {"detail": {"order": [1]}}]}, True),
        ({"source": ["shop"], "detail": {"order": [2]}}, False),
    ],
)
def test_a_pattern_decides(cloud, pattern, matches):
    url, arn = make_queue(cloud)
    make_rule(cloud, pattern, arn)
    cloud.client("events").put_events(Entries=[entry(cloud)])
    assert len(receive(cloud, url)) == int(matches)


def test_the_sign_up_is_an_event_for_anybody(cloud):
    url, arn = make_queue(cloud)
    make_rule(cloud, {"source": ["tandem.identity"], "detail-type": ["UserCreated"]}, arn)
    sub = cloud.confirmed_user("ada@example.com")
    [event] = receive(cloud, url)
    assert event["detail"]["metadata"]["schemaVersion"] == 1
    assert event["detail"]["metadata"]["origin"] == "sign-up"
    data = event["detail"]["data"]
    assert (data["userId"], data["email"], data["emailVerified"]) == (sub, "ada@example.com", True)


def test_a_target_that_is_gone_leaves_the_event_in_the_dead_letter_queue(cloud):
    gone, arn = make_queue(cloud, "gone")
    letters, letters_arn = make_queue(cloud, "letters")
    make_rule(cloud, {"source": ["shop"]}, arn, DeadLetterConfig={"Arn": letters_arn})
    cloud.client("sqs").delete_queue(QueueUrl=gone)
    cloud.client("events").put_events(Entries=[entry(cloud)])
    cloud.settle()
    answer = cloud.client("sqs").receive_message(QueueUrl=letters, MessageAttributeNames=["All"])
    [message] = answer["Messages"]
    assert json.loads(message["Body"])["detail"] == {"order": 1}
    assert {"RULE_ARN", "TARGET_ARN", "ERROR_CODE", "ERROR_MESSAGE"} <= message["MessageAttributes"].keys()


def test_a_pattern_that_cannot_be_is_refused(cloud):
    with refused("InvalidEventPatternException") as caught:
        cloud.client("events").put_rule(Name="bad", EventBusName=cloud.bus, EventPattern='{"source": []}')
    assert caught.value.response["Error"]["Message"].startswith("Event pattern is not valid. Reason: ")


def test_an_unknown_bus_is_named(cloud):
    with refused("ResourceNotFoundException", "Event bus nowhere does not exist."):
        cloud.client("events").put_rule(Name="orders", EventBusName="nowhere", EventPattern='{"source": ["shop"]}')


def test_a_bus_is_made_once(cloud):
    cloud.client("events").create_event_bus(Name="second")
    with refused("ResourceAlreadyExistsException", "Event bus second already exists."):
        cloud.client("events").create_event_bus(Name="second")


def test_a_rule_with_targets_stays(cloud):
    _, arn = make_queue(cloud)
    make_rule(cloud, {"source": ["shop"]}, arn)
    with refused("ValidationException", "Rule can't be deleted since it has targets."):
        cloud.client("events").delete_rule(Name="orders", EventBusName=cloud.bus)
