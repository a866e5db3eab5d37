//! What names a secret: its name, its ARN, or its ARN without the six characters at the end.

use aws_api::Arn;
use world::Place;

use super::error::Error;
use crate::constraint::Constraints;
use crate::opaque;

const SUFFIX_CHARS: usize = 6;

/// `arn:…:secret:NAME-abc123`. The six characters follow from the name: they are the same whenever it is made.
pub fn arn(place: &Place, name: &str) -> String {
    place.arn("secretsmanager", &format!("secret:{name}-{}", opaque::letters(name, SUFFIX_CHARS)))
}

/// The names that an id may mean, the likelier first.
pub fn names(place: &Place, id: &str) -> Result<Vec<String>, Error> {
    Constraints::new().length(Some(id), "secretId", 1, 2048).check()?;
    let Ok(arn) = id.parse::<Arn>() else { return Ok(vec![id.to_owned()]) };
    let ours = arn.service == "secretsmanager" && arn.region == place.region && arn.account == place.account;
    let Some(rest) = arn.resource.strip_prefix("secret:").filter(|_| ours) else { return Ok(Vec::new()) };
    let whole = rest.rsplit_once('-').map(|(name, _)| name).filter(|name| self::arn(place, name) == id);
    Ok(whole.into_iter().chain([rest]).map(str::to_owned).collect())
}

/// Checks the name of a secret that is to be made.
pub fn check(name: &str) -> Result<(), Error> {
    Constraints::new().length(Some(name), "name", 1, 512).check()?;
    if name.chars().all(|c| c.is_ascii_alphanumeric() || "-/_+=.@!".contains(c)) {
        return Ok(());
    }
    let message =
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!";
    Err(Error::Validation(message.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_name_and_an_arn_and_part_of_one() {
        let place = Place::default();
        let whole = arn(&place, "a-b");
        assert_eq!(whole.len(), "arn:aws:secretsmanager:us-east-1:000000000000:secret:a-b-".len() + SUFFIX_CHARS);
        assert_eq!(names(&place, "a-b").expect("names"), ["a-b"]);
        assert_eq!(names(&place, &whole).expect("names")[0], "a-b");
        assert_eq!(names(&place, &whole[..whole.len() - 7]).expect("names"), ["a-b"]);
        assert!(names(&place, &whole.replace("us-east-1", "eu-west-1")).expect("names").is_empty());
    }
}
