import boto3

cognito = boto3.client("cognito-idp")


def handler(event, context):
    pool = cognito.describe_user_pool(UserPoolId=event["pool"])["UserPool"]
    cognito.update_user_pool(
        UserPoolId=event["pool"],
        DeletionProtection="ACTIVE",
        LambdaConfig=pool.get("LambdaConfig", {}),
        AutoVerifiedAttributes=pool.get("AutoVerifiedAttributes", []),
        MfaConfiguration=pool["MfaConfiguration"],
    )
