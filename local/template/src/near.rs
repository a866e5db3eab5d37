//! "Did you mean …?": the known name that a mistyped one is nearest to.

/// A hint that names the nearest of the known names, if one is near enough to be meant.
pub(crate) fn did_you_mean<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let wanted = name.to_lowercase();
    let far = wanted.chars().count() / 3 + 1;
    let near = |known: &'k str| (distance(&wanted, &known.to_lowercase(), far), known);
    let (distance, best) = known.into_iter().map(near).min()?;
    (distance <= far && distance < wanted.chars().count()).then(|| format!("did you mean {best}?"))
}

/// Edits that turn one into the other, a swap of neighbours being one; more than `far` is all the same.
fn distance(from: &str, to: &str, far: usize) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    if from.len().abs_diff(to.len()) > far {
        return far + 1;
    }
    let (mut before, mut above): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=to.len()).collect());
    for (row, a) in from.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, b) in to.iter().enumerate() {
            let mut best = (above[column] + usize::from(a != b)).min(above[column + 1] + 1).min(line[column] + 1);
            let swapped = row > 0 && column > 0 && *a == to[column - 1] && from[row - 1] == *b;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            line.push(best);
        }
        before = std::mem::replace(&mut above, line);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, known: &[&str], expected: Option<&str>) {
        let expected = expected.map(|name| format!("did you mean {name}?"));
        assert_eq!(did_you_mean(name, known.iter().copied()), expected);
    }

    #[test]
    fn names_what_is_near_and_nothing_else() {
        check("UserPol", &["UserPool", "UserTable"], Some("UserPool"));
        check("userpool", &["UserPool"], Some("UserPool"));
        check("Tbale", &["Table", "Topic"], Some("Table"));
        check("Queue", &["UserPool", "Topic"], None);
        check("X", &[], None);
        check("X", &["Q"], None);
    }
}
