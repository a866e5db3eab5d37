import os

import boto3

cognito = boto3.client("cognito-idp")
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    cognito.admin_delete_user(UserPoolId=event["pool"], Username=event["user"])
    table.update_item(
        Key={"pk": f"USER#{event['sub']}"},
        UpdateExpression="SET deletedAt = :now REMOVE email, givenName",
        ExpressionAttributeValues={":now": event["time"]},
    )
