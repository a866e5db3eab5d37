//! Mistakes in the words that all of this module uses.

use crate::error::TemplateError;
use crate::near::did_you_mean;
use crate::node::Node;

impl TemplateError {
    /// With the known name that is nearest to a mistyped one as its hint, if one is near.
    pub(super) fn near<'k>(self, name: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        match did_you_mean(name, known) {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }
}

impl Node {
    /// "… must be x, not y".
    pub(super) fn unexpected_text(&self, what: &str, expected: &str) -> TemplateError {
        match self.as_str() {
            Some(found) => TemplateError::new(&self.span, format!("{what} must be {expected}, not {found}")),
            None => self.unexpected(what, expected),
        }
    }
}
