import boto3


def handler(event, context):
    boto3.client("cognito-idp").update_user_pool(  # <- here
        UserPoolId=event["pool"], DeletionProtection="ACTIVE"
    )
