//! What people write of a service.

use std::path::Path;

use template::serverless::{Evaluated, Evaluation, Options, StoredParameter, Surroundings, compile};
use template::{Inputs, Source, Template, load};

/// A world in which every file is the one that is read, and every other value its own name.
struct Mirror(String);

impl Surroundings for Mirror {
    fn environment(&self, name: &str) -> Option<String> {
        (name != "NONE").then(|| format!("${{env:{name}X, '{name}'}}"))
    }

    fn read(&self, path: &Path) -> Result<Option<String>, String> {
        Ok((path.extension().is_some()).then(|| self.0.clone()))
    }

    fn evaluate(&self, evaluation: &Evaluation) -> Result<Evaluated, String> {
        let next = format!("sls:{}", if evaluation.answers.is_empty() { "stage" } else { "instanceId" });
        Ok(match evaluation.answers.get(&next) {
            Some(answer) => Evaluated::Json(answer.to_string()),
            None => Evaluated::Needs(next),
        })
    }

    fn git(&self, fact: &str) -> Option<String> {
        Some(fact.to_owned())
    }

    fn parameter(&self, name: &str, _: &str) -> Option<StoredParameter> {
        Some(StoredParameter { value: format!("{name},b"), kind: "StringList".to_owned() })
    }

    fn secret(&self, id: &str, _: &str) -> Option<String> {
        Some(format!("{{\"key\": {id:?}}}"))
    }

    fn stack_output(&self, _: &str, output: &str, _: &str) -> Option<String> {
        Some(output.to_owned())
    }
}

/// serverless.yml, YAML or JSON: compiled, and what it becomes read. A mistake has a place in its file.
pub fn serverless(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let options = Options {
        account_id: "000000000000".to_owned(),
        instance_id: "1".to_owned(),
        service_folder: "/srv/fuzz".into(),
        ..Options::default()
    };
    let Ok(config) = load(&Source::new("serverless.yml", text.clone())) else { return };
    match compile(config, &Mirror(text), &options) {
        Ok(compiled) => {
            let _ = Template::read(compiled.document, Inputs::default());
        }
        Err(error) => assert!(error.span.end <= error.span.source.text.len(), "{error}"),
    }
}
