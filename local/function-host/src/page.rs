//! Lists that come in pages.

use crate::error::Error;

/// On a page, at most and by default.
const PAGE_MAX: usize = 50;
/// What `MaxItems` may ask of the lists of functions, versions and aliases, which have no more on a page for that.
pub(crate) const MANY: usize = 10_000;
/// Of the other lists.
pub(crate) const FEW: usize = 50;

/// `Marker` and `MaxItems`, as a query has them.
#[derive(Debug)]
pub(crate) struct Page {
    marker: Option<String>,
    size: usize,
}

impl Page {
    /// `MaxItems` is 1 to `max`.
    pub(crate) fn of(marker: Option<String>, max_items: Option<&str>, max: usize) -> Result<Self, Error> {
        let size = match max_items.map(|text| (text, text.parse::<usize>())) {
            None => PAGE_MAX,
            Some((_, Ok(items))) if (1..=max).contains(&items) => PAGE_MAX.min(items),
            Some((text, Ok(items))) if items > max => {
                let constraint = format!("Member must have value less than or equal to {max}");
                return Err(Error::constraint(text, "maxItems", &constraint));
            }
            Some((text, _)) => {
                return Err(Error::constraint(text, "maxItems", "Member must have value greater than or equal to 1"));
            }
        };
        Ok(Self { marker, size })
    }

    /// The items of this page, and the marker of the next one: the key of the last item. A marker whose item has
    /// gone begins at the front again.
    pub(crate) fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        let marker = self.marker.as_deref();
        let after = marker.and_then(|marker| items.iter().position(|item| key(item) == marker));
        items.drain(..after.map_or(0, |at| at + 1));
        let more = items.len() > self.size;
        items.truncate(self.size);
        let next = items.last().filter(|_| more).map(key);
        (items, next)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pages_are_the_whole_list(count in 0..200usize, size in 1..60usize) {
            let all: Vec<usize> = (0..count).collect();
            let (mut seen, mut marker) = (Vec::new(), None);
            loop {
                let page = Page::of(marker, Some(&size.to_string()), MANY).expect("a page");
                let (items, next) = page.cut(all.clone(), ToString::to_string);
                prop_assert!(items.len() <= size.min(PAGE_MAX));
                seen.extend(items);
                marker = next;
                if marker.is_none() {
                    break;
                }
            }
            prop_assert_eq!(seen, all);
        }
    }
}
