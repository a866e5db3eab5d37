//! The way from an event of the bus to an identity event.

use serde_json::Value;
use tandem_profiles::{IdentityEvent, InvalidEvent, SOURCE};

use crate::error::Error;

/// The identity event that a rule delivered. `None`, and a warning, for events that the function's rule should not
/// have matched; an error for what is meant as an identity event and is none, so that it ends as a dead letter.
pub(crate) fn identity_event(event: &Value) -> Result<Option<IdentityEvent>, Error> {
    let text = |field| event.get(field).and_then(Value::as_str).ok_or(Error::NotABusEvent(field));
    let (source, detail_type) = (text("source")?, text("detail-type")?);
    let detail = event.get("detail").ok_or(Error::NotABusEvent("detail"))?;
    if source != SOURCE {
        tracing::warn!(source, detail_type, "passed over: not from {SOURCE}; narrow the rule's pattern");
        return Ok(None);
    }
    match IdentityEvent::parse(detail_type, detail) {
        Ok(event) => Ok(Some(event)),
        Err(InvalidEvent::UnknownDetailType(_)) => {
            tracing::warn!(source, detail_type, "passed over: no identity event; narrow the rule's pattern");
            Ok(None)
        }
        Err(invalid) => Err(invalid.into()),
    }
}
