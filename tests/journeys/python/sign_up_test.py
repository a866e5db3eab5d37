"""boto3: the article's path, from sign-up to profile, and what goes wrong on the way."""

import pytest

from cloud import PASSWORD, attributes, refused

ADA = "ada@example.com"


def test_a_confirmed_user_has_a_profile(cloud):
    answer = cloud.sign_up(ADA)
    assert answer["UserConfirmed"] is False
    assert answer["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    assert answer["CodeDeliveryDetails"]["AttributeName"] == "email"
    assert answer["CodeDeliveryDetails"]["Destination"] == "a***@e***"

    cloud.confirm(ADA)
    cloud.settle()

    item = cloud.profile(answer["UserSub"])
    assert item is not None
    found = {name: item[name].get("S") for name in ("userId", "userPoolId", "username", "email", "name")}
    assert found == {
        "userId": answer["UserSub"],
        "userPoolId": cloud.pool,
        "username": answer["UserSub"],
        "email": ADA,
        "name": "Ada Lovelace",
    }


def test_a_confirmed_user_gets_one_welcome_mail(cloud):
    cloud.confirmed_user(ADA)
    assert len(cloud.welcome_mails(ADA)) == 1


def test_an_unconfirmed_user_has_no_profile(cloud):
    sub = cloud.sign_up(ADA)["UserSub"]
    cloud.settle()
    assert cloud.profile(sub) is None


def test_the_code_confirms_the_address(cloud):
    cloud.sign_up(ADA)
    before = cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=ADA)
    cloud.confirm(ADA)
    after = cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=ADA)
    assert (before["UserStatus"], attributes(before).get("email_verified")) == ("UNCONFIRMED", "false")
    assert (after["UserStatus"], attributes(after)["email_verified"]) == ("CONFIRMED", "true")


def test_the_user_name_is_the_sub(cloud):
    sub = cloud.sign_up(ADA)["UserSub"]
    user = cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=ADA)
    assert (user["Username"], attributes(user)["sub"]) == (sub, sub)


def test_case_does_not_tell_users_apart(cloud):
    cloud.sign_up("Ada@Example.com")
    with refused("UsernameExistsException", "An account with the given email already exists."):
        cloud.sign_up(ADA)


def test_case_does_not_matter_at_sign_in(cloud):
    cloud.sign_up("Ada@Example.com")
    cloud.pools.confirm_sign_up(ClientId=cloud.app, Username="ADA@EXAMPLE.COM", ConfirmationCode=cloud.code(ADA))
    assert cloud.sign_in("aDa@eXample.com")["AuthenticationResult"]["TokenType"] == "Bearer"


def test_an_address_comes_back_in_lower_case(cloud):
    cloud.sign_up("Ada@Example.com")
    user = cloud.pools.admin_get_user(UserPoolId=cloud.pool, Username=ADA)
    assert attributes(user)["email"] == ADA


def test_a_wrong_code_is_refused(cloud):
    cloud.sign_up(ADA)
    wrong = "000000" if cloud.code(ADA) != "000000" else "111111"
    with refused("CodeMismatchException", "Invalid verification code provided, please try again."):
        cloud.pools.confirm_sign_up(ClientId=cloud.app, Username=ADA, ConfirmationCode=wrong)


def test_an_old_code_is_refused(cloud):
    cloud.sign_up(ADA)
    cloud.advance(hours=24, seconds=1)
    with refused("ExpiredCodeException", "Invalid code provided, please request a code again."):
        cloud.confirm(ADA)


def test_a_new_code_ends_the_old_one(cloud):
    cloud.sign_up(ADA)
    old = cloud.code(ADA)
    cloud.pools.resend_confirmation_code(ClientId=cloud.app, Username=ADA)
    new = cloud.code(ADA)
    if old == new:
        pytest.skip("one in a million: the same code twice")
    with refused("CodeMismatchException"):
        cloud.pools.confirm_sign_up(ClientId=cloud.app, Username=ADA, ConfirmationCode=old)
    cloud.pools.confirm_sign_up(ClientId=cloud.app, Username=ADA, ConfirmationCode=new)


def test_nobody_is_confirmed_twice(cloud):
    cloud.confirmed_user(ADA)
    with refused("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED"):
        cloud.confirm(ADA)


def test_a_confirmed_user_gets_no_more_codes(cloud):
    cloud.confirmed_user(ADA)
    with refused("InvalidParameterException", "User is already confirmed."):
        cloud.pools.resend_confirmation_code(ClientId=cloud.app, Username=ADA)


def test_a_name_that_is_no_address_is_refused(cloud):
    with refused("InvalidParameterException", "Username should be an email."):
        cloud.pools.sign_up(ClientId=cloud.app, Username="ada", Password=PASSWORD)


def test_an_unknown_client_is_refused(cloud):
    with refused("ResourceNotFoundException", "User pool client 0unknown0unknown0unknown00 does not exist."):
        cloud.pools.sign_up(ClientId="0unknown0unknown0unknown00", Username=ADA, Password=PASSWORD)


@pytest.mark.parametrize(
    ("password", "violation"),
    [
        ("Aa1!aaa", "Password not long enough"),
        ("aaaaaa1!", "Password must have uppercase characters"),
        ("AAAAAA1!", "Password must have lowercase characters"),
        ("Aaaaaaa!", "Password must have numeric characters"),
        ("Aaaaaaa1", "Password must have symbol characters"),
    ],
)
def test_a_weak_password_is_refused(cloud, password, violation):
    pool = cloud.pools.create_user_pool(PoolName="strict")["UserPool"]["Id"]
    client = cloud.pools.create_user_pool_client(UserPoolId=pool, ClientName="app")["UserPoolClient"]["ClientId"]
    with refused("InvalidPasswordException", f"Password did not conform with policy: {violation}"):
        cloud.pools.sign_up(ClientId=client, Username="ada", Password=password)
