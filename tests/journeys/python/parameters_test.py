"""boto3: parameters and secrets, put by hand and read by a function at run time."""

import io
import json
import os
import subprocess
import uuid
import zipfile

import pytest

from cloud import ROOT, Cloud, first_line, refused

HANDLER = """
import boto3, os

ssm = boto3.client("ssm")
secrets = boto3.client("secretsmanager")

def handler(event, context):
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/app", Recursive=True, WithDecryption=True)
    return {
        "parameters": {one["Name"]: one["Value"] for page in pages for one in page["Parameters"]},
        "secret": secrets.get_secret_value(SecretId="app/db")["SecretString"],
    }
"""


@pytest.fixture
def ssm(cloud):
    return cloud.client("ssm")


@pytest.fixture
def secrets(cloud):
    return cloud.client("secretsmanager")


def test_parameters_are_put_and_found_by_name_and_path(ssm):
    for n in range(12):
        ssm.put_parameter(Name=f"/app/many/{n:02}", Value=str(n), Type="String")
    ssm.put_parameter(Name="/app/key", Value="hunter2", Type="SecureString", Tags=[{"Key": "k", "Value": "v"}])
    found = ssm.get_parameters(Names=["/app/key", "/app/none"], WithDecryption=True)
    assert [one["Value"] for one in found["Parameters"]] == ["hunter2"]
    assert found["InvalidParameters"] == ["/app/none"]
    assert ssm.get_parameter(Name="/app/key")["Parameter"]["Value"] != "hunter2"
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/app", Recursive=True)
    assert [len(page["Parameters"]) for page in pages] == [10, 3]
    filters = [{"Key": "tag:k", "Values": ["v"]}]
    assert [one["Name"] for one in ssm.describe_parameters(ParameterFilters=filters)["Parameters"]] == ["/app/key"]
    ssm.delete_parameter(Name="/app/key")
    with refused("ParameterNotFound"):
        ssm.get_parameter(Name="/app/key")


def test_versions_and_labels_are_selected(ssm):
    for value in ["one", "two"]:
        ssm.put_parameter(Name="flag", Value=value, Type="String", Overwrite=True)
    ssm.label_parameter_version(Name="flag", ParameterVersion=1, Labels=["live"])
    arn = ssm.get_parameter(Name="flag")["Parameter"]["ARN"]
    for name in ["flag:1", "flag:live", f"{arn}:live"]:
        assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == "one"
    message = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
    with refused("ParameterAlreadyExists", message):
        ssm.put_parameter(Name="flag", Value="three", Type="String")


def test_a_secret_has_versions_and_a_second_chance(secrets, cloud):
    made = secrets.create_secret(Name="app/db", SecretString="one")
    assert secrets.create_secret(Name="app/bytes", SecretBinary=b"\x00\xff")["VersionId"]
    assert secrets.get_secret_value(SecretId="app/bytes")["SecretBinary"] == b"\x00\xff"
    secrets.put_secret_value(SecretId="app/db", SecretString="two", ClientRequestToken=str(uuid.uuid4()))
    assert secrets.get_secret_value(SecretId=made["ARN"])["SecretString"] == "two"
    assert secrets.get_secret_value(SecretId="app/db", VersionStage="AWSPREVIOUS")["SecretString"] == "one"
    assert secrets.get_secret_value(SecretId="app/db", VersionId=made["VersionId"])["SecretString"] == "one"
    listed = secrets.list_secrets(Filters=[{"Key": "name", "Values": ["app/d"]}])["SecretList"]
    assert [one["ARN"] for one in listed] == [made["ARN"]]
    secrets.delete_secret(SecretId="app/db", RecoveryWindowInDays=7)
    message = "You can't perform this operation on the secret because it was marked for deletion."
    with refused("InvalidRequestException", message):
        secrets.get_secret_value(SecretId="app/db")
    secrets.restore_secret(SecretId="app/db")
    assert secrets.get_secret_value(SecretId="app/db")["SecretString"] == "two"
    secrets.delete_secret(SecretId="app/db")
    cloud.advance(days=30)
    with refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret."):
        secrets.get_secret_value(SecretId="app/db")


def test_a_random_password_has_what_it_should(secrets):
    drawn = secrets.get_random_password(PasswordLength=20, ExcludePunctuation=True)["RandomPassword"]
    assert len(drawn) == 20 and drawn.isalnum()


def test_a_handler_reads_both_at_run_time(cloud, ssm, secrets):
    ssm.put_parameter(Name="/app/table", Value="profiles", Type="String")
    ssm.put_parameter(Name="/app/deep/key", Value="hunter2", Type="SecureString")
    secrets.create_secret(Name="app/db", SecretString='{"password": "p"}')
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("app.py", HANDLER)
    cloud.client("lambda").create_function(
        FunctionName="reader",
        Runtime="python3.12",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/any",
        Timeout=30,
        Code={"ZipFile": archive.getvalue()},
    )
    answer = cloud.client("lambda").invoke(FunctionName="reader", Payload=b"{}")
    assert json.loads(answer["Payload"].read()) == {
        "parameters": {"/app/table": "profiles", "/app/deep/key": "hunter2"},
        "secret": '{"password": "p"}',
    }


def test_no_value_is_in_the_timeline(cloud, ssm, secrets):
    ssm.put_parameter(Name="/app/key", Value="hunter2", Type="SecureString")
    secrets.create_secret(Name="app/db", SecretString="hunter2")
    with refused("ValidationException"):
        ssm.put_parameter(Name="/app/ key", Value="hunter2", Type="String")
    moments = json.dumps(cloud.get("timeline"))
    assert "PutParameter" in moments and "CreateSecret" in moments
    assert "hunter2" not in moments


def test_values_on_the_command_line_are_there_from_the_start_and_after_a_reset(tmp_path):
    binary = os.environ.get("TANDEM_BIN", ROOT / "target/debug/tandem")
    values = ["--ssm", "/app/table=profiles", "--ssm", "/app/query=a=b"]
    process = subprocess.Popen(
        [binary, "dev", "--in-memory", "--port", "0", *values],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        cloud = Cloud(first_line(process))
        ssm = cloud.client("ssm")
        found = ssm.get_parameters(Names=["/app/table", "/app/query"])["Parameters"]
        assert [(one["Value"], one["Type"]) for one in found] == [("profiles", "String"), ("a=b", "String")]
        ssm.delete_parameter(Name="/app/table")
        cloud.post("reset")
        assert ssm.get_parameter(Name="/app/table")["Parameter"]["Value"] == "profiles"
    finally:
        process.kill()
        process.wait()
