//! The `CustomMessage` function: puts its own words into a message that is about to be sent.

use serde::Deserialize;
use serde_json::json;

use super::{Context, Source, told, unrecognizable};
use crate::Error;
use crate::message::{CODE_PLACE, Channel, NAME_PLACE, Subject, Words};
use crate::user::User;

/// In links, which are not sent here.
const LINK_PLACE: &str = "{##Click Here##}";
const EMAIL_LENGTH: std::ops::RangeInclusive<usize> = 6..=20_000;
const SMS_LENGTH: std::ops::RangeInclusive<usize> = 6..=140;
const EMAIL_SUBJECT_LENGTH: std::ops::RangeInclusive<usize> = 1..=140;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    sms_message: Option<String>,
    email_message: Option<String>,
    email_subject: Option<String>,
}

impl Context<'_> {
    /// The function's words for a message; nothing where it has none, or the pool no such function.
    ///
    /// A text without a place for the code (and, in an invitation, for the name) is not used, as documented. Texts of
    /// e-mails are used whoever sends them: AWS's page says that it refuses them unless the pool sends through SES,
    /// and pools that do not are reported to have them sent all the same.
    pub async fn custom_message(&self, subject: Subject, user: &User, channel: Channel) -> Result<Words, Error> {
        let source = Source::CustomMessage(subject);
        let is_invitation = subject == Subject::AdminCreateUser;
        let request = || {
            json!({
                "userAttributes": told(user),
                "codeParameter": CODE_PLACE,
                "linkParameter": LINK_PLACE,
                "usernameParameter": is_invitation.then_some(NAME_PLACE),
            })
        };
        let response = json!({"smsMessage": null, "emailMessage": null, "emailSubject": null});
        let Some(response) = self.run(source, &user.username, request, response).await? else {
            return Ok(Words::default());
        };
        let answer: Option<Answer> = serde_json::from_value(response).map_err(|_| unrecognizable())?;
        let answer = answer.unwrap_or_default();
        check(answer.email_message.as_ref(), "emailMessage", EMAIL_LENGTH)?;
        check(answer.sms_message.as_ref(), "smsMessage", SMS_LENGTH)?;
        check(answer.email_subject.as_ref(), "emailSubject", EMAIL_SUBJECT_LENGTH)?;
        let body = match channel {
            Channel::Email => answer.email_message,
            Channel::Sms => answer.sms_message,
        };
        let has_places = |body: &String| body.contains(CODE_PLACE) && (!is_invitation || body.contains(NAME_PLACE));
        if body.as_ref().is_some_and(|body| !has_places(body)) {
            let places = if is_invitation { "{####} or {username}" } else { "{####}" };
            self.report_ignored(source, &user.username, &format!("a message without {places} is not used"));
        }
        Ok(Words { subject: answer.email_subject, body: body.filter(has_places) })
    }
}

fn check(text: Option<&String>, member: &str, length: std::ops::RangeInclusive<usize>) -> Result<(), Error> {
    match text {
        Some(text) if !length.contains(&text.chars().count()) => Err(Error::InvalidLambdaResponse(format!(
            "CustomMessage returned a {member} that has not {} to {} characters",
            length.start(),
            length.end()
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::Kit;
    use crate::trigger::TriggerFailure;

    async fn kit(answer: Value) -> Kit {
        let t = Kit::new().await;
        t.attach("CustomMessage").await;
        t.trigger_changes_response(answer);
        t
    }

    #[tokio::test]
    async fn the_functions_words_are_sent_with_the_code_in_them() {
        let t = kit(json!({"emailSubject": "Hello", "emailMessage": "Code: {####}!", "smsMessage": null})).await;
        let mut sign_up = t.sign_up("ann@example.com");
        sign_up["ClientMetadata"] = json!({"from": "app"});
        t.call("SignUp", sign_up).await.ok();
        let message = t.messages().remove(0);
        assert_eq!(message.subject.as_deref(), Some("Hello"));
        assert_eq!(message.body, format!("Code: {}!", message.code));
        let event = t.events().remove(0);
        assert_eq!(event["triggerSource"], "CustomMessage_SignUp");
        assert_eq!(event["callerContext"]["clientId"], t.client);
        let mut request = event["request"].clone();
        let attributes = request["userAttributes"].take();
        assert_eq!(
            (&attributes["cognito:user_status"], &attributes["email"]),
            (&json!("UNCONFIRMED"), &json!("ann@example.com"))
        );
        let expected = json!({
            "userAttributes": null, "codeParameter": "{####}", "linkParameter": "{##Click Here##}",
            "usernameParameter": null, "clientMetadata": {"from": "app"},
        });
        assert_eq!(request, expected);
        assert_eq!(event["response"], json!({"smsMessage": null, "emailMessage": null, "emailSubject": null}));
    }

    #[tokio::test]
    async fn words_without_a_place_for_the_code_are_not_used() {
        let t = kit(json!({"emailSubject": "Hello", "emailMessage": "Welcome!"})).await;
        t.call("SignUp", t.sign_up("ann@example.com")).await.ok();
        let message = t.messages().remove(0);
        assert_eq!(message.body, format!("Your confirmation code is {}", message.code));
        assert!(t.warnings().iter().any(|warning| warning.contains("{####}")));
    }

    #[tokio::test]
    async fn an_invitation_needs_a_place_for_the_name_too() {
        for (text, used) in [("{username}: {####}", true), ("Your password: {####}", false)] {
            let t = kit(json!({"emailMessage": text})).await;
            t.call("AdminCreateUser", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
            let event = t.events().remove(0);
            assert_eq!(event["request"]["usernameParameter"], "{username}");
            assert_eq!(event["callerContext"]["clientId"], "CLIENT_ID_NOT_APPLICABLE");
            let message = t.messages().remove(0);
            assert_eq!(message.body == format!("ann@example.com: {}", message.code), used, "{}", message.body);
        }
    }

    #[tokio::test]
    async fn every_message_has_a_source_of_its_own() {
        let t = kit(json!({"emailMessage": "{username} {####}"})).await;
        let email = "ann@example.com";
        t.call("SignUp", t.sign_up(email)).await.ok();
        let by_name = json!({"ClientId": t.client, "Username": email});
        t.call("ResendConfirmationCode", by_name.clone()).await.ok();
        t.call("ConfirmSignUp", t.confirm(email, &t.last_code())).await.ok();
        t.call("ForgotPassword", by_name).await.ok();
        t.call("AdminResetUserPassword", json!({"UserPoolId": t.pool, "Username": email})).await.ok();
        let set =
            json!({"UserPoolId": t.pool, "Username": email, "Password": crate::testing::PASSWORD, "Permanent": true});
        t.call("AdminSetUserPassword", set).await.ok();
        let token = t.sign_in(email).await;
        let update = json!({"AccessToken": token, "UserAttributes": [{"Name": "email", "Value": "new@example.com"}]});
        t.call("UpdateUserAttributes", update).await.ok();
        let verify = json!({"AccessToken": token, "AttributeName": "email"});
        t.call("GetUserAttributeVerificationCode", verify).await.ok();
        let expected =
            ["SignUp", "ResendCode", "ForgotPassword", "ForgotPassword", "UpdateUserAttribute", "VerifyUserAttribute"];
        assert_eq!(t.sources(), expected.map(|source| format!("CustomMessage_{source}")));
    }

    #[tokio::test]
    async fn failures_reach_the_caller_and_the_user_stays() {
        let t = Kit::new().await;
        t.attach("CustomMessage").await;
        t.trigger_answers(Err(TriggerFailure::Function("not today".into())));
        let message = t.call("SignUp", t.sign_up("ann@example.com")).await.error("UserLambdaValidationException");
        assert_eq!(message, "CustomMessage failed with error not today.");
        let user = t.call("AdminGetUser", json!({"UserPoolId": t.pool, "Username": "ann@example.com"})).await.ok();
        assert_eq!(user["UserStatus"], "UNCONFIRMED");
        assert!(t.messages().is_empty());
    }

    #[tokio::test]
    async fn a_time_out_names_the_function() {
        let t = Kit::new().await;
        t.attach("CustomMessage").await;
        t.trigger_answers(Err(TriggerFailure::TimedOut));
        let message = t.call("SignUp", t.sign_up("ann@example.com")).await.error("UnexpectedLambdaException");
        let expected = "arn:aws:lambda:us-east-1:000000000000:function:hook failed with error Socket timeout while \
                        invoking Lambda function.";
        assert_eq!(message, expected);
        assert_eq!(t.sources().len(), 3);
    }

    #[tokio::test]
    async fn answers_of_another_shape_are_refused() {
        for answer in [json!({"emailMessage": 1}), json!({"emailMessage": "{####}!".repeat(3_000)}), json!("text")] {
            let t = kit(answer).await;
            t.call("SignUp", t.sign_up("ann@example.com")).await.error("InvalidLambdaResponseException");
        }
    }
}
