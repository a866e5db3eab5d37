"""boto3: signing in by password, and who may not."""

import base64
import hashlib
import hmac

import pytest

from cloud import PASSWORD, refused

ADA = "ada@example.com"


def make_client(cloud, **settings):
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    settings = {"ExplicitAuthFlows": flows, **settings}
    answer = cloud.pools.create_user_pool_client(UserPoolId=cloud.pool, ClientName="another", **settings)
    return answer["UserPoolClient"]


def test_the_right_password_gives_three_tokens(cloud):
    cloud.confirmed_user(ADA)
    answer = cloud.sign_in(ADA)
    tokens = answer["AuthenticationResult"]
    assert {"AccessToken", "IdToken", "RefreshToken"} <= tokens.keys()
    assert (tokens["TokenType"], tokens["ExpiresIn"], answer["ChallengeParameters"]) == ("Bearer", 3600, {})


def test_a_wrong_password_is_refused(cloud):
    cloud.confirmed_user(ADA)
    with refused("NotAuthorizedException", "Incorrect username or password."):
        cloud.sign_in(ADA, "Wrong-Horse-7")


def test_an_unconfirmed_user_is_told_so(cloud):
    cloud.sign_up(ADA)
    with refused("UserNotConfirmedException", "User is not confirmed."):
        cloud.sign_in(ADA)


def test_an_unconfirmed_user_with_a_wrong_password_is_not_told(cloud):
    cloud.sign_up(ADA)
    with refused("NotAuthorizedException", "Incorrect username or password."):
        cloud.sign_in(ADA, "Wrong-Horse-7")


def test_a_disabled_user_is_refused(cloud):
    cloud.confirmed_user(ADA)
    cloud.pools.admin_disable_user(UserPoolId=cloud.pool, Username=ADA)
    with refused("NotAuthorizedException", "User is disabled."):
        cloud.sign_in(ADA)


@pytest.mark.parametrize(
    ("setting", "code", "message"),
    [
        ("LEGACY", "UserNotFoundException", "User does not exist."),
        ("ENABLED", "NotAuthorizedException", "Incorrect username or password."),
    ],
)
def test_an_unknown_user_is_told_what_the_client_allows(cloud, setting, code, message):
    client = make_client(cloud, PreventUserExistenceErrors=setting)
    with refused(code, message):
        cloud.sign_in("nobody@example.com", client=client["ClientId"])


def test_a_flow_must_be_allowed(cloud):
    client = make_client(cloud, ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    with refused("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client"):
        cloud.sign_in(ADA, client=client["ClientId"])


def test_five_wrong_passwords_lock_for_a_while(cloud):
    cloud.confirmed_user(ADA)
    for _ in range(5):
        with refused("NotAuthorizedException", "Incorrect username or password."):
            cloud.sign_in(ADA, "Wrong-Horse-7")
    with refused("NotAuthorizedException", "Password attempts exceeded"):
        cloud.sign_in(ADA)
    cloud.advance(minutes=16)
    assert cloud.sign_in(ADA)["AuthenticationResult"]


def test_a_client_with_a_secret_must_prove_it(cloud):
    cloud.confirmed_user(ADA)
    client = make_client(cloud, GenerateSecret=True)
    with refused("NotAuthorizedException"):
        cloud.sign_in(ADA, client=client["ClientId"])


def test_a_client_that_proves_its_secret_is_served(cloud):
    cloud.confirmed_user(ADA)
    client = make_client(cloud, GenerateSecret=True)
    message = (ADA + client["ClientId"]).encode()
    digest = hmac.new(client["ClientSecret"].encode(), message, hashlib.sha256).digest()
    answer = cloud.pools.initiate_auth(
        ClientId=client["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={
            "USERNAME": ADA,
            "PASSWORD": PASSWORD,
            "SECRET_HASH": base64.b64encode(digest).decode(),
        },
    )
    assert answer["AuthenticationResult"]["AccessToken"]


def test_an_administrator_signs_in_for_a_user(cloud):
    cloud.confirmed_user(ADA)
    client = make_client(cloud, ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    answer = cloud.pools.admin_initiate_auth(
        UserPoolId=cloud.pool,
        ClientId=client["ClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": ADA, "PASSWORD": PASSWORD},
    )
    assert answer["AuthenticationResult"]["IdToken"]
