//! `PaginationToken`: where the next page begins, sealed so that nobody reads or makes one, good for an hour and for
//! the same question.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::pool::Pool;
use crate::session::{self, Purpose};
use crate::store::After;
use crate::{Error, UserPools};

const LIFE: Duration = Duration::from_hours(1);

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

    /// A token for the page behind `after`.
    pub fn seal(&self, after: &After) -> String {
        let expires = self.room.world.clock.now().plus(LIFE);
        let payload = Payload { question: self.question.clone(), after: after.clone() };
        session::seal(&self.pool.secret, Purpose::Page, expires, &payload, &self.room.world.random)
    }

    /// Where the page of a token begins.
    pub fn open(&self, token: &str) -> Result<After, Error> {
        let opened = session::open::<Payload>(&self.pool.secret, Purpose::Page, token, self.room.world.clock.now());
        match opened {
            Ok(opened) if opened.payload.question == self.question => Ok(opened.payload.after),
            _ => Err(Error::InvalidParameter("Invalid pagination token.".into())),
        }
    }
}
