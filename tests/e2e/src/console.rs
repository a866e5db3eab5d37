//! What `tandem dev` says on standard error.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Until a line that never comes is a failure.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The lines of a console.
#[derive(Debug)]
pub struct Console {
    lines: mpsc::UnboundedReceiver<String>,
    heard: Vec<String>,
}

impl Console {
    pub(crate) fn of(output: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut output = BufReader::new(output).lines();
            while let Ok(Some(line)) = output.next_line().await {
                if sender.send(line).is_err() {
                    return; // nobody listens any more, and the process is killed
                }
            }
        });
        Self { lines, heard: Vec::new() }
    }

    /// The first line, said already or to come, that has all these words in it.
    pub async fn says(&mut self, words: &[&str]) -> String {
        let mut at = 0;
        loop {
            while let Some(line) = self.heard.get(at) {
                if words.iter().all(|word| line.contains(word)) {
                    return line.clone();
                }
                at += 1;
            }
            match timeout(WAIT_MAX, self.lines.recv()).await {
                Ok(Some(line)) => self.heard.push(line),
                _ => panic!("it never says {words:?}, but: {:#?}", self.heard),
            }
        }
    }
}
