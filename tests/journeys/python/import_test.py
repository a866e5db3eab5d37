"""boto3: users from a CSV file, by the address that Cognito gives for it."""

import urllib.error
import urllib.request

import pytest

from cloud import refused

ADA = {"email": "ada@example.com", "email_verified": "true", "name": r"Ada\, Countess of Lovelace"}
BOB = {"email": "bob@example.com", "email_verified": "false"}


def csv(cloud, *users):
    header = cloud.pools.get_csv_header(UserPoolId=cloud.pool)["CSVHeader"]
    rows = [{"cognito:mfa_enabled": "false", "cognito:username": user["email"], **user} for user in users]
    lines = [",".join(header), *(",".join(row.get(name, "") for name in header) for row in rows)]
    return "\n".join(lines).encode()


def job(cloud):
    role = "arn:aws:iam::000000000000:role/logs"
    created = cloud.pools.create_user_import_job(UserPoolId=cloud.pool, JobName="move", CloudWatchLogsRoleArn=role)
    return created["UserImportJob"]


def upload(job, file, encryption="aws:kms"):
    headers = {"x-amz-server-side-encryption": encryption}
    request = urllib.request.Request(job["PreSignedUrl"], data=file, method="PUT", headers=headers)
    with urllib.request.urlopen(request) as answer:
        return answer.status


def run(cloud, file):
    made = job(cloud)
    assert upload(made, file) == 200
    named = {"UserPoolId": cloud.pool, "JobId": made["JobId"]}
    cloud.pools.start_user_import_job(**named)
    cloud.settle()
    return cloud.pools.describe_user_import_job(**named)["UserImportJob"]


def test_imported_users_must_set_a_password(cloud):
    done = run(cloud, csv(cloud, ADA, BOB))
    assert (done["Status"], done["ImportedUsers"], done["FailedUsers"]) == ("Succeeded", 1, 1)
    user = cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=ADA["email"])
    assert user["UserStatus"] == "RESET_REQUIRED"
    attributes = {one["Name"]: one["Value"] for one in user["UserAttributes"]}
    assert attributes["name"] == "Ada, Countess of Lovelace"
    assert cloud.mailbox(ADA["email"]) == []
    name = cloud.pools.describe_user_pool(UserPoolId=cloud.pool)["UserPool"]["Name"]
    group = f"/aws/cognito/userpools/{cloud.pool}/{name}"
    events = cloud.client("logs").filter_log_events(logGroupName=group, filterPattern="FAILED")["events"]
    assert [event["logStreamName"] for event in events] == [f"{done['JobId']}/move"]
    assert "Line Number 3 - The User Record does not set any" in events[0]["message"]


def test_the_address_wants_what_is_signed_into_it(cloud):
    made = job(cloud)
    with pytest.raises(urllib.error.HTTPError) as error:
        upload(made, b"x", encryption="AES256")
    assert error.value.code == 403
    assert b"<Code>AccessDenied</Code>" in error.value.read()
    start = {"UserPoolId": cloud.pool, "JobId": made["JobId"]}
    with refused("PreconditionNotMetException"):
        cloud.pools.start_user_import_job(**start)
