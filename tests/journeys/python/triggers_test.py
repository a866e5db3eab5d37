"""boto3: when PostConfirmation runs, and when it does not. The profile and the welcome mail show it."""

import json

from cloud import PASSWORD, attributes

EVE = "eve@example.com"
NEW_PASSWORD = "Another-Horse-8"


def runs(cloud, email):
    """How often PostConfirmation ran for a user."""
    return len([moment for moment in cloud.moments(email, "trigger") if "PostConfirmation" in moment["what"]])


def test_confirming_runs_it_once(cloud):
    cloud.confirmed_user(EVE)
    assert runs(cloud, EVE) == 1


def test_an_administrator_who_confirms_runs_it_once(cloud):
    sub = cloud.sign_up(EVE)["UserSub"]
    cloud.pools.admin_confirm_sign_up(UserPoolId=cloud.pool, Username=EVE)
    cloud.settle()
    assert runs(cloud, EVE) == 1
    assert cloud.profile(sub)["email"]["S"] == EVE
    assert len(cloud.welcome_mails(EVE)) == 1


def test_an_administrator_who_confirms_verifies_nothing(cloud):
    cloud.sign_up(EVE)
    cloud.pools.admin_confirm_sign_up(UserPoolId=cloud.pool, Username=EVE)
    user = cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=EVE)
    assert (user["UserStatus"], attributes(user).get("email_verified")) == ("CONFIRMED", "false")


def test_a_set_password_does_not_run_it(cloud):
    user = cloud.admin_user(EVE)
    cloud.pools.admin_set_user_password(UserPoolId=cloud.pool, Username=EVE, Password=PASSWORD, Permanent=True)
    cloud.settle()
    assert cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=EVE)["UserStatus"] == "CONFIRMED"
    assert runs(cloud, EVE) == 0
    assert cloud.profile(user["Username"])["identityStatus"]["S"] == "ACTIVE", "by what CloudTrail tells"
    assert cloud.welcome_mails(EVE) == []


def test_a_chosen_password_does_not_run_it(cloud):
    cloud.admin_user(EVE, TemporaryPassword="Temporary-Horse-7")
    challenge = cloud.sign_in(EVE, "Temporary-Horse-7")
    cloud.pools.respond_to_auth_challenge(
        ClientId=cloud.app,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=challenge["Session"],
        ChallengeResponses={"USERNAME": EVE, "NEW_PASSWORD": PASSWORD, "userAttributes.name": "Eve"},
    )
    cloud.settle()
    assert runs(cloud, EVE) == 0


def test_a_reset_password_runs_it_and_changes_no_profile(cloud):
    sub = cloud.confirmed_user(EVE)
    before = cloud.profile(sub)
    cloud.advance(hours=1)
    cloud.pools.forgot_password(ClientId=cloud.app, Username=EVE)
    cloud.pools.confirm_forgot_password(
        ClientId=cloud.app, Username=EVE, ConfirmationCode=cloud.code(EVE), Password=NEW_PASSWORD
    )
    cloud.settle()
    assert runs(cloud, EVE) == 2
    assert cloud.profile(sub) == before
    assert len(cloud.welcome_mails(EVE)) == 1


def test_a_profile_keeps_what_the_application_wrote(cloud):
    sub = cloud.confirmed_user(EVE)
    key = {"pk": {"S": f"USER#{sub}"}, "sk": {"S": "PROFILE"}}
    cloud.client("dynamodb").update_item(
        TableName=cloud.table,
        Key=key,
        UpdateExpression="SET theme = :dark",
        ExpressionAttributeValues={":dark": {"S": "dark"}},
    )
    event = {
        "version": "1",
        "triggerSource": "PostConfirmation_ConfirmSignUp",
        "region": cloud.region,
        "userPoolId": cloud.pool,
        "userName": sub,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": cloud.app},
        "request": {"userAttributes": {"sub": sub, "email": EVE, "cognito:user_status": "CONFIRMED"}},
        "response": {},
    }
    # The trigger once more, as a repeated delivery would have it.
    cloud.client("lambda").invoke(FunctionName="announce-user", Payload=json.dumps(event))
    cloud.settle()
    assert cloud.profile(sub)["theme"]["S"] == "dark"
    assert len(cloud.welcome_mails(EVE)) == 1
