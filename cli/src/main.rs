//! The `tandem` binary: the local cloud, the tools around it, and the functions that run inside it.
//!
//! Two words are not for people: `tandem function` is a Lambda function (the handler chosen by `_HANDLER`), and
//! `tandem sandbox` starts a function's process so that it dies with the server. They are looked at before the
//! arguments are parsed, because every cold start pays for what comes first.

mod api;
mod arguments;
mod aws;
mod check;
mod console;
mod demo;
mod dev;
mod dlq;
mod erase;
mod logs;
mod sandbox;
mod stack_file;
mod story;
mod trace;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;

/// It ran, and there was nothing to print.
const NOTHING_FOUND: u8 = 1;
/// It ran, and something is wrong with what it looked at.
const FOUND_SOMETHING: u8 = 1;
/// It could not be run.
const COULD_NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    match words.next().as_ref().and_then(|word| word.to_str()) {
        Some(dev::SANDBOX_WORD) => return finish(sandbox::become_program(words)),
        Some(dev::FUNCTION_WORD) => return finish(tandem_functions::main().map_err(anyhow::Error::from_boxed)),
        _ => {}
    }
    finish(match Arguments::parse().command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Check(arguments) => match check::run(&arguments) {
            Ok(check::Outcome::Fine) => Ok(()),
            Ok(check::Outcome::Found) => return ExitCode::from(FOUND_SOMETHING),
            Ok(check::Outcome::Refused) => return ExitCode::from(COULD_NOT_RUN),
            Err(error) => Err(error),
        },
        Command::Trace(arguments) => trace::run(&arguments),
        Command::Logs(arguments) => match logs::run(&arguments) {
            Ok(false) => return ExitCode::from(NOTHING_FOUND),
            result => result.map(drop),
        },
        Command::Dlq(arguments) => match dlq::run(&arguments) {
            Ok(false) => return ExitCode::from(FOUND_SOMETHING),
            result => result.map(drop),
        },
        Command::Erase(arguments) => match erase::run(&arguments) {
            Ok(false) => return ExitCode::from(FOUND_SOMETHING),
            result => result.map(drop),
        },
        Command::Operations { json } => dev::print_operations(json),
    })
}

fn finish(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tandem: {}", one_line(&error));
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// An error with its causes; one that the line before names already is not said again.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for text in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = text;
        } else if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let told = anyhow::anyhow!("no such file").context("cannot open x: no such file").context("the start failed");
        assert_eq!(one_line(&told), "the start failed: cannot open x: no such file");
    }
}
