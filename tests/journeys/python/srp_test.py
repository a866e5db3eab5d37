"""pycognito: SRP by somebody else's arithmetic, so that ours cannot be wrong in the same way twice."""

import json
import urllib.request

import pytest
from pycognito import AWSSRP, Cognito

from cloud import PASSWORD, refused

ADA = "ada@example.com"

# Every sign-in draws new numbers, and one in 256 of them begins with a zero byte or a high bit somewhere:
# that is where paddings differ.
ROUNDS = 12


def srp(cloud, username, password):
    return AWSSRP(
        username=username, password=password, pool_id=cloud.pool, client_id=cloud.app, client=cloud.pools
    )


def test_srp_signs_in(cloud):
    cloud.confirmed_user(ADA)
    for _ in range(ROUNDS):
        answer = srp(cloud, ADA, PASSWORD).authenticate_user()
        assert answer["AuthenticationResult"]["AccessToken"]


@pytest.mark.parametrize("password", ["Correct-Horse-7", "Grüße-ß-雪-1", "!" * 100 + "aA1"])
def test_srp_takes_any_password(cloud, password):
    cloud.admin_user(ADA)
    cloud.pools.admin_set_user_password(UserPoolId=cloud.pool, Username=ADA, Password=password, Permanent=True)
    assert srp(cloud, ADA, password).authenticate_user()["AuthenticationResult"]["IdToken"]


def test_srp_refuses_a_wrong_password(cloud):
    cloud.confirmed_user(ADA)
    with refused("NotAuthorizedException", "Incorrect username or password."):
        srp(cloud, ADA, "Wrong-Horse-7").authenticate_user()


def test_srp_refuses_an_unconfirmed_user(cloud):
    cloud.sign_up(ADA)
    with refused("UserNotConfirmedException", "User is not confirmed."):
        srp(cloud, ADA, PASSWORD).authenticate_user()


def test_srp_leads_to_a_new_password(cloud):
    cloud.admin_user(ADA, TemporaryPassword="Temporary-Horse-7")
    user = srp(cloud, ADA, "Temporary-Horse-7")
    assert user.set_new_password_challenge(PASSWORD)["AuthenticationResult"]["AccessToken"]
    assert srp(cloud, ADA, PASSWORD).authenticate_user()["AuthenticationResult"]


def test_pycognito_verifies_the_tokens(cloud, monkeypatch):
    cloud.confirmed_user(ADA)
    # By the environment: told of an endpoint, pycognito would expect that as the issuer too.
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    user = Cognito(cloud.pool, cloud.app, username=ADA)
    with urllib.request.urlopen(f"{cloud.url}/{cloud.pool}/.well-known/jwks.json") as keys:
        user.pool_jwk = json.load(keys)  # else it would fetch them from AWS
    user.authenticate(PASSWORD)
    assert user.id_claims["email"] == ADA
    assert user.access_claims["client_id"] == cloud.app
