"""Stores a new user. Events come at least once: a second one finds the profile and changes nothing."""

import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def handler(event, context):
    profile = {name: value for name, value in event["detail"].items() if value is not None}
    try:
        table.put_item(Item={**profile, "createdAt": event["time"]}, ConditionExpression="attribute_not_exists(id)")
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        print("known already:", profile["id"])
