//! How many places in a wildcard one character may have reached at once: the service refuses what has too many.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::wildcard::Wildcard;

/// The service's own limit is not published. `*:*:*:*:*:event-bus/*` is refused by it and reaches 10 places,
/// `/Users/*/dir/dir/dir/dir/dir/doc.txt` is taken and reaches 7 (recorded).
const PLACES_MAX: usize = 10;
/// Sets of places looked at before a wildcard counts as harmless. Few stars make few sets.
const SETS_MAX: usize = 5_000;

/// Whether the service would refuse a wildcard as too complex.
pub fn is_too_complex(wildcard: &Wildcard) -> bool {
    let pieces = wildcard.pieces();
    if pieces.len() == 1 {
        return false; // no star
    }
    // A place is (piece, bytes of it matched); a piece that ended puts us in the star behind it as well.
    let start = BTreeSet::from([if pieces[0].is_empty() { (1, 0) } else { (0, 0) }]);
    let mut seen = HashSet::from([start.clone()]);
    let mut waiting = VecDeque::from([start]);
    while let Some(places) = waiting.pop_front() {
        let next_bytes: BTreeSet<u8> =
            places.iter().filter_map(|(piece, matched)| pieces[*piece].as_bytes().get(*matched).copied()).collect();
        for byte in next_bytes {
            let reached = after(pieces, &places, byte);
            if count(pieces, &reached) >= PLACES_MAX {
                return true;
            }
            if seen.len() < SETS_MAX && seen.insert(reached.clone()) {
                waiting.push_back(reached);
            }
        }
    }
    false
}

type Places = BTreeSet<(usize, usize)>;

fn after(pieces: &[Box<str>], places: &Places, byte: u8) -> Places {
    let mut reached = Places::new();
    for &(piece, matched) in places {
        if piece > 0 && matched == 0 {
            reached.insert((piece, 0)); // the star takes it
        }
        if pieces[piece].as_bytes().get(matched) == Some(&byte) {
            reached.insert((piece, matched + 1));
            if matched + 1 == pieces[piece].len() && piece + 1 < pieces.len() {
                reached.insert((piece + 1, 0));
            }
        }
    }
    reached
}

/// Stars that the input is within, and characters that it has just matched.
fn count(pieces: &[Box<str>], places: &Places) -> usize {
    places.iter().filter(|(piece, matched)| *matched > 0 || (*piece > 0 && !pieces[*piece].is_empty())).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wildcard: &str, expected: bool) {
        assert_eq!(is_too_complex(&Wildcard::parse(wildcard).expect("a wildcard")), expected, "{wildcard}");
    }

    #[test]
    fn agrees_with_what_was_recorded() {
        check("*:*:*:*:*:event-bus/*", true);
        check("/Users/*/dir/dir/dir/dir/dir/doc.txt", false);
        check("arn:aws:events:us-east-1:*:event-bus/*", false);
        check("*a*", false);
        check("/Users/*/doc.txt", false);
    }

    #[test]
    fn ends_soon_for_anything() {
        let many: Vec<_> = (0..200).map(|n| format!("*{n}ab{}", n * 7)).collect();
        is_too_complex(&Wildcard::parse(&many.concat()).expect("a wildcard"));
        check(&"*ab".repeat(100), true);
    }
}
