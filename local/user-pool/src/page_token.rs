//! `PaginationToken` and `NextToken`: where the next page begins, sealed so that nobody reads or makes one, good for an hour and for
//! the same question.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::constraint::Constraints;
use crate::pool::Pool;
use crate::session::{self, Purpose};
use crate::store::After;
use crate::{Error, UserPools};

const LIFE: Duration = Duration::from_hours(1);
/// Entries of a page, unless said otherwise.
const LIMIT_DEFAULT: i64 = 60;
const LIMIT_MAX: i64 = 60;

/// How many entries a call wants; 0 is as good as nothing.
pub fn limit(given: Option<i64>) -> Result<usize, Error> {
    let given = given.unwrap_or(0);
    Constraints::new().number("limit", given, 0..=LIMIT_MAX).check()?;
    Ok(usize::try_from(if given == 0 { LIMIT_DEFAULT } else { given }).unwrap_or(1))
}

/// How many entries a call wants that says `MaxResults`: up to `most`, which is also the default.
pub fn max_results(given: Option<i64>, least: i64, most: i64) -> Result<usize, Error> {
    let given = given.unwrap_or(most);
    Constraints::new().number("maxResults", given, least..=most).check()?;
    Ok(usize::try_from(if given == 0 { most } else { given }).unwrap_or(1))
}

/// The tokens of one question.
pub struct PageTokens<'a> {
    room: &'a UserPools,
    pool: &'a Pool,
    question: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    question: Vec<u8>,
    after: After,
}

impl<'a> PageTokens<'a> {
    /// For whoever asks this.
    pub fn new(room: &'a UserPools, pool: &'a Pool, question: &impl Serialize) -> Self {
        let question = serde_json::to_vec(question).unwrap_or_default(); // text and numbers: nothing in them can fail
        Self { room, pool, question: digest(&SHA256, &question).as_ref()[..16].to_vec() }
    }

    /// Where a page begins, by the token of the page before.
    pub fn after(&self, token: Option<&str>) -> Result<After, Error> {
        token.map_or_else(|| Ok(After::default()), |token| self.open(token))
    }

    /// A page of at most `limit` entries, and the token for the next: `found` has one more if there is more.
    pub fn page<T>(&self, mut found: Vec<(T, After)>, limit: usize) -> (Vec<T>, Option<String>) {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(_, last)| self.seal(last));
        (found.into_iter().map(|(entry, _)| entry).collect(), next)
    }

    /// A token for the page behind `after`.
    fn seal(&self, after: &After) -> String {
        let expires = self.room.world.clock.now().plus(LIFE);
        let payload = Payload { question: self.question.clone(), after: after.clone() };
        session::seal(&self.pool.secret, Purpose::Page, expires, &payload, &self.room.world.random)
    }

    /// Where the page of a token begins.
    fn open(&self, token: &str) -> Result<After, Error> {
        let opened = session::open::<Payload>(&self.pool.secret, Purpose::Page, token, self.room.world.clock.now());
        match opened {
            Ok(opened) if opened.payload.question == self.question => Ok(opened.payload.after),
            _ => Err(Error::InvalidParameter("Invalid pagination token.".into())),
        }
    }
}
