//! Whatever text comes: reading it ends with a template or a mistake, and never in a panic.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use template::{Inputs, Source, Template, load, load_template};

/// Reads a text as every kind of file, and resolves what came of it.
fn read(text: &str) -> Result<(), TestCaseError> {
    for path in ["t.yml", "t.json", "t.template"] {
        let source = Source::new(path, text);
        for document in [load(&source), load_template(&source)] {
            match document.and_then(|document| Template::read(document, Inputs::default())) {
                Ok(template) => {
                    for resource in &template.resources {
                        let _ = template.references(&resource.properties);
                        let _ = template.resolve(&resource.properties, &());
                    }
                }
                Err(error) => prop_assert!(error.to_string().starts_with(path), "{error}"),
            }
        }
    }
    Ok(())
}

/// The templates that fuzzers begin with.
fn seeds() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/template");
    let files = fs::read_dir(folder).expect("the seeds").map(|file| file.expect("a file").path());
    files.map(|path| fs::read_to_string(path).expect("text")).collect()
}

/// What means something in a template.
const WORDS: &[&str] = &[
    "Resources",
    "Properties",
    "Type",
    "Fn::If",
    "Fn::Sub",
    "!Sub",
    "!Ref ",
    "!GetAtt ",
    "Ref",
    "Condition",
    "null",
    "~",
    "true",
    "-1",
    "{",
    "}",
    "[",
    "]",
    ": ",
    ", ",
    "\n",
    "\n  ",
    "\n- ",
    "'",
    "\"",
    "${",
    "}",
    "&a ",
    "*a",
    "<<: *a",
    "{{resolve:ssm:",
    "\\u",
    "\t",
    "#",
    "|",
    ">-",
    "AWS::NoValue",
    "Fn::ForEach::A",
    "é",
    "\u{10ffff}",
    "\0",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![3 => proptest::sample::select(WORDS).prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        read(&text)?;
    }

    #[test]
    fn any_words(words in proptest::collection::vec(word(), 0..40)) {
        read(&words.concat())?;
    }

    #[test]
    fn changed_templates(
        seed in proptest::sample::select(seeds()),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..40, word()), 1..5),
    ) {
        let mut characters: Vec<char> = seed.chars().collect();
        for (at, length, word) in edits {
            let start = at.index(characters.len() + 1);
            let end = (start + length).min(characters.len());
            characters.splice(start..end, word.chars());
        }
        read(&characters.into_iter().collect::<String>())?;
    }
}
