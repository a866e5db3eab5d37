"""boto3: every way in which a user can change, and the path by which the profile hears of it. docs/coverage.md has the table;
each of its rows names a test of this file."""

import csv
import io
import json
import os
import subprocess
import urllib.request

import pytest

from cloud import PASSWORD, ROOT

ADA = "ada@example.com"
NEW = "ada.new@example.com"


def text(profile, name):
    return profile and profile.get(name, {}).get("S")


def groups(profile):
    return profile.get("identityGroups", {}).get("SS", [])


def update(cloud, who, **attributes):
    pairs = [{"Name": name, "Value": value} for name, value in attributes.items()]
    cloud.pools.admin_update_user_attributes(UserPoolId=cloud.pool, Username=who, UserAttributes=pairs)


def without_trail(cloud):
    """As an account is that has no trail, or in the minutes that CloudTrail takes."""
    cloud.client("events").disable_rule(Name="tandem-trail")


def tandem(cloud, *arguments):
    """A command of the binary's over the server: exit code and report."""
    binary = os.environ.get("TANDEM_BIN", ROOT / "target/debug/tandem")
    command = [binary, *arguments, "--json", "--quiet", "--endpoint-url", cloud.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cloud.directory)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def reconcile(cloud):
    code, report = tandem(cloud, "reconcile", "--repair", "--min-age", "0s")
    assert code == 0, report
    cloud.settle()


@pytest.fixture(autouse=True)
def directory(cloud, tmp_path):
    cloud.directory = tmp_path


def trigger(cloud, tmp_path, name, source):
    """A Python function on a trigger of the pool's, beside those that are there."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "handler.py").write_text(source)
    made = cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="handler.handle",
        Role="arn:aws:iam::000000000000:role/any",
        Code={"S3Bucket": "local", "S3Key": str(folder)},
    )
    cloud.client("lambda").add_permission(
        FunctionName=name, StatementId="pool", Action="lambda:InvokeFunction", Principal="cognito-idp.amazonaws.com"
    )
    pool = cloud.pools.describe_user_pool(UserPoolId=cloud.pool)["UserPool"]
    triggers = {**pool["LambdaConfig"], name: made["FunctionArn"]}
    verified = pool["AutoVerifiedAttributes"]
    cloud.pools.update_user_pool(UserPoolId=cloud.pool, LambdaConfig=triggers, AutoVerifiedAttributes=verified)


def challenged(cloud, email, temporary):
    """The first sign-in of a user whom an administrator made."""
    challenge = cloud.sign_in(email, temporary)
    cloud.pools.respond_to_auth_challenge(
        ClientId=cloud.app,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=challenge["Session"],
        ChallengeResponses={"USERNAME": email, "NEW_PASSWORD": PASSWORD},
    )
    cloud.settle()


# -- Created


def test_signed_up(cloud):
    profile = cloud.profile(cloud.confirmed_user(ADA))
    assert (text(profile, "email"), text(profile, "identityStatus")) == (ADA, "ACTIVE")


def test_signed_up_and_confirmed_by_an_administrator(cloud):
    sub = cloud.sign_up(ADA)["UserSub"]
    cloud.pools.admin_confirm_sign_up(UserPoolId=cloud.pool, Username=ADA)
    cloud.settle()
    assert text(cloud.profile(sub), "email") == ADA


def test_signed_up_and_confirmed_by_a_trigger(cloud, tmp_path):
    source = "def handle(event, _):\n    event['response']['autoConfirmUser'] = True\n    return event\n"
    trigger(cloud, tmp_path, "PreSignUp", source)
    sub = cloud.sign_up(ADA)["UserSub"]
    cloud.settle()
    assert text(cloud.profile(sub), "email") == ADA


def test_signed_up_and_not_confirmed(cloud):
    sub = cloud.sign_up(ADA)["UserSub"]
    reconcile(cloud)
    assert cloud.profile(sub) is None


def test_came_from_another_provider(cloud):
    cloud.pools.create_identity_provider(
        UserPoolId=cloud.pool,
        ProviderName="Google",
        ProviderType="Google",
        ProviderDetails={"client_id": "id", "client_secret": "secret", "authorize_scopes": "openid email"},
        AttributeMapping={"email": "email", "username": "sub"},
    )
    visitor = {"userPoolId": cloud.pool, "provider": "Google", "userId": "1035"}
    sub = cloud.post("federated-sign-in", {**visitor, "attributes": {"email": ADA}})["userSub"]
    cloud.settle()
    assert text(cloud.profile(sub), "email") == ADA
    # No call of an API tells of what the provider says at the next sign-in: the sign-in does.
    cloud.post("federated-sign-in", {**visitor, "attributes": {"email": NEW}})
    cloud.settle()
    assert text(cloud.profile(sub), "email") == NEW


def test_created_by_an_administrator(cloud):
    sub = cloud.admin_user(ADA)["Username"]
    cloud.settle()
    assert text(cloud.profile(sub), "email") == ADA
    assert cloud.welcome_mails(ADA) == []


def test_created_by_an_administrator_where_no_trail_tells(cloud):
    without_trail(cloud)
    sub = cloud.admin_user(ADA, TemporaryPassword="Temporary-Horse-7")["Username"]
    cloud.settle()
    assert cloud.profile(sub) is None
    challenged(cloud, ADA, "Temporary-Horse-7")
    assert text(cloud.profile(sub), "email") == ADA


def test_migrated(cloud, tmp_path):
    source = f"""
def handle(event, _):
    event["response"] = {{"userAttributes": {{"email": "{ADA}", "email_verified": "true"}},
                         "finalUserStatus": "CONFIRMED", "messageAction": "SUPPRESS"}}
    return event
"""
    trigger(cloud, tmp_path, "UserMigration", source)
    cloud.sign_in(ADA)
    cloud.settle()
    [user] = cloud.pools.list_users(UserPoolId=cloud.pool)["Users"]
    assert text(cloud.profile(user["Username"]), "email") == ADA


def imported(cloud, email):
    header = cloud.pools.get_csv_header(UserPoolId=cloud.pool)["CSVHeader"]
    row = {"cognito:mfa_enabled": "false", "cognito:username": email, "email": email, "email_verified": "true"}
    file = io.StringIO()
    writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)
    role = "arn:aws:iam::000000000000:role/logs"
    job = cloud.pools.create_user_import_job(UserPoolId=cloud.pool, JobName="move", CloudWatchLogsRoleArn=role)
    job = job["UserImportJob"]
    headers = {"x-amz-server-side-encryption": "aws:kms"}
    put = urllib.request.Request(job["PreSignedUrl"], file.getvalue().encode(), headers, method="PUT")
    urllib.request.urlopen(put).close()
    cloud.pools.start_user_import_job(UserPoolId=cloud.pool, JobId=job["JobId"])
    cloud.settle()
    return cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=email)["Username"]


def test_imported(cloud):
    sub = imported(cloud, ADA)
    assert cloud.profile(sub) is None, "nothing tells of an import"
    reconcile(cloud)
    assert text(cloud.profile(sub), "email") == ADA


def test_imported_and_signed_in(cloud):
    sub = imported(cloud, ADA)
    cloud.pools.forgot_password(ClientId=cloud.app, Username=ADA)
    cloud.pools.confirm_forgot_password(
        ClientId=cloud.app, Username=ADA, ConfirmationCode=cloud.code(ADA), Password=PASSWORD
    )
    cloud.sign_in(ADA)
    cloud.settle()
    assert text(cloud.profile(sub), "email") == ADA


def test_there_before_the_functions_were(cloud):
    without_trail(cloud)
    pool = cloud.pools.describe_user_pool(UserPoolId=cloud.pool)["UserPool"]
    verified = pool["AutoVerifiedAttributes"]
    cloud.pools.update_user_pool(UserPoolId=cloud.pool, LambdaConfig={}, AutoVerifiedAttributes=verified)
    subs = [cloud.confirmed_user(f"person{number}@example.com") for number in range(3)]
    code, report = tandem(cloud, "backfill")
    assert code == 0, report
    cloud.settle()
    assert all(cloud.profile(sub) for sub in subs)
    assert cloud.welcome_mails("person0@example.com") == [], "they have been users for years"


def test_signed_up_while_the_bus_took_nothing(cloud):
    fault = {"faults": [{"putEvents": {"error": "InternalFailure"}}]}
    without_trail(cloud)
    request = urllib.request.Request(f"{cloud.url}/_tandem/faults", json.dumps(fault).encode(), method="PUT")
    urllib.request.urlopen(request).close()
    sub = cloud.sign_up(ADA)["UserSub"]
    with pytest.raises(cloud.pools.exceptions.UserLambdaValidationException):
        cloud.confirm(ADA)
    urllib.request.urlopen(urllib.request.Request(f"{cloud.url}/_tandem/faults", method="DELETE")).close()
    cloud.settle()
    assert cloud.profile(sub) is None
    cloud.sign_in(ADA)
    cloud.settle()
    assert text(cloud.profile(sub), "email") == ADA


# -- Changed


def test_changed_attributes_of_their_own(cloud):
    sub = cloud.confirmed_user(ADA)
    token = cloud.sign_in(ADA)["AuthenticationResult"]["AccessToken"]
    cloud.pools.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "name", "Value": "Ada Byron"}])
    cloud.settle()
    assert text(cloud.profile(sub), "name") == "Ada Byron"


def test_changed_and_verified_their_address(cloud):
    sub = cloud.confirmed_user(ADA)
    token = cloud.sign_in(ADA)["AuthenticationResult"]["AccessToken"]
    cloud.pools.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "email", "Value": NEW}])
    cloud.settle()
    assert cloud.profile(sub)["emailVerified"] == {"BOOL": False}
    cloud.pools.verify_user_attribute(AccessToken=token, AttributeName="email", Code=cloud.code(NEW))
    cloud.settle()
    profile = cloud.profile(sub)
    assert (text(profile, "email"), profile["emailVerified"]) == (NEW, {"BOOL": True})


def test_changed_by_an_administrator(cloud):
    sub = cloud.confirmed_user(ADA)
    update(cloud, ADA, email=NEW, email_verified="true")
    cloud.settle()
    assert text(cloud.profile(sub), "email") == NEW


def test_changed_where_no_trail_tells(cloud):
    without_trail(cloud)
    sub = cloud.confirmed_user(ADA)
    update(cloud, ADA, name="Ada Byron")
    cloud.settle()
    assert text(cloud.profile(sub), "name") == "Ada Lovelace"
    cloud.sign_in(ADA)
    cloud.settle()
    assert text(cloud.profile(sub), "name") == "Ada Byron"


def test_changed_and_never_seen_again(cloud):
    without_trail(cloud)
    sub = cloud.confirmed_user(ADA)
    update(cloud, ADA, name="Ada Byron")
    reconcile(cloud)
    assert text(cloud.profile(sub), "name") == "Ada Byron"


def test_disabled_and_enabled(cloud):
    sub = cloud.confirmed_user(ADA)
    cloud.pools.admin_disable_user(UserPoolId=cloud.pool, Username=ADA)
    cloud.settle()
    assert text(cloud.profile(sub), "identityStatus") == "DISABLED"
    cloud.pools.admin_enable_user(UserPoolId=cloud.pool, Username=ADA)
    cloud.settle()
    assert text(cloud.profile(sub), "identityStatus") == "ACTIVE"


def test_disabled_where_no_trail_tells(cloud):
    without_trail(cloud)
    sub = cloud.confirmed_user(ADA)
    cloud.pools.admin_disable_user(UserPoolId=cloud.pool, Username=ADA)
    reconcile(cloud)
    assert text(cloud.profile(sub), "identityStatus") == "DISABLED"


def test_joined_and_left_a_group(cloud):
    sub = cloud.confirmed_user(ADA)
    cloud.pools.create_group(UserPoolId=cloud.pool, GroupName="staff")
    cloud.pools.admin_add_user_to_group(UserPoolId=cloud.pool, Username=ADA, GroupName="staff")
    cloud.settle()
    assert groups(cloud.profile(sub)) == ["staff"]
    cloud.pools.admin_remove_user_from_group(UserPoolId=cloud.pool, Username=ADA, GroupName="staff")
    cloud.settle()
    assert groups(cloud.profile(sub)) == []


def test_was_in_a_group_that_is_deleted(cloud):
    sub = cloud.confirmed_user(ADA)
    cloud.pools.create_group(UserPoolId=cloud.pool, GroupName="staff")
    cloud.pools.admin_add_user_to_group(UserPoolId=cloud.pool, Username=ADA, GroupName="staff")
    cloud.settle()
    cloud.pools.delete_group(UserPoolId=cloud.pool, GroupName="staff")
    cloud.settle()
    assert groups(cloud.profile(sub)) == ["staff"], "the call names no user"
    reconcile(cloud)
    assert groups(cloud.profile(sub)) == []


def test_reset_their_password(cloud):
    sub = cloud.confirmed_user(ADA)
    before = cloud.profile(sub)
    cloud.pools.forgot_password(ClientId=cloud.app, Username=ADA)
    cloud.pools.confirm_forgot_password(
        ClientId=cloud.app, Username=ADA, ConfirmationCode=cloud.code(ADA), Password="Another-Horse-8"
    )
    cloud.settle()
    assert cloud.profile(sub) == before
    assert len(cloud.welcome_mails(ADA)) == 1


# -- Deleted


def is_tombstone(profile):
    return "deletedAt" in profile and "email" not in profile and "name" not in profile


def test_deleted_by_an_administrator(cloud):
    sub = cloud.confirmed_user(ADA)
    cloud.pools.admin_delete_user(UserPoolId=cloud.pool, Username=ADA)
    cloud.settle()
    assert is_tombstone(cloud.profile(sub))


def test_deleted_their_own_account(cloud):
    sub = cloud.confirmed_user(ADA)
    token = cloud.sign_in(ADA)["AuthenticationResult"]["AccessToken"]
    cloud.pools.delete_user(AccessToken=token)
    cloud.settle()
    assert is_tombstone(cloud.profile(sub))


def test_deleted_where_no_trail_tells(cloud):
    without_trail(cloud)
    sub = cloud.confirmed_user(ADA)
    cloud.pools.admin_delete_user(UserPoolId=cloud.pool, Username=ADA)
    reconcile(cloud)
    assert is_tombstone(cloud.profile(sub))


def test_deleted_and_signed_up_again(cloud):
    before = cloud.confirmed_user(ADA)
    cloud.pools.admin_delete_user(UserPoolId=cloud.pool, Username=ADA)
    cloud.settle()
    after = cloud.confirmed_user(ADA)
    assert after != before
    assert is_tombstone(cloud.profile(before))
    assert text(cloud.profile(after), "email") == ADA
    assert len(cloud.welcome_mails(ADA)) == 2, "a new person"
