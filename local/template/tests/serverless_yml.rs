//! A whole service, as people write one, from its files to a template that can be made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::json;
use template::serverless::{Compiled, Evaluated, Evaluation, Options, StoredParameter, Surroundings, compile};
use template::{Inputs, Source, Template, TemplateError, load};

/// The fixture's folder, and nothing else.
struct Folder;

impl Surroundings for Folder {
    fn environment(&self, _: &str) -> Option<String> {
        None
    }

    fn read(&self, path: &Path) -> Result<Option<String>, String> {
        Ok(path.starts_with(folder()).then(|| std::fs::read_to_string(path).ok()).flatten())
    }

    fn evaluate(&self, _: &Evaluation) -> Result<Evaluated, String> {
        Ok(Evaluated::NoFile)
    }

    fn git(&self, _: &str) -> Option<String> {
        None
    }

    fn parameter(&self, _: &str, _: &str) -> Option<StoredParameter> {
        None
    }

    fn secret(&self, _: &str, _: &str) -> Option<String> {
        None
    }

    fn stack_output(&self, _: &str, _: &str, _: &str) -> Option<String> {
        None
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serverless_yml/shop")
}

fn text() -> String {
    std::fs::read_to_string(folder().join("serverless.yml")).expect("the fixture")
}

fn compiled(text: &str) -> Result<Compiled, TemplateError> {
    let options = Options {
        account_id: "000000000000".to_owned(),
        instance_id: "1".to_owned(),
        service_folder: folder(),
        ..Options::default()
    };
    compile(load(&Source::new("serverless.yml", text))?, &Folder, &options)
}

fn template() -> Template {
    let compiled = compiled(&text()).unwrap_or_else(|error| panic!("{error}"));
    let inputs = Inputs { stack_name: compiled.stack_name, region: compiled.region, ..Inputs::default() };
    Template::read(compiled.document, inputs).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_a_shop_is_made_of() {
    let template = template();
    let resources: Vec<String> =
        template.resources.iter().map(|resource| format!("{} {}", resource.kind, resource.logical_id)).collect();
    insta::assert_snapshot!(resources.join("\n"));
}

#[test]
fn what_a_shop_is_told() {
    let compiled = compiled(&text()).unwrap_or_else(|error| panic!("{error}"));
    let warnings = compiled.warnings.iter().map(|warning| format!("{}: {}", warning.span, warning.message));
    insta::assert_snapshot!(warnings.collect::<Vec<_>>().join("\n"), @r"
    serverless.yml:6:3: plugins are not run, what these do is missing: serverless-domain-manager
    serverless.yml:98:9: sns: there is no SNS locally, nothing calls the function nightly
    ");
}

#[test]
fn the_pool_is_one_with_what_both_files_say() {
    let template = template();
    let pools: Vec<_> = template.resources.iter().filter(|one| one.kind == "AWS::Cognito::UserPool").collect();
    let [pool] = pools.as_slice() else { panic!("{} pools", pools.len()) };
    assert_eq!(
        pool.properties.to_json(),
        json!({
            "UserPoolName": "shop-customers-dev",
            "LambdaConfig": {"PostConfirmation": {"Fn::GetAtt": ["AnnounceCustomerLambdaFunction", "Arn"]}},
            "UsernameAttributes": ["email"],
            "AutoVerifiedAttributes": ["email"],
            "UsernameConfiguration": {"CaseSensitive": false}
        })
    );
    assert_eq!(pool.deletion_policy.as_deref(), Some("Retain"));
}

#[test]
fn functions_run_where_they_are_written() {
    let template = template();
    let function = template.resource("CreateDashprofileLambdaFunction").expect("the function").properties.to_json();
    let folder = folder();
    assert_eq!(function["Code"], json!({"S3Bucket": "local", "S3Key": folder.to_str()}));
    assert_eq!((&function["Handler"], &function["MemorySize"]), (&json!("src/handlers/profile.create"), &json!(256)));
    assert_eq!(
        function["Environment"]["Variables"],
        json!({
            "TABLE_NAME": "shop-profiles-dev", "BUS_NAME": "shop-events", "LOG_LEVEL": "debug",
            "CLIENT_ID": {"Ref": "WebClient"}
        })
    );
    let nightly = template.resource("NightlyLambdaFunction").expect("the function").properties.to_json();
    assert_eq!(nightly["Environment"]["Variables"].get("BUS_NAME"), None);
}

#[test]
fn places_lead_into_the_file_that_says_so() {
    let template = template();
    let table = template.resource("ProfilesTable").expect("the table");
    assert_eq!(table.span.to_string(), "resources/tables.yml:2:3");
    let name = table.properties.get("TableName").expect("its name");
    assert_eq!(name.span.to_string(), "serverless.yml:11:16");
}

#[test]
fn another_stage_has_its_own_parameters() {
    let options = Options {
        stage: Some("prod".to_owned()),
        parameters: BTreeMap::from([("none".to_owned(), "x".to_owned())]),
        service_folder: folder(),
        ..Options::default()
    };
    let node = load(&Source::new("serverless.yml", text())).expect("YAML");
    let error = compile(node, &Folder, &options).map(|compiled| compiled.stack_name).expect_err("no file for prod");
    assert_eq!(
        error.to_string(),
        "serverless.yml:17:13: ${file(./config/${self:custom.stage}.yml)} has no value: there is no file \
         ./config/prod.yml (a fallback would be ${file(./config/${self:custom.stage}.yml), 'value'})"
    );
}

proptest! {
    /// Whatever somebody types into a file, it compiles or is refused.
    #[test]
    fn changed_files_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..30, "[ \n]?(\\$\\{|\\}|: |- |\\[|\\]|\\{|'|null|self:custom|true|events:|Ref|0|é|,|-|)[ \n]?"), 1..4)
    ) {
        let mut text = text();
        for (at, removed, inserted) in changes {
            let mut start = at.index(text.len());
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            let mut end = (start + removed).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(start..end, &inserted);
        }
        if let Ok(compiled) = compiled(&text) {
            let _ = Template::read(compiled.document, Inputs::default());
        }
    }
}
