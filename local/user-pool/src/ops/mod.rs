//! The operations, one file each: the wire's shapes, the steps, the tests.

mod auth;
mod client_oauth;
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
    "CreateIdentityProvider" => create_identity_provider,
    "CreateResourceServer" => create_resource_server,
    "CreateUserImportJob" => create_user_import_job,
    "CreateUserPool" => create_user_pool,
    "CreateUserPoolClient" => create_user_pool_client,
    "CreateUserPoolDomain" => create_user_pool_domain,
    "DeleteGroup" => delete_group,
    "DeleteIdentityProvider" => delete_identity_provider,
    "DeleteResourceServer" => delete_resource_server,
    "DeleteUser" => delete_user,
    "DeleteUserAttributes" => delete_user_attributes,
    "DeleteUserPool" => delete_user_pool,
    "DeleteUserPoolClient" => delete_user_pool_client,
    "DeleteUserPoolDomain" => delete_user_pool_domain,
    "DescribeIdentityProvider" => describe_identity_provider,
    "DescribeResourceServer" => describe_resource_server,
    "DescribeRiskConfiguration" => describe_risk_configuration,
    "DescribeUserImportJob" => describe_user_import_job,
    "DescribeUserPool" => describe_user_pool,
    "DescribeUserPoolClient" => describe_user_pool_client,
    "DescribeUserPoolDomain" => describe_user_pool_domain,
    "ForgotPassword" => forgot_password,
    "GetCSVHeader" => get_csv_header,
    "GetGroup" => get_group,
    "GetIdentityProviderByIdentifier" => get_identity_provider_by_identifier,
    "GetLogDeliveryConfiguration" => get_log_delivery_configuration,
    "GetTokensFromRefreshToken" => get_tokens_from_refresh_token,
    "GetUICustomization" => get_ui_customization,
    "GetUser" => get_user,
    "GetUserAttributeVerificationCode" => get_user_attribute_verification_code,
    "GetUserPoolMfaConfig" => get_user_pool_mfa_config,
    "GlobalSignOut" => global_sign_out,
    "InitiateAuth" => initiate_auth,
    "ListGroups" => list_groups,
    "ListIdentityProviders" => list_identity_providers,
    "ListResourceServers" => list_resource_servers,
    "ListTagsForResource" => list_tags_for_resource,
    "ListUserImportJobs" => list_user_import_jobs,
    "ListUserPoolClients" => list_user_pool_clients,
    "ListUserPools" => list_user_pools,
    "ListUsers" => list_users,
    "ListUsersInGroup" => list_users_in_group,
    "ResendConfirmationCode" => resend_confirmation_code,
    "RespondToAuthChallenge" => respond_to_auth_challenge,
    "RevokeToken" => revoke_token,
    "SetLogDeliveryConfiguration" => set_log_delivery_configuration,
    "SetRiskConfiguration" => set_risk_configuration,
    "SetUICustomization" => set_ui_customization,
    "SetUserPoolMfaConfig" => set_user_pool_mfa_config,
    "SignUp" => sign_up,
    "StartUserImportJob" => start_user_import_job,
    "StopUserImportJob" => stop_user_import_job,
    "TagResource" => tag_resource,
    "UntagResource" => untag_resource,
    "UpdateGroup" => update_group,
    "UpdateIdentityProvider" => update_identity_provider,
    "UpdateResourceServer" => update_resource_server,
    "UpdateUserAttributes" => update_user_attributes,
    "UpdateUserPool" => update_user_pool,
    "UpdateUserPoolClient" => update_user_pool_client,
    "UpdateUserPoolDomain" => update_user_pool_domain,
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
