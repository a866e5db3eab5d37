//! Receipt handles: which message was received, and which time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::error::Error;

const BODY_BYTES: usize = 24;
const CHECK_BYTES: usize = 8;

/// One receipt of a message. The newest one of a message is stored with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub queue: i64,
    pub message: i64,
    /// Drawn anew for every receipt.
    pub nonce: i64,
}

impl Receipt {
    /// Opaque to clients. The check tells a damaged or invented handle from an old one; it is no protection
    /// against anybody, who could as well receive the message.
    pub fn handle(self) -> String {
        let body = self.body();
        STANDARD.encode([&body[..], &check(&body)[..]].concat())
    }

    /// The receipt that a handle of this queue stands for.
    pub fn read(handle: &str, queue: i64) -> Result<Self, Error> {
        let invalid = || Error::ReceiptHandleIsInvalid(handle.to_owned());
        let bytes = STANDARD.decode(handle).map_err(|_| invalid())?;
        let (body, given_check) = bytes.split_first_chunk::<BODY_BYTES>().ok_or_else(invalid)?;
        let number = |at: usize| {
            let bytes = body.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, i64::from_be_bytes)
        };
        let receipt = Self { queue: number(0), message: number(8), nonce: number(16) };
        if given_check == check(body) && receipt.queue == queue { Ok(receipt) } else { Err(invalid()) }
    }

    fn body(self) -> [u8; BODY_BYTES] {
        let mut body = [0; BODY_BYTES];
        for (to, number) in body.chunks_exact_mut(8).zip([self.queue, self.message, self.nonce]) {
            to.copy_from_slice(&number.to_be_bytes());
        }
        body
    }
}

fn check(body: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = Md5::new_with_prefix(b"receipt").chain_update(body).finalize();
    std::array::from_fn(|at| digest[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_handle() {
        let receipt = Receipt { queue: 3, message: 77, nonce: -5 };
        assert_eq!(Receipt::read(&receipt.handle(), 3).expect("it is ours"), receipt);
    }

    #[test]
    fn refuses_what_is_no_handle_of_this_queue() {
        let handle = Receipt { queue: 3, message: 77, nonce: -5 }.handle();
        for (handle, queue) in [(handle.as_str(), 4), ("", 3), ("garbage!", 3), (&handle[4..], 3), (&handle[..40], 3)] {
            assert!(Receipt::read(handle, queue).is_err(), "{handle}");
        }
    }
}
