import json

import boto3


def handler(event, context):
    answer = boto3.client("events").put_events(
        Entries=[{"Source": "com.example.users", "DetailType": "UserCreated", "Detail": json.dumps(event)}]
    )
    if answer["FailedEntryCount"]:
        print(answer["Entries"])
    return event
