//! What was read of late, for as long as nothing at all was written: a client that is signed in asks for the same user
//! over and over.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::RwLock;

/// Answers kept. A user takes about a kilobyte.
const ANSWERS_MAX: usize = 4_096;

/// Answers by what was asked, as of one count of commits (see `storage::Database::commits`).
#[derive(Debug)]
pub struct Recent<K, V>(RwLock<Answers<K, V>>);

#[derive(Debug)]
struct Answers<K, V> {
    commits: u64,
    by_question: HashMap<K, V>,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// What was answered, if that is still true.
    pub fn get(&self, question: &K, commits: u64) -> Option<V> {
        let answers = self.0.read().expect("no holder panics");
        if answers.commits == commits { answers.by_question.get(question).cloned() } else { None }
    }

    /// Keeps an answer that was read after the commits were counted.
    pub fn keep(&self, question: K, answer: V, commits: u64) {
        let mut answers = self.0.write().expect("no holder panics");
        if answers.commits < commits || answers.by_question.len() >= ANSWERS_MAX {
            answers.by_question.clear();
            answers.commits = commits;
        }
        if answers.commits == commits {
            answers.by_question.insert(question, answer);
        }
    }
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(RwLock::new(Answers { commits: 0, by_question: HashMap::new() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_lasts_until_the_next_commit() {
        let recent = Recent::default();
        recent.keep("ann", 1, 7);
        assert_eq!(recent.get(&"ann", 7), Some(1));
        assert_eq!(recent.get(&"ann", 8), None);
    }

    #[test]
    fn what_was_read_before_a_commit_does_not_come_back() {
        let recent = Recent::default();
        recent.keep("ann", 2, 8);
        recent.keep("ann", 1, 7);
        assert_eq!(recent.get(&"ann", 8), Some(2));
    }

    #[test]
    fn it_does_not_grow() {
        let recent = Recent::default();
        (0..3 * ANSWERS_MAX).for_each(|n| recent.keep(n, (), 1));
        assert!(recent.0.read().expect("no holder panics").by_question.len() <= ANSWERS_MAX);
    }
}
