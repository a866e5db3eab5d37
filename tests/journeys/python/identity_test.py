"""boto3 and the AWS CLI: who am I, and credentials of a role. Code often begins with one of these."""

import base64
import json

import boto3

from cli_test import aws
from cloud import refused

ROLE = "arn:aws:iam::000000000000:role/deployer"


def client(cloud, service, credentials=None):
    keys = {}
    if credentials:
        keys = {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }
    return boto3.client(service, endpoint_url=cloud.url, region_name=cloud.region, **keys)


def test_the_cli_asks_who_it_is(cloud):
    caller = aws(cloud, "sts", "get-caller-identity")
    account = "000000000000"
    assert caller == {"UserId": account, "Account": account, "Arn": f"arn:aws:iam::{account}:root"}


def test_credentials_of_a_role_work(cloud):
    assumed = client(cloud, "sts").assume_role(RoleArn=ROLE, RoleSessionName="ann")
    arn = "arn:aws:sts::000000000000:assumed-role/deployer/ann"
    assert assumed["AssumedRoleUser"]["Arn"] == arn
    credentials = assumed["Credentials"]
    assert client(cloud, "sts", credentials).get_caller_identity()["Arn"] == arn
    assert cloud.table in client(cloud, "dynamodb", credentials).list_tables()["TableNames"]


def test_an_identity_token_gives_credentials(cloud):
    claims = json.dumps({"iss": "https://ci.example", "sub": "repo:app", "aud": "sts.amazonaws.com"}).encode()
    token = f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"
    sts = client(cloud, "sts")
    assumed = sts.assume_role_with_web_identity(RoleArn=ROLE, RoleSessionName="ci", WebIdentityToken=token)
    assert (assumed["Provider"], assumed["SubjectFromWebIdentityToken"]) == ("https://ci.example", "repo:app")
    session = client(cloud, "sts", assumed["Credentials"]).get_session_token()
    assert session["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_what_is_no_role_is_refused_in_stss_words(cloud):
    user = "arn:aws:iam::000000000000:user/ann"
    with refused("ValidationError", f"{user} is invalid"):
        client(cloud, "sts").assume_role(RoleArn=user, RoleSessionName="ann")
