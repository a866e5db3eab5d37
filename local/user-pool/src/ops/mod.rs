//! The operations, one file each: the wire's shapes, the steps, the tests.

mod auth;
mod code_request;
mod member;
mod one_user;

use serde_json::{Map, Value};

use crate::attributes::AttributeType;
use crate::{Error, UserPools};

aws_api::operations! { UserPools;
    "AddCustomAttributes" => add_custom_attributes,
    "AdminAddUserToGroup" => admin_add_user_to_group,
    "AdminConfirmSignUp" => admin_confirm_sign_up,
    "AdminCreateUser" => admin_create_user,
    "AdminDeleteUser" => admin_delete_user,
    "AdminDeleteUserAttributes" => admin_delete_user_attributes,
    "AdminDisableUser" => admin_disable_user,
    "AdminEnableUser" => admin_enable_user,
    "AdminGetUser" => admin_get_user,
    "AdminInitiateAuth" => admin_initiate_auth,
    "AdminListGroupsForUser" => admin_list_groups_for_user,
    "AdminRemoveUserFromGroup" => admin_remove_user_from_group,
    "AdminResetUserPassword" => admin_reset_user_password,
    "AdminRespondToAuthChallenge" => admin_respond_to_auth_challenge,
    "AdminSetUserPassword" => admin_set_user_password,
    "AdminUpdateUserAttributes" => admin_update_user_attributes,
    "AdminUserGlobalSignOut" => admin_user_global_sign_out,
    "ChangePassword" => change_password,
    "ConfirmForgotPassword" => confirm_forgot_password,
    "ConfirmSignUp" => confirm_sign_up,
    "CreateGroup" => create_group,
    "CreateUserPool" => create_user_pool,
    "CreateUserPoolClient" => create_user_pool_client,
    "DeleteGroup" => delete_group,
    "DeleteUser" => delete_user,
    "DeleteUserAttributes" => delete_user_attributes,
    "DeleteUserPool" => delete_user_pool,
    "DeleteUserPoolClient" => delete_user_pool_client,
    "DescribeUserPool" => describe_user_pool,
    "DescribeUserPoolClient" => describe_user_pool_client,
    "ForgotPassword" => forgot_password,
    "GetGroup" => get_group,
    "GetTokensFromRefreshToken" => get_tokens_from_refresh_token,
    "GetUser" => get_user,
    "GetUserAttributeVerificationCode" => get_user_attribute_verification_code,
    "GlobalSignOut" => global_sign_out,
    "InitiateAuth" => initiate_auth,
    "ListGroups" => list_groups,
    "ListTagsForResource" => list_tags_for_resource,
    "ListUserPoolClients" => list_user_pool_clients,
    "ListUserPools" => list_user_pools,
    "ListUsers" => list_users,
    "ListUsersInGroup" => list_users_in_group,
    "ResendConfirmationCode" => resend_confirmation_code,
    "RespondToAuthChallenge" => respond_to_auth_challenge,
    "RevokeToken" => revoke_token,
    "SignUp" => sign_up,
    "TagResource" => tag_resource,
    "UntagResource" => untag_resource,
    "UpdateGroup" => update_group,
    "UpdateUserAttributes" => update_user_attributes,
    "UpdateUserPool" => update_user_pool,
    "UpdateUserPoolClient" => update_user_pool_client,
    "VerifyUserAttribute" => verify_user_attribute,
}

/// What Cognito takes unsigned: whoever calls has a client id and a secret of their own, or an access token.
pub const UNSIGNED: &[&str] = &[
    "AssociateSoftwareToken",
    "ChangePassword",
    "CompleteWebAuthnRegistration",
    "ConfirmDevice",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "DeleteUser",
    "DeleteUserAttributes",
    "DeleteWebAuthnCredential",
    "ForgetDevice",
    "ForgotPassword",
    "GetDevice",
    "GetTokensFromRefreshToken",
    "GetUser",
    "GetUserAttributeVerificationCode",
    "GetUserAuthFactors",
    "GlobalSignOut",
    "InitiateAuth",
    "ListDevices",
    "ListUserSessions",
    "ListWebAuthnCredentials",
    "ResendConfirmationCode",
    "RespondToAuthChallenge",
    "RevokeToken",
    "RevokeUserSession",
    "SetUserMFAPreference",
    "SetUserSettings",
    "SignUp",
    "StartWebAuthnRegistration",
    "UpdateAuthEventFeedback",
    "UpdateDeviceStatus",
    "UpdateUserAttributes",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
];

/// `ValidationData`, a list on the wire, as the map that a trigger gets.
fn validation_data(list: Option<Vec<AttributeType>>) -> Option<Map<String, Value>> {
    let list = list?;
    Some(list.into_iter().map(|entry| (entry.name, Value::String(entry.value))).collect())
}

/// A type that the API's model restricts, as the answer when it is not kept to.
fn only(member: &str, value: &str, values: &[&str]) -> Result<(), Error> {
    crate::constraint::Constraints::new().one_of(member, value, values).check()
}
