"""A sign-in through an identity provider, driven by hand; who came by one is a user like others to boto3."""

import base64
import json

import pytest


def signed_in(cloud, user_id, **attributes):
    body = {"userPoolId": cloud.pool, "provider": "Google", "userId": user_id, "attributes": attributes}
    return cloud.post("federated-sign-in", body)


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.fixture
def google(cloud):
    cloud.pools.create_identity_provider(
        UserPoolId=cloud.pool,
        ProviderName="Google",
        ProviderType="Google",
        ProviderDetails={"client_id": "id", "client_secret": "secret", "authorize_scopes": "openid email"},
        AttributeMapping={"email": "email", "email_verified": "email_verified", "name": "given", "username": "sub"},
    )
    return cloud


def test_a_federated_user_is_listed_has_tokens_and_a_profile(google):
    answer = signed_in(google, "1035", email="ada@example.com", email_verified=True, given="Ada", other="x")
    assert answer["isNew"]
    [user] = google.pools.list_users(UserPoolId=google.pool, Filter=f'sub = "{answer["userSub"]}"')["Users"]
    assert (user["UserStatus"], user["Username"]) == ("EXTERNAL_PROVIDER", answer["username"])
    attributes = {one["Name"]: one["Value"] for one in user["Attributes"]}
    assert attributes["email_verified"] == "true"
    assert attributes["name"] == "Ada"
    assert json.loads(attributes["identities"])[0]["userId"] == "1035"
    assert claims(answer["tokens"]["idToken"])["identities"][0]["providerName"] == "Google"
    me = google.pools.get_user(AccessToken=answer["tokens"]["accessToken"])
    assert me["Username"] == answer["username"]
    google.settle()
    item = google.profile(answer["userSub"])
    assert item["email"] == {"S": "ada@example.com"}


def test_the_second_sign_in_is_none_of_a_newcomer(google):
    first = signed_in(google, "1035", email="ada@example.com")
    again = signed_in(google, "1035", email="ada@example.org")
    assert (again["isNew"], again["userSub"]) == (False, first["userSub"])
    with pytest.raises(AssertionError, match="400 .*ResourceNotFoundException"):
        google.post("federated-sign-in", {"userPoolId": "us-east-1_nothing", "provider": "Google", "userId": "1"})
