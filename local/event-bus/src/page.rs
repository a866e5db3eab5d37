//! Lists in pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::constraint::Constraints;
use crate::error::Error;

/// The longest page, and the usual one.
const ITEMS_MAX: i64 = 100;
/// The longest `NextToken`.
const TOKEN_CHARS_MAX: usize = 2048;

/// A part of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Leads to the rest, if there is any: the name of the last item, wrapped.
    pub next_token: Option<String>,
}

/// What a caller may say about a page, checked.
pub fn constrain(limit: Option<i64>, token: Option<&str>) -> Result<(), Error> {
    Constraints::new().range(limit, "limit", 1, ITEMS_MAX).length(token, "nextToken", 1, TOKEN_CHARS_MAX).check()
}

/// The part of `items` (which come in the order of their names) behind the token.
pub fn page<T>(
    items: impl Iterator<Item = T>,
    name: impl Fn(&T) -> &str,
    limit: Option<i64>,
    token: Option<&str>,
) -> Result<Page<T>, Error> {
    let after = token.map(unwrapped).transpose()?;
    let limit = usize::try_from(limit.unwrap_or(ITEMS_MAX)).unwrap_or(1);
    let mut rest = items.skip_while(|item| after.as_deref().is_some_and(|after| name(item) <= after)).peekable();
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let has_more = rest.peek().is_some();
    let next_token = items.last().filter(|_| has_more).map(|last| URL_SAFE_NO_PAD.encode(name(last)));
    Ok(Page { items, next_token })
}

fn unwrapped(token: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| Error::parameter("NextToken", None))
}
