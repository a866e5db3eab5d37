//! The name that a new user is stored under.

use crate::Error;
use crate::attributes::{Attributes, is_email, is_phone_number};
use crate::pool::Settings;
use crate::user::Sub;

/// The name to store: the given one or, where an address or number takes the place of a name, the sub; then the
/// given one becomes that attribute.
pub fn username_for(settings: &Settings, name: &str, sub: &Sub, attributes: &mut Attributes) -> Result<String, Error> {
    let invalid = |message: &str| Err(Error::InvalidParameter(message.into()));
    if settings.uses_username_attributes() {
        let (by_email, by_phone) =
            (settings.has_username_attribute("email"), settings.has_username_attribute("phone_number"));
        if by_email && is_email(name) {
            attributes.set("email", settings.fold(name));
        } else if by_phone && is_phone_number(name) {
            attributes.set("phone_number", name);
        } else {
            return invalid(match (by_email, by_phone) {
                (true, true) => "Username should be either an email or a phone number.",
                (true, false) => "Username should be an email.",
                _ => "Username should be a phone number.",
            });
        }
        return Ok(sub.0.clone());
    }
    if settings.has_alias("email") && is_email(name) {
        return invalid("Username cannot be of email format, since user pool is configured for email alias.");
    }
    if settings.has_alias("phone_number") && is_phone_number(name) {
        return invalid(
            "Username cannot be of phone number format, since user pool is configured for phone number alias.",
        );
    }
    Ok(settings.fold(name))
}
