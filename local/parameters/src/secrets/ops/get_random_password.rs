//! `GetRandomPassword`.

use aws_api::Call;
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::room::Parameters;
use crate::secrets::error::Error;
use crate::secrets::password::Rules;

const LENGTH: i64 = 32;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the wire's members")]
pub struct Request {
    password_length: Option<i64>,
    #[serde(default)]
    exclude_characters: String,
    #[serde(default)]
    exclude_numbers: bool,
    #[serde(default)]
    exclude_punctuation: bool,
    #[serde(default)]
    exclude_uppercase: bool,
    #[serde(default)]
    exclude_lowercase: bool,
    #[serde(default)]
    include_space: bool,
    require_each_included_type: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Response {
    random_password: String,
}

#[expect(clippy::unused_async, reason = "the table of operations calls every one of them alike")]
pub async fn run(room: &Parameters, request: Request, _call: &Call) -> Result<Response, Error> {
    Constraints::new().range(request.password_length, "passwordLength", 1, 4096).check()?;
    let rules = Rules {
        length: usize::try_from(request.password_length.unwrap_or(LENGTH)).unwrap_or_default(),
        excluded: request.exclude_characters,
        exclude_numbers: request.exclude_numbers,
        exclude_punctuation: request.exclude_punctuation,
        exclude_uppercase: request.exclude_uppercase,
        exclude_lowercase: request.exclude_lowercase,
        include_space: request.include_space,
        require_each: request.require_each_included_type.unwrap_or(true),
    };
    Ok(Response { random_password: rules.draw(&room.world.random)? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Room;

    #[tokio::test]
    async fn a_password_is_as_long_as_it_is_wanted() {
        let t = Room::new();
        for (input, length) in [(json!({}), 32), (json!({ "PasswordLength": 4096 }), 4096)] {
            let drawn = t.secrets("GetRandomPassword", input).await.ok();
            assert_eq!(drawn["RandomPassword"].as_str().map(str::len), Some(length));
        }
        let message = "Password length is too short based on the required types.";
        let short = json!({ "PasswordLength": 3 });
        t.secrets("GetRandomPassword", short).await.error("InvalidParameterException", message);
    }
}
