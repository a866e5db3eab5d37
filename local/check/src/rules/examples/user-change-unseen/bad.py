import boto3

cognito = boto3.client("cognito-idp")


def handler(event, context):
    cognito.admin_delete_user(UserPoolId=event["pool"], Username=event["user"])  # <- here
