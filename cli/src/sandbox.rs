//! `tandem sandbox PARENT_PID PROGRAM ARGS…`: becomes a function's program, which dies with the server.
//! `tandem sandbox guard`: clears away what functions have left behind when the server was killed.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, bail};

/// Comes back only if it failed, or was a guard whose work is done.
pub fn become_program(mut words: impl Iterator<Item = OsString>) -> anyhow::Result<()> {
    let word = words.next();
    if word.as_ref().is_some_and(|word| word == server::GUARD_WORD) {
        server::guard_main(std::io::stdin().lock());
        return Ok(());
    }
    let parent = word.and_then(|word| word.to_str()?.parse().ok()).context("no process id of the server")?;
    let program = PathBuf::from(words.next().context("no program to start")?);
    let text = |word: OsString| word.into_string().map_err(|word| anyhow::anyhow!("{} is not UTF-8", word.display()));
    let args = words.map(text).collect::<anyhow::Result<Vec<_>>>()?;
    let error = server::launcher_main(parent, &program, &args);
    bail!("{} could not be started: {error}", program.display())
}
