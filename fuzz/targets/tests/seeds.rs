//! Every target with its seeds, and with some hundred changes of them: what a fuzzer would begin with.
//!
//! The changes are the same at every run. An input that fails is printed as it stands in Rust's source; it becomes a
//! seed of its own when what it found is mended.

use std::fs;
use std::path::{Path, PathBuf};

use fuzz_targets::TARGETS;
use world::Random;

/// Changed inputs per target, all of its seeds together.
const CHANGES: usize = 200;
const EDITS_MAX: u64 = 4;
/// What readers look at, in more than one of the languages.
const WORDS: &[&str] = &[
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "$",
    "*",
    "^=",
    "=",
    ":",
    "/",
    "..",
    "%",
    "%00",
    "\0",
    "\n---\n",
    "\u{e9}",
    "\u{10FFFF}",
    "\\ud800",
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "18446744073709551616",
    "[[[[[[[[",
    "{\"a\":",
    "&&",
    "==",
];

#[test]
fn every_target_has_seeds_and_every_folder_a_target() {
    let mut folders: Vec<_> = fs::read_dir(seeds()).expect("the seeds").map(name).collect();
    folders.sort();
    let names: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(folders, names);
}

/// A test of its own for each, so that they run side by side and each is named when it fails.
macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        $( #[test] fn $name() { try_all(stringify!($name)); } )+

        #[test]
        fn every_target_is_tried() {
            assert_eq!([$( stringify!($name) ),+].as_slice(), TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        }
    };
}

targets! {
    access_token, arn, event_pattern, function_code, input_transformer, list_users_filter, operation, query, raw_mail,
    request, serverless, signature, srp, template,
}

fn try_all(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    let mut files: Vec<_> =
        fs::read_dir(seeds().join(name)).expect("its seeds").map(|file| file.expect("a file").path()).collect();
    files.sort();
    let inputs: Vec<_> = files.iter().map(|file| fs::read(file).expect("a seed")).collect();
    for input in &inputs {
        told(*target, input);
    }
    let random = Random::seeded(7);
    for number in 0..CHANGES {
        let mut input = inputs[number % inputs.len()].clone();
        for _ in 0..=random.below(EDITS_MAX) {
            edit(&mut input, &inputs, &random);
        }
        told(*target, &input);
    }
}

/// Runs a target and says by which input it failed.
fn told(target: fn(&[u8]), input: &[u8]) {
    struct Tell<'a>(&'a [u8]);
    impl Drop for Tell<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("the input was b\"{}\"", self.0.escape_ascii());
            }
        }
    }
    let _tell = Tell(input);
    target(input);
}

/// One change: a bit, some bytes less, a word or a piece of another seed more.
fn edit(input: &mut Vec<u8>, others: &[Vec<u8>], random: &Random) {
    let below = |bound: usize| usize::try_from(random.below(bound as u64)).expect("less than a usize");
    let at = below(input.len() + 1);
    match below(5) {
        0 if at < input.len() => input[at] ^= 1 << below(8),
        1 if at < input.len() => drop(input.drain(at..(at + 1 + below(8)).min(input.len()))),
        2 => drop(input.splice(at..at, WORDS[below(WORDS.len())].bytes())),
        3 => {
            let other = &others[below(others.len())];
            let from = below(other.len() + 1);
            let piece = other[from..(from + below(64)).min(other.len())].to_vec();
            drop(input.splice(at..at, piece));
        }
        _ => input.truncate(at),
    }
}

fn name(entry: std::io::Result<fs::DirEntry>) -> String {
    entry.expect("a folder").file_name().into_string().expect("a name in UTF-8")
}

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds")
}
