import json

import boto3


def handler(event, context):
    answer = boto3.client("events").put_events(
        Entries=[{"Source": "aws.cognito", "DetailType": "UserCreated", "Detail": json.dumps(event)}]  # <- here
    )
    print(answer["FailedEntryCount"])
    return event
