"""The whole stack, from sign-up to profile, on `tandem dev`. By itself: `pip install boto3 pytest && pytest tests`."""

import json
import os
import pathlib
import subprocess
import urllib.request

import boto3
import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[1]
PASSWORD = "Correct-Horse-7"


class Stack:
    def __init__(self, url):
        self.url = url
        self.ids = self.ask("GET", "stack")
        self.pools = self.client("cognito-idp")

    def client(self, service):
        credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self.url, region_name=self.ids["region"], **credentials)

    def ask(self, method, path):
        request = urllib.request.Request(f"{self.url}/_tandem/{path}", method=method, data=b"" if method == "POST" else None)
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.loads(answer.read() or b"null")

    def settle(self):
        self.ask("POST", "settle?timeoutMs=60000")

    def code(self, email):
        return [mail["code"] for mail in self.ask("GET", f"mailbox?to={email}")["messages"] if mail.get("code")][-1]

    def profiles(self):
        return self.client("dynamodb").scan(TableName=self.ids["tableName"])["Items"]

    def sign_up(self, email):
        client = self.ids["userPoolClientId"]
        attributes = [{"Name": "email", "Value": email}, {"Name": "name", "Value": "Ada"}]
        sub = self.pools.sign_up(ClientId=client, Username=email, Password=PASSWORD, UserAttributes=attributes)["UserSub"]
        self.pools.confirm_sign_up(ClientId=client, Username=email, ConfirmationCode=self.code(email))
        self.settle()
        return sub


@pytest.fixture
def stack():
    binary = os.environ.get("TANDEM_BIN", PROJECT / "../../target/debug/tandem")
    command = [binary, "dev", "--in-memory", "--port", "0"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as server:
        try:
            first = server.stdout.readline()
            assert first.startswith("ready http://"), f"the server did not start: {first!r}"
            yield Stack(first.removeprefix("ready ").strip())
        finally:
            server.terminate()


def test_a_sign_up_becomes_a_profile(stack):
    sub = stack.sign_up("ada@example.com")
    [profile] = stack.profiles()
    assert profile["id"]["S"] == sub
    assert profile["email"]["S"] == "ada@example.com"
    assert profile["name"]["S"] == "Ada"


def test_an_event_that_comes_twice_changes_nothing(stack):
    sub = stack.sign_up("ada@example.com")
    before = stack.profiles()
    detail = json.dumps({"id": sub, "username": sub, "email": "other@example.com"})
    entry = {"EventBusName": stack.ids["eventBusName"], "Source": "profiles.users", "DetailType": "UserCreated", "Detail": detail}
    assert stack.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    stack.settle()
    assert stack.profiles() == before


def test_a_password_reset_announces_nobody(stack):
    stack.sign_up("ada@example.com")
    before = stack.profiles()
    client = stack.ids["userPoolClientId"]
    stack.pools.forgot_password(ClientId=client, Username="ada@example.com")
    code = stack.code("ada@example.com")
    new = {"ConfirmationCode": code, "Password": "Battery-Staple-8"}
    stack.pools.confirm_forgot_password(ClientId=client, Username="ada@example.com", **new)
    stack.settle()
    assert stack.profiles() == before
