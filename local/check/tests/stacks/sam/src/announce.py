"""Tells others of users who have confirmed their address."""

import json
import logging
import os

import boto3
from botocore.config import Config

events = boto3.client("events", config=Config(connect_timeout=1, read_timeout=1, retries={"max_attempts": 1}))


def handler(event, context):
    if event["triggerSource"] == "PostConfirmation_ConfirmSignUp":
        try:
            publish(event["request"]["userAttributes"])
        except Exception:
            logging.exception("not announced: %s", event["userName"])
    return event


def publish(attributes):
    entry = {
        "EventBusName": os.environ["EVENT_BUS"],
        "Source": "com.example.users",
        "DetailType": "UserCreated",
        "Detail": json.dumps({"data": attributes}),
    }
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(answer["Entries"])
