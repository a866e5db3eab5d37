//! The attributes that a sender puts on a message, and the bytes that their MD5 digest is taken of.
//!
//! The encoding is AWS's (`docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html`,
//! "Calculating the MD5 message digest for message attributes"). SDKs compute the digest too and refuse a
//! message whose attributes differ. It can be read back, so it is also how attributes are stored.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

use crate::error::Error;
use crate::message::check_characters;

/// Attributes of one message.
const ATTRIBUTES_MAX: usize = 10;
/// Of a name or a type; AWS says "shorter than 256".
const NAME_BYTES_MAX: usize = 255;

const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// By name, in the order that the digest is taken in.
pub(crate) type MessageAttributes = BTreeMap<String, MessageAttribute>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageAttribute {
    /// `String`, `Number` or `Binary`, perhaps with a suffix: `Number.float`.
    pub data_type: String,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Binary(Vec<u8>),
}

impl Value {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// What they add to the size of a message.
pub(crate) fn size(attributes: &MessageAttributes) -> usize {
    let size = |(name, attribute): (&String, &MessageAttribute)| {
        name.len() + attribute.data_type.len() + attribute.value.bytes().len()
    };
    attributes.iter().map(size).sum()
}

/// The bytes that the digest is taken of.
pub(crate) fn encode(attributes: &MessageAttributes) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, attribute) in attributes {
        put_part(&mut bytes, name.as_bytes());
        put_part(&mut bytes, attribute.data_type.as_bytes());
        bytes.push(match attribute.value {
            Value::Text(_) => TEXT,
            Value::Binary(_) => BINARY,
        });
        put_part(&mut bytes, attribute.value.bytes());
    }
    bytes
}

fn put_part(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(part);
}

/// What [`encode`] was given.
pub(crate) fn decode(bytes: &[u8]) -> Option<MessageAttributes> {
    let mut rest = bytes;
    let mut attributes = MessageAttributes::new();
    while !rest.is_empty() {
        let name = String::from_utf8(split_part(&mut rest)?.to_vec()).ok()?;
        let data_type = String::from_utf8(split_part(&mut rest)?.to_vec()).ok()?;
        let (kind, behind) = rest.split_first()?;
        rest = behind;
        let value = split_part(&mut rest)?.to_vec();
        let value = match *kind {
            TEXT => Value::Text(String::from_utf8(value).ok()?),
            _ => Value::Binary(value),
        };
        attributes.insert(name, MessageAttribute { data_type, value });
    }
    Some(attributes)
}

fn split_part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let (part, behind) = behind.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = behind;
    Some(part)
}

/// The digest that an answer carries; nothing without attributes.
pub(crate) fn digest(attributes: &MessageAttributes) -> Option<String> {
    (!attributes.is_empty()).then(|| md5_hex(&encode(attributes)))
}

/// MD5 in lower-case hexadecimal digits.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::with_capacity(32), |mut hex, byte| {
        for nibble in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(nibble.into(), 16));
        }
        hex
    })
}

/// Those that a receiver asked for: by name, `All`, `.*`, or a prefix as in `order.*`.
pub(crate) fn select(attributes: MessageAttributes, wanted: &[String]) -> MessageAttributes {
    let asked_for = |name: &str| {
        wanted.iter().any(|wanted| match wanted.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => wanted == "All" || wanted == name,
        })
    };
    attributes.into_iter().filter(|(name, _)| asked_for(name)).collect()
}

/// Refuses what SQS refuses.
pub(crate) fn check(attributes: &MessageAttributes) -> Result<(), Error> {
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(Error::too_many_message_attributes(attributes.len(), ATTRIBUTES_MAX));
    }
    attributes.iter().try_for_each(|(name, attribute)| {
        check_name(name)?;
        check_type(name, &attribute.data_type)?;
        check_value(name, attribute)
    })
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::invalid("The request must contain non-empty message (user) attribute name."));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Error::invalid("Message (user) attribute names must be shorter than 256 Bytes"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return Err(Error::invalid(
            "Message (user) attributes name can only contain upper and lower score characters, digits, periods, \
             hyphens and underscores. ",
        ));
    }
    let lower = name.to_ascii_lowercase();
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    if reserved || name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err(Error::invalid(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved \
             for internal use. Additionally, they cannot start or end with '.'.",
        ));
    }
    Ok(())
}

fn check_type(name: &str, data_type: &str) -> Result<(), Error> {
    if data_type.is_empty() {
        return Err(Error::invalid(format!(
            "The message (user) attribute '{name}' must contain a non-empty message attribute type."
        )));
    }
    if data_type.len() > NAME_BYTES_MAX {
        return Err(Error::invalid("Message (user) attribute types must be shorter than 256 Bytes"));
    }
    if !matches!(base_type(data_type), "String" | "Number" | "Binary") {
        return Err(Error::invalid(format!(
            "The type of message (user) attribute '{name}' is invalid. You must use only the following supported \
             type prefixes: Binary, Number, String."
        )));
    }
    Ok(())
}

fn check_value(name: &str, attribute: &MessageAttribute) -> Result<(), Error> {
    let base = base_type(&attribute.data_type);
    let fits = matches!((&attribute.value, base), (Value::Text(_), "String" | "Number") | (Value::Binary(_), "Binary"));
    if !fits || attribute.value.bytes().is_empty() {
        return Err(Error::invalid(format!(
            "Message (user) attribute '{name}' must contain a non-empty value of type '{base}'."
        )));
    }
    let Value::Text(text) = &attribute.value else { return Ok(()) };
    if base == "Number" && !text.trim().parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(Error::invalid(format!("Can't cast the value of message (user) attribute '{name}' to a number.")));
    }
    // For an attribute AWS gives the same words under another code.
    check_characters(text).map_err(|error| Error::invalid(error.to_string()))
}

fn base_type(data_type: &str) -> &str {
    data_type.split('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(data_type: &str, value: Value) -> MessageAttribute {
        MessageAttribute { data_type: data_type.into(), value }
    }

    fn texts(attributes: &[(&str, &str)]) -> MessageAttributes {
        let text =
            |(name, value): &(&str, &str)| ((*name).to_owned(), attribute("String", Value::Text((*value).to_owned())));
        attributes.iter().map(text).collect()
    }

    /// Digests that the real service answered with (`LocalStack`'s `test_sqs.snapshot.json`).
    #[test]
    fn digests_are_those_of_aws() {
        let digest_of = |attributes: &[(&str, &str)]| digest(&texts(attributes)).unwrap_or_default();
        assert_eq!(digest_of(&[("Foo", "Bar")]), "ae7155c6026991b6d54b11589678bf9c");
        assert_eq!(digest_of(&[("Hello", "There"), ("General", "Kenobi")]), "fca026605781cb4126a1e9044df24232");
        let three = [("Help.Me", "Me"), ("Hello", "There"), ("General", "Kenobi")];
        assert_eq!(digest_of(&three), "4c360f3fdafd970e05fae2f149d997f5");
        assert_eq!(digest_of(&[("Hello", "There")]), "a311262e065454b75da111d535b8dacd");
        assert_eq!(digest_of(&[]), "");
    }

    #[test]
    fn bodies_digest_as_aws_has_it() {
        assert_eq!(md5_hex(b"msg"), "6e2baaf3b97dbeef01c0043275f9a0e7");
        assert_eq!(md5_hex(b"message"), "78e731027d8fd50ed642340b7c9a63b3");
    }

    #[test]
    fn selects_by_name_and_by_prefix() {
        let three = texts(&[("Help.Me", "Me"), ("Hello", "There"), ("General", "Kenobi")]);
        let names = |wanted: &str| select(three.clone(), &[wanted.to_owned()]).into_keys().collect::<Vec<_>>();
        assert_eq!(names("All"), ["General", "Hello", "Help.Me"]);
        assert_eq!(names(".*"), ["General", "Hello", "Help.Me"]);
        assert_eq!(names("Hel.*"), ["Hello", "Help.Me"]);
        assert_eq!(names("General"), ["General"]);
        assert!(names("Foo").is_empty());
    }

    #[track_caller]
    fn refused(name: &str, data_type: &str, value: Value, words: &str) {
        let attributes = MessageAttributes::from([(name.to_owned(), attribute(data_type, value))]);
        let error = check(&attributes).expect_err("it is refused").to_string();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn refuses_what_sqs_refuses() {
        let text = || Value::Text("x".into());
        refused("AWS.mine", "String", text(), "beginning with 'AWS.'");
        refused(".dot", "String", text(), "cannot start or end with '.'");
        refused("a b", "String", text(), "can only contain");
        refused("a", "Text", text(), "Binary, Number, String");
        refused("a", "String", Value::Text(String::new()), "non-empty value of type 'String'");
        refused("a", "Binary", text(), "non-empty value of type 'Binary'");
        refused("a", "Number.int", text(), "Can't cast the value of message (user) attribute 'a' to a number.");
        refused("a", "String", Value::Text("\u{1}".into()), "Invalid characters found");
    }

    fn attributes() -> impl Strategy<Value = MessageAttributes> {
        let value = prop_oneof![
            any::<String>().prop_map(Value::Text),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Binary),
        ];
        let attribute = (any::<String>(), value).prop_map(|(data_type, value)| MessageAttribute { data_type, value });
        prop::collection::btree_map(any::<String>(), attribute, 0..5)
    }

    proptest! {
        #[test]
        fn what_is_encoded_can_be_read_back(attributes in attributes()) {
            prop_assert_eq!(decode(&encode(&attributes)), Some(attributes));
        }

        #[test]
        fn any_bytes_can_be_read_or_not(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(&bytes);
        }
    }
}
