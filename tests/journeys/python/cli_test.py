"""The AWS CLI with nothing but AWS_ENDPOINT_URL set: the commands that a README would show."""

import json
import os
import subprocess
import sys

from cloud import PASSWORD

ADA = "ada@example.com"


def aws(cloud, *arguments):
    environment = {**os.environ, "AWS_ENDPOINT_URL": cloud.url, "AWS_DEFAULT_REGION": cloud.region, "AWS_PAGER": ""}
    done = subprocess.run(
        [sys.executable, "-m", "awscli", "--output", "json", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def test_from_sign_up_to_profile(cloud):
    user = ("--client-id", cloud.app, "--username", ADA)
    signed_up = aws(
        cloud, "cognito-idp", "sign-up", *user, "--password", PASSWORD,
        "--user-attributes", f"Name=email,Value={ADA}", "Name=name,Value=Ada",
    )  # fmt: skip
    aws(cloud, "cognito-idp", "confirm-sign-up", *user, "--confirmation-code", cloud.code(ADA))
    cloud.settle()
    key = {"pk": {"S": f"USER#{signed_up['UserSub']}"}, "sk": {"S": "PROFILE"}}
    found = aws(cloud, "dynamodb", "get-item", "--table-name", cloud.table, "--key", json.dumps(key))
    assert found["Item"]["email"]["S"] == ADA


def test_the_stack_is_there(cloud):
    pools = aws(cloud, "cognito-idp", "list-user-pools", "--max-results", "10")
    assert cloud.pool in [pool["Id"] for pool in pools["UserPools"]]
    buses = aws(cloud, "events", "list-event-buses")
    assert {"default", cloud.bus} <= {bus["Name"] for bus in buses["EventBuses"]}
    functions = aws(cloud, "lambda", "list-functions")
    assert "create-profile" in [function["FunctionName"] for function in functions["Functions"]]
    tables = aws(cloud, "dynamodb", "list-tables")
    assert cloud.table in tables["TableNames"]
