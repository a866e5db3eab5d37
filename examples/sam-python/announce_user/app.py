"""The user pool's PostConfirmation trigger: tells the bus of a new user, and returns the event."""

import json
import os

import boto3
from botocore.config import Config

# Two short attempts: Cognito waits five seconds for the whole function.
events = boto3.client("events", config=Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 2}))


def handler(event, context):
    # A reset password comes by the same trigger.
    if event["triggerSource"] == "PostConfirmation_ConfirmSignUp":
        announce(event["userName"], event["request"]["userAttributes"])
    return event


def announce(username, attributes):
    detail = {"id": attributes["sub"], "username": username, "email": attributes["email"], "name": attributes.get("name")}
    entry = {
        "EventBusName": os.environ["EVENT_BUS_NAME"],
        "Source": "profiles.users",
        "DetailType": "UserCreated",
        "Detail": json.dumps(detail),
    }
    answer = events.put_events(Entries=[entry])
    # The call succeeds even if the bus took nothing.
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"not announced: {answer['Entries'][0]['ErrorCode']}")
