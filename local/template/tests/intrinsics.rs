//! The intrinsic functions, as a stack sees them: what each resolves to, and what is refused.

use serde_json::{Value, json};
use template::{Inputs, Outside, Source, Template, TemplateError, load};

/// A stack whose resources answer with their own names.
struct Stack;

impl Outside for Stack {
    fn reference(&self, logical_id: &str) -> Option<Value> {
        Some(json!(format!("{logical_id}-ref")))
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Option<Value> {
        match attribute {
            "List" => Some(json!(["one", "two"])),
            "None" => None,
            _ => Some(json!(format!("{logical_id}/{attribute}"))),
        }
    }

    fn import(&self, export: &str) -> Option<String> {
        (export == "shared-pool").then(|| "eu-west-1_shared".to_owned())
    }

    fn parameter(&self, name: &str) -> Option<String> {
        match name {
            "/a/name" => Some("stored".to_owned()),
            "/a/name:3" => Some("older".to_owned()),
            "/a/list" => Some("x, y".to_owned()),
            _ => None,
        }
    }

    fn secret(&self, id: &str) -> Option<String> {
        let known = ["mail", "arn:aws:secretsmanager:us-east-1:000000000000:secret:mail-AbCdEf"];
        known.contains(&id).then(|| r#"{"user": "u", "port": 25}"#.to_owned())
    }
}

const STACK: &str = r#"Transform: AWS::LanguageExtensions
Parameters:
  Stage: {Type: String, Default: dev}
  Port: {Type: Number, Default: 8080}
  Names: {Type: CommaDelimitedList, Default: "a, b,c"}
  Sizes: {Type: "List<Number>", Default: "1,2"}
  Empty: {Type: CommaDelimitedList, Default: ""}
  Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /a/name}
  StoredList: {Type: "AWS::SSM::Parameter::Value<List<String>>", Default: /a/list}
  Lost: {Type: "AWS::SSM::Parameter::Value<String>", Default: /not/there}
  Vpc: {Type: "AWS::EC2::VPC::Id", Default: vpc-1}
Mappings:
  Regions:
    us-east-1: {Ami: ami-1, Zones: [a, b]}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
  Either: !Or [!Condition IsProd, Condition: IsDev]
  Both: !And [!Condition IsProd, !Equals ["true", true]]
Resources:
  Pool: {Type: "AWS::Cognito::UserPool"}
  Gone: {Type: "AWS::SQS::Queue", Condition: IsProd}
  Subject:
    Type: AWS::SSM::Parameter
    Properties:
      Value: "#;

fn value(yaml: &str) -> Result<Value, TemplateError> {
    let text = format!("{STACK}{}\n", yaml.replace('\n', "\n        "));
    let inputs = Inputs { stack_name: "shop".to_owned(), region: "us-east-1".to_owned(), ..Inputs::default() };
    let template = Template::read(load(&Source::new("t.yml", text))?, inputs)?;
    let properties = &template.resource("Subject").expect("it is made").properties;
    Ok(template.resolve(properties, &Stack)?.to_json().get("Value").cloned().unwrap_or_default())
}

#[track_caller]
fn check(yaml: &str, expected: Value) {
    assert_eq!(value(yaml), Ok(expected), "{yaml}");
}

#[track_caller]
fn check_error(yaml: &str, expected: &str) {
    let error = value(yaml).expect_err(yaml).to_string();
    let (place, words) = error.split_once(": ").expect("a place and words");
    assert!(place.starts_with("t.yml:"), "{error}");
    assert_eq!(words, expected, "{yaml}");
}

#[test]
fn ref_gives_parameters_resources_and_what_every_stack_knows() {
    check("!Ref Stage", json!("dev"));
    check("!Ref Port", json!(8080));
    check("!Ref Names", json!(["a", "b", "c"]));
    check("!Ref Sizes", json!([1, 2]));
    check("!Ref Empty", json!([]));
    check("!Ref Vpc", json!("vpc-1"));
    check("!Ref Pool", json!("Pool-ref"));
    check("!Ref AWS::Region", json!("us-east-1"));
    check("!Ref AWS::AccountId", json!("000000000000"));
    check("!Ref AWS::StackName", json!("shop"));
    check("!Ref AWS::Partition", json!("aws"));
    check("!Ref AWS::URLSuffix", json!("amazonaws.com"));
    check("!Ref AWS::NotificationARNs", json!([]));
    check(
        "!Select [0, !Split [shop/, !Ref AWS::StackId]]",
        json!("arn:aws:cloudformation:us-east-1:000000000000:stack/"),
    );
    check("[a, !Ref AWS::NoValue, {b: !Ref AWS::NoValue}]", json!(["a", {}]));
}

#[test]
fn ref_of_stored_parameters() {
    check("!Ref Stored", json!("stored"));
    check("!Ref StoredList", json!(["x", "y"]));
    check_error(
        "!Ref Lost",
        "Parameter Lost names /not/there, which is not in Parameter Store (give it with --ssm /not/there=VALUE, or \
         another name with --parameter Lost=NAME)",
    );
}

#[test]
fn ref_of_what_is_not_there() {
    check_error(
        "!Ref Pol",
        "Template format error: Unresolved resource dependencies [Pol] in the Resources block of the template (did you \
         mean Pool?)",
    );
    check_error(
        "!Ref Gone",
        "Template format error: Unresolved resource dependencies [Gone] in the Resources block of the template (Gone is \
         left out, since its condition is false)",
    );
    check_error("{Ref: [a]}", "Template error: every Ref object must have a single String value.");
}

#[test]
fn get_att_in_every_form() {
    check("!GetAtt Pool.Arn", json!("Pool/Arn"));
    check("{'Fn::GetAtt': [Pool, Outputs.Url]}", json!("Pool/Outputs.Url"));
    check("{'Fn::GetAtt': Pool.Outputs.Url}", json!("Pool/Outputs.Url"));
    check("{'Fn::GetAtt': [Pool, !Ref Stage]}", json!("Pool/dev"));
    check("!GetAtt Pool.List", json!(["one", "two"]));
    check_error(
        "!GetAtt Pool.None",
        "Template error: resource Pool does not support attribute type None in Fn::GetAtt",
    );
    let form = "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the \
                resource attribute";
    check_error("!GetAtt Pool", form);
    check_error("!GetAtt [Pool, Arn, X]", form);
    check_error("!GetAtt [Pool, '']", form);
}

#[test]
fn sub_replaces_names() {
    check("!Sub 'x-${Stage}-${Port}-${AWS::Region}'", json!("x-dev-8080-us-east-1"));
    check("!Sub '${Pool}|${Pool.Arn}|${!Stage}'", json!("Pool-ref|Pool/Arn|${Stage}"));
    check("!Sub ['${A}${Stage}', {A: !Join ['', [p, q]], Stage: mine}]", json!("pqmine"));
    check("!Sub ['${Pool.Arn}', {Pool.Arn: mine}]", json!("mine"));
    check_error("!Sub '${Names}'", "Template error: variable Names in Fn::Sub expression does not resolve to a string");
    check_error(
        "!Sub '${Stag}'",
        "Template format error: Unresolved resource dependencies [Stag] in the Resources block of the template (did you \
         mean Stage?)",
    );
    check_error(
        "!Sub [a, b]",
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as \
         first argument, and an optional second argument to specify a mapping of values to replace in the string",
    );
}

#[test]
fn texts_and_lists() {
    check("!Join ['-', [a, 1, true, !Ref Stage]]", json!("a-1-true-dev"));
    check("!Join [',', !Ref Names]", json!("a,b,c"));
    check("!Join ['', [a, !Ref AWS::NoValue, b]]", json!("ab"));
    check("!Split ['-', a-b-]", json!(["a", "b", ""]));
    check("!Select [1, !Ref Names]", json!("b"));
    check("!Select ['0', [x]]", json!("x"));
    check("!Base64 'a${b}'", json!("YSR7Yn0="));
    check("!GetAZs ''", json!(["us-east-1a", "us-east-1b", "us-east-1c"]));
    check("!Select [0, !GetAZs {Ref: 'AWS::Region'}]", json!("us-east-1a"));
    check("!Cidr [10.0.0.0/16, 2, 8]", json!(["10.0.0.0/24", "10.0.1.0/24"]));
    check("!Length [a, b]", json!(2));
    check("!Length {Ref: Names}", json!(3));
    check("!ToJsonString {b: !Ref Stage, a: [1, 'x']}", json!(r#"{"a":[1,"x"],"b":"dev"}"#));
    check_error("!Join ['-', [[a]]]", "what Fn::Join joins must be a list of texts, not a list");
    check_error(
        "!Select [3, !Ref Names]",
        "Template error: Fn::Select cannot select nonexistent value at index 3 (the list has 3 items, the first at 0)",
    );
    check_error("!Split ['', a]", "Template error: the delimiter of Fn::Split must not be empty");
}

#[test]
fn conditions_choose() {
    check("!If [IsDev, yes-it-is, no]", json!("yes-it-is"));
    check("{a: !If [IsProd, x, !Ref AWS::NoValue], b: 1}", json!({"b": 1}));
    check("[!If [Either, e, n], !If [Both, b, n]]", json!(["e", "n"]));
    check("!If [IsDev, !Ref Pool, !Ref Gone]", json!("Pool-ref"));
    check_error(
        "!If [IsPrd, 1, 2]",
        "Template format error: Unresolved condition dependency IsPrd in the Resources block of the template (did you \
         mean IsProd?)",
    );
    check_error(
        "!If [IsProd, 1]",
        "Template error: Fn::If requires a list argument with three elements: a condition name, the value if it is true \
         and the value if it is false",
    );
}

#[test]
fn mappings_are_looked_up() {
    check("!FindInMap [Regions, !Ref AWS::Region, Ami]", json!("ami-1"));
    check("!FindInMap [Regions, us-east-1, Zones]", json!(["a", "b"]));
    check("!FindInMap [Regions, eu-west-1, Ami, {DefaultValue: !Ref Stage}]", json!("dev"));
    check_error(
        "!FindInMap [Regions, us-east-2, Ami]",
        "Template error: Unable to get mapping for Regions::us-east-2::Ami (did you mean us-east-1?)",
    );
    check_error(
        "!FindInMap [Region, us-east-1, Ami]",
        "Template error: Mapping named 'Region' is not present in the 'Mappings' section of template. (did you mean Regions?)",
    );
}

#[test]
fn other_stacks_export() {
    check("!ImportValue shared-pool", json!("eu-west-1_shared"));
    check("!ImportValue {'Fn::Join': ['-', [shared, pool]]}", json!("eu-west-1_shared"));
    check_error("!ImportValue other", "No export named other found. (another stack must export it first)");
}

#[test]
fn dynamic_references_are_replaced_last() {
    check("'{{resolve:ssm:/a/name}}'", json!("stored"));
    check("'x{{resolve:ssm:/a/name:3}}-{{resolve:ssm-secure:/a/name}}y'", json!("xolder-storedy"));
    check("!Sub '{{resolve:ssm:/${A}/name}}'".replace("${A}", "a").as_str(), json!("stored"));
    check("!Join ['', ['{{resolve:', 'ssm:/a/name}}']]", json!("stored"));
    check("'{{resolve:secretsmanager:mail:SecretString:port}}'", json!("25"));
    check("'{{resolve:secretsmanager:mail}}'", json!(r#"{"user": "u", "port": 25}"#));
    check(
        "'{{resolve:secretsmanager:arn:aws:secretsmanager:us-east-1:000000000000:secret:mail-AbCdEf:SecretString:user::}}'",
        json!("u"),
    );
    check_error("'{{resolve:ssm:/b}}'", "the parameter /b is not in Parameter Store (give it with --ssm /b=VALUE)");
    check_error("'{{resolve:secretsmanager:mail:SecretString:pass}}'", "the secret mail has no JSON member pass");
    check_error(
        "'{{resolve:s3:x}}'",
        "the dynamic reference {{resolve:s3:x}} must be {{resolve:ssm:…, ssm-secure:… or secretsmanager:…}}",
    );
}

#[test]
fn functions_that_are_none() {
    check_error("{'Fn::Subb': x}", "the function Fn::Subb is not known (did you mean Fn::Sub?)");
    check_error("{'Fn::Sub': x, Other: y}", "Fn::Sub stands beside other members; a function stands alone in its map");
    check("{Ref: x, Other: y}", json!({"Ref": "x", "Other": "y"}));
    check("{Condition: {StringEquals: {a: b}}}", json!({"Condition": {"StringEquals": {"a": "b"}}}));
}

#[test]
fn a_text_that_doubles_and_doubles_is_refused() {
    let mut yaml = "0123456789".to_owned();
    for _ in 0..30 {
        yaml = format!("!Sub ['${{A}}${{A}}', {{A: {yaml}}}]");
    }
    check_error(&yaml, "this comes to a text of more than 4194304 bytes");
    check(&yaml.replace("0123456789", "''"), json!(""));
}
