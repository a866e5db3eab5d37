//! Lists in pages: a token is the key of the last item, wrapped.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// No token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadToken;

/// The key in a token.
pub fn key(token: Option<&str>) -> Result<Option<String>, BadToken> {
    let Some(token) = token else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadToken)?;
    String::from_utf8(bytes).map(Some).map_err(|_| BadToken)
}

/// Takes a page's items out of one more than fit, and makes the token if there are more.
pub fn cut<T>(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
    if items.len() <= limit {
        return (items, None);
    }
    items.truncate(limit);
    let token = items.last().map(|last| URL_SAFE_NO_PAD.encode(key(last)));
    (items, token)
}

/// The items of a list behind the one that a token names, and the token for the rest.
pub fn page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    limit: usize,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), BadToken> {
    let last = self::key(token)?;
    let begin = last.map_or(Some(0), |last| items.iter().position(|item| key(item) == last).map(|at| at + 1));
    // The item may be gone since: then the list is over, as it is for a client that changes what it lists.
    let begin = begin.unwrap_or(items.len());
    let rest = items.into_iter().skip(begin).take(limit + 1).collect();
    Ok(cut(rest, limit, key))
}
