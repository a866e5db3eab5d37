"""A local cloud as a process, and the few things that every journey does with one."""

import contextlib
import functools
import json
import os
import pathlib
import re
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = pathlib.Path(__file__).resolve().parents[3]
START_SECONDS_MAX = 60
PASSWORD = "Correct-Horse-7"


class Cloud:
    """`tandem dev` on a port of its own, in memory unless told otherwise."""

    @classmethod
    @contextlib.contextmanager
    def start(cls, name, directory, *arguments, state=None):
        binary = os.environ.get("TANDEM_BIN", ROOT / "target/debug/tandem")
        with open_log(name, directory) as log:
            # An empty directory: no stack file of anybody's is picked up.
            process = subprocess.Popen(
                [binary, "dev", *arguments, *(["--state", state] if state else ["--in-memory"]), "--port", "0"],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            try:
                yield cls(first_line(process))
            finally:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def __init__(self, ready):
        self.url = ready.removeprefix("ready ").strip()
        self.stack = self.get("stack")
        self.region = self.stack["region"]
        # A stack may be about a pool of somebody else's.
        self.pool = self.stack.get("userPoolId")
        self.app = self.stack.get("userPoolClientId")
        self.table = self.stack["tableName"]
        self.bus = self.stack["eventBusName"]

    # -- What only a local cloud has

    def get(self, path, **query):
        return self._ask("GET", path, query)

    def post(self, path, body=None, **query):
        return self._ask("POST", path, query, body)

    def settle(self):
        """Waits until nothing is queued or running."""
        self.post("settle", timeoutMs=20_000)

    def advance(self, **duration):
        """Moves the clock on: `seconds`, `minutes`, `hours`, `days`."""
        seconds = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
        self.post("clock", {"advanceSeconds": sum(seconds[unit] * n for unit, n in duration.items())})

    def mailbox(self, to):
        return self.get("mailbox", to=to)["messages"]

    def code(self, to):
        """The newest code that was sent to somebody."""
        codes = [message["code"] for message in self.mailbox(to) if message.get("code")]
        assert codes, f"no code was sent to {to}"
        return codes[-1]

    def moments(self, user, kind):
        """What happened to a user, of one kind: `trigger`, `event`, `delivery`, …"""
        timeline = self.get("timeline", user=user)
        moments = timeline if isinstance(timeline, list) else timeline["moments"]
        return [moment for moment in moments if moment["kind"] == kind]

    def _ask(self, method, path, query, body=None):
        url = f"{self.url}/_tandem/{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    # -- What AWS has too

    @functools.cache
    def client(self, service):
        # One attempt: a retry would hide the first answer.
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
        return boto3.client(service, endpoint_url=self.url, region_name=self.region, config=config)

    @property
    def pools(self):
        return self.client("cognito-idp")

    def sign_up(self, email, password=PASSWORD, name="Ada Lovelace", **more):
        attributes = [{"Name": "email", "Value": email}, {"Name": "name", "Value": name}]
        return self.pools.sign_up(
            ClientId=self.app, Username=email, Password=password, UserAttributes=attributes, **more
        )

    def confirm(self, email):
        return self.pools.confirm_sign_up(ClientId=self.app, Username=email, ConfirmationCode=self.code(email))

    def confirmed_user(self, email, **more):
        """Signs somebody up, confirms with the mailed code, and returns their `sub`."""
        sub = self.sign_up(email, **more)["UserSub"]
        self.confirm(email)
        self.settle()
        return sub

    def admin_user(self, email, **more):
        """A user whom an administrator creates, silently."""
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        settings = {"UserAttributes": attributes, "MessageAction": "SUPPRESS", **more}
        return self.pools.admin_create_user(UserPoolId=self.pool, Username=email, **settings)["User"]

    def sign_in(self, email, password=PASSWORD, client=None):
        return self.pools.initiate_auth(
            ClientId=client or self.app,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": password},
        )

    def profile(self, sub):
        """The profile item of a user, or nothing."""
        key = {"pk": {"S": f"USER#{sub}"}, "sk": {"S": "PROFILE"}}
        answer = self.client("dynamodb").get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def welcome_mails(self, email):
        return [message for message in self.mailbox(email) if not message.get("code")]


@contextlib.contextmanager
def refused(code, message=None):
    """The block is refused with this error, and if told so in these words."""
    with pytest.raises(ClientError) as caught:
        yield caught
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    if message is not None:
        assert error["Message"] == message


def attributes(user):
    """`{"email": …}` from the pairs of an answer."""
    pairs = user.get("UserAttributes") or user.get("Attributes") or []
    return {pair["Name"]: pair["Value"] for pair in pairs}


def open_log(name, directory):
    """Where the server's own words go: the folder that the task runner names, or the test's own."""
    folder = pathlib.Path(os.environ.get("TANDEM_JOURNEY_LOGS", directory))
    folder.mkdir(parents=True, exist_ok=True)
    return open(folder / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.log", "w", encoding="utf-8")


def first_line(process):
    """The server's first line, and from then on a reader for the rest, so that the pipe never fills."""
    timer = threading.Timer(START_SECONDS_MAX, process.kill)
    timer.start()
    line = process.stdout.readline()
    timer.cancel()
    threading.Thread(target=process.stdout.read, daemon=True).start()
    assert line.startswith("ready http://127.0.0.1:"), f"the server did not start: {line!r}; see its log"
    return line
