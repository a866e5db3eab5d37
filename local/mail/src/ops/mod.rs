//! The operations of SES version 2, a file each.

mod shapes;

aws_api::operations! {
    crate::Mail;
    "SendEmail" => send_email at POST "/v2/email/outbound-emails",
    "CreateEmailIdentity" => create_email_identity at POST "/v2/email/identities",
    "ListEmailIdentities" => list_email_identities at GET "/v2/email/identities",
    "GetEmailIdentity" => get_email_identity at GET "/v2/email/identities/{EmailIdentity}",
    "DeleteEmailIdentity" => delete_email_identity at DELETE "/v2/email/identities/{EmailIdentity}",
    "GetAccount" => get_account at GET "/v2/email/account",
}

#[cfg(test)]
mod harness;
