//! Lists in pages: groups and streams.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;

/// The longest page, and the usual one.
pub const ITEMS_MAX: i64 = 50;

/// A part of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Leads to the rest, if there is any: the key of the last item, wrapped.
    pub next_token: Option<String>,
}

/// The part of `items` behind the token. The items come in the order of their keys, which are unique: the smallest
/// first, or the greatest.
pub fn page<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    descending: bool,
    limit: Option<i64>,
    token: Option<&str>,
) -> Result<Page<T>, Error> {
    let last = token.map(unwrapped).transpose()?;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(50);
    let seen = |item: &T| {
        let key = key(item);
        last.as_ref().is_some_and(|last| if descending { key >= *last } else { key <= *last })
    };
    let mut rest = items.into_iter().skip_while(seen).peekable();
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let has_more = rest.peek().is_some();
    let next_token = items.last().filter(|_| has_more).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
    Ok(Page { items, next_token })
}

fn unwrapped(token: &str) -> Result<String, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(Error::bad_token)
}
