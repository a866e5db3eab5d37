import os

import boto3
from boto3.dynamodb.conditions import Attr

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    data = event["detail"]["data"]
    try:
        table.put_item(
            Item={"pk": f"USER#{data['sub']}", "email": data["email"]},
            ConditionExpression=Attr("pk").not_exists(),
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        pass
