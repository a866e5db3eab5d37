import json

import boto3

events = boto3.client("events")


def handler(event, context):
    entry = {"Source": "com.example.users", "DetailType": "UserCreated", "Detail": json.dumps(event)}
    events.put_events(Entries=[entry])  # <- here
    return event
