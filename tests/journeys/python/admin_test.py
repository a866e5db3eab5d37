"""boto3: what an administrator does to users."""

import pytest

from cloud import PASSWORD, attributes, refused

BOB = "bob@example.com"
TEMPORARY = "Temporary-Horse-7"


def status(cloud, email):
    return cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=email)["UserStatus"]


def test_an_invitation_carries_the_temporary_password(cloud):
    cloud.pools.admin_create_user(
        UserPoolId=cloud.pool,
        Username=BOB,
        TemporaryPassword=TEMPORARY,
        UserAttributes=[{"Name": "email", "Value": BOB}],
        DesiredDeliveryMediums=["EMAIL"],
    )
    [mail] = cloud.mailbox(BOB)
    assert TEMPORARY in (mail["text"] or mail["html"])


def test_a_new_user_must_choose_a_password(cloud):
    created = cloud.admin_user(BOB, TemporaryPassword=TEMPORARY)
    assert created["UserStatus"] == "FORCE_CHANGE_PASSWORD"

    challenge = cloud.sign_in(BOB, TEMPORARY)
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert challenge["ChallengeParameters"]["USER_ID_FOR_SRP"] == created["Username"]

    answer = cloud.pools.respond_to_auth_challenge(
        ClientId=cloud.app,
        ChallengeName="NEW_PASSWORD_REQUIRED",
        Session=challenge["Session"],
        ChallengeResponses={
            "USERNAME": BOB,
            "NEW_PASSWORD": PASSWORD,
            "userAttributes.name": "Bob",
        },
    )
    assert answer["AuthenticationResult"]["AccessToken"]
    assert status(cloud, BOB) == "CONFIRMED"
    assert cloud.sign_in(BOB)["AuthenticationResult"]


def test_a_new_password_must_follow_the_policy(cloud):
    cloud.admin_user(BOB, TemporaryPassword=TEMPORARY)
    challenge = cloud.sign_in(BOB, TEMPORARY)
    with refused("InvalidPasswordException"):
        cloud.pools.respond_to_auth_challenge(
            ClientId=cloud.app,
            ChallengeName="NEW_PASSWORD_REQUIRED",
            Session=challenge["Session"],
            ChallengeResponses={"USERNAME": BOB, "NEW_PASSWORD": "short1", "userAttributes.name": "Bob"},
        )


def test_a_temporary_password_ends_after_a_week(cloud):
    cloud.admin_user(BOB, TemporaryPassword=TEMPORARY)
    cloud.advance(days=7, seconds=1)
    with refused("NotAuthorizedException"):
        cloud.sign_in(BOB, TEMPORARY)


@pytest.mark.parametrize(("permanent", "expected"), [(True, "CONFIRMED"), (False, "FORCE_CHANGE_PASSWORD")])
def test_a_set_password_sets_the_status(cloud, permanent, expected):
    cloud.admin_user(BOB)
    cloud.pools.admin_set_user_password(
        UserPoolId=cloud.pool, Username=BOB, Password=PASSWORD, Permanent=permanent
    )
    assert status(cloud, BOB) == expected


def test_a_created_user_cannot_be_confirmed(cloud):
    cloud.admin_user(BOB)
    with refused("NotAuthorizedException", "User cannot be confirmed. Current status is FORCE_CHANGE_PASSWORD"):
        cloud.pools.admin_confirm_sign_up(UserPoolId=cloud.pool, Username=BOB)


def test_a_created_user_cannot_forget_the_password(cloud):
    cloud.admin_user(BOB)
    with refused("NotAuthorizedException", "User password cannot be reset in the current state."):
        cloud.pools.forgot_password(ClientId=cloud.app, Username=BOB)


def test_an_invitation_is_not_repeated_to_a_confirmed_user(cloud):
    cloud.confirmed_user(BOB)
    with refused("UnsupportedUserStateException"):
        cloud.pools.admin_create_user(UserPoolId=cloud.pool, Username=BOB, MessageAction="RESEND")


def test_a_user_is_created_once(cloud):
    cloud.admin_user(BOB)
    with refused("UsernameExistsException"):
        cloud.admin_user("BOB@example.com")


def test_attributes_are_updated(cloud):
    cloud.confirmed_user(BOB)
    cloud.pools.admin_update_user_attributes(
        UserPoolId=cloud.pool, Username=BOB, UserAttributes=[{"Name": "name", "Value": "Robert"}]
    )
    user = cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=BOB)
    assert attributes(user)["name"] == "Robert"


def test_a_deleted_user_is_gone(cloud):
    cloud.confirmed_user(BOB)
    cloud.pools.admin_delete_user(UserPoolId=cloud.pool, Username=BOB)
    with refused("UserNotFoundException", "User does not exist."):
        cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=BOB)


def test_a_disabled_user_comes_back(cloud):
    cloud.confirmed_user(BOB)
    cloud.pools.admin_disable_user(UserPoolId=cloud.pool, Username=BOB)
    cloud.pools.admin_enable_user(UserPoolId=cloud.pool, Username=BOB)
    assert cloud.sign_in(BOB)["AuthenticationResult"]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ('email = "user-2@example.com"', {"user-2@example.com"}),
        ('email = "USER-2@EXAMPLE.COM"', {"user-2@example.com"}),
        ('email ^= "user-"', {f"user-{n}@example.com" for n in range(4)}),
        ('email ^= "nobody"', set()),
        ('status = "Disabled"', {"user-3@example.com"}),
        ('cognito:user_status = "FORCE_CHANGE_PASSWORD"', {f"user-{n}@example.com" for n in range(4)}),
    ],
)
def test_users_are_found_by_a_filter(cloud, search, expected):
    for n in range(4):
        cloud.admin_user(f"user-{n}@example.com")
    cloud.pools.admin_disable_user(UserPoolId=cloud.pool, Username="user-3@example.com")
    found = cloud.pools.list_users(UserPoolId=cloud.pool, Filter=search)["Users"]
    assert {attributes(user)["email"] for user in found} == expected


@pytest.mark.parametrize("search", ['custom:team = "red"', "email = unquoted", 'email > "a"', "nonsense"])
def test_a_filter_that_cannot_be_is_refused(cloud, search):
    with refused("InvalidParameterException"):
        cloud.pools.list_users(UserPoolId=cloud.pool, Filter=search)


def test_users_come_in_pages(cloud):
    expected = {cloud.admin_user(f"user-{n}@example.com")["Username"] for n in range(5)}
    paginator = cloud.pools.get_paginator("list_users")
    pages = list(paginator.paginate(UserPoolId=cloud.pool, PaginationConfig={"PageSize": 2}))
    assert all(len(page["Users"]) <= 2 for page in pages)
    assert sorted(user["Username"] for page in pages for user in page["Users"]) == sorted(expected)
