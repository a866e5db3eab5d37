"""boto3: what functions print, in CloudWatch Logs."""

import io
import json
import os
import subprocess
import time
import zipfile

import pytest

from cloud import ROOT, refused

ROLE = "arn:aws:iam::000000000000:role/any"
HANDLER = """
import json, os

def handler(event, context):
    for line in event.get("lines", []):
        print(line)
    for number in range(event.get("flood", 0)):
        print("x" * 1000)
    if "fail" in event:
        raise ValueError(event["fail"])
    return {"stream": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"], "id": context.aws_request_id}
"""


@pytest.fixture
def printer(cloud):
    """A function that prints what it is told."""
    return create(cloud, "printer")


def create(cloud, name, **more):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("app.py", HANDLER)
    cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="app.handler",
        Role=ROLE,
        Timeout=30,
        Code={"ZipFile": archive.getvalue()},
        **more,
    )

    def invoke(**event):
        answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    return invoke


def filtered(cloud, group="/aws/lambda/printer", **more):
    pages = cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, **more)
    return [event for page in pages for event in page["events"]]


def messages(cloud, **more):
    return [event["message"] for event in filtered(cloud, **more)]


def test_a_print_is_found_by_filter_log_events(cloud, printer):
    answer = printer(lines=["ordinary", 'level=ERROR code=42', '{"level": "error", "took": 120}'])
    found = filtered(cloud, filterPattern="ERROR")
    assert [event["message"] for event in found] == ["level=ERROR code=42\n"]
    assert found[0]["logStreamName"] == answer["stream"]
    assert messages(cloud, filterPattern='{ $.level = "error" && $.took > 100 }') == [
        '{"level": "error", "took": 120}\n'
    ]
    assert messages(cloud, filterPattern="nothing") == []


def test_a_stream_tells_an_invocation_from_start_to_report(cloud, printer):
    answers = [printer(lines=["one"]), printer(lines=["two"])]
    stream = answers[0]["stream"]
    assert answers[1]["stream"] == stream
    events = cloud.client("logs").get_log_events(
        logGroupName="/aws/lambda/printer", logStreamName=stream, startFromHead=True
    )["events"]
    lines = [event["message"].rstrip("\n") for event in events]
    ids = [answer["id"] for answer in answers]
    assert [line for line in lines if not line.startswith("REPORT")] == [
        f"START RequestId: {ids[0]} Version: $LATEST", "one", f"END RequestId: {ids[0]}",
        f"START RequestId: {ids[1]} Version: $LATEST", "two", f"END RequestId: {ids[1]}",
    ]  # fmt: skip
    reports = [line.split("\t") for line in lines if line.startswith("REPORT")]
    assert [report[0] for report in reports] == [f"REPORT RequestId: {id}" for id in ids]
    assert ["Init Duration" in "".join(report) for report in reports] == [True, False]


def test_streams_are_described_and_read_backward(cloud, printer):
    stream = printer(lines=["a", "b", "c"])["stream"]
    logs = cloud.client("logs")
    described = logs.describe_log_streams(
        logGroupName="/aws/lambda/printer", orderBy="LastEventTime", descending=True, limit=1
    )["logStreams"][0]
    assert described["logStreamName"] == stream
    assert described["firstEventTimestamp"] <= described["lastEventTimestamp"]
    where = {"logGroupName": "/aws/lambda/printer", "logStreamName": stream}
    last = logs.get_log_events(**where, limit=2)
    before = logs.get_log_events(**where, limit=2, nextToken=last["nextBackwardToken"])
    assert [event["message"] for event in before["events"]] == ["b\n", "c\n"]
    end = logs.get_log_events(**where, nextToken=last["nextForwardToken"])
    assert (end["events"], end["nextForwardToken"]) == ([], last["nextForwardToken"])


def test_a_function_logs_where_it_is_told_to(cloud):
    create(cloud, "elsewhere", LoggingConfig={"LogGroup": "/shared/group"})(lines=["here"])
    assert "here\n" in [event["message"] for event in filtered(cloud, "/shared/group")]
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        filtered(cloud, "/aws/lambda/elsewhere")


def test_json_is_the_format_of_the_platforms_lines_if_asked_for(cloud):
    create(cloud, "jsonic", LoggingConfig={"LogFormat": "JSON"})(lines=["plain"])
    found = filtered(cloud, "/aws/lambda/jsonic", filterPattern='{ $.type = "platform.*" }')
    kinds = [json.loads(event["message"])["type"] for event in found]
    assert (kinds[0], kinds[-1]) == ("platform.start", "platform.report")


def test_a_flood_loses_lines_says_so_and_harms_nobody(cloud, printer):
    began = time.monotonic()
    printer(flood=100_000)  # 100 MB
    assert time.monotonic() - began < 25
    pages = cloud.client("logs").get_paginator("filter_log_events")
    lost = [
        event["message"]
        for page in pages.paginate(logGroupName="/aws/lambda/printer", filterPattern='"[tandem]"')
        for event in page["events"]
    ]
    assert all("lines are missing here" in message for message in lost)
    described = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/printer")["logGroups"][0]
    assert described["storedBytes"] <= 64 * 1024 * 1024
    assert printer(lines=["still there"])["id"]
    assert "still there\n" in messages(cloud, filterPattern="still")


def test_what_anybody_puts_comes_back(cloud):
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="g", tags={"a": "1"})
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    now = int(time.time() * 1000)
    put = logs.put_log_events(
        logGroupName="g",
        logStreamName="s",
        logEvents=[
            {"timestamp": now - 15 * 86_400_000, "message": "too old"},
        ],
    )
    assert put["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    logs.put_log_events(
        logGroupName="g", logStreamName="s", logEvents=[{"timestamp": now, "message": "10.0.0.1 GET 404"}]
    )
    assert messages(cloud, group="g", filterPattern="[ip, verb, status = 4*]") == ["10.0.0.1 GET 404"]
    logs.put_retention_policy(logGroupName="g", retentionInDays=1)
    cloud.advance(days=2)
    assert messages(cloud, group="g") == []
    assert logs.list_tags_for_resource(
        resourceArn=f"arn:aws:logs:{cloud.region}:{cloud.stack['accountId']}:log-group:g"
    )["tags"] == {"a": "1"}
    with refused("InvalidParameterException", "Invalid filter pattern: Invalid character(s) in term 'a@b'"):
        messages(cloud, group="g", filterPattern="a@b")


def tandem_logs(cloud, *arguments):
    binary = os.environ.get("TANDEM_BIN", ROOT / "target/debug/tandem")
    return subprocess.Popen(
        [binary, "logs", "--endpoint-url", cloud.url, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_tandem_logs_prints_filters_and_says_what_is_wrong(cloud, printer):
    printer(lines=["hello", "ERROR: no"])
    out, err = (process := tandem_logs(cloud, "printer")).communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert [line.split("  ", 1)[1].split(" ")[0] for line in out.splitlines()] == [
        "START", "hello", "ERROR:", "END", "REPORT",
    ]  # fmt: skip
    out, _ = tandem_logs(cloud, "--json", "--filter", "ERROR").communicate(timeout=60)
    assert [json.loads(line)["function"] for line in out.splitlines()] == ["printer"]
    nothing = tandem_logs(cloud, "printer", "--filter", "nothing")
    assert (*nothing.communicate(timeout=60), nothing.returncode) == ("", "", 1)
    for arguments, says in [
        (["nobody"], "tandem: there is no function and no log group nobody; functions are: "),
        (["--since", "soon"], "tandem: --since takes a time like 30s, 10m, 2h or 1d, not soon"),
        (["printer", "--filter", "a@b"], "tandem: InvalidParameterException: Invalid filter pattern: "),
    ]:
        process = tandem_logs(cloud, *arguments)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(says)


def test_tandem_logs_follows(cloud, printer):
    printer(lines=["before"])
    following = tandem_logs(cloud, "--follow", "--filter", "-RequestId")
    try:
        assert following.stdout.readline().endswith("  printer  before\n")
        printer(lines=["after"])
        assert following.stdout.readline().endswith("  printer  after\n")
        create(cloud, "newcomer")(lines=["hello"])
        assert following.stdout.readline().endswith("  newcomer  hello\n")
    finally:
        following.kill()
        following.wait()
