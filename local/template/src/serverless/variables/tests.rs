//! Variables of whole files.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::load::load;
use crate::serverless::Options;
use crate::serverless::surroundings::StoredParameter;
use crate::serverless::testing::{World, options};
use crate::source::Source;

use super::Resolver;

fn world() -> World {
    let texts = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let stored = |value: &str, kind: &str| StoredParameter { value: value.to_owned(), kind: kind.to_owned() };
    World {
        environment: texts(&[("HOME", "/tmp/a"), ("TRICK", "${self:custom.a}")]),
        files: texts(&[
            ("conf/a.yml", "dev: {size: 1, name: 'a-${sls:stage}'}\nprod: {size: 2}\nlist: [x, y]\nempty:\n"),
            ("a.json", r#"{"b": {"c": [true]}}"#),
            ("note.txt", "for ${self:service}"),
            ("bad.yml", "a: [1"),
            (".env", "FROM_FILE=default\nONLY=default\n"),
            (".env.dev", "FROM_FILE=dev\n"),
        ]),
        parameters: [
            ("/a/text", stored("t", "String")),
            ("/a/list", stored("x,y", "StringList")),
            ("/a/json", stored(r#"{"k":1}"#, "SecureString")),
        ]
        .into_iter()
        .map(|(name, parameter)| (name.to_owned(), parameter))
        .collect(),
        secrets: texts(&[("db", r#"{"password":"p"}"#)]),
        outputs: texts(&[("us-east-1:other.Url", "http://o"), ("eu-west-1:other.Url", "http://e")]),
        scripts: [("conf.js", json!({"a": {"b": 1}})), ("ask.js", json!("needs sls:stage"))]
            .into_iter()
            .map(|(path, value)| (path.to_owned(), value))
            .collect(),
    }
}

fn resolved_with(options: &Options, custom: &str) -> Result<Value, String> {
    let text = format!("service: shop\nprovider: {{name: aws}}\ncustom:\n  {}\n", custom.replace('\n', "\n  "));
    let node = load(&Source::new("serverless.yml", text)).map_err(|error| error.to_string())?;
    let world = world();
    let (node, _) = Resolver::new(node, &world, options).document().map_err(|error| error.to_string())?;
    Ok(node.to_json()["custom"].take())
}

/// What a value becomes, with `a: A` and a little more beside it.
#[track_caller]
fn check(value: &str, expected: Value) {
    let custom = format!("a: A\nm: {{k: [u, v], d: '${{self:custom.a}}'}}\nflag: True\nvalue: {value}");
    assert_eq!(resolved_with(&options(), &custom).map(|mut custom| custom["value"].take()), Ok(expected));
}

#[track_caller]
fn check_error(value: &str, expected: &str) {
    let error = resolved_with(&options(), &format!("a: A\nvalue: {value}"));
    assert_eq!(error, Err(expected.to_owned()));
}

#[test]
fn the_file_itself() {
    check("${self:service}", json!("shop"));
    check("x-${self:custom.a}-${self:custom.m.d}", json!("x-A-A"));
    check("${self:custom.m}", json!({"k": ["u", "v"], "d": "A"}));
    check("${self:custom.m.k.1}", json!("v"));
    check("${self:custom.flag}", json!(true));
    check("is ${self:custom.flag}", json!("is true"));
    check("${self:custom.m.k}!", json!("u,v!"));
    check("${self:provider.stage}", json!("dev"));
}

#[test]
fn fallbacks_are_tried_in_order() {
    check("${opt:x, self:custom.none, self:custom.a}", json!("A"));
    check("${opt:x, 'b ${self:custom.a}'}", json!("b A"));
    check("${opt:x, 5}", json!(5));
    check("${opt:x, true}", json!(true));
    check("${opt:x, null}", json!(null));
    check("${opt:x, ''}", json!(""));
    check("${self:custom.${opt:x, 'a'}}", json!("A"));
}

#[test]
fn files() {
    check("${file(./conf/a.yml):dev}", json!({"size": 1, "name": "a-dev"}));
    check("${file(conf/a.yml):${sls:stage}.size}", json!(1));
    check("${file(./conf/../conf/a.yml):list.1}", json!("y"));
    check("${file(a.json):b.c.0}", json!(true));
    check("${file(note.txt)}", json!("for shop"));
    check("${file(none.yml), 'n'}", json!("n"));
    check("${file(conf/a.yml):none.x, file(conf/a.yml):empty, 'n'}", json!("n"));
}

#[test]
fn scripts_are_evaluated_by_the_caller() {
    check("${file(conf.js):a}", json!({"b": 1}));
    check("${file(ask.js)}", json!("dev"));
    check("${file(none.ts), 'n'}", json!("n"));
}

#[test]
fn the_environment_and_its_files() {
    check("${env:HOME}", json!("/tmp/a"));
    check("${env:FROM_FILE}-${env:ONLY}", json!("dev-default"));
    check("${env:NONE, 'n'}", json!("n"));
    check("${env:TRICK}", json!("A"));
}

#[test]
fn what_lies_on_aws() {
    check("${aws:accountId}:${aws:region}:${aws:partition}", json!("000000000000:us-east-1:aws"));
    check("${ssm:/a/text}", json!("t"));
    check("${ssm:/a/list}", json!(["x", "y"]));
    check("${ssm(raw):/a/list}", json!("x,y"));
    check("${ssm(eu-west-1):/a/json}", json!({"k": 1}));
    check("${ssm:/aws/reference/secretsmanager/db}", json!({"password": "p"}));
    check("${cf:other.Url}", json!("http://o"));
    check("${cf(eu-west-1):other.Url} ${cf.eu-west-1:other.Url}", json!("http://e http://e"));
    check("${git:branch}", json!("main"));
}

#[test]
fn options_and_parameters() {
    let given = Options {
        stage: Some("prod".to_owned()),
        options: [("color".to_owned(), "red".to_owned())].into(),
        parameters: [("given".to_owned(), "g".to_owned())].into(),
        ..options()
    };
    let check = |value: &str, expected: Value| {
        let text = format!(
            "service: s\nprovider: {{name: aws, stage: qa}}\nparams:\n  prod: {{size: 2}}\n  qa: {{size: '${{ssm:/none}}'}}\n  \
             default: {{size: 1, other: 'o-${{sls:stage}}'}}\nstages: {{default: {{params: {{deep: d}}}}}}\nvalue: {value}\n"
        );
        let world = world();
        let node = load(&Source::new("serverless.yml", text)).expect("YAML");
        let resolved = Resolver::new(node, &world, &given).document().map(|(node, _)| node.to_json()["value"].take());
        assert_eq!(resolved, Ok(expected));
    };
    check("${opt:stage} ${sls:stage} ${opt:color}", json!("prod prod red"));
    check("${param:size}", json!(2));
    check("${param:other} ${param:deep} ${param:given}", json!("o-prod d g"));
    check("${strToBool(${param:none, 'false'})}", json!(false));
}

#[test]
fn what_belongs_to_cloudformation_stays() {
    check("!Sub 'arn:${AWS::Region}:${Table}-${sls:stage}'", json!({"Fn::Sub": "arn:${AWS::Region}:${Table}-dev"}));
    check(r"'\${self:custom.a}'", json!("${self:custom.a}"));
}

#[test]
fn a_variable_without_a_value_tells_what_was_tried() {
    check_error(
        "\n    - ${opt:x, env:NONE, self:custom.none, param:p, ssm:/n, cf:s.O, file(n.yml)}",
        "serverless.yml:6:9: ${opt:x, env:NONE, self:custom.none, param:p, ssm:/n, cf:s.O, file(n.yml)} has no value: no --x \
         was given; neither the environment nor a .env file has NONE; there is no custom.none in the file; the parameter p \
         is given neither by --param, nor by params of the stage dev or of default; there is no parameter /n in Parameter \
         Store (us-east-1); no stack s with an output O is known in us-east-1; one that was served from the same state directory is; there is no file n.yml (a fallback would be \
         ${opt:x, env:NONE, self:custom.none, param:p, ssm:/n, cf:s.O, file(n.yml), 'value'})",
    );
    check_error(
        "name-${opt:x}",
        "serverless.yml:5:15: ${opt:x} has no value: no --x was given (a fallback would be ${opt:x, 'value'})",
    );
    check_error(
        "${s3:bucket/key}",
        "serverless.yml:5:10: ${s3:bucket/key} has no value: objects of S3 are not read locally (a fallback would be \
         ${s3:bucket/key, 'value'})",
    );
    check_error(
        "${slef:custom.a}",
        "serverless.yml:5:10: ${slef:custom.a} has no value: there is no source slef, did you mean self? (a fallback would be \
         ${slef:custom.a, 'value'})",
    );
}

#[test]
fn mistakes_inside_of_files_have_their_place() {
    check_error("${self:a", "serverless.yml:5:10: this variable is not closed: a } is missing");
    check_error("x ${opt:a, dev}", "serverless.yml:5:21: a fallback is a source or a value in quotes: 'dev'");
    let error = resolved_with(&options(), "value: ${file(bad.yml)}").expect_err("a broken file");
    assert!(error.starts_with("bad.yml:"), "{error}");
    check_error("x ${self:provider}", "serverless.yml:5:12: ${self:provider} is a map: it cannot be a part of a text");
    check_error("${strToBool(maybe)}", "serverless.yml:5:10: strToBool takes true, false, 1 or 0, not \"maybe\"");
}

#[test]
fn circles_are_named() {
    check_error("${self:custom.value}", "serverless.yml:5:10: custom.value refers to itself");
    let circle = resolved_with(&options(), "a: ${self:custom.b}\nb: x${self:custom.c.0}\nc: ['${self:custom.a}']");
    assert_eq!(
        circle,
        Err("serverless.yml:4:6: these refer to each other in a circle: custom.a → custom.b → custom.c.0 → custom.a"
            .to_owned())
    );
    check_error("${self:}", "serverless.yml:5:10: custom.value refers to itself");
}

#[test]
fn values_from_other_files_keep_their_place() {
    let text = "provider: aws\ncustom: ${file(conf/a.yml):dev}\nname: ${file(conf/a.yml):dev.name}\n";
    let world = world();
    let node = load(&Source::new("sub/serverless.yml", text)).expect("YAML");
    let options = options();
    let (node, _) = Resolver::new(node, &world, &options).document().expect("resolved");
    let place = |path: &[&str]| node.at(path).expect("it is there").span.to_string();
    assert_eq!(place(&["custom", "size"]), "sub/conf/a.yml:1:13");
    assert_eq!(place(&["name"]), "sub/conf/a.yml:1:22");
}

#[test]
fn growth_has_an_end() {
    let mut custom = "v0: xxxxxxxxxxxxxxxx\n".to_owned();
    for level in 1..40 {
        let _ = writeln!(custom, "v{level}: ${{self:custom.v{0}}}${{self:custom.v{0}}}", level - 1);
    }
    let error = resolved_with(&options(), &custom).expect_err("a bomb");
    assert!(error.contains("variables make the file longer than"), "{error}");
    let mut custom = String::new();
    for level in 0..200 {
        let _ = writeln!(custom, "v{level}: ${{self:custom.v{}}}", level + 1);
    }
    let error = resolved_with(&options(), &custom).expect_err("a long chain");
    assert!(error.contains("deep here") || error.contains("wait for each other"), "{error}");
}

proptest! {
    #[test]
    fn any_text_resolves_or_is_refused(
        a in r"(\$\{|\}|\(|\)|:|, |'|self:custom.[abc]|opt:x|env:TRICK|file\(note.txt\)|\$\{self:custom.[abc]\}|-){0,12}",
        b in r"(\$\{self:custom.[abc](, '[xy]')?\}|\$\{opt:x, self:custom.[abc]\}|x){0,4}",
    ) {
        let custom = json!({"a": a, "b": b, "c": ["${self:custom.b, 'c'}", {"d": "${env:TRICK}"}]}).to_string();
        let text = format!("{{\"service\": \"s\", \"provider\": \"aws\", \"custom\": {custom}}}");
        let node = load(&Source::new("serverless.json", text)).expect("JSON");
        let (world, options) = (world(), options());
        let _ = Resolver::new(node, &world, &options).document();
    }
}
