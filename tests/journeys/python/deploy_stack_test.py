"""The templates of deploy/, with the packaged executable as their code: the stack as it will run on AWS."""

import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest
from pycognito import AWSSRP

from cloud import PASSWORD, Cloud
from deploy_templates_test import translated
from packaged import deployment

FILES = {"sam": "sam/template.yaml", "serverless": "serverless/serverless.yml"}
EMAIL = "ada@example.com"


@pytest.fixture(params=FILES)
def stack(request, tmp_path):
    """A stack of deploy/, and what its template is called."""
    file = deployment(tmp_path) / FILES[request.param]
    arguments = ["--parameter", "SenderAddress=no-reply@example.com", "--parameter", "SenderIdentity=example.com"]
    if request.param != "sam":
        arguments = []
    # A hundredth of Lambda's waits between attempts: one minute and two.
    with Cloud.start(request.node.name, tmp_path, file, "--time-scale", "100", *arguments) as cloud:
        yield cloud


def tokens(cloud, email=EMAIL):
    """Signs in as an app would: the client takes no password in the clear."""
    client = AWSSRP(username=email, password=PASSWORD, pool_id=cloud.pool, client_id=cloud.app, client=cloud.pools)
    return client.authenticate_user()["AuthenticationResult"]


def test_a_sign_up_becomes_a_profile_and_a_mail(stack):
    sub = stack.confirmed_user(EMAIL)
    profile = stack.profile(sub)
    assert (profile["email"]["S"], profile["identityStatus"]["S"]) == (EMAIL, "ACTIVE")
    assert len(stack.welcome_mails(EMAIL)) == 1
    for queue in ("DeadLettersUrl", "FailedInvocationsUrl"):
        assert "Messages" not in stack.client("sqs").receive_message(QueueUrl=stack.stack["outputs"][queue])


def test_a_sign_in_runs_its_hook_and_the_api_answers(stack):
    sub = stack.confirmed_user(EMAIL)
    token = tokens(stack)["AccessToken"]
    stack.settle()
    assert [moment["outcome"] for moment in stack.moments(EMAIL, "trigger")] == ["ok", "ok"]
    (url,) = stack.stack["urls"].values()
    host, path = urllib.parse.urlsplit(url).netloc, f"{stack.url}/me"
    asked = urllib.request.Request(path, headers={"Host": host, "Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert json.loads(answer.read())["userId"] == sub
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(path, headers={"Host": host}), timeout=30)
    assert refused.value.code == 401


def test_what_an_event_breaks_is_kept(stack):
    # Not an identity event, though it says so: create-profile fails, three times, and its queue has it.
    entry = {"EventBusName": stack.bus, "Source": "tandem.identity", "DetailType": "UserUpdated", "Detail": '{"data": 1}'}
    assert stack.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    url = stack.stack["outputs"]["FailedInvocationsUrl"]
    stack.settle()
    (message,) = stack.client("sqs").receive_message(QueueUrl=url)["Messages"]
    record = json.loads(message["Body"])
    assert record["requestContext"]["functionArn"].split(":")[6] == f"{stack.bus}-create-profile"
    assert record["responsePayload"]["errorType"] == "InvalidIdentityEvent"


def test_addresses_are_compared_without_case(stack):
    stack.confirmed_user(EMAIL)
    with pytest.raises(stack.pools.exceptions.UsernameExistsException):
        stack.sign_up(EMAIL.upper())


def test_ours_and_the_translators_resources_agree(request, tmp_path):
    file = deployment(tmp_path) / FILES["sam"]
    arguments = ["--parameter", "SenderAddress=no-reply@example.com", "--parameter", "SenderIdentity=example.com"]
    theirs = translated()["Resources"]
    with Cloud.start(request.node.name, tmp_path, file, *arguments) as cloud:
        ours = {resource["logicalId"]: resource for resource in cloud.stack["resources"]}
        # Left out by the server, and said at its start: alarms and their metric; read and not made: roles.
        left_out = ("AWS::CloudWatch::Alarm", "AWS::IAM::Role", "AWS::Logs::MetricFilter")
        made = {name: resource["Type"] for name, resource in theirs.items() if resource["Type"] not in left_out}
        told = {name: ours[name]["type"] for name in made if name in ours}
        assert told == made

        functions, events = cloud.client("lambda"), cloud.client("events")
        for name, resource in theirs.items():
            its = resource["Properties"]
            if resource["Type"] == "AWS::Lambda::Function":
                there = functions.get_function_configuration(FunctionName=ours[name]["physicalId"])
                for key in ("Handler", "Runtime", "Timeout", "MemorySize", "Description"):
                    default = {"Timeout": 3, "MemorySize": 128, "Description": ""}.get(key)
                    assert there[key] == its.get(key, default), (name, key)
                assert set(there["Environment"]["Variables"]) == set(its["Environment"]["Variables"]), name
            if resource["Type"] == "AWS::Events::Rule" and "EventPattern" in its:
                bus = cloud.bus if "EventBusName" in its else "default"
                rule = its["Name"]["Fn::Sub"].replace("${Name}", "tandem")
                assert json.loads(events.describe_rule(Name=rule, EventBusName=bus)["EventPattern"]) == its["EventPattern"]
                (target,) = events.list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"]
                (wanted,) = its["Targets"]
                assert (target["Id"], target["RetryPolicy"]) == (wanted["Id"], wanted["RetryPolicy"])
                assert target["DeadLetterConfig"]["Arn"].endswith(":tandem-dead-letters")
        pool = cloud.pools.describe_user_pool(UserPoolId=cloud.pool)["UserPool"]
        assert set(pool["LambdaConfig"]) == set(theirs["UserPool"]["Properties"]["LambdaConfig"])
        assert pool["DeletionProtection"] == "ACTIVE"


# -- A pool that exists


def attach(cloud, directory, *arguments):
    command = [sys.executable, directory / "existing-pool/attach.py", "--user-pool-id", cloud.pool]
    command += ["--region", cloud.region, "--endpoint-url", cloud.url, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=directory)


@pytest.fixture
def existing(request, tmp_path):
    """A pool with settings of all kinds, and then, beside it, the stack that is to be hung on it."""
    deploy, state = deployment(tmp_path), tmp_path / "state"
    with Cloud.start(f"{request.node.name}-before", tmp_path, state=state) as before:
        pool = before.pools.create_user_pool(
            PoolName="theirs",
            UsernameAttributes=["email"],
            UsernameConfiguration={"CaseSensitive": False},
            AutoVerifiedAttributes=["email"],
            UserAttributeUpdateSettings={"AttributesRequireVerificationBeforeUpdate": ["email"]},
            Policies={"PasswordPolicy": {"MinimumLength": 9, "RequireSymbols": True, "TemporaryPasswordValidityDays": 3}},
            AdminCreateUserConfig={"AllowAdminCreateUserOnly": False},
            AccountRecoverySetting={"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]},
            VerificationMessageTemplate={"EmailMessage": "It is {####}.", "EmailSubject": "Your code"},
            UserPoolTags={"owner": "somebody"},
            DeletionProtection="ACTIVE",
        )["UserPool"]["Id"]
        client = before.pools.create_user_pool_client(
            UserPoolId=pool, ClientName="theirs", ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        )["UserPoolClient"]["ClientId"]
    parameters = {"UserPoolId": pool, "UserPoolClientId": client, "Name": "later"}
    arguments = [word for name, value in parameters.items() for word in ("--parameter", f"{name}={value}")]
    with Cloud.start(request.node.name, tmp_path, deploy / "existing-pool/template.yaml", *arguments, state=state) as cloud:
        cloud.pool, cloud.app, cloud.deploy = pool, client, deploy
        cloud.functions = ["--announce-user", cloud.stack["outputs"]["AnnounceUserArn"]]
        cloud.functions += ["--notice-sign-in", cloud.stack["outputs"]["NoticeSignInArn"]]
        yield cloud


def settings(cloud):
    pool = cloud.pools.describe_user_pool(UserPoolId=cloud.pool)["UserPool"]
    return {name: value for name, value in pool.items() if name not in ("LastModifiedDate", "EstimatedNumberOfUsers")}


def test_triggers_are_hung_on_an_existing_pool_and_nothing_is_lost(existing):
    before = settings(existing)
    told = attach(existing, existing.deploy, *existing.functions)
    assert told.returncode == 0 and "nothing was written" in told.stdout, told
    assert settings(existing) == before

    told = attach(existing, existing.deploy, *existing.functions, "--apply")
    assert told.returncode == 0, told
    after = settings(existing)
    assert set(after["LambdaConfig"]) == {"PostConfirmation", "PreTokenGeneration"}
    assert {**after, "LambdaConfig": None} == {**before, "LambdaConfig": None}
    assert "nothing to do" in attach(existing, existing.deploy, *existing.functions, "--apply").stdout

    sub = existing.confirmed_user(EMAIL)
    assert existing.profile(sub)["email"]["S"] == EMAIL

    told = attach(existing, existing.deploy, *existing.functions, "--detach", "--apply", "--backup", "attached.json")
    assert told.returncode == 0 and not settings(existing).get("LambdaConfig"), told
    told = attach(existing, existing.deploy, "--restore", "attached.json", "--apply")
    assert told.returncode == 0 and settings(existing) == after, told


def test_another_function_is_not_pushed_off(existing):
    theirs = "arn:aws:lambda:us-east-1:000000000000:function:theirs"
    keep = {"AutoVerifiedAttributes": ["email"]}
    existing.pools.update_user_pool(UserPoolId=existing.pool, LambdaConfig={"PostConfirmation": theirs}, **keep)
    told = attach(existing, existing.deploy, *existing.functions, "--apply")
    assert told.returncode == 1 and f"{theirs} hangs on PostConfirmation already" in told.stderr, told
    assert settings(existing)["LambdaConfig"] == {"PostConfirmation": theirs}


def test_a_function_that_the_pool_may_not_call_is_not_hung_on(existing):
    other = existing.pools.create_user_pool(PoolName="another")["UserPool"]["Id"]
    existing.pool = other
    told = attach(existing, existing.deploy, *existing.functions, "--apply")
    assert told.returncode == 1 and "every sign-up would fail" in told.stderr, told
