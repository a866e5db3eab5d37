"""boto3: the functions of the stack, called by hand."""

import base64
import json

import pytest

from cloud import refused


def post_confirmation(cloud, source):
    return {
        "version": "1",
        "triggerSource": source,
        "region": cloud.region,
        "userPoolId": cloud.pool,
        "userName": "91192d26-7031-7069-06eb-000000000000",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": cloud.app},
        "request": {
            "userAttributes": {
                "sub": "91192d26-7031-7069-06eb-000000000000",
                "cognito:user_status": "CONFIRMED",
                "email_verified": "true",
                "email": "ada@example.com",
            }
        },
        "response": {},
    }


def invoke(cloud, name, event, **more):
    return cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), **more)


def test_the_functions_of_the_stack_are_there(cloud):
    names = {one["FunctionName"] for one in cloud.client("lambda").list_functions()["Functions"]}
    assert {"announce-user", "create-profile", "welcome-email"} <= names


def test_a_dry_run_runs_nothing(cloud):
    event = post_confirmation(cloud, "PostConfirmation_ConfirmSignUp")
    answer = invoke(cloud, "announce-user", event, InvocationType="DryRun")
    cloud.settle()
    assert answer["StatusCode"] == 204
    assert cloud.profile(event["userName"]) is None


@pytest.mark.parametrize(
    "source",
    ["PostConfirmation_ConfirmSignUp", "PostConfirmation_ConfirmForgotPassword", "SomethingNobodyKnows_Yet"],
)
def test_a_trigger_answers_with_the_event_it_got(cloud, source):
    event = post_confirmation(cloud, source)
    answer = invoke(cloud, "announce-user", event)
    assert "FunctionError" not in answer
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert json.loads(answer["Payload"].read()) == event


def test_the_log_comes_along_when_asked_for(cloud):
    event = post_confirmation(cloud, "PostConfirmation_ConfirmForgotPassword")
    answer = invoke(cloud, "announce-user", event, LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    assert all(f"{word} RequestId: " in log for word in ("START", "END", "REPORT"))


def test_an_event_invocation_answers_at_once_and_is_done_later(cloud):
    event = post_confirmation(cloud, "PostConfirmation_ConfirmSignUp")
    answer = invoke(cloud, "announce-user", event, InvocationType="Event")
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    cloud.settle()
    assert cloud.profile(event["userName"])["email"]["S"] == "ada@example.com"


def test_a_function_that_fails_says_so_in_a_header(cloud):
    answer = invoke(cloud, "create-profile", {"not": "an event"})
    payload = json.loads(answer["Payload"].read())
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert {"errorType", "errorMessage"} <= payload.keys()


def test_an_unknown_function_is_named_by_its_arn(cloud):
    arn = f"arn:aws:lambda:{cloud.region}:{cloud.stack['accountId']}:function:nowhere"
    with refused("ResourceNotFoundException", f"Function not found: {arn}") as caught:
        invoke(cloud, "nowhere", {})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_a_payload_that_is_no_json_is_refused(cloud):
    with refused("InvalidRequestContentException") as caught:
        cloud.client("lambda").invoke(FunctionName="announce-user", Payload=b"{not json")
    assert caught.value.response["Error"]["Message"].startswith("Could not parse request body into json: ")
