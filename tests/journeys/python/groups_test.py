"""boto3: groups, and a function that changes what tokens say."""

import base64
import json

from cloud import PASSWORD, refused

ADA = "ada@example.com"
BOB = "bob@example.com"
ROLE = "arn:aws:iam::000000000000:role/admins"
# A function in Node.js: what the article's author writes.
TENANT = """
exports.handler = async (event) => {
  const claims = { claimsToAddOrOverride: { tenant: event.request.userAttributes.email.split("@")[1] } };
  event.response.claimsAndScopeOverrideDetails = {
    idTokenGeneration: claims,
    accessTokenGeneration: { ...claims, scopesToAdd: ["orders/read"] },
  };
  return event;
};
"""


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def group(cloud, name, **settings):
    return cloud.pools.create_group(UserPoolId=cloud.pool, GroupName=name, **settings)["Group"]


def join(cloud, email, name):
    cloud.pools.admin_add_user_to_group(UserPoolId=cloud.pool, Username=email, GroupName=name)


def names(cloud, operation, **question):
    """The names in all pages of a list, asked for one by one."""
    paginator = cloud.pools.get_paginator(operation)
    pages = paginator.paginate(UserPoolId=cloud.pool, PaginationConfig={"PageSize": 1}, **question)
    return [one["GroupName"] for page in pages for one in page["Groups"]]


def test_groups_are_in_the_tokens(cloud):
    cloud.confirmed_user(ADA)
    group(cloud, "readers")
    group(cloud, "admins", Precedence=1, RoleArn=ROLE)
    for name in ["readers", "admins"]:
        join(cloud, ADA, name)
    tokens = cloud.sign_in(ADA)["AuthenticationResult"]
    identity = claims(tokens["IdToken"])
    assert identity["cognito:groups"] == claims(tokens["AccessToken"])["cognito:groups"] == ["admins", "readers"]
    assert (identity["cognito:roles"], identity["cognito:preferred_role"]) == ([ROLE], ROLE)


def test_members_come_and_go(cloud):
    cloud.confirmed_user(ADA)
    cloud.confirmed_user(BOB)
    group(cloud, "admins", Description="may all")
    group(cloud, "readers")
    join(cloud, ADA, "admins")
    join(cloud, ADA, "readers")
    join(cloud, BOB, "readers")
    assert names(cloud, "list_groups") == ["admins", "readers"]
    assert names(cloud, "admin_list_groups_for_user", Username=ADA) == ["admins", "readers"]
    members = cloud.pools.list_users_in_group(UserPoolId=cloud.pool, GroupName="readers")["Users"]
    assert len(members) == 2

    cloud.pools.admin_remove_user_from_group(UserPoolId=cloud.pool, Username=ADA, GroupName="readers")
    cloud.pools.delete_group(UserPoolId=cloud.pool, GroupName="admins")
    assert names(cloud, "admin_list_groups_for_user", Username=ADA) == []
    with refused("ResourceNotFoundException", "Group not found."):
        join(cloud, ADA, "admins")


def test_a_name_is_taken_once(cloud):
    group(cloud, "admins")
    with refused("GroupExistsException", "A group with the name already exists."):
        group(cloud, "admins")


def test_a_function_adds_a_claim(cloud):
    functions = cloud.client("lambda")
    function = functions.create_function(
        FunctionName="tenant",
        Runtime="nodejs22.x",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/tenant",
        Code={"S3Bucket": "inline", "S3Key": TENANT},
    )
    pool = cloud.pools.describe_user_pool(UserPoolId=cloud.pool)["UserPool"]
    functions.add_permission(
        FunctionName="tenant",
        StatementId="pool",
        Action="lambda:InvokeFunction",
        Principal="cognito-idp.amazonaws.com",
        SourceArn=pool["Arn"],
    )
    arn = function["FunctionArn"]
    cloud.confirmed_user(ADA)
    triggers = {"PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": arn}}
    cloud.pools.update_user_pool(
        UserPoolId=cloud.pool, LambdaConfig=triggers, AutoVerifiedAttributes=pool["AutoVerifiedAttributes"]
    )
    tokens = cloud.sign_in(ADA, PASSWORD)["AuthenticationResult"]
    assert claims(tokens["IdToken"])["tenant"] == "example.com"
    access = claims(tokens["AccessToken"])
    assert (access["tenant"], access["scope"]) == ("example.com", "aws.cognito.signin.user.admin orders/read")
    assert cloud.pools.get_user(AccessToken=tokens["AccessToken"])["Username"]
    assert any("TokenGeneration_Authentication" in moment["what"] for moment in cloud.moments(ADA, "trigger"))
